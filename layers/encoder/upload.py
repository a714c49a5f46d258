"""Uploads a sentence encoder for a deployment: upload.py FOLDER BUCKET [--name NAME --pooling mean|cls --most-tokens N]

FOLDER has model.onnx and tokenizer.json (for the package tokenizers). The model's first output is the last state of each token, with the
shape (texts, tokens, dimensions). An encoder.json in FOLDER stays as it is and keeps its digest; otherwise one is made. FOLDER can also be
that of an encoder in the layer. The script tries the encoder on a text before it uploads anything.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import boto3
import numpy as np

from winnow.domain.keys import encoder_key
from winnow.recipes.encoder import ABOUT, MODEL, Encoder, Encoding, names_of_parts, opened

_TEXT = "I want to save for vacation!"


class UploadError(Exception):
    """The folder has no working encoder. The message is one sentence that says why."""


def described(folder: Path, name: str | None, pooling: str, most_tokens: int) -> bytes:
    """The folder's encoder.json, or a new one for its files."""
    there = (folder / ABOUT).read_bytes() if (folder / ABOUT).is_file() else None
    model, tokenizer = names_of_parts(json.loads(there) if there else {})
    for part in (model, tokenizer):
        if not (folder / part).is_file():
            raise UploadError(f"{folder / part} is missing")
    sha256 = {
        "model_sha256": hashlib.sha256((folder / model).read_bytes()).hexdigest(),
        "tokenizer_sha256": hashlib.sha256((folder / tokenizer).read_bytes()).hexdigest(),
    }
    if there:
        other = [key for key, value in sha256.items() if json.loads(there).get(key) != value]
        if other:
            raise UploadError(f"{folder / ABOUT} describes other files: {' and '.join(other)} differs")
        return there
    if not name:
        raise UploadError(f"{folder / ABOUT} is missing: give the encoder a name with --name, and the file is made")
    about = {**sha256, "name": name, "pooling": pooling, "most_tokens": most_tokens, "dimensions": _dimensions(folder)}
    return json.dumps(about, sort_keys=True, separators=(",", ":")).encode()


def upload(folder: Path, bucket: str, about: bytes) -> str:
    """Try the encoder, then upload its files to the bucket. Returns its digest."""
    digest = hashlib.sha256(about).hexdigest()
    s3 = boto3.client("s3")
    with _encoder(folder, about) as encoder:
        if not np.isfinite(encoder.vectors([_TEXT])).all():
            raise UploadError(f"the encoder gives no finite vector for {_TEXT!r}")
    for part in names_of_parts(json.loads(about)):
        s3.upload_file(str(folder / part), bucket, encoder_key(digest, part))
    s3.put_object(Bucket=bucket, Key=encoder_key(digest, ABOUT), Body=about)
    return digest


def reads_together(folder: Path, about: bytes) -> bool:
    """Whether the encoder can read several texts at once (Encoder.together)."""
    with _encoder(folder, about) as encoder:
        return not isinstance(encoder, Encoder) or encoder.together


def _dimensions(folder: Path) -> int:
    """The dimensions of the vectors. Only the model knows them."""
    import onnxruntime  # noqa: PLC0415 - a slow import

    [first, *_] = onnxruntime.InferenceSession(str(folder / MODEL), providers=["CPUExecutionProvider"]).get_outputs()
    if len(first.shape) != 3 or not isinstance(first.shape[2], int):
        raise UploadError(f"the first output of {MODEL}, {first.name}, has the shape {first.shape} instead of (texts, tokens, dimensions)")
    return first.shape[2]


@contextmanager
def _encoder(folder: Path, about: bytes) -> Iterator[Encoding]:
    """The encoder, with its files in one folder, as in a deployment."""
    with tempfile.TemporaryDirectory() as beside:
        for part in names_of_parts(json.loads(about)):
            (Path(beside) / part).symlink_to((folder / part).resolve())
        (Path(beside) / ABOUT).write_bytes(about)
        yield opened(Path(beside))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("bucket")
    parser.add_argument("--name")
    parser.add_argument("--pooling", choices=["mean", "cls"], default="mean")
    parser.add_argument("--most-tokens", type=int, default=256)
    given = parser.parse_args()
    try:
        about = described(given.folder, given.name, given.pooling, given.most_tokens)
        digest = upload(given.folder, given.bucket, about)
    except UploadError as error:
        sys.exit(f"encoder: {error}")
    print(f"s3://{given.bucket}/{encoder_key(digest, '')} holds the sentence encoder {json.loads(about)['name']}.")
    if not reads_together(given.folder, about):
        print("It reads one text at a time, because its vectors depend on the other texts. Dynamic quantization by onnxruntime does that.")
    print(f"To train with it, set EncoderBucket={given.bucket} and Encoder={digest} in samconfig.toml, and run `make deploy`.")


if __name__ == "__main__":
    main()
