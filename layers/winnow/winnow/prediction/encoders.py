"""The sentence encoders of this deployment: the layer's, and those in the operator's bucket, by digest.

A downloaded encoder is checked against its digest, and stays in /tmp until the execution environment ends.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from winnow.aws import clients, resources
from winnow.aws.log import logger
from winnow.domain.errors import EncoderError
from winnow.domain.keys import encoder_key
from winnow.recipes import encoder
from winnow.recipes.encoder import ABOUT, MINILM, MULTILINGUAL, names_of_parts
from winnow.storage.bucket import refused_by_key
from winnow.storage.removal import time_left

if TYPE_CHECKING:
    from winnow.recipes.encoder import Encoding

_FETCHED = Path(tempfile.gettempdir()) / "winnow-encoders"
_READ_AT_ONCE = 1 << 20
_GONE = ("NoSuchKey", "NoSuchBucket", "AccessDenied", "403", "404")
# The versions that an error lists.
_NAMED = 5
# The time to fetch an encoder of some hundred megabytes, and to read a text with it.
_SECONDS_TO_TRY_ONE = 60


def for_training() -> Encoding:
    """The encoder for new trainings (parameter Encoder). Raises EncoderError if it isn't available."""
    chosen = resources.encoder()
    if chosen is None or chosen in encoder.IN_LAYER:
        return encoder.installed(chosen or MINILM)
    found, bucket = encoder.in_layer(chosen), resources.encoder_bucket()
    if found is not None:
        return found
    if bucket is None:
        raise EncoderError(f"The parameter Encoder names the sentence encoder {chosen[:12]}: set EncoderBucket to the bucket that has it.")
    # A deployment without the layer can't run any encoder.
    encoder.installed()
    return _fetched(bucket, "of the parameter Encoder", chosen)


def of_deployment() -> Sequence[Encoding]:
    """The encoders that new versions may need."""
    main, multilingual = for_training(), encoder.installed(MULTILINGUAL)
    return [main] if main.digest == multilingual.digest else [multilingual, main]


def multilingual() -> Encoding | None:
    """The layer's multilingual encoder. None if the layer has none, as where an operator built it with another one alone."""
    try:
        return encoder.installed(MULTILINGUAL)
    except EncoderError:
        return None


def find(name: str, digest: str) -> Encoding:
    """The encoder with this digest, from the layer or the bucket. Raises EncoderError if neither has it.

    A bucket's encoder is fetched for the first text: only then the error may come.
    """
    bucket = resources.encoder_bucket()
    if bucket is None:
        return encoder.find_installed(name, digest)
    # A deployment without the layer can't run any encoder.
    encoder.installed()
    return encoder.in_layer(digest) or _InBucket(bucket, name, digest)


@dataclass(frozen=True, slots=True)
class _InBucket:
    """An encoder of the bucket."""

    bucket: str
    name: str
    digest: str

    def vectors(self, texts: Sequence[str], windows: int = 1) -> Any:
        """Of shape (texts, dimensions), each of length 1."""
        return _fetched(self.bucket, self.name, self.digest).vectors(texts, windows)


def _fetched(bucket: str, name: str, digest: str) -> Encoding:
    """The bucket's encoder, downloaded once."""
    folder = _FETCHED / digest
    if not folder.is_dir():
        _FETCHED.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=_FETCHED) as begun:
            _Source(bucket, name, digest).copy_to(Path(begun) / "whole")
            (Path(begun) / "whole").rename(folder)
    return _opened(folder)


@cache
def _opened(folder: Path) -> Encoding:
    """One per execution environment, because it holds a session."""
    return encoder.opened(folder)


class _Source:
    """An encoder's files in a bucket."""

    def __init__(self, bucket: str, name: str, digest: str) -> None:
        self._bucket, self._name, self._digest = bucket, name, digest

    def look(self) -> None:
        """Raise EncoderError if a file is missing. Nothing is copied."""
        about = self._object(ABOUT).read()
        if hashlib.sha256(about).hexdigest() != self._digest:
            raise self._wrong(ABOUT, self._digest)
        for part in names_of_parts(json.loads(about)):
            self._object(part).close()

    def copy_to(self, folder: Path) -> None:
        folder.mkdir()
        try:
            self._copy(folder, ABOUT, self._digest)
            about = json.loads((folder / ABOUT).read_bytes())
            model, tokenizer = names_of_parts(about)
            self._copy(folder, model, about["model_sha256"])
            self._copy(folder, tokenizer, about["tokenizer_sha256"])
        except OSError as error:
            free = shutil.disk_usage(folder).free
            raise self._unusable(f"doesn't fit into {_FETCHED.parent} ({free:,} bytes free)") from error

    def _copy(self, folder: Path, name: str, sha256: str) -> None:
        digest = hashlib.sha256()
        body = self._object(name)
        with (folder / name).open("wb") as file:
            while part := body.read(_READ_AT_ONCE):
                digest.update(part)
                file.write(part)
        if digest.hexdigest() != sha256:
            raise self._wrong(name, sha256)

    def _object(self, name: str) -> Any:
        try:
            return clients.s3().get_object(Bucket=self._bucket, Key=encoder_key(self._digest, name))["Body"]
        except ClientError as error:
            if refused_by_key(error):
                raise self._unusable(f"has a {name} whose KMS key this deployment may not use (BucketKeys)") from error
            if error.response["Error"]["Code"] not in _GONE:
                raise
            raise self._unusable(f"has no {name} that this deployment may read") from error

    def _wrong(self, name: str, sha256: str) -> EncoderError:
        return self._unusable(f"has a wrong {name}: its SHA-256 isn't {sha256[:12]}…")

    def _unusable(self, why: str) -> EncoderError:
        return EncoderError(
            f"The sentence encoder {self._name} ({self._digest[:12]}) in s3://{self._bucket}/{encoder_key(self._digest, '')} {why}:"
            " upload it again, or use another encoder."
        )


def check(seconds: float) -> None:
    """Raise EncoderError if the encoder for trainings, or one that a version needs, is missing or doesn't work.

    It looks for all of them, and then tries one after the other while there is time.
    """
    left = time_left(seconds - _SECONDS_TO_TRY_ONE)
    if resources.has_encoder():
        for encoding in of_deployment():
            _try(encoding)
    needing: dict[tuple[str, str], list[str]] = {}
    for version in resources.versions().needing_encoders():
        for each in version.encoders:
            known = needing.setdefault((each["name"], each["digest"]), [])
            known.append(f"{version.job.model_id} {version.job.version}")
    for test in (_look_for, partial(_try_in_time, left)):
        lacking = [sentence for encoder, versions in needing.items() if (sentence := _lacking(*encoder, versions, test))]
        if lacking:
            raise EncoderError(" ".join(lacking))


def _lacking(name: str, digest: str, versions: Sequence[str], test: Callable[[Encoding], None]) -> str | None:
    """The error about versions whose encoder is missing or fails the test. None if they have it."""
    try:
        test(find(name, digest))
    except EncoderError as error:
        more = f" and {len(versions) - _NAMED:,} more" if len(versions) > _NAMED else ""
        count = f"{len(versions):,} version{'s' if len(versions) > 1 else ''}"
        return f"{count} ({', '.join(versions[:_NAMED])}{more}) would stop answering: {error.sentence} Or delete these versions first."
    return None


def _look_for(encoding: Encoding) -> None:
    """Raise EncoderError if a file of an encoder in the bucket is missing."""
    if isinstance(encoding, _InBucket):
        _Source(encoding.bucket, encoding.name, encoding.digest).look()


def _try_in_time(left: Iterator[bool], encoding: Encoding) -> None:
    if not next(left):
        logger.warning("no time to try an encoder", extra={"encoder": encoding.name, "digest": encoding.digest})
        return
    # The next one needs the memory and the disk.
    _opened.cache_clear()
    shutil.rmtree(_FETCHED, ignore_errors=True)
    _try(encoding)


def _try(encoding: Encoding) -> None:
    """Encode a text as a test."""
    try:
        encoding.vectors(["Does it read?"])
    except Exception as error:
        raise EncoderError(f"The sentence encoder {encoding.name} ({encoding.digest[:12]}) doesn't work: {error}") from error
