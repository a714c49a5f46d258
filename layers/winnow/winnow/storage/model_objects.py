"""Lists and removes the objects that were made for models."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from winnow.domain.keys import MODELS_PREFIX, prefixes, version_prefix
from winnow.storage.removal import Stored, remove_page, remove_prefix

if TYPE_CHECKING:
    from winnow.storage.bucket import Bucket


class ModelObjects:
    """The objects of all models in a bucket."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def list(self) -> Iterator[list[Stored]]:
        """The current S3 versions of all objects, in pages of at most 1,000."""
        for page in self._bucket.s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket.name, Prefix=MODELS_PREFIX):
            yield [Stored(entry["Key"], None, entry["LastModified"]) for entry in page.get("Contents", [])]

    def remove(self, page: Sequence[Stored]) -> int:
        """Remove these objects, at most 1,000. Returns how many S3 removed."""
        return remove_page(self._bucket, page)

    def remove_model(self, uid: str, time_left: Iterator[bool]) -> bool:
        """Remove every object made for a model, while there is time. True when none is left."""
        return all(remove_prefix(self._bucket, prefix, time_left) for prefix in prefixes(uid))

    def remove_version(self, uid: str, version: int, time_left: Iterator[bool]) -> bool:
        """Remove every object made for a version, under all its fences, while there is time. True when none is left."""
        return remove_prefix(self._bucket, version_prefix(uid, version), time_left)
