"""The frozen examples of a training job. The job trains on them even if the client changes or deletes the data set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from winnow.domain.dataset import Example
from winnow.domain.job import TrainingJob
from winnow.storage.example_lines import read_examples, read_lines, write_examples, write_lines

if TYPE_CHECKING:
    from winnow.storage.bucket import Bucket


class FrozenExamples:
    """The frozen examples in a bucket, by job and part: "train" or "test"."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def write(self, job: TrainingJob, part: str, examples: Sequence[Example]) -> None:
        """Freeze the examples of one part."""
        write_examples(self._bucket, _examples_key(job, part), examples)
        # Rows have an object of their own, so that the same examples give the same bytes in every format.
        write_lines(self._bucket, _rows_key(job, part), (example.row for example in examples))

    def read(self, job: TrainingJob, part: str) -> list[Example]:
        """The examples that `write` froze."""
        rows = read_lines(self._bucket, _rows_key(job, part))
        examples = read_examples(self._bucket, _examples_key(job, part))
        return [replace(example, row=row) for example, row in zip(examples, rows, strict=True)]


def _examples_key(job: TrainingJob, part: str) -> str:
    return f"{job.prefix}examples/{part}.jsonl.gz"


def _rows_key(job: TrainingJob, part: str) -> str:
    return f"{job.prefix}examples/{part}-rows.jsonl.gz"
