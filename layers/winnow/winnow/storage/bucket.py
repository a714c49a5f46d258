"""One S3 bucket: writing and reading whole objects, and links to them."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from winnow.domain.clock import timestamp, utc_now
from winnow.domain.retrying import TRIES

if TYPE_CHECKING:
    from io import BytesIO

    from mypy_boto3_s3 import S3Client

DOWNLOAD_SECONDS = 900


def refused_by_key(error: ClientError) -> bool:
    """Whether S3 may give the object, but the KMS key that encrypts it may not be used, or can't be.

    S3 passes on what KMS says: in a code such as KMS.DisabledException, or in the message of its own AccessDenied.
    """
    code, message = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
    return code.startswith("KMS.") or (code == "AccessDenied" and ("kms:" in message or "ciphertext" in message))


@dataclass(frozen=True, slots=True)
class Link:
    """A presigned URL of an object, with the object's size. It is good until expires_at, or until the credentials of the function end.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/ShareObjectPreSignedURL.html. Lambda doesn't say when they do.
    """

    url: str
    bytes: int
    expires_at: str


class Bucket:
    """A bucket by its name, with the client that reaches it."""

    def __init__(self, s3: S3Client, name: str) -> None:
        self.s3 = s3
        self.name = name

    def put(self, key: str, body: bytes | BytesIO, content_type: str | None = None) -> None:
        """Write an object, and replace an existing one."""
        more: dict[str, Any] = {} if content_type is None else {"ContentType": content_type}
        self.s3.put_object(Bucket=self.name, Key=key, Body=body, **more)

    def put_json(self, key: str, record: Mapping[str, Any]) -> None:
        """Write a JSON object, and replace an existing one."""
        self.put(key, json.dumps(record, ensure_ascii=False).encode(), "application/json")

    def put_once(self, key: str, body: bytes, content_type: str | None = None) -> bool:
        """Write an object that doesn't exist yet. False if it exists."""
        more: dict[str, Any] = {} if content_type is None else {"ContentType": content_type}
        tries = 0
        while True:
            tries += 1
            try:
                self.s3.put_object(Bucket=self.name, Key=key, Body=body, IfNoneMatch="*", **more)
            except ClientError as error:
                match error.response["Error"]["Code"]:
                    case "PreconditionFailed":
                        return False
                    case "ConditionalRequestConflict" if tries < TRIES:
                        # Another task is writing the object at this moment. S3's documentation says to try again.
                        time.sleep(0.1 * tries)
                        continue
                raise
            return True

    def find(self, key: str) -> bytes | None:
        """The content of an object. None if there is no such object."""
        try:
            return self.s3.get_object(Bucket=self.name, Key=key)["Body"].read()
        except self.s3.exceptions.NoSuchKey:
            return None

    def part(self, key: str, begin: int, end: int) -> bytes | None:
        """The bytes of an object from begin to before end. None if there is no such object."""
        try:
            return self.s3.get_object(Bucket=self.name, Key=key, Range=f"bytes={begin}-{end - 1}")["Body"].read()
        except self.s3.exceptions.NoSuchKey:
            return None
        except ClientError as error:
            if error.response["Error"]["Code"] != "InvalidRange":
                raise
            # The object ends before: the caller's digests don't match.
            return b""

    def sha256(self, key: str) -> str | None:
        """The SHA-256 of an object of any size. None if there is no such object."""
        try:
            body = self.s3.get_object(Bucket=self.name, Key=key)["Body"]
        except self.s3.exceptions.NoSuchKey:
            return None
        digest = hashlib.sha256()
        for piece in body.iter_chunks(1 << 20):
            digest.update(piece)
        return digest.hexdigest()

    def link(self, key: str, saved_as: str) -> Link | None:
        """A link to an object. saved_as: the file name for the download. None if there is no such object."""
        try:
            size = self.s3.head_object(Bucket=self.name, Key=key)["ContentLength"]
        except ClientError as error:
            if error.response["Error"]["Code"] != "404":
                raise
            return None
        wanted = {"Bucket": self.name, "Key": key, "ResponseContentDisposition": f'attachment; filename="{saved_as}"'}
        url = self.s3.generate_presigned_url("get_object", Params=wanted, ExpiresIn=DOWNLOAD_SECONDS)
        return Link(url, size, timestamp(utc_now() + timedelta(seconds=DOWNLOAD_SECONDS)))
