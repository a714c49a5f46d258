"""Clients' data sets in S3: in the deployment's own bucket, and in those that it was allowed to read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from winnow.errors import DatasetError

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from mypy_boto3_s3 import S3Client

UPLOAD_SECONDS = 3600

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


class Datasets:
    """Clients' data sets. bucket: the deployment's own."""

    def __init__(self, s3: S3Client, bucket: str) -> None:
        self._s3 = s3
        self.bucket = bucket

    def upload_url(self, key: str) -> str:
        """A URL to which the client may PUT one object, for an hour."""
        return self._s3.generate_presigned_url("put_object", Params={"Bucket": self.bucket, "Key": key}, ExpiresIn=UPLOAD_SECONDS)

    def open(self, bucket: str, key: str) -> OpenDataset:
        """A data set. DatasetError where there is none, or it may not be read.

        An absent object and a forbidden one give the same sentence: an answer that told them apart would tell strangers what exists.
        """
        try:
            answer = self._s3.get_object(Bucket=bucket, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] not in _NOT_TO_BE_HAD:
                raise
            raise DatasetError(
                f"s3://{bucket}/{key} can't be read: there is no such object, or this deployment may not read the bucket."
                " Upload the data set with POST /datasets, or add the bucket to the template parameter DatasetBuckets."
            ) from error
        return OpenDataset(answer["Body"], answer["ContentLength"], answer["ETag"].strip('"'), answer.get("VersionId"))
