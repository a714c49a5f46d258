"""Writes an S3 object of any length, in parts and with little memory. S3 itself copies the parts that are in S3 already.

The limits: each part except the last has at least 5 MiB; an object has at most 10,000 parts
(https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html).
"""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_s3 import S3Client

LEAST_PART = 5 * 1024 * 1024

# Named in each request, because parts with a checksum don't fit an upload that was begun without one ("Checksum Type mismatch"), and
# which checksum botocore sends by itself depends on its version and the environment. S3 makes those of copied parts.
_CHECKSUM: Final = "CRC32"


class LongObject:
    """An object that is complete when the `with` block ends without an error. After an error nothing is written.

    with LongObject(s3, bucket, key) as written:
        written.write(piece)
        written.append(key_of_another, its_bytes)
    """

    def __init__(self, s3: S3Client, bucket: str, key: str, content_type: str = "application/jsonl") -> None:
        self._s3 = s3
        self._content_type = content_type
        self._where: dict[str, Any] = {"Bucket": bucket, "Key": key}
        self._waiting = bytearray()
        self._upload: dict[str, Any] = {}
        self._parts: list[dict[str, Any]] = []
        self.bytes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if error is None:
            self._finish()
        elif self._upload:
            # If this fails too, the bucket's lifecycle removes the parts after a day.
            self._s3.abort_multipart_upload(**self._upload)

    def write(self, piece: bytes) -> None:
        """Append a piece."""
        self._waiting += piece
        self.bytes += len(piece)
        if len(self._waiting) >= LEAST_PART:
            self._put_part()

    def append(self, key: str, size: int) -> None:
        """Append another object of the bucket. size: its bytes. Only what would make a part too short is downloaded."""
        head = min(size, LEAST_PART - len(self._waiting)) if self._waiting else 0
        if 0 < size - head < LEAST_PART:
            head = size
        if head:
            answer = self._s3.get_object(Bucket=self._where["Bucket"], Key=key, Range=f"bytes=0-{head - 1}")
            self.write(answer["Body"].read())
        if head < size:
            self._copy_part(key, head, size)

    def _put_part(self) -> None:
        answer = self._s3.upload_part(
            **self._begun(), PartNumber=len(self._parts) + 1, Body=bytes(self._waiting), ChecksumAlgorithm=_CHECKSUM
        )
        self._note_part(answer)
        self._waiting.clear()

    def _copy_part(self, key: str, begin: int, end: int) -> None:
        answer = self._s3.upload_part_copy(
            **self._begun(),
            PartNumber=len(self._parts) + 1,
            CopySource={"Bucket": self._where["Bucket"], "Key": key},
            CopySourceRange=f"bytes={begin}-{end - 1}",
        )
        self._note_part(answer["CopyPartResult"])
        self.bytes += end - begin

    def _begun(self) -> dict[str, Any]:
        if not self._upload:
            answer = self._s3.create_multipart_upload(**self._where, ContentType=self._content_type, ChecksumAlgorithm=_CHECKSUM)
            self._upload = {**self._where, "UploadId": answer["UploadId"]}
        return self._upload

    def _note_part(self, answer: Mapping[str, Any]) -> None:
        # S3 needs the checksum of each part again. Other stores may make none.
        checksums = {name: value for name, value in answer.items() if name.startswith("Checksum") and name != "ChecksumType"}
        self._parts.append({"PartNumber": len(self._parts) + 1, "ETag": answer["ETag"], **checksums})

    def _finish(self) -> None:
        if not self._upload:
            self._s3.put_object(**self._where, Body=bytes(self._waiting), ContentType=self._content_type)
            return
        if self._waiting:
            self._put_part()
        self._s3.complete_multipart_upload(**self._upload, MultipartUpload={"Parts": self._parts})  # type: ignore[typeddict-item]
