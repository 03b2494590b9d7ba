"""Loads a file's rows, once they are in memory, into a table of PostgreSQL by ADBC's bulk ingest and
prints what that cost, connecting included: URL FILE TABLE [COMMITS]. With COMMITS: so many appends of
1,000 rows each, through one connection."""

import json
import resource
import sys
import time

import adbc_driver_postgresql.dbapi
import pyarrow.ipc
import pyarrow.parquet

COMMIT_ROWS = 1000


def read_table(path):
    if path.endswith((".parquet", ".pq")):
        return pyarrow.parquet.read_table(path)
    return pyarrow.ipc.open_file(path).read_all()


def ingest(connection, table, rows, mode):
    with connection.cursor() as cursor:
        cursor.adbc_ingest(table, rows.to_reader(), mode=mode)
    connection.commit()


def load(url, table, rows):
    wall, cpu = time.perf_counter(), time.process_time()
    with adbc_driver_postgresql.dbapi.connect(url) as connection:
        ingest(connection, table, rows, "create")
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"who": "adbc", "rows": rows.num_rows, "wall": wall, "cpu": cpu,
                      "peak_mib": peak}))


def commit(url, table, rows, commits):
    parts = rows.num_rows // COMMIT_ROWS
    milliseconds = []
    with adbc_driver_postgresql.dbapi.connect(url) as connection:
        for i in range(commits):
            part = rows.slice(i % parts * COMMIT_ROWS, COMMIT_ROWS).combine_chunks()
            start = time.perf_counter()
            ingest(connection, table, part, "create_append")
            milliseconds.append((time.perf_counter() - start) * 1000)
    print(json.dumps({"who": "adbc", "ms": milliseconds}))


def main():
    url, path, table, *commits = sys.argv[1:]
    rows = read_table(path)
    if commits:
        commit(url, table, rows, int(commits[0]))
    else:
        load(url, table, rows)


if __name__ == "__main__":
    main()
