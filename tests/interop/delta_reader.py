"""Shows Delta tables to the tests as delta-rs reads them.

One request a line on standard input: {"table": folder, "out": file, "version": optional}. The rows
are written to the file as an Arrow IPC stream; the answer is one line, "ok", "none" where there is
no table, or "error" and why.
"""
import json
import sys

import deltalake
import pyarrow as pa
from deltalake.exceptions import TableNotFoundError


def answer(request):
    try:
        table = deltalake.DeltaTable(request["table"], version=request.get("version"),
                                     storage_options=request.get("options"))
    except TableNotFoundError:
        return "none"
    rows = pa.table(table.to_pyarrow_table())
    with pa.OSFile(request["out"], "wb") as sink, pa.ipc.new_stream(sink, rows.schema) as writer:
        writer.write_table(rows)
    return "ok"


print("ready", flush=True)
for line in sys.stdin:
    try:
        print(answer(json.loads(line)), flush=True)
    except Exception as error:  # whatever it is, the test shows it
        print("error " + repr(error).replace("\n", " "), flush=True)
