"""Loads a file into a new table of PostgreSQL by ADBC's bulk ingest and prints what that cost,
connecting and reading included, imports not: URL FILE TABLE."""

import json
import resource
import sys
import time

import adbc_driver_postgresql.dbapi
import pyarrow
import pyarrow.ipc
import pyarrow.parquet

PARQUET_BATCH_ROWS = 65_536


def open_reader(path):
    if path.endswith((".parquet", ".pq")):
        file = pyarrow.parquet.ParquetFile(path)
        batches = file.iter_batches(batch_size=PARQUET_BATCH_ROWS)
        return pyarrow.RecordBatchReader.from_batches(file.schema_arrow, batches)
    file = pyarrow.ipc.open_file(pyarrow.memory_map(path))
    batches = (file.get_batch(i) for i in range(file.num_record_batches))
    return pyarrow.RecordBatchReader.from_batches(file.schema, batches)


def ingest(url, path, table):
    with adbc_driver_postgresql.dbapi.connect(url) as connection:
        with connection.cursor() as cursor:
            rows = cursor.adbc_ingest(table, open_reader(path), mode="create")
        connection.commit()
    return rows


def main():
    wall, cpu = time.perf_counter(), time.process_time()
    rows = ingest(*sys.argv[1:])
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"who": "adbc", "rows": rows, "wall": wall, "cpu": cpu, "peak_mib": peak}))


if __name__ == "__main__":
    main()
