"""Tables of runs, which are lines of JSON {who, rows, wall, cpu, and maybe peak_mib} in the order of
running.

report.py compare FILE: medians of each, and Ampload against each peer; other ways of Ampload's own
("ampload, …") against the first peer and against "ampload". Single times differ much from run to run,
so what counts is the median of the ratios of runs that were made next to each other.
report.py memory FILE: peak memory of each, and by how much it differs from the first.
report.py stream FILE: streams beside the same rows in bulk; latencies of commits.
report.py quarters FILE: peak memory of each quarter of one stream.
report.py undo FILE: undo in a small and in a large table.
report.py commits FILE: many commits, one after the other, lines {who, ms: [time, ...]}.
"""

import json
import math
import statistics
import sys

SUBJECT = "ampload"


def read_runs(path):
    """Runs by who made them, in order of first appearance."""
    runs = {}
    with open(path) as lines:
        for line in lines:
            run = json.loads(line)
            runs.setdefault(run["who"], []).append(run)
    return runs


def median(runs, key):
    return statistics.median(run[key] for run in runs)


def ratio(ours, theirs, key):
    ratios = [a[key] / b[key] for a, b in zip(ours, theirs) if b[key] > 0]
    if not ratios:
        return "-"
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})"


def print_table(head, rows):
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    for row in [head, *rows]:
        first = row[0].ljust(widths[0])
        print("  ".join([first, *(cell.rjust(w) for cell, w in zip(row[1:], widths[1:]))]))


def compare(runs):
    ours = runs[SUBJECT]
    with_peak = all("peak_mib" in run for own in runs.values() for run in own)
    head = ["median", "wall s", "client CPU s", "rows/s", *(["peak MiB"] if with_peak else [])]
    medians = []
    for who, theirs in runs.items():
        wall = median(theirs, "wall")
        rows_per_second = theirs[0]["rows"] / wall
        medians.append([who, f"{wall:.3f}", f"{median(theirs, 'cpu'):.3f}",
                        f"{rows_per_second:,.0f}"])
        if with_peak:
            medians[-1].append(f"{median(theirs, 'peak_mib'):.0f}")
    print_table(head, medians)
    print()
    pairs = [(SUBJECT, who) for who in runs if not who.startswith(SUBJECT)]
    for variant in (who for who in runs if who.startswith(SUBJECT) and who != SUBJECT):
        pairs += [(variant, who) for who in (*(who for _, who in pairs[:1]), SUBJECT)]
    ratios = [[f"{a} / {b}", ratio(runs[a], runs[b], "wall"), ratio(runs[a], runs[b], "cpu")]
              for a, b in pairs]
    print_table([f"median of {len(ours)} pairs (range)", "wall", "client CPU"], ratios)


def memory(runs):
    first = next(iter(runs.values()))
    base = median(first, "peak_mib")
    rows = []
    for who, own in runs.items():
        peak = median(own, "peak_mib")
        rows.append([who, f"{own[0]['rows']:,}", f"{peak:.1f}", f"{peak / base:.3f}"])
    print_table(["median of " + str(len(first)), "rows", "peak MiB", "to the first"], rows)


def percentile(values, share):
    """The smallest value that so large a share of them does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def stream(runs):
    rows = []
    for who, own in runs.items():
        wall = median(own, "wall")
        latencies = [value for run in own for value in run.get("latencies", [])]
        rows.append([who, f"{wall:.3f}", f"{own[0]['rows'] / wall:,.0f}", f"{median(own, 'cpu'):.2f}",
                     f"{median(own, 'server_cpu'):.2f}", f"{median(own, 'target_cpu'):.2f}",
                     *(f"{percentile(latencies, share):.1f}" if latencies else "-"
                       for share in (0.5, 0.99)),
                     f"{median(own, 'peak_mib'):.0f}"])
    print_table(["median", "wall s", "rows/s", "own CPU s", "simulator CPU s", "target CPU s",
                 "commit p50 ms", "p99 ms", "peak MiB"], rows)
    print()
    bulk = runs["bulk"]
    ratios = [[who, ratio(bulk, own, "wall"), ratio(own, bulk, "cpu")]
              for who, own in runs.items() if who.startswith("stream")]
    print_table([f"median of {len(bulk)} pairs (range)", "rows/s to bulk", "own CPU to bulk"], ratios)


def quarters(runs):
    (run,), = runs.values()
    names = ["resident", "of it not mapped from files"]
    rows = []
    for i, name in enumerate(names):
        peaks = [quarter[i] for quarter in run["quarters_mib"]]
        rows.append([name, *(f"{peak:.1f}" for peak in peaks), f"{peaks[3] / peaks[1]:.3f}"])
    print_table(["peak MiB of quarter", "1", "2", "3", "4", "4 to 2"], rows)


def undo(runs):
    few, many = runs.values()
    rows = [[f"{int(who):,} rows", *(f"{median(own, key):.2f} ({min(r[key] for r in own):.2f}-"
                                     f"{max(r[key] for r in own):.2f})"
                                     for key in ("undo_ms", "whole_ms"))]
            for who, own in runs.items()]
    rows.append(["large / small", ratio(many, few, "undo_ms"), ratio(many, few, "whole_ms")])
    print_table([f"median of {len(few)} pairs (range)", "undo ms", "with begin and commit ms"], rows)


def commits(runs):
    edge = 100
    means, rows = {}, []
    for who, (run,) in runs.items():
        times = run["ms"]
        means[who] = statistics.mean(times)
        first, last = statistics.median(times[:edge]), statistics.median(times[-edge:])
        rows.append([who, f"{len(times):,}", f"{means[who]:.2f}", f"{first:.2f}", f"{last:.2f}",
                     f"{last / first:.2f}", f"{percentile(times, 0.99):.2f}", f"{max(times):.2f}"])
    print_table(["ms a commit", "commits", "mean", f"median of first {edge}", f"of last {edge}",
                 "last / first", "p99", "most"], rows)
    print()
    peers = [who for who in means if not who.startswith(SUBJECT)]
    print_table(["means", *(f"to {peer}" for peer in peers)],
                [[who, *(f"{means[who] / means[peer]:.3f}" for peer in peers)]
                 for who in means if who not in peers])


def main():
    command, path = sys.argv[1:]
    commands = {"compare": compare, "memory": memory, "stream": stream, "quarters": quarters,
                "undo": undo, "commits": commits}
    commands[command](read_runs(path))


if __name__ == "__main__":
    main()
