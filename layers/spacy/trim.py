"""Trims an installed spaCy to the parts that a Lambda function needs: python -m layers.spacy.trim FOLDER --architecture arm64 --python 3.13

An untrimmed spaCy is over Lambda's limit of 250 MiB. This script removes the packages that only spaCy's command line imports, and what
every layer removes (layers/trimming.py).
"""

import shutil
from pathlib import Path

from layers import trimming
from layers.trimming import LayerError

NAME = "spaCy layer"

# Only spacy.cli and these packages themselves import them.
# fmt: off
COMMAND_LINE_PACKAGES = [
    "annotated_doc", "anyio", "certifi", "charset_normalizer", "click", "cloudpathlib", "colorama", "h11", "httpcore",
    "httpx", "idna", "jinja2", "markdown_it_py", "markupsafe", "mdurl", "pygments", "requests", "rich", "shellingham",
    "smart_open", "typer", "urllib3", "weasel", "wrapt",
]
# fmt: on
# spaCy declares it only to build its own wheels.
BUILD_PACKAGES = ["setuptools"]

# Bytes. Lambda allows 250 MiB for a function and all of its layers. 12 MB of that are for the function and our own layer. The encoder
# layer doesn't fit beside an unstripped spaCy; layers/sizes.py reports that.
LAMBDA_LIMIT = 250 * 1024 * 1024
UNSTRIPPED_LIMIT = LAMBDA_LIMIT - 12_000_000
# The usual size of this layer, with room to grow. A larger layer contains something that should be trimmed.
STRIPPED_LIMIT = 130_000_000


def trim(tree: Path, architecture: str, python: str) -> None:
    for package in COMMAND_LINE_PACKAGES + BUILD_PACKAGES:
        trimming.uninstall(tree, package)
    replace_command_line(tree)
    shutil.rmtree(tree / "numpy" / "f2py", ignore_errors=True)
    trimming.Layer(tree, architecture, python, NAME, "layers/spacy/trim.py", STRIPPED_LIMIT, UNSTRIPPED_LIMIT).finish()


def replace_command_line(tree: Path) -> None:
    """Replaces spacy.cli with no_command_line.py. The docstring of that file says why."""
    command_line = tree / "spacy" / "cli"
    if not command_line.is_dir():
        raise LayerError(f"{command_line} is missing: spaCy isn't installed there, or its command line has moved")
    shutil.rmtree(command_line)
    command_line.mkdir()
    for name in ("__init__.py", "info.py"):
        shutil.copyfile(Path(__file__).with_name("no_command_line.py"), command_line / name)


if __name__ == "__main__":
    trimming.main(NAME, __doc__, trim)
