"""Trimming of layers with third-party packages. layers/spacy/trim.py and layers/encoder/trim.py add what only their layer needs.

Lambda fetches and unpacks every byte of a layer at a cold start. So debug symbols, tests and sources are removed. Byte code is added,
because imports without it take three times as long. The .py files stay for tracebacks. The same packages and tools always give the
same tree.
"""

import argparse
import compileall
import csv
import platform
import py_compile
import shutil
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

# Only compilers and type checkers read these. Files ending in .cu must stay: thinc reads its CUDA sources at import.
SOURCE_SUFFIXES = {".pyx", ".pxd", ".pxi", ".pyi", ".c", ".cpp", ".h", ".a"}
# Notes of the installer, which are wrong after trimming. METADATA, licences and entry_points.txt (spacy-legacy needs it) stay. So
# does WHEEL: it says which processor the layer was built for (winnow/aws/processor.py).
INSTALLER_FILES = {"RECORD", "REQUESTED", "INSTALLER", "direct_url.json"}

# e_machine in the ELF header, and the processor's name in tools and in platform.machine().
PROCESSORS = {"arm64": (183, "aarch64"), "x86_64": (62, "x86_64")}
# Lambda's kernels use pages of 4 KiB on both processors. The 64 KiB alignment of aarch64 wheels is a multiple of that.
PAGE = 4096


class LayerError(Exception):
    """The layer can't be built. The message is one sentence that says why and what to fix."""


class Segment(NamedTuple):
    """A PT_LOAD entry: the part of a shared object that the loader maps into memory."""

    offset: int
    address: int
    alignment: int


@dataclass(frozen=True)
class Layer:
    """A layer that is being built. Its packages are installed in `tree`.

    name and script: for messages. most and most_unstripped: the size limits in bytes.
    """

    tree: Path
    architecture: str
    python: str
    name: str
    script: str
    most: int
    most_unstripped: int

    def finish(self) -> None:
        """The steps that all layers share, after the layer's own steps. Raises LayerError."""
        remove_unread_files(self.tree)
        stripped = self._strip()
        check_shared_objects(self.tree, self.architecture)
        self._compile()
        size = size_of(self.tree)
        self._check_size(size, stripped=stripped)
        self._say(f"{megabytes(size)} unzipped ({self.architecture}, Python {self.python})")

    def _strip(self) -> bool:
        """Removes debug symbols from shared objects. Returns False if no tool for that is installed."""
        strip = find_strip(self.architecture)
        if strip is None:
            self._say("not stripped, because llvm-strip is missing: install LLVM (Debian: apt install llvm; macOS: brew install llvm)")
            return False
        objects = [path for path in shared_objects(self.tree) if may_be_stripped(path.relative_to(self.tree))]
        if objects:
            run = subprocess.run([strip, "--strip-unneeded", *objects], check=False, capture_output=True, text=True)  # noqa: S603
            if run.returncode:
                raise LayerError(f"{strip} failed: {run.stderr.strip()}")
        return True

    def _compile(self) -> None:
        """Compiles byte code for /opt/python, where Lambda unpacks layers.

        The mode is unchecked: a layer never changes, so Python need not compare sources with byte code at each import.
        """
        running = f"{sys.version_info.major}.{sys.version_info.minor}"
        if running != self.python:
            self._say(f"no byte code, because Python {self.python} is missing (this is {running}): imports will take three times as long")
            return
        compiled = compileall.compile_dir(
            self.tree,
            quiet=1,
            force=True,
            stripdir=str(self.tree),
            prependdir="/opt/python",
            invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
        )
        if not compiled:
            raise LayerError("a module doesn't compile (see the lines above)")

    def _check_size(self, size: int, *, stripped: bool) -> None:
        most = self.most if stripped else self.most_unstripped
        if size > most:
            remedy = f"remove more in {self.script}" if stripped else "install LLVM for llvm-strip"
            raise LayerError(f"{megabytes(size)} unzipped is over the limit of {megabytes(most)}: {remedy}")

    def _say(self, sentence: str) -> None:
        """Prints to standard output, which sam shows at once. sam shows standard error only if the build fails."""
        print(f"{self.name}: {sentence}", flush=True)


def main(name: str, about: str, trim: Callable[[Path, str, str], None]) -> None:
    """The command line of a layer's script. `trim` takes the folder, the architecture and the version of Python."""
    parser = argparse.ArgumentParser(description=about.splitlines()[0])
    parser.add_argument("folder", type=Path, help="the folder with the installed packages")
    parser.add_argument("--architecture", choices=PROCESSORS, required=True)
    parser.add_argument("--python", default="3.13", help="the layer's version of Python (default 3.13)")
    options = parser.parse_args()
    try:
        trim(options.folder, options.architecture, options.python)
    except LayerError as error:
        sys.exit(f"{name}: {error}")


def uninstall(tree: Path, package: str) -> None:
    """Removes the files that the package's RECORD lists. A missing package is not an error."""
    for record in tree.glob(f"{package}-*.dist-info/RECORD"):
        with record.open(encoding="utf-8", newline="") as rows:
            installed = [Path(row[0]) for row in csv.reader(rows)]
        for path in installed:
            if ".." not in path.parts:  # scripts are listed as ../../bin/NAME; bin is removed as a whole
                (tree / path).unlink(missing_ok=True)
        shutil.rmtree(record.parent)


def remove_unread_files(tree: Path) -> None:
    unread = [tree / "bin", *tree.glob("*.dist-info/sboms"), *tree.rglob("tests"), *tree.rglob("__pycache__")]
    for folder in unread:
        if folder.is_dir():
            shutil.rmtree(folder)
    for path in files(tree):
        if path.suffix in SOURCE_SUFFIXES or (path.parent.suffix == ".dist-info" and path.name in INSTALLER_FILES):
            path.unlink()
    for folder in sorted(tree.rglob("*"), reverse=True):  # children before their parents
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def may_be_stripped(path: Path) -> bool:
    """False for numpy and for the libraries in *.libs: auditwheel rewrote them, and stripping misaligns some."""
    return not path.parts[0].startswith("numpy") and path.parent.suffix != ".libs"


def find_strip(architecture: str) -> str | None:
    """The tool to strip with. llvm-strip works for every processor; binutils' strip only for its own, and only on Linux."""
    _, processor = PROCESSORS[architecture]
    tools = ["llvm-strip", f"{processor}-linux-gnu-strip"]
    if sys.platform == "linux" and platform.machine() == processor:
        tools.append("strip")
    return next((found for tool in tools if (found := shutil.which(tool))), None)


def check_shared_objects(tree: Path, architecture: str) -> None:
    """Refuses objects that Lambda's loader would refuse: for another processor, or misaligned ("not page-aligned")."""
    expected, processor = PROCESSORS[architecture]
    for path in shared_objects(tree):
        name = path.relative_to(tree)
        machine, segments = read_elf(path)
        if machine != expected:
            raise LayerError(f"{name} isn't for {processor}: the wrong wheel was installed")
        for offset, address, alignment in segments:
            if alignment % PAGE or alignment == 0 or (address - offset) % alignment:
                raise LayerError(
                    f"{name} is misaligned (offset {offset:#x}, address {address:#x}, alignment {alignment:#x}) and would not load: "
                    "exclude it from stripping in layers/trimming.py"
                )


def read_elf(path: Path) -> tuple[int, list[Segment]]:
    """The processor (e_machine) and the loaded segments of a 64-bit little-endian object. Layout: man 5 elf."""
    content = path.read_bytes()
    if content[:6] != b"\x7fELF\x02\x01":
        raise LayerError(f"{path.name} is not a 64-bit Linux shared object: the wrong wheel was installed")
    try:
        (machine,) = struct.unpack_from("<H", content, 18)
        (table,) = struct.unpack_from("<Q", content, 32)
        entry_size, entries = struct.unpack_from("<HH", content, 54)
        segments = []
        for entry in range(entries):
            kind, _flags, offset, address, _physical, _in_file, _in_memory, alignment = struct.unpack_from(
                "<IIQQQQQQ", content, table + entry * entry_size
            )
            if kind == 1:  # PT_LOAD
                segments.append(Segment(offset, address, alignment))
    except struct.error as error:
        raise LayerError(f"{path.name} is incomplete: install the packages again") from error
    return machine, segments


def files(tree: Path) -> list[Path]:
    return sorted(path for path in tree.rglob("*") if path.is_file())


def shared_objects(tree: Path) -> Iterator[Path]:
    return (path for path in files(tree) if ".so" in path.suffixes)


def size_of(tree: Path) -> int:
    """The bytes of all files, which is what Lambda counts."""
    return sum(path.stat().st_size for path in files(tree))


def megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"
