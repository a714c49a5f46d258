"""The examples of feedback batches, one object for each batch."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

from winnow.domain.dataset import Example
from winnow.domain.errors import ArtifactError
from winnow.domain.feedback import Action, FeedbackBatch, FeedbackLine
from winnow.domain.keys import feedback_key
from winnow.storage.example_lines import SUBJECT, UNREADABLE, example_record, packed, unpacked
from winnow.storage.removal import remove_prefix

if TYPE_CHECKING:
    from winnow.storage.bucket import Bucket

# A line has this member if it isn't a label. An earlier release doesn't know the member, and reads the labels that the text had.
_ACTION = "action"


class FeedbackObjects:
    """The examples of feedback in a bucket, by the model's uid and the id of the feedback batch."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def write(self, uid: str, batch: str, lines: Sequence[FeedbackLine]) -> str:
        """Keep the examples of a feedback batch. Returns the SHA-256 of their object."""
        body = packed(example_record(line.example) | ({} if line.action is Action.LABEL else {_ACTION: line.action}) for line in lines)
        self._bucket.put(feedback_key(uid, batch), body)
        return hashlib.sha256(body).hexdigest()

    def read(self, uid: str, batch: FeedbackBatch) -> list[FeedbackLine]:
        """The examples that `write` kept. ArtifactError if they are missing or changed."""
        body = self._bucket.find(feedback_key(uid, batch.batch))
        if body is None:
            raise _unusable(batch, "are missing")
        if batch.sha256 not in {None, hashlib.sha256(body).hexdigest()}:
            raise _unusable(batch, "have changed since they were sent")
        try:
            return [
                FeedbackLine(
                    Example(record["text"], tuple(record["labels"]), source=batch.batch, subject=record.get(SUBJECT)),
                    Action(record.get(_ACTION, Action.LABEL)),
                )
                for record in unpacked(body)
            ]
        except UNREADABLE as error:
            raise _unusable(batch, "have changed since they were sent") from error

    def remove(self, uid: str, batch: str) -> None:
        """Remove what `write` kept."""
        remove_prefix(self._bucket, feedback_key(uid, batch), itertools.repeat(True))


def _unusable(batch: FeedbackBatch, why: str) -> ArtifactError:
    return ArtifactError(f"The examples of feedback batch {batch.batch!r} {why}: take the batch back, and send them again.")
