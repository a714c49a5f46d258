"""Holds that the layers of a build fit together into a function: python -m layers.sizes FOLDER [--without LAYER]

Each layer has a limit of its own (its trim.py); this is for all that one function may have. FOLDER is what `sam build` made.
"""

import argparse
import sys
from pathlib import Path

from layers.trimming import LayerError, megabytes, size_of

# Bytes. Lambda takes 250 MiB, 262 MB, a function and all its layers together.
MOST = 235_000_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="what `sam build` made")
    parser.add_argument("--without", action="append", default=[], metavar="LAYER", help="a layer that won't be deployed")
    options = parser.parse_args()
    try:
        print(check(options.folder, options.without))
    except LayerError as error:
        sys.exit(f"winnow: {error}")


def check(build: Path, without: list[str]) -> str:
    """The sizes, in a sentence. Raises LayerError when they are too much together, or the folder has no layers."""
    sizes = {python.parent.name: size_of(python) for python in sorted(build.glob("*/python")) if python.parent.name not in without}
    if not sizes:
        raise LayerError(f"{build} has no layers: nothing is built there")
    together = sum(sizes.values())
    each = ", ".join(f"{layer} {megabytes(size)}" for layer, size in sizes.items())
    if together > MOST:
        raise LayerError(
            f"the layers are {megabytes(together)} unzipped ({each}), and may be {megabytes(MOST)}: "
            "install LLVM, for llvm-strip, or build with ENCODER=none and deploy with Encoder=none"
        )
    return f"The layers are {megabytes(together)} unzipped: {each}."


if __name__ == "__main__":
    main()
