#!/usr/bin/env python3
"""Unpacks Arrow C++ (libraries and headers) from the pinned pyarrow wheel into a folder.

Usage: fetch_arrow_wheel.py DESTINATION
Leaves DESTINATION/include and DESTINATION/lib; does nothing where that is already there
in the pinned version. pip checks the wheel's hash against arrow-wheel.txt.
"""
import pathlib
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile

REQUIREMENTS = pathlib.Path(__file__).with_name("arrow-wheel.txt")
# No Python bindings, no Substrait: only what Ampload links or loads.
LIBRARIES = re.compile(r"pyarrow/lib(arrow|arrow_compute|arrow_acero|arrow_dataset|arrow_flight"
                       r"|arrow_s3|parquet)\.so\.\d+$")
HEADERS = re.compile(r"pyarrow/include/(?!arrow/python/).*\.h$")


def download(folder: pathlib.Path) -> pathlib.Path:
    target = f"manylinux_2_28_{platform.machine()}"
    subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps",
                    "--only-binary=:all:", "--platform", target, "--python-version", "3.11",
                    "--implementation", "cp", "--require-hashes", "-r", str(REQUIREMENTS),
                    "-d", str(folder)], check=True)
    return next(folder.glob("pyarrow-*.whl"))


def unpack(wheel: pathlib.Path, destination: pathlib.Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if LIBRARIES.match(name):
                out = destination / "lib" / pathlib.PurePosixPath(name).name
            elif HEADERS.match(name):
                out = destination / pathlib.PurePosixPath(name).relative_to("pyarrow")
            else:
                continue
            out.parent.mkdir(parents=True, exist_ok=True)
            out.write_bytes(archive.read(name))


def main() -> int:
    destination = pathlib.Path(sys.argv[1])
    pinned = REQUIREMENTS.read_text()
    stamp = destination / "pinned.txt"
    if stamp.exists() and stamp.read_text() == pinned:
        return 0
    shutil.rmtree(destination, ignore_errors=True)
    with tempfile.TemporaryDirectory() as folder:
        unpack(download(pathlib.Path(folder)), destination)
    stamp.write_text(pinned)
    return 0


if __name__ == "__main__":
    sys.exit(main())
