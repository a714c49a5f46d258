"""Puts a sentence encoder where a deployment finds it: upload.py FOLDER BUCKET [--name NAME --pooling mean|cls --most-tokens N]

FOLDER holds model.onnx, whose first output is the tokens' last states of shape (texts, tokens, dimensions), and tokenizer.json as the
package tokenizers reads it. Where there is an encoder.json too, such as beside the layer's own, it stays as it is, and with it the digest;
else one is made. Nothing is uploaded before the encoder has read a text.
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
from winnow.recipes.encoder import ABOUT, MODEL, TOKENIZER, Encoder

_TEXT = "I want to save for vacation!"


class UploadError(Exception):
    """The folder holds no encoder that works; the message is a sentence that says why."""


def described(folder: Path, name: str | None, pooling: str, most_tokens: int) -> bytes:
    """The folder's encoder.json, or one for what lies in it."""
    for part in (MODEL, TOKENIZER):
        if not (folder / part).is_file():
            raise UploadError(f"{folder / part} is missing")
    sha256 = {part: hashlib.sha256((folder / part).read_bytes()).hexdigest() for part in (MODEL, TOKENIZER)}
    about = {"most_tokens": most_tokens, "model_sha256": sha256[MODEL], "pooling": pooling, "tokenizer_sha256": sha256[TOKENIZER]}
    if (folder / ABOUT).is_file():
        there = (folder / ABOUT).read_bytes()
        other = [key for key in ("model_sha256", "tokenizer_sha256") if json.loads(there).get(key) != about[key]]
        if other:
            raise UploadError(f"{folder / ABOUT} speaks of other files: its {' and '.join(other)} is another")
        return there
    if not name:
        raise UploadError(f"{folder / ABOUT} is missing: name the encoder with --name, and one is made")
    return json.dumps({**about, "name": name, "dimensions": _dimensions(folder)}, sort_keys=True, separators=(",", ":")).encode()


def upload(folder: Path, bucket: str, about: bytes) -> str:
    """Try the encoder, and put its files into the bucket. Returns its digest."""
    digest = hashlib.sha256(about).hexdigest()
    s3 = boto3.client("s3")
    with _encoder(folder, about) as encoder:
        if not np.isfinite(encoder.vectors([_TEXT])).all():
            raise UploadError(f"the encoder gives no vector of numbers for {_TEXT!r}")
    for part in (MODEL, TOKENIZER):
        s3.upload_file(str(folder / part), bucket, encoder_key(digest, part))
    s3.put_object(Bucket=bucket, Key=encoder_key(digest, ABOUT), Body=about)
    return digest


def reads_together(folder: Path, about: bytes) -> bool:
    """Whether several texts go through the encoder at once (Encoder.together)."""
    with _encoder(folder, about) as encoder:
        return encoder.together


def _dimensions(folder: Path) -> int:
    """Of the vectors, which the model alone knows."""
    import onnxruntime  # noqa: PLC0415 - as slow as it is large

    [first, *_] = onnxruntime.InferenceSession(str(folder / MODEL), providers=["CPUExecutionProvider"]).get_outputs()
    if len(first.shape) != 3 or not isinstance(first.shape[2], int):
        raise UploadError(f"the first output of {MODEL}, {first.name}, has the shape {first.shape}, and not (texts, tokens, dimensions)")
    return first.shape[2]


@contextmanager
def _encoder(folder: Path, about: bytes) -> Iterator[Encoder]:
    """The encoder, its files side by side as a deployment has them."""
    with tempfile.TemporaryDirectory() as beside:
        for part in (MODEL, TOKENIZER):
            (Path(beside) / part).symlink_to((folder / part).resolve())
        (Path(beside) / ABOUT).write_bytes(about)
        yield Encoder(Path(beside))


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
        print("It reads one text at a time: its vectors depend on the texts beside, as where onnxruntime quantizes dynamically.")
    print(f"Train with it: sam deploy --parameter-overrides EncoderBucket={given.bucket} Encoder={digest}")


if __name__ == "__main__":
    main()
