"""The sentence encoders of this deployment: that of its layer, and those that its operator keeps in a bucket, each under its digest.

What is fetched is checked against its digest, and stays in /tmp for as long as the execution environment lives.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from winnow.aws import clients, resources
from winnow.domain.errors import EncoderError
from winnow.domain.keys import encoder_key
from winnow.recipes import encoder
from winnow.recipes.encoder import ABOUT, MODEL, TOKENIZER, Encoder

if TYPE_CHECKING:
    from winnow.recipes.encoder import Encoding

_FETCHED = Path(tempfile.gettempdir()) / "winnow-encoders"
_READ_AT_ONCE = 1 << 20
_GONE = ("NoSuchKey", "NoSuchBucket", "AccessDenied", "403", "404")
# Of the versions that need an encoder, in an error.
_NAMED = 5


def for_training() -> Encoding:
    """The encoder with which versions are trained: the parameter Encoder. EncoderError where it isn't to be had."""
    digest = resources.encoder_digest()
    if digest is None:
        return encoder.installed()
    if resources.encoder_bucket() is None and encoder.installed().digest != digest:
        raise EncoderError(
            f"The parameter Encoder names the sentence encoder {digest[:12]}, and EncoderBucket, where it would lie, is empty."
        )
    return find("that the parameter Encoder names", digest)


def find(name: str, digest: str) -> Encoding:
    """The encoder of this digest, from the layer or from the bucket. name: as an error calls it. EncoderError where neither has it."""
    bucket = resources.encoder_bucket()
    if bucket is None:
        return encoder.find_installed(name, digest)
    # Where the layer is left out, so is what runs any encoder.
    there = encoder.installed()
    return there if there.digest == digest else _fetched(bucket, name, digest)


def _fetched(bucket: str, name: str, digest: str) -> Encoder:
    """The encoder out of the bucket, under whatever name it is asked for."""
    folder = _FETCHED / digest
    if not folder.is_dir():
        _FETCHED.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=_FETCHED) as begun:
            _Source(bucket, name, digest).copy_to(Path(begun) / "whole")
            (Path(begun) / "whole").rename(folder)
    return _opened(folder)


@cache
def _opened(folder: Path) -> Encoder:
    """One for the whole life of the execution environment: it holds a session."""
    return Encoder(folder)


class _Source:
    """An encoder's files in a bucket."""

    def __init__(self, bucket: str, name: str, digest: str) -> None:
        self._bucket, self._name, self._digest = bucket, name, digest

    def copy_to(self, folder: Path) -> None:
        folder.mkdir()
        try:
            self._copy(folder, ABOUT, self._digest)
            about = json.loads((folder / ABOUT).read_bytes())
            self._copy(folder, MODEL, about["model_sha256"])
            self._copy(folder, TOKENIZER, about["tokenizer_sha256"])
        except OSError as error:
            free = shutil.disk_usage(folder).free
            raise self._unusable(f"has no room in {_FETCHED.parent}, where {free:,} bytes are free") from error

    def _copy(self, folder: Path, name: str, sha256: str) -> None:
        digest = hashlib.sha256()
        body = self._object(name)
        with (folder / name).open("wb") as file:
            while part := body.read(_READ_AT_ONCE):
                digest.update(part)
                file.write(part)
        if digest.hexdigest() != sha256:
            raise self._unusable(f"has another {name} than it was given: its SHA-256 isn't {sha256[:12]}…")

    def _object(self, name: str) -> Any:
        try:
            return clients.s3().get_object(Bucket=self._bucket, Key=encoder_key(self._digest, name))["Body"]
        except ClientError as error:
            if error.response["Error"]["Code"] not in _GONE:
                raise
            raise self._unusable(f"lacks its {name}, or this deployment may not read it") from error

    def _unusable(self, why: str) -> EncoderError:
        return EncoderError(
            f"The sentence encoder {self._name} ({self._digest[:12]}) in s3://{self._bucket}/{encoder_key(self._digest, '')} {why}:"
            " put it there again, or train with another."
        )


def check() -> None:
    """EncoderError where the encoder for trainings, or any that a version needs, isn't to be had or doesn't work."""
    if resources.has_encoder():
        _try(for_training())
    needing: dict[tuple[str, str], list[str]] = {}
    for version in resources.versions().needing_encoders():
        if version.encoder:
            known = needing.setdefault((version.encoder["name"], version.encoder["digest"]), [])
            known.append(f"{version.job.model_id} {version.job.version}")
    lacking = [sentence for encoder, versions in needing.items() if (sentence := _lacking(*encoder, versions))]
    if lacking:
        raise EncoderError(" ".join(lacking))


def _lacking(name: str, digest: str, versions: Sequence[str]) -> str | None:
    """What these versions would lack if the deployment were as it is to be. None where they have their encoder."""
    try:
        _try(find(name, digest))
    except EncoderError as error:
        more = f" and {len(versions) - _NAMED:,} more" if len(versions) > _NAMED else ""
        count = f"{len(versions):,} version{'s' if len(versions) > 1 else ''}"
        return f"{count} ({', '.join(versions[:_NAMED])}{more}) would answer no more: {error.sentence} Or delete what needs it first."
    return None


def _try(encoding: Encoding) -> None:
    """Let it read a text."""
    try:
        encoding.vectors(["Does it read?"])
    except Exception as error:
        raise EncoderError(f"The sentence encoder {encoding.name} ({encoding.digest[:12]}) doesn't work: {error}") from error
