"""Loads a file's rows, once they are in memory, into a new table of PostgreSQL by DuckDB's postgres
extension and prints what that cost, connecting included: URL FILE TABLE."""

import json
import resource
import sys
import time

import duckdb
import duckdb_extensions
import pyarrow.ipc
import pyarrow.parquet


def read_table(path):
    if path.endswith((".parquet", ".pq")):
        return pyarrow.parquet.read_table(path)
    return pyarrow.ipc.open_file(path).read_all()


def main():
    url, path, table = sys.argv[1:]
    rows = read_table(path)
    duckdb_extensions.import_extension("postgres_scanner")
    database = duckdb.connect()
    database.execute("LOAD postgres_scanner")
    wall, cpu = time.perf_counter(), time.process_time()
    database.execute(f"ATTACH '{url}' AS target (TYPE postgres)")
    database.execute(f"CREATE TABLE target.public.{table} AS FROM rows")
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"who": "duckdb", "rows": rows.num_rows, "wall": wall, "cpu": cpu,
                      "peak_mib": peak}))


if __name__ == "__main__":
    main()
