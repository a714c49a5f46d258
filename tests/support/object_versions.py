"""Everything that lies in buckets: each S3 version of each object."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def object_versions(s3: S3Client, buckets: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The key and the unpacked content of every S3 version of every object in the buckets."""
    for bucket in buckets:
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
            for version in page.get("Versions", []):
                body = s3.get_object(Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"])["Body"].read()
                yield version["Key"], unpacked(body).decode("latin-1")


def unpacked(body: bytes) -> bytes:
    if body[:2] != b"\x1f\x8b":
        return body
    content = gzip.decompress(body)
    try:
        with tarfile.open(fileobj=io.BytesIO(content)) as archive:
            files = [archive.extractfile(member) for member in archive if member.isfile()]
            return content + b"".join(file.read() for file in files if file)
    except tarfile.ReadError:
        return content
