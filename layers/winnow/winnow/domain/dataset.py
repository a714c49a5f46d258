"""Examples and data sets."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

MAX_TEXT_CHARACTERS = 20_000


MAX_LABEL_CHARACTERS = 200


MAX_LABELS = 1_000


@dataclass(frozen=True, slots=True)
class Example:
    """A text with its labels: exactly one if labels are exclusive, otherwise any number.

    row: its place in the data set, from 1 (the line, or the element of the array); 0 if unknown.
    """

    text: str
    labels: tuple[str, ...]
    row: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Ceilings:
    """The limits of a data set.

    bytes: the largest size of the file, packed and unpacked. unpacked_ratio: the most bytes that one packed byte may unpack to.
    """

    rows: int = 4_000_000
    bytes: int = 400_000_000
    unpacked_ratio: int = 200
    text_characters: int = MAX_TEXT_CHARACTERS
    labels: int = MAX_LABELS


@dataclass(frozen=True, slots=True)
class DatasetReference:
    """Where a data set is. test_object: the client's own test set in the same bucket, if any. The names are those of the API."""

    s3bucket: str
    training_object: str
    test_object: str | None = None

    def as_dict(self) -> dict[str, str]:
        """The reference as the API shows it."""
        return {name: value for name, value in asdict(self).items() if value is not None}
