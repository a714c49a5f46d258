"""What can be wrong with a data set. Each kind has a name that stays, and either refuses the training or is a warning."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """A kind of problem, by the name that the report gives it. docs/datasets.md says what each means."""

    UNREADABLE_FILE = "unreadable-file"
    TOO_LARGE = "too-large"
    UNREADABLE_ROW = "unreadable-row"
    EMPTY_TEXT = "empty-text"
    LONG_TEXT = "long-text"
    BAD_LABEL = "bad-label"
    NOT_EXCLUSIVE = "not-exclusive"
    TOO_FEW_LABELS = "too-few-labels"
    TOO_MANY_LABELS = "too-many-labels"
    RARE_LABEL = "rare-label"
    UNKNOWN_LABEL = "unknown-label"
    SKIPPED_ROW = "skipped-row"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"
    IN_TEST_SET = "in-test-set"
    SIMILAR_LABELS = "similar-labels"
    SCARCE_LABEL = "scarce-label"

    @property
    def refuses(self) -> bool:
        """Whether a data set with such a problem isn't trained on."""
        return self not in _WARNINGS


_WARNINGS = {Kind.SKIPPED_ROW, Kind.DUPLICATE, Kind.CONFLICT, Kind.IN_TEST_SET, Kind.SIMILAR_LABELS, Kind.SCARCE_LABEL}


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a row, or, where its kind says so, with the file from that row on. sentence: a whole one, with the place."""

    kind: Kind
    row: int
    sentence: str


class RowError(Exception):
    """One row can't be read. predicate: what follows "Line 7 of the data set" in the sentence."""

    def __init__(self, predicate: str, kind: Kind = Kind.UNREADABLE_ROW) -> None:
        super().__init__(predicate)
        self.predicate = predicate
        self.kind = kind


class FileError(Exception):
    """The file can't be read any further. row: where, None for after the last row that could be."""

    def __init__(self, sentence: str, kind: Kind = Kind.UNREADABLE_FILE, row: int | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.kind = kind
        self.row = row
