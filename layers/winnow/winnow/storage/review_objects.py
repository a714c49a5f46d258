"""The texts of review queues. An object never changes: a new queue has an object of its own, and the registry names its digest."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from winnow.domain.errors import ArtifactError
from winnow.domain.keys import review_queue_key
from winnow.domain.review import CandidateLabel, ReviewItem, ReviewQueue, ReviewTexts
from winnow.storage.example_lines import UNREADABLE, packed, unpacked

if TYPE_CHECKING:
    from winnow.storage.bucket import Bucket


class ReviewObjects:
    """The texts of queues in a bucket, by the model's uid and the queue's id."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def write(self, uid: str, queue: str, texts: ReviewTexts) -> str:
        """Keep the texts of a queue. Returns the SHA-256 of their object."""
        groups = [each.as_dict() for each in texts.groups]
        body = packed([{"groups": groups}, *(item.as_dict() for item in texts.items)])
        self._bucket.put(review_queue_key(uid, queue), body)
        return hashlib.sha256(body).hexdigest()

    def read(self, uid: str, queue: ReviewQueue) -> ReviewTexts:
        """The texts that `write` kept. ArtifactError if they are missing or changed."""
        body = self._bucket.find(review_queue_key(uid, queue.queue))
        if body is None:
            raise ArtifactError("The texts of the review queue are missing: make the queue again.")
        if hashlib.sha256(body).hexdigest() != queue.sha256:
            raise _changed()
        try:
            first, *items = unpacked(body)
            return ReviewTexts([ReviewItem.of(each) for each in items], [CandidateLabel.of(each) for each in first["groups"]])
        except UNREADABLE as error:
            raise _changed() from error


def _changed() -> ArtifactError:
    return ArtifactError("The texts of the review queue have changed since it was made: make the queue again.")
