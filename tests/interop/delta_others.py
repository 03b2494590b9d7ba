"""Delta tables as other writers leave them, and what other readers count in them.

    delta_others.py make FOLDER     three files of ten rows: whole, without statistics, with a
                                    deletion vector (two rows are gone) and without statistics
    delta_others.py delete FOLDER WHERE   deletes rows
    delta_others.py count FOLDER    rows, by delta-rs and by DuckDB, where both can read it
"""
import base64
import glob
import json
import os
import struct
import sys
import uuid
import zlib

import deltalake
import pyarrow as pa

Z85 = ("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#")


def z85(data: bytes) -> str:
    """ZeroMQ RFC 32; the length must be a multiple of four."""
    text = ""
    for (word,) in struct.iter_unpack(">I", data):
        digits = []
        for _ in range(5):
            word, digit = divmod(word, 85)
            digits.append(Z85[digit])
        text += "".join(reversed(digits))
    return text


def deletion_vector(folder: str, rows: list) -> dict:
    """A file with one deletion vector, of rows below 2**16; the descriptor that names it."""
    # Roaring, portable format: cookie without runs, one array container.
    bitmap = struct.pack("<II", 12346, 1) + struct.pack("<HH", 0, len(rows) - 1)
    bitmap += struct.pack("<I", 16) + b"".join(struct.pack("<H", row) for row in rows)
    data = struct.pack("<I", 1681511377) + struct.pack("<Q", 1) + struct.pack("<I", 0) + bitmap
    name = uuid.uuid4()
    with open(os.path.join(folder, f"deletion_vector_{name}.bin"), "wb") as out:
        out.write(b"\x01" + struct.pack(">I", len(data)) + data +
                  struct.pack(">I", zlib.crc32(data)))
    return {"storageType": "u", "pathOrInlineDv": z85(name.bytes), "offset": 1,
            "sizeInBytes": len(data), "cardinality": len(rows)}


def commit(folder: str, name: str, actions: list) -> None:
    with open(os.path.join(folder, "_delta_log", name), "w") as out:
        out.write("".join(json.dumps(action) + "\n" for action in actions))


def read_commit(folder: str, version: int) -> list:
    with open(os.path.join(folder, "_delta_log", f"{version:020}.json")) as lines:
        return [json.loads(line) for line in lines]


def make(folder: str) -> None:
    for start in range(0, 30, 10):
        rows = pa.table({"n": pa.array(range(start, start + 10), pa.int64())})
        deltalake.write_deltalake(folder, rows, mode="append")
    features = ["deletionVectors"]
    whole = [a["add"] for a in read_commit(folder, 0) if "add" in a][0]
    without, deleted = ([a["add"] for a in read_commit(folder, version) if "add" in a][0]
                        for version in (1, 2))
    removes = [{"remove": {"path": add["path"], "deletionTimestamp": add["modificationTime"],
                           "dataChange": True}} for add in (without, deleted)]
    for add in (without, deleted):
        del add["stats"]
    deleted["deletionVector"] = deletion_vector(folder, [1, 7])
    assert whole["stats"]
    commit(folder, f"{3:020}.json", [{"commitInfo": {"operation": "TEST"}}, {"protocol": {
        "minReaderVersion": 3, "minWriterVersion": 7, "readerFeatures": features,
        "writerFeatures": features}}] + removes[1:] + [{"add": without}, {"add": deleted}])


def duckdb_count(folder: str) -> int:
    import duckdb
    import duckdb_extension_delta
    connection = duckdb.connect(config={"allow_unsigned_extensions": "true"})
    found = glob.glob(os.path.join(os.path.dirname(duckdb_extension_delta.__file__), "**",
                                   "*.duckdb_extension"), recursive=True)
    connection.execute(f"LOAD '{found[0]}'")
    return connection.execute("SELECT count(n) FROM delta_scan(?)", [folder]).fetchone()[0]


def delta_rs_count(folder: str) -> int:
    builder = deltalake.QueryBuilder().register("t", deltalake.DeltaTable(folder))
    return pa.table(builder.execute("SELECT count(n) AS c FROM t").read_all())["c"][0].as_py()


def main() -> None:
    command, folder, *rest = sys.argv[1:]
    if command == "make":
        make(folder)
    elif command == "delete":
        deltalake.DeltaTable(folder).delete(rest[0])
    elif command == "count":
        print(json.dumps([delta_rs_count(folder), duckdb_count(folder)]))
    else:
        sys.exit(f"no command '{command}'")


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    # Threads that a reader has left behind may end the process badly.
    os._exit(0)
