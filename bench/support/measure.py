"""Runs a command and prints what it cost from start to end: WHO ROWS COMMAND [ARGUMENT ...]."""

import json
import os
import subprocess
import sys
import time


def main():
    who, rows, command = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
    start = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.perf_counter() - start
    code = os.waitstatus_to_exitcode(status)
    if code != 0:
        sys.exit(f"{command[0]} failed with exit code {code}")
    cpu = usage.ru_utime + usage.ru_stime
    peak = usage.ru_maxrss / 1024
    print(json.dumps({"who": who, "rows": rows, "wall": wall, "cpu": cpu, "peak_mib": peak}))


if __name__ == "__main__":
    main()
