"""Delta tables for the tests as delta-rs reads and writes them.

One request a line on standard input: {"table": folder, "do": what, "options": of the storage, …}.
The answer is one line: "ok", "none" where there is no table, or "error" and why. What "read" finds
is written to the file "out" as an Arrow IPC stream.
"""
import json
import sys

import deltalake
import pyarrow as pa
from deltalake.exceptions import TableNotFoundError


def read(request, table):
    rows = pa.table(table.to_pyarrow_table())
    with pa.OSFile(request["out"], "wb") as sink, pa.ipc.new_stream(sink, rows.schema) as writer:
        writer.write_table(rows)


def append(request, table):
    """Rows {"column": [values]}; columns that the table lacks are added to it."""
    known = {field.name: field.type for field in pa.schema(table.schema().to_arrow())}
    rows = pa.table({name: pa.array(values, known.get(name)) for name, values in
                     request["rows"].items()})
    deltalake.write_deltalake(table, rows, mode="append", schema_mode="merge")


def create(request, _):
    """From rows, with properties."""
    rows = pa.table(request["rows"])
    deltalake.write_deltalake(request["table"], rows, configuration=request.get("properties"),
                              partition_by=request.get("partition_by"),
                              storage_options=request.get("options"))


def replace(request, table):
    """Another, empty table in its place, as CREATE OR REPLACE TABLE makes it."""
    deltalake.DeltaTable.create(request["table"], schema=table.schema(), mode="overwrite")


ACTIONS = {
    "read": read,
    "append": append,
    "create": create,
    "replace": replace,
    "compact": lambda request, table: table.optimize.compact(),
    "delete": lambda request, table: table.delete(request["where"]),
    "checkpoint": lambda request, table: table.create_checkpoint(),
}


def answer(request):
    do = request.get("do", "read")
    table = None
    if do != "create":
        try:
            table = deltalake.DeltaTable(request["table"], version=request.get("version"),
                                         storage_options=request.get("options"))
        except TableNotFoundError:
            return "none"
    ACTIONS[do](request, table)
    return "ok"


print("ready", flush=True)
for line in sys.stdin:
    try:
        print(answer(json.loads(line)), flush=True)
    except Exception as error:  # whatever it is, the test shows it
        print("error " + repr(error).replace("\n", " "), flush=True)
