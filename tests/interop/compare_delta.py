"""Compares a Parquet file's values with those of a Delta table, as three readers find them.

    compare_delta.py FILE TABLE [READERS]

One line a reader, "deltalake: 1000 rows equal" or the first difference; fails where one differs.
The file is read by pyarrow. Values are compared, not types: Delta has no unsigned numbers, so that
those come back as longer ones or decimals. Rows are compared sorted.
"""
import decimal
import os
import sys

import deltalake
import pyarrow as pa
import pyarrow.parquet as pq


def by_deltalake(table):
    return pa.table(deltalake.DeltaTable(table).to_pyarrow_table())


def by_polars(table):
    import polars
    return polars.read_delta(table).to_arrow()


def by_duckdb(table):
    import duckdb
    import duckdb_extension_delta
    connection = duckdb.connect(config={"allow_unsigned_extensions": "true"})
    connection.execute("SET TimeZone = 'UTC'")
    found = [os.path.join(root, name)
             for root, _, names in os.walk(os.path.dirname(duckdb_extension_delta.__file__))
             for name in names if name.endswith(".duckdb_extension")]
    connection.execute(f"LOAD '{found[0]}'")
    result = connection.execute("SELECT * FROM delta_scan(?)", [table])
    read = getattr(result, "to_arrow_table", None) or result.fetch_arrow_table
    return read()


def plain(value):
    """Values that mean the same become equal: whatever a reader's types are called."""
    if isinstance(value, dict):
        return tuple(plain(v) for v in value.values())
    if isinstance(value, (list, tuple)):
        return tuple(plain(v) for v in value)
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return str(value)
    if isinstance(value, decimal.Decimal):
        text = format(value, "f")
        return text.rstrip("0").rstrip(".") if "." in text else text
    if isinstance(value, float) and value != value:
        return "NaN"
    if hasattr(value, "tzinfo") and value.tzinfo is not None:
        return value.timestamp()
    return value


def rows(table, names):
    table = table.select(names)
    columns = []
    for column in table.columns:
        if pa.types.is_timestamp(column.type):
            column = column.cast(pa.timestamp("us", column.type.tz))
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        columns.append([plain(v) for v in column.to_pylist()])
    return sorted(zip(*columns), key=repr)


def main():
    file, table, *chosen = sys.argv[1:]
    chosen = chosen[0].split(",") if chosen else ["deltalake", "polars", "duckdb"]
    wanted = pq.read_table(file)
    names = wanted.column_names
    expected = rows(wanted, names)
    failed = False
    for name, read in (("deltalake", by_deltalake), ("polars", by_polars), ("duckdb", by_duckdb)):
        if name not in chosen:
            continue
        found = rows(read(table), names)
        difference = next(((column, x, y) for a, b in zip(expected, found)
                           for column, x, y in zip(names, a, b) if repr(x) != repr(y)), None)
        if len(found) != len(expected) or difference:
            failed = True
            print(f"{name}: {len(found)} rows, not {len(expected)}; differs in {repr(difference)[:500]}")
        else:
            print(f"{name}: {len(found)} rows equal")
    sys.stdout.flush()
    # Threads that a reader has left behind may end the process badly.
    os._exit(1 if failed else 0)


main()
