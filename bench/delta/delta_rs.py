"""Writes a file's rows, once they are in memory, to a new Delta table by delta-rs and prints what that
cost: FILE FOLDER CODEC [COMMITS]. With COMMITS: so many appends of 1,000 rows each. delta-rs does not
bring its files to the disk; of a load it is said what that would take in addition."""

import json
import os
import resource
import sys
import time

import deltalake
import pyarrow.ipc
import pyarrow.parquet

COMMIT_ROWS = 1000


def read_table(path):
    if path.endswith((".parquet", ".pq")):
        return pyarrow.parquet.read_table(path)
    return pyarrow.ipc.open_file(path).read_all()


def sync(folder):
    for place, _, names in os.walk(folder):
        for name in names:
            with open(os.path.join(place, name), "rb") as file:
                os.fsync(file.fileno())


def load(table, folder, properties):
    def report(who):
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({"who": who, "rows": table.num_rows, "wall": time.perf_counter() - wall,
                          "cpu": time.process_time() - cpu, "peak_mib": peak}))

    wall, cpu = time.perf_counter(), time.process_time()
    deltalake.write_deltalake(folder, table, writer_properties=properties)
    report("delta-rs, not synced")
    sync(folder)
    report("delta-rs")


def commit(table, folder, properties, commits):
    parts = table.num_rows // COMMIT_ROWS
    milliseconds = []
    for i in range(commits):
        rows = table.slice(i % parts * COMMIT_ROWS, COMMIT_ROWS).combine_chunks()
        start = time.perf_counter()
        deltalake.write_deltalake(folder, rows, mode="append", writer_properties=properties)
        milliseconds.append((time.perf_counter() - start) * 1000)
    print(json.dumps({"who": "delta-rs", "ms": milliseconds}))


def main():
    path, folder, codec, *commits = sys.argv[1:]
    table = read_table(path)
    properties = deltalake.WriterProperties(compression=codec.upper())
    os.sync()  # what earlier runs have written is not to be this one's burden
    if commits:
        commit(table, folder, properties, int(commits[0]))
    else:
        load(table, folder, properties)


if __name__ == "__main__":
    main()
