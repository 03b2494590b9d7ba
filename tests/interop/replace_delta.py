"""Makes another, empty table in the place of a Delta table, as CREATE OR REPLACE TABLE does."""
import sys

import deltalake

table = deltalake.DeltaTable(sys.argv[1])
deltalake.DeltaTable.create(sys.argv[1], schema=table.schema(), mode="overwrite")
