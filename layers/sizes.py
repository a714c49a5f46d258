"""Holds that the layers of a build fit together into a function: python -m layers.sizes FOLDER

Each layer has a limit of its own (its trim.py); this is for all that one function may have. FOLDER is what `sam build` made.
"""

import sys
from pathlib import Path

from layers.trimming import LayerError, megabytes, size_of

# Bytes. Lambda takes 250 MiB, 262 MB, a function and all its layers together.
MOST = 235_000_000


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit("usage: python -m layers.sizes FOLDER")
    try:
        print(check(Path(sys.argv[1])))
    except LayerError as error:
        sys.exit(f"winnow: {error}")


def check(build: Path) -> str:
    """The sizes, in a sentence. Raises LayerError when they are too much together, or the folder has no layers."""
    sizes = {python.parent.name: size_of(python) for python in sorted(build.glob("*/python"))}
    if not sizes:
        raise LayerError(f"{build} has no layers: nothing is built there")
    together = sum(sizes.values())
    each = ", ".join(f"{layer} {megabytes(size)}" for layer, size in sizes.items())
    if together > MOST:
        raise LayerError(
            f"the layers are {megabytes(together)} unzipped ({each}), and may be {megabytes(MOST)}: "
            "install LLVM, for llvm-strip, or leave the encoder out (`make build ENCODER=none`, and the parameter Encoder=none)"
        )
    return f"The layers are {megabytes(together)} unzipped: {each}."


if __name__ == "__main__":
    main()
