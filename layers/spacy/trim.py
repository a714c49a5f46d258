"""Trims an installed spaCy to what a Lambda function needs of it: trim.py FOLDER --architecture arm64 --python 3.13

Every byte of a layer is fetched, unpacked and paid for at a cold start, and spaCy as installed is over Lambda's limit of 250 MiB.
In order of gain: debug symbols, tests and sources, packages that only spaCy's command line imports. Byte code is added: without
it the import takes three times as long. The .py files stay, for tracebacks. Given the same packages and tools, the same tree comes out.
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
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

# Imported by nothing but spacy.cli and by one another.
# fmt: off
COMMAND_LINE_PACKAGES = [
    "annotated_doc", "anyio", "certifi", "charset_normalizer", "click", "cloudpathlib", "colorama", "h11", "httpcore",
    "httpx", "idna", "jinja2", "markdown_it_py", "markupsafe", "mdurl", "pygments", "requests", "rich", "shellingham",
    "smart_open", "typer", "urllib3", "weasel", "wrapt",
]
# fmt: on
# spaCy declares it for the building of its own wheels.
BUILD_PACKAGES = ["setuptools"]

# Read by a compiler or a type checker. Not .cu: thinc reads its CUDA sources when it is imported.
SOURCE_SUFFIXES = {".pyx", ".pxd", ".pxi", ".pyi", ".c", ".cpp", ".h", ".a"}
# An installer's notes, untrue once the tree is trimmed. METADATA, entry_points.txt (spacy-legacy registers by it) and licences stay.
INSTALLER_FILES = {"RECORD", "REQUESTED", "INSTALLER", "direct_url.json"}

# e_machine of the ELF header, and the name of the processor in tools and in platform.machine().
PROCESSORS = {"arm64": (183, "aarch64"), "x86_64": (62, "x86_64")}
# Lambda's kernels have pages of 4 KiB on both; aarch64 wheels are aligned to 64 KiB, which is a multiple.
PAGE = 4096

# Bytes. Lambda takes 250 MiB, a function and all its layers together; 10 MB of it are left to the function and the other layers.
LAMBDA_LIMIT = 250 * 1024 * 1024
UNSTRIPPED_LIMIT = LAMBDA_LIMIT - 10_000_000
# What this layer has been for long, with room to grow: a layer above it holds something that should have been trimmed.
STRIPPED_LIMIT = 130_000_000


class LayerError(Exception):
    """The layer can't be built; the message is a sentence that says why and what to mend."""


class Segment(NamedTuple):
    """A PT_LOAD entry: a part of a shared object that the loader maps into memory."""

    offset: int
    address: int
    alignment: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="where the packages are installed")
    parser.add_argument("--architecture", choices=PROCESSORS, required=True)
    parser.add_argument("--python", default="3.13", help="the layer's version of Python")
    options = parser.parse_args()
    try:
        trim(options.folder, options.architecture, options.python)
    except LayerError as error:
        sys.exit(f"spaCy layer: {error}")


def trim(tree: Path, architecture: str, python: str) -> None:
    for package in COMMAND_LINE_PACKAGES + BUILD_PACKAGES:
        uninstall(tree, package)
    replace_command_line(tree)
    remove_unread_files(tree)
    stripped = strip_shared_objects(tree, architecture)
    check_shared_objects(tree, architecture)
    compile_byte_code(tree, python)
    size = sum(path.stat().st_size for path in files(tree))
    check_size(size, stripped=stripped)
    say(f"{megabytes(size)} unzipped ({architecture}, Python {python})")


def uninstall(tree: Path, package: str) -> None:
    """Removes what the package's RECORD lists; a package that isn't there is no error."""
    for record in tree.glob(f"{package}-*.dist-info/RECORD"):
        with record.open(encoding="utf-8", newline="") as rows:
            installed = [Path(row[0]) for row in csv.reader(rows)]
        for path in installed:
            if ".." not in path.parts:  # scripts are listed as ../../bin/NAME, and bin goes as a whole
                (tree / path).unlink(missing_ok=True)
        shutil.rmtree(record.parent)


def replace_command_line(tree: Path) -> None:
    """Puts no_command_line.py in the place of spacy.cli; its docstring says why."""
    command_line = tree / "spacy" / "cli"
    if not command_line.is_dir():
        raise LayerError(f"{command_line} is missing: spaCy isn't installed there, or its command line has moved")
    shutil.rmtree(command_line)
    command_line.mkdir()
    for name in ("__init__.py", "info.py"):
        shutil.copyfile(Path(__file__).with_name("no_command_line.py"), command_line / name)


def remove_unread_files(tree: Path) -> None:
    unread = [tree / "bin", tree / "numpy" / "f2py", *tree.glob("*.dist-info/sboms"), *tree.rglob("tests"), *tree.rglob("__pycache__")]
    for folder in unread:
        if folder.is_dir():
            shutil.rmtree(folder)
    for path in files(tree):
        if path.suffix in SOURCE_SUFFIXES or (path.parent.suffix == ".dist-info" and path.name in INSTALLER_FILES):
            path.unlink()
    for folder in sorted(tree.rglob("*"), reverse=True):  # children before their parents
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def strip_shared_objects(tree: Path, architecture: str) -> bool:
    """Takes the debug symbols out of shared objects; False where no tool for it is installed."""
    # numpy's, and the libraries that wheels carry in *.libs, were rewritten by auditwheel: stripping leaves some misaligned.
    objects = [
        path for path in shared_objects(tree) if not path.relative_to(tree).parts[0].startswith("numpy") and path.parent.suffix != ".libs"
    ]
    strip = find_strip(architecture)
    if strip is None:
        say("not stripped, for want of llvm-strip: install LLVM (Debian: apt install llvm; macOS: brew install llvm) to take off half")
        return False
    if objects:
        run = subprocess.run([strip, "--strip-unneeded", *objects], check=False, capture_output=True, text=True)  # noqa: S603
        if run.returncode:
            raise LayerError(f"{strip} failed: {run.stderr.strip()}")
    return True


def find_strip(architecture: str) -> str | None:
    """llvm-strip knows every processor; binutils' strip its own, on Linux only: macOS has another tool of that name."""
    _, processor = PROCESSORS[architecture]
    tools = ["llvm-strip", f"{processor}-linux-gnu-strip"]
    if sys.platform == "linux" and platform.machine() == processor:
        tools.append("strip")
    return next((found for tool in tools if (found := shutil.which(tool))), None)


def check_shared_objects(tree: Path, architecture: str) -> None:
    """Refuses what the loader on Lambda would: another processor's objects, and misaligned ones ("not page-aligned")."""
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
                    "except it from stripping in layers/spacy/trim.py"
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
        raise LayerError(f"{path.name} is cut short: install the packages again") from error
    return machine, segments


def compile_byte_code(tree: Path, python: str) -> None:
    """Compiles as the layer's own Python would, for /opt/python, where Lambda unpacks a layer.

    Unchecked: a layer doesn't change, so Python need not compare sources with byte code at each import.
    """
    running = f"{sys.version_info.major}.{sys.version_info.minor}"
    if running != python:
        say(f"no byte code, for want of Python {python} (this is {running}): install it, or importing spaCy takes three times as long")
        return
    compiled = compileall.compile_dir(
        tree,
        quiet=1,
        force=True,
        stripdir=str(tree),
        prependdir="/opt/python",
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )
    if not compiled:
        raise LayerError("a module doesn't compile: see the lines above")


def check_size(size: int, *, stripped: bool) -> None:
    limit = STRIPPED_LIMIT if stripped else UNSTRIPPED_LIMIT
    if size > limit:
        mend = "find in layers/spacy/trim.py what else can go" if stripped else "install LLVM, for llvm-strip"
        raise LayerError(f"{megabytes(size)} unzipped is over {megabytes(limit)}, the most this layer may be: {mend}")


def files(tree: Path) -> list[Path]:
    return sorted(path for path in tree.rglob("*") if path.is_file())


def shared_objects(tree: Path) -> Iterator[Path]:
    return (path for path in files(tree) if ".so" in path.suffixes)


def megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"


def say(sentence: str) -> None:
    """To standard output: sam shows it at once, and standard error only when the build fails."""
    print(f"spaCy layer: {sentence}", flush=True)


if __name__ == "__main__":
    main()
