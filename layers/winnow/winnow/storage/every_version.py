"""Every S3 version of the objects of a bucket, also of those that were overwritten or deleted."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from winnow.storage.removal import remove_page, stored_of

if TYPE_CHECKING:
    from winnow.storage.bucket import Bucket

_GONE = {"NoSuchKey", "NoSuchVersion", "404"}


class EveryVersion:
    """The objects of a bucket with all their S3 versions."""

    def __init__(self, bucket: Bucket) -> None:
        self.bucket = bucket

    def after(self, prefix: str, key: str) -> Iterator[tuple[str, list[str]]]:
        """The keys under a prefix after this key ("" for all), in order, each with the ids of its S3 versions, without delete markers."""
        start: dict[str, Any] = {"KeyMarker": key} if key else {}
        pages = self.bucket.s3.get_paginator("list_object_versions").paginate(Bucket=self.bucket.name, Prefix=prefix, **start)
        listed = ((entry["Key"], entry["VersionId"]) for page in pages for entry in page.get("Versions", []))
        for name, versions in groupby(listed, itemgetter(0)):
            yield name, [version for _, version in versions]

    def any(self, prefix: str) -> bool:
        """Whether there is an S3 version of any object under a prefix."""
        return next(self.after(prefix, ""), None) is not None

    def stream(self, key: str, version_id: str) -> Any:
        """The content of an S3 version. None if it is gone."""
        try:
            return self.bucket.s3.get_object(Bucket=self.bucket.name, Key=key, VersionId=version_id)["Body"]
        except ClientError as error:
            if error.response["Error"]["Code"] not in _GONE:
                raise
            return None

    def read(self, key: str, version_id: str) -> bytes | None:
        """The same as bytes."""
        body = self.stream(key, version_id)
        return None if body is None else body.read()

    def remove_earlier(self, key: str) -> None:
        """Remove the S3 versions and delete markers of an object, except the current one."""
        current = self._current(key)
        for page in stored_of(self.bucket, key):
            remove_page(self.bucket, [stored for stored in page if stored.version_id != current])

    def _current(self, key: str) -> str | None:
        found = self.bucket.s3.list_object_versions(Bucket=self.bucket.name, Prefix=key)
        return next((each["VersionId"] for each in found.get("Versions", []) if each["Key"] == key and each["IsLatest"]), None)
