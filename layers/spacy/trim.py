"""Trims an installed spaCy to what a Lambda function needs of it: python -m layers.spacy.trim FOLDER --architecture arm64 --python 3.13

spaCy as installed is over Lambda's limit of 250 MiB. Beside what every layer leaves out (layers/trimming.py), packages go that only spaCy's
command line imports.
"""

import shutil
from pathlib import Path

from layers import trimming
from layers.trimming import LayerError

NAME = "spaCy layer"

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

# Bytes. Lambda takes 250 MiB, a function and all its layers together; 12 MB of it are left to the function and our own layer. (There is no
# room for the encoder's beside an unstripped spaCy: layers/sizes.py says so.)
LAMBDA_LIMIT = 250 * 1024 * 1024
UNSTRIPPED_LIMIT = LAMBDA_LIMIT - 12_000_000
# What this layer has been for long, with room to grow: a layer above it holds something that should have been trimmed.
STRIPPED_LIMIT = 130_000_000


def trim(tree: Path, architecture: str, python: str) -> None:
    for package in COMMAND_LINE_PACKAGES + BUILD_PACKAGES:
        trimming.uninstall(tree, package)
    replace_command_line(tree)
    shutil.rmtree(tree / "numpy" / "f2py", ignore_errors=True)
    trimming.Layer(tree, architecture, python, NAME, "layers/spacy/trim.py", STRIPPED_LIMIT, UNSTRIPPED_LIMIT).finish()


def replace_command_line(tree: Path) -> None:
    """Puts no_command_line.py in the place of spacy.cli; its docstring says why."""
    command_line = tree / "spacy" / "cli"
    if not command_line.is_dir():
        raise LayerError(f"{command_line} is missing: spaCy isn't installed there, or its command line has moved")
    shutil.rmtree(command_line)
    command_line.mkdir()
    for name in ("__init__.py", "info.py"):
        shutil.copyfile(Path(__file__).with_name("no_command_line.py"), command_line / name)


if __name__ == "__main__":
    trimming.main(NAME, __doc__, trim)
