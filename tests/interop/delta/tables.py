#!/usr/bin/env python3
"""Delta tables as others write and read them; prints JSON. Used by the tests beside it."""
import datetime
import decimal
import json
import os
import sys
import urllib.parse
import uuid

import deltalake
import pyarrow as pa
import pyarrow.parquet as pq


def rows(commit: int) -> pa.Table:
    """Ten rows in up to four partitions, one of them null, with names that need escaping."""
    names = ["plain", "with space", "ö/=%:", None]
    start = commit * 10
    return pa.table({
        "n": pa.array(range(start, start + 10), pa.int64()),
        "name": pa.array([names[(commit + i) % 4] for i in range(10)], pa.string()),
        "day": pa.array([datetime.date(2024, 1, 1 + commit % 2)] * 10, pa.date32()),
        "amount": pa.array([decimal.Decimal(i) / 4 for i in range(10)], pa.decimal128(20, 2)),
        "at": pa.array([datetime.datetime(2024, 1, 1, 0, 0, i, commit, datetime.timezone.utc)
                        for i in range(10)], pa.timestamp("us", "UTC")),
    })


def write(folder: str, commits: int, interval: int) -> None:
    """Appends, and now and then deletes and overwrites; checkpoints each `interval` commits."""
    configuration = {"delta.checkpointInterval": str(interval)}
    deltalake.write_deltalake(folder, rows(0), partition_by=["name", "day"],
                              configuration=configuration)
    for commit in range(1, commits):
        table = deltalake.DeltaTable(folder)
        if commit % 7 == 3:
            table.delete(f"n >= {commit * 10 - 25} AND n < {commit * 10 - 15}")
        elif commit % 7 == 5:
            table.optimize.compact()
        elif commit % 11 == 8:
            table.delete("name = 'plain'")
        else:
            deltalake.write_deltalake(table, rows(commit), mode="append")
        if (commit + 1) % interval == 0:
            deltalake.DeltaTable(folder).create_checkpoint()


def files(folder: str, version: int) -> list:
    """[path, size, rows, partition values as text] of each file of a version."""
    table = deltalake.DeltaTable(folder, version=version)
    actions = pa.table(table.get_add_actions(flatten=False)).to_pylist()
    return sorted([urllib.parse.unquote(a["path"]), a["size_bytes"], a["num_records"],
                   {k: None if v is None else str(v) for k, v in a["partition"].items()}]
                  for a in actions)


def read(folder: str, reader: str) -> list:
    """[count, sum of n, null names] by a reader that shares no code with the others' writers."""
    if reader == "deltalake":
        table = deltalake.DeltaTable(folder).to_pyarrow_table(columns=["n", "name"])
        return [table.num_rows, pa.compute.sum(table["n"]).as_py(), table["name"].null_count]
    if reader == "polars":
        import polars
        frame = polars.read_delta(folder)
        return [frame.height, frame["n"].sum(), frame["name"].null_count()]
    import duckdb
    import duckdb_extension_delta
    connection = duckdb.connect(config={"allow_unsigned_extensions": "true"})
    found = [os.path.join(root, name)
             for root, _, names in os.walk(os.path.dirname(duckdb_extension_delta.__file__))
             for name in names if name.endswith(".duckdb_extension")]
    connection.execute(f"LOAD '{found[0]}'")
    query = "SELECT count(*), sum(n)::BIGINT, count(*) FILTER (name IS NULL) FROM delta_scan(?)"
    return list(connection.execute(query, [folder]).fetchone())


def log(folder: str, name: str) -> str:
    return os.path.join(folder, "_delta_log", name)


def split_checkpoint(folder: str, version: int) -> None:
    """Its checkpoint becomes one in three parts."""
    whole = log(folder, f"{version:020}.checkpoint.parquet")
    table = pq.read_table(whole)
    step = table.num_rows // 3 + 1
    for part in range(3):
        pq.write_table(table.slice(part * step, step),
                       log(folder, f"{version:020}.checkpoint.{part + 1:010}.{3:010}.parquet"))
    os.remove(whole)


def nullable(kind: pa.DataType) -> pa.DataType:
    """The same type with every field inside it nullable."""
    if pa.types.is_struct(kind):
        return pa.struct([pa.field(f.name, nullable(f.type)) for f in kind])
    if pa.types.is_list(kind):
        return pa.list_(nullable(kind.value_type))
    return kind


def v2_checkpoint(folder: str, version: int, top: str) -> None:
    """Its checkpoint becomes one of the V2 spec, with two sidecars; `top` is json or parquet."""
    whole = log(folder, f"{version:020}.checkpoint.parquet")
    table = pq.read_table(whole)
    os.makedirs(log(folder, "_sidecars"), exist_ok=True)
    sidecars = []
    is_file = pa.compute.or_(pa.compute.is_valid(table["add"]), pa.compute.is_valid(table["remove"]))
    entries = table.filter(is_file).select(["add", "remove"])
    half = entries.num_rows // 2
    for piece in (entries.slice(0, half), entries.slice(half)):
        name = f"{uuid.uuid4()}.parquet"
        pq.write_table(piece, log(folder, f"_sidecars/{name}"))
        size = os.path.getsize(log(folder, f"_sidecars/{name}"))
        sidecars.append({"path": name, "sizeInBytes": size, "modificationTime": 1, "tags": {}})
    rest = table.filter(pa.compute.invert(is_file)).drop_columns(["add", "remove"])
    name = log(folder, f"{version:020}.checkpoint.{uuid.uuid4()}.{top}")
    actions = [{"checkpointMetadata": {"version": version, "tags": {}}}]
    actions += [{k: v for k, v in row.items() if v is not None} for row in rest.to_pylist()]
    actions += [{"sidecar": sidecar} for sidecar in sidecars]
    for action in actions:
        metadata = action.get("metaData")
        if metadata:
            metadata["configuration"] = dict(metadata["configuration"])
            metadata["format"]["options"] = {}
    if top == "json":
        with open(name, "w") as out:
            out.write("".join(json.dumps(action) + "\n" for action in actions))
    else:
        kinds = pa.struct([("path", pa.string()), ("sizeInBytes", pa.int64()),
                           ("modificationTime", pa.int64())])
        fields = [pa.field(f.name, nullable(f.type)) for f in rest.schema if f.name != "sidecar"]
        pairs = [{k: list(v.items()) if k == "configuration" else v for k, v in a["metaData"].items()}
                 if "metaData" in a else None for a in actions]
        lines = [{**a, "metaData": p} if p else a for a, p in zip(actions, pairs)]
        schema = pa.schema(fields + [pa.field("sidecar", kinds)])
        pq.write_table(pa.Table.from_pylist(lines, schema), name)
    os.remove(whole)


def main() -> None:
    command, folder, *rest = sys.argv[1:]
    if command == "write":
        write(folder, int(rest[0]), int(rest[1]))
    elif command == "files":
        print(json.dumps(files(folder, int(rest[0]))))
    elif command == "read":
        print(json.dumps(read(folder, rest[0])))
    elif command == "split":
        split_checkpoint(folder, int(rest[0]))
    elif command == "v2":
        v2_checkpoint(folder, int(rest[0]), rest[1])
    elif command == "numbers":
        count = int(rest[0])
        deltalake.write_deltalake(folder, pa.table({"n": pa.array(range(count), pa.int64()),
                                                    "name": pa.array(["x"] * count)}))
    else:
        sys.exit(f"no command '{command}'")


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    # Threads that a reader has left behind may end the process badly.
    os._exit(0)
