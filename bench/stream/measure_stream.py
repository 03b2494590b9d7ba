"""Runs `ampload stream` from a simulated server of its own, or another command, and prints what it
has cost as a line of JSON: seconds by the clock from start to end, and of processor by the command,
the simulated server and the target's server; of streams also the latency of each commit, and with
--memory the resident memory over time.
"""

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time

QUERY = "SELECT * FROM eth.logs"
LOGS_PER_BLOCK = 100
SAMPLE_SECONDS = 0.05
TICKS = os.sysconf("SC_CLK_TCK")


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--who", required=True)
    parser.add_argument("--ampload", required=True)
    parser.add_argument("--rows", type=int, required=True)
    parser.add_argument("--blocks", type=int, default=0, help="of a microbatch; 0: no server")
    parser.add_argument("--target-pid", type=int, help="of the target's server")
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("command", nargs="+", help="{from}, {query} and {until} are filled in")
    return parser.parse_args()


@contextlib.contextmanager
def simulated_server(options):
    """Yields the process and its URL, or nothing where none is asked for."""
    if options.blocks == 0:
        yield None, ""
        return
    blocks = str(options.rows // LOGS_PER_BLOCK)
    server = subprocess.Popen(
        [options.ampload, "--output", "json", "simulate", "--port", "0", "--blocks", blocks,
         "--history", blocks, "--catch-up-blocks", str(options.blocks), "--microbatch-blocks",
         str(options.blocks), "--reorg-rate", "0", "--logs-per-block", str(LOGS_PER_BLOCK)],
        stdout=subprocess.PIPE)
    try:
        yield server, json.loads(server.stdout.readline())["url"]
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait()


def stat_fields(pid):
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rsplit(")", 1)[1].split()


def cpu_of(pid, with_children=False):
    """Seconds of processor so far; children count once they have ended."""
    fields = stat_fields(pid)
    return sum(int(field) for field in fields[11:15 if with_children else 13]) / TICKS


def resident_mib(pid):
    """What is in RAM: all of it, and without what is mapped from files, such as LMDB's database. None
    once the process has ended."""
    with open(f"/proc/{pid}/status") as file:
        values = dict(line.split(":", 1) for line in file)
    if "VmRSS" not in values:
        return None
    return [int(values[name].split()[0]) / 1024 for name in ("VmRSS", "RssAnon")]


class Memory:
    """Resident memory of a process every 50 ms, each with the rows that were committed by then."""

    def __init__(self, pid):
        self.rows = 0
        self.samples = []
        self.pid = pid
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        with contextlib.suppress(OSError):
            while (mib := resident_mib(self.pid)) is not None:
                self.samples.append((self.rows, mib))
                time.sleep(SAMPLE_SECONDS)

    def quarters(self, all_rows):
        """The peaks of each quarter of the rows."""
        peaks = [[0, 0] for _ in range(4)]
        for rows, mib in self.samples:
            quarter = min(3, rows * 4 // all_rows)
            peaks[quarter] = [max(pair) for pair in zip(peaks[quarter], mib)]
        return peaks


def read_events(lines, memory):
    latencies, rows = [], 0
    for line in lines:
        event = json.loads(line)
        if event.get("event") == "commit":
            latencies.append(event["latency_ms"])
            rows += event["rows"]
        elif event.get("event") in (None, "done"):
            rows = event.get("rows_loaded", event.get("rows"))
        if memory:
            memory.rows = rows
    return latencies, rows


def run(options, url):
    filled = {"{from}": url, "{query}": QUERY, "{until}": str(options.rows // LOGS_PER_BLOCK - 1)}
    start = time.perf_counter()
    child = subprocess.Popen([filled.get(word, word) for word in options.command],
                             stdout=subprocess.PIPE, text=True)
    memory = Memory(child.pid) if options.memory else None
    latencies, rows = read_events(child.stdout, memory)
    if memory:
        memory.thread.join()
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.perf_counter() - start
    code = os.waitstatus_to_exitcode(status)
    if code != 0 or rows != options.rows:
        sys.exit(f"{options.who}: exit code {code}, {rows} rows instead of {options.rows}")
    result = {"who": options.who, "rows": rows, "wall": wall, "cpu": usage.ru_utime + usage.ru_stime,
              "peak_mib": usage.ru_maxrss / 1024}
    if latencies:
        result["latencies"] = latencies
    if memory:
        result["quarters_mib"] = memory.quarters(options.rows)
    return result


def main():
    options = arguments()
    target = options.target_pid
    before = cpu_of(target, True) if target else 0
    with simulated_server(options) as (server, url):
        result = run(options, url)
        result["server_cpu"] = cpu_of(server.pid) if server else 0
    time.sleep(0.2)  # a backend ends a little after its client
    result["target_cpu"] = cpu_of(target, True) - before if target else 0
    print(json.dumps(result))


if __name__ == "__main__":
    main()
