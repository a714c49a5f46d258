"""Examples, and the data sets that they come from."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

MAX_TEXT_CHARACTERS = 20_000


MAX_LABEL_CHARACTERS = 200


MAX_LABELS = 1_000


@dataclass(frozen=True, slots=True)
class Example:
    """A text with its labels: exactly one where labels are exclusive, none or more where they are not.

    row: its place in the data set, from 1 (the line, or the element of the array); 0 where that isn't known.
    """

    text: str
    labels: tuple[str, ...]
    row: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Ceilings:
    """How much a data set may hold. bytes: of the file, and of what it unpacks to; unpacked_ratio: so many bytes out of one."""

    rows: int = 4_000_000
    bytes: int = 400_000_000
    unpacked_ratio: int = 200
    text_characters: int = MAX_TEXT_CHARACTERS
    labels: int = MAX_LABELS


@dataclass(frozen=True, slots=True)
class DatasetReference:
    """Where a data set lies, and in the same bucket the client's own test set, if there is one. The names are those of the API."""

    s3bucket: str
    training_object: str
    test_object: str | None = None

    def as_dict(self) -> dict[str, str]:
        """What the API shows of it."""
        return {name: value for name, value in asdict(self).items() if value is not None}
