#!/usr/bin/env python3
"""Compile commands that clang-tidy understands: without gcc's precompiled headers and flags.

Usage: tidy_commands.py compile_commands.json > out.json
"""
import json
import re
import sys

GCC_ONLY = re.compile(r" -Winvalid-pch| -fpch-preprocess| -Wno-(maybe-uninitialized|restrict"
                      r"|stringop-overflow)")
# The precompiled header itself is included as text.
PCH = re.compile(r"-include (\S+)cmake_pch\.hxx")

commands = json.load(open(sys.argv[1]))
for entry in commands:
    entry["command"] = PCH.sub(r"-include \1cmake_pch.hxx", GCC_ONLY.sub("", entry["command"]))
json.dump([e for e in commands if not e["file"].endswith(".hxx.cxx")], sys.stdout, indent=1)
