"""The examples of feedback batches, one object for each batch."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

from winnow.domain.dataset import Example
from winnow.domain.keys import feedback_key
from winnow.storage.example_lines import read_examples, write_examples
from winnow.storage.removal import remove_prefix

if TYPE_CHECKING:
    from winnow.storage.bucket import Bucket


class FeedbackObjects:
    """The examples of feedback in a bucket, by the model's uid and the id of the feedback batch."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def write(self, uid: str, batch: str, examples: Sequence[Example]) -> None:
        """Keep the examples of a feedback batch."""
        write_examples(self._bucket, feedback_key(uid, batch), examples)

    def read(self, uid: str, batch: str) -> list[Example]:
        """The examples that `write` kept."""
        return list(read_examples(self._bucket, feedback_key(uid, batch)))

    def remove(self, uid: str, batch: str) -> None:
        """Remove what `write` kept."""
        remove_prefix(self._bucket, feedback_key(uid, batch), itertools.repeat(True))
