"""The frozen examples of a training job. The job trains on them even if the client changes or deletes the data set."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from winnow.domain.dataset import Example
from winnow.domain.job import TrainingJob
from winnow.storage.example_lines import UNREADABLE, packed, packed_examples, unpacked, unpacked_examples
from winnow.storage.job_objects import Digests, changed, read_of_job, write_of_job

if TYPE_CHECKING:
    from winnow.domain.model import Version
    from winnow.storage.bucket import Bucket


class FrozenExamples:
    """The frozen examples in a bucket, by version and part: "train" or "test"."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def write(self, job: TrainingJob, part: str, examples: Sequence[Example]) -> Digests:
        """Freeze the examples of one part. Returns the digests for the version's row."""
        # Rows have an object of their own, so that the same examples give the same bytes in every format.
        return write_of_job(self._bucket, job, _examples(part), packed_examples(examples)) | write_of_job(
            self._bucket, job, _rows(part), packed(example.row for example in examples)
        )

    def read(self, version: Version, part: str) -> list[Example]:
        """The examples that `write` froze. ArtifactError if they are missing or changed."""
        examples, rows = self._read(version, _examples(part)), self._read(version, _rows(part))
        try:
            return [replace(example, row=row) for example, row in zip(unpacked_examples(examples), unpacked(rows), strict=True)]
        except UNREADABLE as error:
            # Rows of earlier releases have no digests.
            raise changed(version.job, _examples(part)) from error

    def texts(self, version: Version, part: str) -> Iterator[str]:
        """The texts alone, one by one: memory holds only the packed ones. ArtifactError as in `read`."""
        try:
            for record in unpacked(self._read(version, _examples(part))):
                yield record["text"]
        except UNREADABLE as error:
            raise changed(version.job, _examples(part)) from error

    def _read(self, version: Version, key: str) -> bytes:
        return read_of_job(self._bucket, version.job, key, sha256=version.digests.get(key))


def _examples(part: str) -> str:
    return f"examples/{part}.jsonl.gz"


def _rows(part: str) -> str:
    return f"examples/{part}-rows.jsonl.gz"
