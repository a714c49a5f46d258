"""Clients' data sets in S3: in the deployment's own bucket, and in those that it was allowed to read."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from botocore.exceptions import ClientError

from winnow.domain.clock import timestamp
from winnow.domain.errors import DatasetError, DatasetNotFoundError

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from mypy_boto3_s3 import S3Client

UPLOAD_SECONDS = 3600

# Where uploads lie, each under a name that is one segment of a path: a number of its own, and the client's name.
_UPLOADS = "uploads/"
_UPLOADED = re.compile(rf"{_UPLOADS}(?P<name>(?P<number>[0-9a-f]{{32}})-[^/]+)")

_NOT_TO_BE_HAD = {
    *("404", "403", "301", "NoSuchKey", "NoSuchBucket", "AccessDenied"),
    *("InvalidBucketName", "KeyTooLongError", "PermanentRedirect"),
}


@dataclass(frozen=True, slots=True)
class OpenDataset:
    """A data set to be read, once. bytes: how many it has; version_id: of the object in S3, None where its bucket has no versions."""

    stream: StreamingBody
    bytes: int
    etag: str
    version_id: str | None


@dataclass(frozen=True, slots=True)
class UploadUrl:
    """A URL to which one object may be PUT for an hour, and the names of what it makes."""

    url: str
    name: str
    s3bucket: str
    training_object: str


@dataclass(frozen=True, slots=True)
class Upload:
    """What was uploaded."""

    name: str
    bytes: int
    uploaded_at: str
    s3bucket: str
    training_object: str


class Datasets:
    """Clients' data sets. bucket: the deployment's own, into which they upload; others: further ones that may be read."""

    def __init__(self, s3: S3Client, bucket: str, others: Collection[str] = ()) -> None:
        self._s3 = s3
        self.bucket = bucket
        self._others = others

    def upload(self, file_name: str, length: int | None) -> UploadUrl:
        """Let a client upload a file. length: S3 refuses one of any other number of bytes; None: of any."""
        name = f"{uuid4().hex}-{file_name}"
        wanted: dict[str, Any] = {"Bucket": self.bucket, "Key": _UPLOADS + name}
        if length is not None:
            # Content-Length is then among the signed headers, which clients send by themselves.
            wanted["ContentLength"] = length
        url = self._s3.generate_presigned_url("put_object", Params=wanted, ExpiresIn=UPLOAD_SECONDS)
        return UploadUrl(url, name, self.bucket, _UPLOADS + name)

    def uploads(self, limit: int, after: str | None = None) -> tuple[list[Upload], str | None]:
        """At most `limit` uploads by name, those after the place `after`; and the place to go on after, None at the end."""
        # "." comes after "-", and so after every name that begins with this number.
        start: dict[str, Any] = {} if after is None else {"StartAfter": f"{_UPLOADS}{after}."}
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=_UPLOADS, **start)
        entries = ((entry, _UPLOADED.fullmatch(entry["Key"])) for page in pages for entry in page.get("Contents", []))
        listed = list(islice(((entry, found) for entry, found in entries if found), limit + 1))
        uploads = [
            Upload(found["name"], entry["Size"], timestamp(entry["LastModified"]), self.bucket, entry["Key"])
            for entry, found in listed[:limit]
        ]
        # One more than asked for tells whether there are more.
        return uploads, listed[limit - 1][1]["number"] if len(listed) > limit else None

    def delete(self, name: str) -> None:
        """Remove an upload, with every S3 version of it. DatasetNotFoundError where there is none."""
        key = _UPLOADS + name
        # Its number makes the name a prefix of no other.
        page = self._s3.list_object_versions(Bucket=self.bucket, Prefix=key)
        found = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        if not any(entry["Key"] == key and entry["IsLatest"] for entry in page.get("Versions", [])):
            raise DatasetNotFoundError(name)
        for entry in found:
            if entry["Key"] == key:
                self._s3.delete_object(Bucket=self.bucket, Key=key, VersionId=entry["VersionId"])

    def open(self, bucket: str, key: str) -> OpenDataset:
        """A data set. DatasetError where there is none, or it may not be read.

        An absent object and a forbidden one give the same sentence: an answer that told them apart would tell strangers what exists.
        """
        not_to_be_had = DatasetError(
            f"s3://{bucket}/{key} can't be read: there is no such object, or this deployment may not read the bucket."
            " Upload the data set with POST /datasets, or add the bucket to the template parameter DatasetBuckets."
        )
        # The function's role says so too: either of them may have been set wrong.
        if bucket != self.bucket and bucket not in self._others:
            raise not_to_be_had
        try:
            answer = self._s3.get_object(Bucket=bucket, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] not in _NOT_TO_BE_HAD:
                raise
            raise not_to_be_had from error
        return OpenDataset(answer["Body"], answer["ContentLength"], answer["ETag"].strip('"'), answer.get("VersionId"))
