"""Times commits of rows that are encoded already, sent by one psql: URL TABLE FILE COMMITS PSQL. Each
commit is a `\\copy` of FILE; psql's own \\timing tells how long it took."""

import json
import re
import subprocess
import sys


def main():
    url, table, path, commits, psql = sys.argv[1:]
    script = "\\timing on\n" + f"\\copy {table} from '{path}' (format binary)\n" * int(commits)
    done = subprocess.run([psql, "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", url], input=script,
                          capture_output=True, text=True, check=True)
    times = [float(text) for text in re.findall(r"Time: ([0-9.]+) ms", done.stdout)]
    if len(times) != int(commits):
        sys.exit(f"psql timed {len(times)} of {commits} commits")
    print(json.dumps({"who": "psql replay", "ms": times}))


if __name__ == "__main__":
    main()
