"""Checks that the layers of a build fit into one function together: python -m layers.sizes FOLDER

FOLDER is the output of `sam build`. This is the limit for all layers of a function; each layer also has its own limit (trim.py).
"""

import sys
from pathlib import Path

from layers.trimming import PROCESSORS, LayerError, megabytes, read_elf, shared_objects, size_of

# Bytes. Lambda allows 250 MiB (262 MB) for a function and all of its layers together.
MOST = 250_000_000


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit("usage: python -m layers.sizes FOLDER")
    try:
        print(check(Path(sys.argv[1])))
    except LayerError as error:
        sys.exit(f"winnow: {error}")


def check(build: Path) -> str:
    """The sizes in a sentence. Raises LayerError if the layers are too large together, or the folder has none."""
    sizes = {python.parent.name: size_of(python) for python in sorted(build.glob("*/python"))}
    if not sizes:
        raise LayerError(f"{build} has no layers: build first")
    together = sum(sizes.values())
    each = ", ".join(f"{layer} {megabytes(size)}" for layer, size in sizes.items())
    if together > MOST:
        raise LayerError(
            f"the layers have {megabytes(together)} unzipped ({each}), but at most {megabytes(MOST)} fit: "
            "install LLVM for llvm-strip, or build without the encoder (`make build ENCODER=none`, and the parameter Encoder=none)"
        )
    return f"The layers have {megabytes(together)} unzipped: {each}."


def architecture(build: Path) -> str | None:
    """The processors that the layers were built for, as the parameter Architecture has them. None if the folder has no layers."""
    names = {machine: name for name, (machine, _) in PROCESSORS.items()}
    objects = (shared for python in sorted(build.glob("*/python")) for shared in shared_objects(python))
    # The build has checked that all of them are alike.
    return next((names[read_elf(shared)[0]] for shared in objects), None)


if __name__ == "__main__":
    main()
