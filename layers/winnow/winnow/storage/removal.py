"""Removes objects of a bucket, each with all its S3 versions and delete markers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from winnow.storage.bucket import Bucket


@dataclass(frozen=True, slots=True)
class Stored:
    """An S3 version of an object, or a delete marker. version_id: None for the current version."""

    key: str
    version_id: str | None
    modified: datetime


def remove_prefix(bucket: Bucket, prefix: str, time_left: Iterator[bool]) -> bool:
    """Remove every S3 version and delete marker of the objects under a prefix, while there is time.

    True when the last listing found nothing.
    """
    return _remove(bucket, lambda: stored_under(bucket, prefix), time_left)


def remove_object(bucket: Bucket, key: str, time_left: Iterator[bool]) -> bool:
    """The same for a single object, and not for others whose keys begin with its key."""
    return _remove(bucket, lambda: stored_of(bucket, key), time_left)


def _remove(bucket: Bucket, listing: Callable[[], Iterator[list[Stored]]], time_left: Iterator[bool]) -> bool:
    while True:
        found, refused = False, False
        for page in listing():
            if not next(time_left):
                return False
            found = found or bool(page)
            # If one object is refused, the others are still removed.
            refused = remove_page(bucket, page) < len(page) or refused
        if refused or not found:
            return not refused


def stored_under(bucket: Bucket, prefix: str) -> Iterator[list[Stored]]:
    """Every S3 version and delete marker under a prefix, in pages of at most 1,000, which is what DeleteObjects takes."""
    for page in bucket.s3.get_paginator("list_object_versions").paginate(Bucket=bucket.name, Prefix=prefix):
        listed = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        yield [Stored(entry["Key"], entry["VersionId"], entry["LastModified"]) for entry in listed]


def stored_of(bucket: Bucket, key: str) -> Iterator[list[Stored]]:
    """Every S3 version and delete marker of one object, in such pages."""
    for page in stored_under(bucket, key):
        yield [stored for stored in page if stored.key == key]


def remove_page(bucket: Bucket, page: Sequence[Stored]) -> int:
    """Remove these objects, at most 1,000. Returns how many S3 removed."""
    if not page:
        return 0
    objects = [{"Key": stored.key} | ({"VersionId": stored.version_id} if stored.version_id else {}) for stored in page]
    answer = bucket.s3.delete_objects(Bucket=bucket.name, Delete={"Objects": objects, "Quiet": True})  # type: ignore[typeddict-item]
    return len(page) - len(answer.get("Errors", []))


def time_left(seconds: float) -> Iterator[bool]:
    """An endless iterator: each item says whether some of the `seconds` from now are left."""
    end = time.monotonic() + seconds
    while True:
        yield time.monotonic() < end
