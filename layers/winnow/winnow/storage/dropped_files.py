"""The folders of the uploads' bucket: sentences beside clients' files, and the results of batch predictions in the outbox."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from winnow.domain.dropped_file import error_key, outbox_prefix
from winnow.storage.removal import remove_page, stored_of, stored_under

if TYPE_CHECKING:
    from datetime import datetime

    from winnow.domain.batch import BatchJob
    from winnow.storage.bucket import Bucket
    from winnow.storage.removal import Stored

# The metadata of a result: the life of its model, and its batch.
_UID, _BATCH = "winnow-uid", "winnow-batch"
_GONE = {"404", "NoSuchKey"}


class DroppedFiles:
    """The folders of a bucket."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def say(self, key: str, record: Mapping[str, Any]) -> None:
        """Write what is wrong with a file beside it."""
        body = json.dumps(record, ensure_ascii=False).encode()
        self._bucket.s3.put_object(Bucket=self._bucket.name, Key=error_key(key), Body=body, ContentType="application/json")

    def unsay(self, key: str) -> None:
        """Remove what was wrong with a file."""
        if self._metadata(error_key(key)) is not None:
            self._bucket.s3.delete_object(Bucket=self._bucket.name, Key=error_key(key))

    def deliver(self, job: BatchJob, source: Mapping[str, str], key: str, content_type: str) -> bool:
        """Copy the result of a batch into the outbox. source: Bucket and Key of the result. False if it is gone.

        The result of a later batch, which has read a later file of this name, is left as it is.
        """
        there = self._metadata(key)
        if there is not None and there.get(_UID) == job.uid and there.get(_BATCH, "") > job.batch:
            return True
        made_by = {_UID: job.uid, _BATCH: job.batch}
        try:
            self._bucket.s3.copy_object(
                Bucket=self._bucket.name,
                Key=key,
                CopySource={"Bucket": source["Bucket"], "Key": source["Key"]},
                Metadata=made_by,
                MetadataDirective="REPLACE",
                ContentType=content_type,
            )
        except ClientError as error:
            if error.response["Error"]["Code"] not in _GONE:
                raise
            return False
        return True

    def withdraw(self, job: BatchJob, key: str) -> None:
        """Remove the result of a batch from the outbox, with what it has replaced there, if it is still the current one."""
        there = self._metadata(key)
        if there is not None and (there.get(_UID), there.get(_BATCH)) == (job.uid, job.batch):
            for page in stored_of(self._bucket, key):
                remove_page(self._bucket, page)

    def remove_results(self, model_id: str, uid: str, until: datetime, time_left: Iterator[bool]) -> bool:
        """Remove the results of a deleted model, while there is time. True if none is left.

        uid: of the deleted life. until: when it was deleted. Of what is newer only its own results go: another model may have the id now.
        """
        while True:
            found = False
            for page in stored_under(self._bucket, outbox_prefix(model_id)):
                if not next(time_left):
                    return False
                own = [stored for stored in page if stored.modified <= until or self._is_of(stored, uid)]
                found = found or bool(own)
                if remove_page(self._bucket, own) < len(own):
                    return False
            if not found:
                return True

    def _is_of(self, stored: Stored, uid: str) -> bool:
        """Whether an S3 version is a result of this life of a model. False for a delete marker, and if it is gone."""
        # A bucket that keeps no versions calls the only one "null".
        where: dict[str, Any] = {} if stored.version_id in {None, "null"} else {"VersionId": stored.version_id}
        try:
            found = self._bucket.s3.head_object(Bucket=self._bucket.name, Key=stored.key, **where)["Metadata"]
        except ClientError as error:
            if error.response["Error"]["Code"] not in {*_GONE, "403", "405"}:
                raise
            return False
        return bool(found.get(_UID) == uid)

    def _metadata(self, key: str) -> Mapping[str, str] | None:
        """The metadata of an object. None if there is none."""
        try:
            return self._bucket.s3.head_object(Bucket=self._bucket.name, Key=key)["Metadata"]
        except ClientError as error:
            if error.response["Error"]["Code"] not in _GONE:
                raise
            return None
