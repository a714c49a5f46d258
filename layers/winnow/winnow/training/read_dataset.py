"""Reads a data set for a training or a dry run: its report and, if wanted, its examples. Works without the spaCy layer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from winnow.aws import resources
from winnow.datasets.formats import Reader
from winnow.datasets.report import DATA_SET, TEST_SET, Counting, Report
from winnow.datasets.split import text_hash
from winnow.domain.dataset import DatasetReference, Example
from winnow.storage.uploads import OpenDataset


@dataclass(frozen=True, slots=True)
class ReadFile:
    """An object that was read to its end. examples: empty if they weren't wanted."""

    opened: OpenDataset
    reader: Reader
    report: Report
    examples: list[Example]

    def pinned(self) -> dict[str, Any]:
        """The object's digest, ETag and version id, which identify the content that was read."""
        return {"sha256": self.reader.sha256(), "etag": self.opened.etag, "version_id": self.opened.version_id}

    def as_dict(self) -> dict[str, Any]:
        return {**self.reader.facts(), **self.report.as_dict()}


@dataclass(frozen=True, slots=True)
class ReadDataset:
    """A data set and the client's own test set, if there is one."""

    data: ReadFile
    test: ReadFile | None

    @property
    def warnings(self) -> int:
        return self.data.report.warnings + (self.test.report.warnings if self.test else 0)

    def refusal(self, where: str) -> str | None:
        """Why it can't be trained on; None if it can. where: the call that shows the report."""
        return self.data.report.refusal(where) or (self.test.report.refusal(where) if self.test else None)

    def as_dict(self) -> dict[str, Any]:
        """The report, as the API shows it."""
        return {**self.data.as_dict(), "test_set": self.test.as_dict() if self.test else None}


class EnoughError(Exception):
    """The caller's `enough` ended the reading."""


def read(
    dataset: DatasetReference, *, exclusive: bool | None, keep: bool, enough: Callable[[int], bool] = lambda unpacked: False
) -> ReadDataset:
    """Read a data set and its test set. DatasetError if one can't be read. The reports list the wrong rows.

    Texts that are in the test set too are left out of the data set. enough: called after each row with the number of unpacked bytes
    so far; if it returns True, EnoughError is raised.
    """
    test = None
    if dataset.test_object is not None:
        test = _read(dataset.s3bucket, dataset.test_object, _counting(TEST_SET, exclusive), TEST_SET, enough, keep=True)
    held_out = frozenset(text_hash(example.text) for example in test.examples) if test else frozenset[int]()
    before = test.reader.unpacked_bytes if test else 0
    counting = _counting(DATA_SET, exclusive, held_out)
    data = _read(dataset.s3bucket, dataset.training_object, counting, DATA_SET, lambda more: enough(before + more), keep=keep)
    if test is None:
        return ReadDataset(data, None)
    report = test.report.without_unknown_labels(data.report.labels.keys())
    return ReadDataset(data, ReadFile(test.opened, test.reader, report, test.examples))


def _counting(of: str, exclusive: bool | None, held_out: frozenset[int] = frozenset()) -> Counting:
    return Counting(resources.ceilings(), exclusive=exclusive, in_test_set=held_out, of=of)


def _read(bucket: str, key: str, counting: Counting, of: str, enough: Callable[[int], bool], *, keep: bool) -> ReadFile:
    opened = resources.datasets().open(bucket, key)
    if enough(opened.bytes):
        raise EnoughError
    reader = Reader(opened.stream, key, resources.ceilings(), of)
    examples: list[Example] = []
    for found in reader:
        if counting.add(found) and keep and isinstance(found, Example):
            examples.append(found)
        if enough(reader.unpacked_bytes):
            raise EnoughError
    return ReadFile(opened, reader, counting.report(), examples)
