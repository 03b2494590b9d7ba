"""Writes a file's rows, once they are in memory, as a new Delta table by delta-rs and prints what that
cost: FILE FOLDER CODEC."""

import json
import os
import resource
import sys
import time

import deltalake
import pyarrow.ipc
import pyarrow.parquet


def read_table(path):
    if path.endswith((".parquet", ".pq")):
        return pyarrow.parquet.read_table(path)
    return pyarrow.ipc.open_file(path).read_all()


def sync(folder):
    for place, _, names in os.walk(folder):
        for name in names:
            with open(os.path.join(place, name), "rb") as file:
                os.fsync(file.fileno())


def main():
    path, folder, codec = sys.argv[1:]
    table = read_table(path)
    properties = deltalake.WriterProperties(compression=codec.upper())
    wall, cpu = time.perf_counter(), time.process_time()
    deltalake.write_deltalake(folder, table, writer_properties=properties)
    sync(folder)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"who": "delta-rs", "rows": table.num_rows, "wall": wall, "cpu": cpu,
                      "peak_mib": peak}))


if __name__ == "__main__":
    main()
