"""The frozen examples of a training job. The job trains on them even if the client changes or deletes the data set."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

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
        digests = write_of_job(self._bucket, job, _examples(part), packed_examples(examples))
        digests |= self._write_facts(job, _rows(part), (example.row for example in examples))
        if any(example.source for example in examples):
            digests |= self._write_facts(job, _sources(part), (example.source for example in examples))
        return digests

    def read(self, version: Version, part: str) -> list[Example]:
        """The examples that `write` froze. ArtifactError if they are missing or changed."""
        examples, rows = self._read(version, _examples(part)), self._read(version, _rows(part))
        try:
            found = [replace(example, row=row) for example, row in zip(unpacked_examples(examples), unpacked(rows), strict=True)]
            # If all are of the data set, and in versions of earlier releases, there is no object of sources.
            if _sources(part) not in version.digests:
                return found
            sources = unpacked(self._read(version, _sources(part)))
            return [replace(example, source=source) for example, source in zip(found, sources, strict=True)]
        except UNREADABLE as error:
            # Rows of earlier releases have no digests.
            raise changed(version.job, _examples(part)) from error

    def _write_facts(self, job: TrainingJob, key: str, facts: Iterable[Any]) -> Digests:
        return write_of_job(self._bucket, job, key, packed(facts))

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


def _sources(part: str) -> str:
    return f"examples/{part}-sources.jsonl.gz"
