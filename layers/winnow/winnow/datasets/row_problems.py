"""The kinds of problems in a data set. Each kind has a fixed name, and either prevents training or is a warning."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """A kind of problem, by its name in the report. docs/datasets.md explains each."""

    UNREADABLE_FILE = "unreadable-file"
    TOO_LARGE = "too-large"
    UNREADABLE_ROW = "unreadable-row"
    EMPTY_TEXT = "empty-text"
    LONG_TEXT = "long-text"
    BAD_LABEL = "bad-label"
    BAD_SUBJECT = "bad-subject"
    NOT_EXCLUSIVE = "not-exclusive"
    TOO_FEW_LABELS = "too-few-labels"
    TOO_MANY_LABELS = "too-many-labels"
    RARE_LABEL = "rare-label"
    UNKNOWN_LABEL = "unknown-label"
    SKIPPED_ROW = "skipped-row"
    UNLABELLED_ROW = "unlabelled-row"
    NOT_UTF_8 = "not-utf-8"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"
    IN_TEST_SET = "in-test-set"
    SIMILAR_LABELS = "similar-labels"
    DROPPED_LABEL = "dropped-label"
    PACKED_LABEL = "packed-label"
    SCARCE_LABEL = "scarce-label"
    FOREIGN_LANGUAGE = "foreign-language"
    MEANINGLESS_LABEL = "meaningless-label"

    @property
    def refuses(self) -> bool:
        """Whether this kind of problem prevents training."""
        return self not in _WARNINGS


_WARNINGS = {
    *(Kind.SKIPPED_ROW, Kind.UNLABELLED_ROW, Kind.NOT_UTF_8, Kind.DUPLICATE, Kind.CONFLICT, Kind.IN_TEST_SET, Kind.SIMILAR_LABELS),
    *(Kind.DROPPED_LABEL, Kind.PACKED_LABEL, Kind.SCARCE_LABEL, Kind.FOREIGN_LANGUAGE, Kind.MEANINGLESS_LABEL),
}


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem with a row, or with the rest of the file from that row (see `kind`). sentence: complete, with the place."""

    kind: Kind
    row: int
    sentence: str


class RowError(Exception):
    """One row can't be read. predicate: the words after "Line 7 of the data set"."""

    def __init__(self, predicate: str, kind: Kind = Kind.UNREADABLE_ROW) -> None:
        super().__init__(predicate)
        self.predicate = predicate
        self.kind = kind


class FileError(Exception):
    """The rest of the file can't be read. row: the place; None means after the last readable row."""

    def __init__(self, sentence: str, kind: Kind = Kind.UNREADABLE_FILE, row: int | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.kind = kind
        self.row = row
