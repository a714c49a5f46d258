"""Reads a data set for a training or a dry run: its report and, if wanted, its examples. Works without the spaCy layer."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Any

from winnow.aws import resources
from winnow.datasets.formats import Reader
from winnow.datasets.report import DATA_SET, FEEDBACK, TEST_SET, Counting, Report
from winnow.datasets.split import listed, text_hash
from winnow.domain.dataset import Ceilings, DatasetReference, Example
from winnow.domain.errors import DatasetError
from winnow.recipes.catalogue import AUTO, OF_ENCODER
from winnow.storage.uploads import OpenDataset


@dataclass(frozen=True, slots=True)
class ReadFile:
    """An object that was read to its end. examples: empty if they weren't wanted. characters: of the texts that can be trained on."""

    opened: OpenDataset
    reader: Reader
    report: Report
    examples: list[Example]
    characters: int

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
    dataset: DatasetReference,
    *,
    exclusive: bool | None,
    rare_labels: str,
    keep: bool,
    recipe: str = AUTO,
    enough: Callable[[int], bool] = lambda unpacked: False,
) -> ReadDataset:
    """Read a data set and its test set. DatasetError if one can't be read. The reports list the wrong rows.

    Texts that are in the test set too are left out of the data set. recipe: what will be trained; the report warns of languages that its
    encoder doesn't speak. enough: called after each row with the number of unpacked bytes
    so far; if it returns True, EnoughError is raised.
    """
    test = None
    if dataset.test_object is not None:
        counting = Counting(resources.ceilings(), exclusive=exclusive, of=TEST_SET)
        test = _read(dataset, dataset.test_object, counting, TEST_SET, enough, keep=True)
    held_out = frozenset(text_hash(example.text) for example in test.examples) if test else frozenset[int]()
    before = test.reader.unpacked_bytes if test else 0
    counting = Counting(resources.ceilings(), exclusive=exclusive, rare_labels=rare_labels, in_test_set=held_out)
    data = _read(dataset, dataset.training_object, counting, DATA_SET, lambda more: enough(before + more), keep=keep)
    if recipe == AUTO or recipe in OF_ENCODER:
        data = replace(data, report=data.report.read_by(resources.languages_read(recipe)))
    if test is None:
        return ReadDataset(data, None)
    report = test.report.without_unknown_labels(data.report.labels.keys(), data.report.dropped)
    return ReadDataset(data, replace(test, report=report, examples=report.used(test.examples)))


def read_test_set(file: DatasetReference, labels: Collection[str], *, exclusive: bool) -> ReadFile:
    """Read a file that a version with these labels is to be measured on. DatasetError with a sentence if a row or a label is wrong."""
    counting = Counting(resources.ceilings(), exclusive=exclusive, of=TEST_SET)
    found = _read(file, file.training_object, counting, TEST_SET, lambda _: False, keep=True)
    if unknown := sorted(set(found.report.labels).difference(labels)):
        raise DatasetError(f"The file has examples of {listed(unknown)}, which the version doesn't know: leave these examples out.")
    report = found.report.without_unknown_labels(set(labels), frozenset())
    refusal = report.refusal("a dry run of this file (POST /models)")
    if refusal is not None:
        raise DatasetError(refusal)
    return replace(found, report=report, examples=report.used(found.examples))


def read_feedback(file: DatasetReference, ceilings: Ceilings, *, exclusive: bool | None, enough: Callable[[int], bool]) -> ReadFile:
    """Read a file of newly labelled examples. Its report lists the wrong rows. DatasetError; EnoughError as for `read`."""
    counting = Counting(ceilings, exclusive=exclusive, of=FEEDBACK)
    return _read(file, file.training_object, counting, FEEDBACK, enough, keep=True, ceilings=ceilings)


def _read(
    dataset: DatasetReference,
    key: str,
    counting: Counting,
    of: str,
    enough: Callable[[int], bool],
    *,
    keep: bool,
    ceilings: Ceilings | None = None,
) -> ReadFile:
    opened = resources.datasets().open(dataset.s3bucket, key)
    if enough(opened.bytes):
        raise EnoughError
    reader = Reader(opened.stream, key, ceilings or resources.ceilings(), of, dataset.layout)
    examples: list[Example] = []
    characters = 0
    for found in reader:
        if counting.add(found) and isinstance(found, Example):
            characters += len(found.text)
            if keep:
                examples.append(found)
        if enough(reader.unpacked_bytes):
            raise EnoughError
    counting.separated = reader.separated
    report = counting.report()
    return ReadFile(opened, reader, report, report.used(examples), characters)
