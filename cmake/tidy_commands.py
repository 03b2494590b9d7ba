#!/usr/bin/env python3
"""Compile commands that clang-tidy understands: without gcc's precompiled headers and flags.

Usage: tidy_commands.py compile_commands.json FOLDER
Writes FOLDER/compile_commands.json, and copies of the headers that are precompiled: clang would take
gcc's compiled form, which lies beside each, for its own.
"""
import json
import pathlib
import re
import sys

GCC_ONLY = re.compile(r" -Winvalid-pch| -fpch-preprocess| -Wno-(maybe-uninitialized|restrict"
                      r"|stringop-overflow)")
PRECOMPILED = re.compile(r"-include (\S+/cmake_pch\.hxx)")


def main() -> int:
    folder = pathlib.Path(sys.argv[2])
    copies = {}

    def text_copy(match: re.Match) -> str:
        header = pathlib.Path(match.group(1))
        if header not in copies:
            copies[header] = folder / f"pch_{len(copies)}.hxx"
            copies[header].write_text(header.read_text())
        return f"-include {copies[header].absolute()}"

    commands = [entry for entry in json.load(open(sys.argv[1]))
                if not entry["file"].endswith(".hxx.cxx")]
    for entry in commands:
        entry["command"] = PRECOMPILED.sub(text_copy, GCC_ONLY.sub("", entry["command"]))
    (folder / "compile_commands.json").write_text(json.dumps(commands, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
