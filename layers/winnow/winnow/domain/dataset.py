"""Examples and data sets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from hashlib import sha256
from typing import Any

from winnow.domain.normal_form import text_key

MAX_TEXT_CHARACTERS = 20_000


MAX_LABEL_CHARACTERS = 200


MAX_LABELS = 1_000

# Of a subject: whom an example is about.
MAX_SUBJECT_CHARACTERS = 200

# The sources of examples beside feedback batches: the object that trained the first version, and its own test set.
OF_DATA_SET, OF_TEST_SET = "", "test"


@dataclass(frozen=True, slots=True)
class Example:
    """A text with its labels: exactly one if labels are exclusive, otherwise any number.

    row: its place in the data set, from 1 (the line, or the element of the array); 0 if unknown.
    source: where its labels are from: OF_DATA_SET, OF_TEST_SET, or the id of a feedback batch.
    subject: the client's name for the person that it is about (POST /forget), None if it has none.
    """

    text: str
    labels: tuple[str, ...]
    row: int = field(default=0, compare=False)
    source: str = field(default=OF_DATA_SET, compare=False)
    subject: str | None = field(default=None, compare=False)


def example_id(uid: str, text: str) -> str:
    """The id of an example in all versions of a model: 16 hex digits. uid: of this life of the model.

    Texts that differ only in case or white space have the same id.
    """
    return example_number(uid, text).to_bytes(8).hex()


def example_number(uid: str, text: str) -> int:
    """The same id as a number of 64 bits."""
    return int.from_bytes(sha256(f"{uid}\n{text_key(text)}".encode("utf-8", "surrogatepass")).digest()[:8])


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
class Layout:
    """What a client says about the form of a file. The names are those of the API; what isn't said is found from the file.

    text_column: the columns that make the text, joined by a blank line; empty to find them. label_column: the column with the labels.
    label_separator: what stands between several labels in one cell. delimiter: what stands between two cells: , ; | or a tab.
    encoding: utf-8, utf-16 or windows-1252. subject_column: the column with the subjects.
    """

    text_column: tuple[str, ...] = ()
    label_column: str | None = None
    label_separator: str | None = None
    delimiter: str | None = None
    encoding: str | None = None
    subject_column: str | None = None

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Layout:
        """The layout of these fields; other fields are ignored. text_column may be one name or a list of names."""
        found = {each.name: given[each.name] for each in fields(cls) if given.get(each.name) is not None}
        columns = found.pop("text_column", ())
        return cls((columns,) if isinstance(columns, str) else tuple(columns), **found)

    def as_dict(self) -> dict[str, Any]:
        """What the client said, as the API shows it."""
        said: dict[str, Any] = {name: value for name, value in asdict(self).items() if value}
        return said | ({"text_column": list(self.text_column)} if self.text_column else {})


LAYOUT_FIELDS = tuple(each.name for each in fields(Layout))


@dataclass(frozen=True, slots=True)
class ArtifactReference:
    """Where the archive of a version of another deployment is, and its digest. The names are those of the API."""

    s3bucket: str
    object: str
    sha256: str


@dataclass(frozen=True, slots=True)
class DatasetReference:
    """Where a data set is, and how it is laid out. test_object: the client's own test set in the same bucket, if any.

    The names are those of the API. The layout is that of both objects.
    """

    s3bucket: str
    training_object: str
    test_object: str | None = None
    layout: Layout = Layout()

    @classmethod
    def of(cls, known: Mapping[str, Any]) -> DatasetReference:
        """The reference that `as_dict` gave; other keys are ignored."""
        return cls(known["s3bucket"], known["training_object"], known.get("test_object"), Layout.of(known.get("layout") or {}))

    def as_dict(self) -> dict[str, Any]:
        """The reference as the API shows it and the registry keeps it."""
        known = {"s3bucket": self.s3bucket, "training_object": self.training_object}
        return (
            known
            | ({"test_object": self.test_object} if self.test_object else {})
            | ({"layout": said} if (said := self.layout.as_dict()) else {})
        )
