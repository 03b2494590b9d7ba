#!/usr/bin/env python3
"""Holds the include rule: cli -> pipeline -> {sources, ledger, loaders} -> core, where
sources and loaders also include storage, which includes core only.

Sources, ledger and loaders include neither one another nor pipeline or cli; a loader includes no
other loader, but may include the folders beside them that loaders share. Public headers include
public headers only.
"""
import pathlib
import re
import sys

MAY_INCLUDE = {
    "core": {"core"},
    "ledger": {"ledger", "core"},
    "storage": {"storage", "core"},
    "sources": {"sources", "storage", "core"},
    "loaders": {"loaders", "storage", "core"},
    "pipeline": {"pipeline", "ledger", "sources", "loaders", "core"},
    "cli": {"cli", "pipeline", "ledger", "sources", "loaders", "core"},
}
# Folders below loaders/ that are no loaders.
SHARED_BY_LOADERS = {"parquet"}
INCLUDE = re.compile(r'^\s*#include "([^"]+)"', re.MULTILINE)


def layer_of(path: str) -> str:
    return path.split("/")[0]


def complaints(root: pathlib.Path):
    files = [f for folder in ("src", "include") for f in sorted((root / folder).rglob("*"))
             if f.suffix in (".h", ".cc")]
    if len(files) < 20:
        yield f"only {len(files)} files found below {root}: the check looks at nothing"
    for file in files:
        place = file.relative_to(root)
        public = place.parts[0] == "include"
        inside = "/".join(place.parts[1:])
        for included in INCLUDE.findall(file.read_text()):
            layer = layer_of(included)
            if layer == "amp" or layer not in MAY_INCLUDE:
                continue
            if public:
                yield f"{place}: a public header includes {included}"
            elif layer_of(inside) in MAY_INCLUDE and layer not in MAY_INCLUDE[layer_of(inside)]:
                yield f"{place}: {layer_of(inside)} includes {included}"
            elif layer == "loaders" and inside.startswith("loaders/"):
                # Files directly below loaders/ are what several loaders share.
                mine, other = inside.split("/"), included.split("/")
                if len(other) > 2 and other[1] in SHARED_BY_LOADERS:
                    continue
                if len(mine) > 2 and len(other) > 2 and mine[1] != other[1]:
                    yield f"{place}: one loader includes another: {included}"


def main() -> int:
    found = list(complaints(pathlib.Path(sys.argv[1])))
    print("\n".join(found) if found else "the include rule holds")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
