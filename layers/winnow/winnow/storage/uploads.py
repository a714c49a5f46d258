"""Clients' data sets in S3: in the deployment's own bucket, and in other buckets that the deployment may read."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from botocore.exceptions import ClientError

from winnow.domain.clock import timestamp
from winnow.domain.errors import DatasetError, DatasetNotDeletedError, DatasetNotFoundError
from winnow.storage.bucket import Bucket, refused_by_key
from winnow.storage.removal import remove_object, stored_of

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from mypy_boto3_s3 import S3Client

UPLOAD_SECONDS = 3600
# Signed with each URL, so that S3 refuses a second PUT to it (412). Otherwise the data could change after somebody looked at it.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
_ONCE = {"If-None-Match": "*"}

# The prefix of uploads. The name of an upload is a random number and a safe form of the client's file name, and has no slash.
UPLOADS_PREFIX = "uploads/"
_UPLOADED = re.compile(rf"{UPLOADS_PREFIX}(?P<name>(?P<number>[0-9a-f]{{32}})-[^/]+)")

_MOST_CHARACTERS = 128

_NOT_TO_BE_HAD = {
    *("404", "403", "301", "NoSuchKey", "NoSuchBucket", "AccessDenied"),
    *("InvalidBucketName", "KeyTooLongError", "PermanentRedirect"),
}


@dataclass(frozen=True, slots=True)
class OpenDataset:
    """A data set that can be read once. bytes: its size; version_id: the version of the S3 object, None if its bucket has no versions."""

    stream: StreamingBody
    bytes: int
    etag: str
    version_id: str | None


@dataclass(frozen=True, slots=True)
class UploadUrl:
    """A URL to PUT one object to, once, valid for at most an hour, with the names of that object. headers: what the PUT must send."""

    url: str
    headers: Mapping[str, str]
    name: str
    s3bucket: str
    training_object: str


@dataclass(frozen=True, slots=True)
class Upload:
    """An uploaded data set."""

    name: str
    bytes: int
    uploaded_at: str
    s3bucket: str
    training_object: str


class Datasets:
    """Clients' data sets. bucket: the deployment's own bucket for uploads. others: more buckets that may be read."""

    def __init__(self, s3: S3Client, bucket: str, others: Collection[str] = ()) -> None:
        self._s3 = s3
        self.bucket = bucket
        self._others = others

    def upload(self, file_name: str, length: int | None) -> UploadUrl:
        """Let a client upload a file, once. length: the size in bytes that S3 accepts; None for any size."""
        name = f"{uuid4().hex}-{_safe(file_name)}"
        wanted: dict[str, Any] = {"Bucket": self.bucket, "Key": UPLOADS_PREFIX + name, "IfNoneMatch": _ONCE["If-None-Match"]}
        if length is not None:
            # Signs the header Content-Length, which HTTP clients send anyway.
            wanted["ContentLength"] = length
        url = self._s3.generate_presigned_url("put_object", Params=wanted, ExpiresIn=UPLOAD_SECONDS)
        return UploadUrl(url, _ONCE, name, self.bucket, UPLOADS_PREFIX + name)

    def uploads(self, limit: int, after: str | None = None) -> tuple[list[Upload], str | None]:
        """At most `limit` uploads after the place `after`, by name; and the place for the next page, None at the end."""
        # "." sorts after "-", so this place is after every name that begins with the number.
        start: dict[str, Any] = {} if after is None else {"StartAfter": f"{UPLOADS_PREFIX}{after}."}
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=UPLOADS_PREFIX, **start)
        entries = ((entry, _UPLOADED.fullmatch(entry["Key"])) for page in pages for entry in page.get("Contents", []))
        listed = list(islice(((entry, found) for entry, found in entries if found), limit + 1))
        uploads = [
            Upload(found["name"], entry["Size"], timestamp(entry["LastModified"]), self.bucket, entry["Key"])
            for entry, found in listed[:limit]
        ]
        # One more than asked for shows whether there is a next page.
        return uploads, listed[limit - 1][1]["number"] if len(listed) > limit else None

    def delete(self, name: str, time_left: Iterator[bool]) -> None:
        """Remove an upload with all its S3 versions, also those that an expired one has left.

        DatasetNotFoundError if there is none; DatasetNotDeletedError if the time was too short for all of them.
        """
        bucket, key = Bucket(self._s3, self.bucket), UPLOADS_PREFIX + name
        if not any(stored_of(bucket, key)):
            raise DatasetNotFoundError(name)
        if not remove_object(bucket, key, time_left):
            raise DatasetNotDeletedError(name)

    def is_upload(self, bucket: str, key: str) -> bool:
        """Whether an object is an upload. The deployment's bucket may have others, which Winnow reads but never removes."""
        return bucket == self.bucket and key.startswith(UPLOADS_PREFIX)

    def open(self, bucket: str, key: str) -> OpenDataset:
        """Open a data set. DatasetError if there is none, or if it may not be read.

        The sentence is the same for an absent and a forbidden object, so that nobody can find out which objects exist. (Of an object whose
        KMS key may not be used, the deployment may read the bucket.)
        """
        not_to_be_had = DatasetError(
            f"s3://{bucket}/{key} can't be read: there is no such object, or this deployment may not read the bucket."
            " Upload the data set with POST /datasets, or add the bucket to the template parameter DatasetBuckets."
        )
        # The function's role has the same limit. Two checks protect if one of them is configured wrong.
        if bucket != self.bucket and bucket not in self._others:
            raise not_to_be_had
        try:
            answer = self._s3.get_object(Bucket=bucket, Key=key)
        except ClientError as error:
            if refused_by_key(error):
                raise DatasetError(
                    f"s3://{bucket}/{key} can't be read: this deployment may not use the KMS key that encrypts it, or the key is disabled."
                    " Ask the operator to name the key in the template parameter BucketKeys."
                ) from error
            if error.response["Error"]["Code"] not in _NOT_TO_BE_HAD:
                raise
            raise not_to_be_had from error
        return OpenDataset(answer["Body"], answer["ContentLength"], answer["ETag"].strip('"'), answer.get("VersionId"))


def _safe(file_name: str) -> str:
    """The file name with dashes for all but ASCII letters, digits, dots, dashes and underscores. The ending stays: it shows the format."""
    stem, dot, ending = re.sub("[^A-Za-z0-9._-]+", "-", file_name).partition(".")
    return f"{stem.lstrip('_-') or 'dataset'}{dot}{ending}"[:_MOST_CHARACTERS]
