"""Texts without labels, the input of a batch prediction: JSON Lines, or CSV with a header; plain or gzip (docs/batches.md)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from winnow.datasets.formats import check_text
from winnow.datasets.json_formats import decoded
from winnow.datasets.line_formats import by_column, columns_of
from winnow.datasets.row_problems import FileError, RowError
from winnow.datasets.unpacking import MOST_RECORD_BYTES, Lines, Stream, Unpacking, beginning
from winnow.domain import strict_json
from winnow.domain.dataset import Ceilings

OF = "the object"
MOST_ID_CHARACTERS = 200
# The column names in an error.
_MOST_NAMED, _MOST_NAME_CHARACTERS = 5, 40

_FORM = '"…" or {"text": "…"}'
_NONE = (
    "The format of the object is unknown: send JSON Lines, each line a JSON string or an object with a text"
    f" ({_FORM}), or CSV with a column `text` in its header."
)
_JSON_LINES_NAMES = (".jsonl", ".ndjson")

# A text and its id, both unchecked.
type _Record = tuple[Any, Any]


@dataclass(frozen=True, slots=True)
class UnlabelledText:
    """A text, or a sentence that says what is wrong with it.

    line: where it begins, from 1. id: the client's name for it, if it has one.
    """

    line: int
    text: str | None
    error: str | None
    id: str | int | None = None

    def as_dict(self) -> dict[str, Any]:
        found = {"line": self.line, "id": self.id, "text": self.text, "error": self.error}
        return {name: value for name, value in found.items() if value is not None}


class UnlabelledTexts:
    """The texts of a stream in order, read once: one per line of JSON Lines, or one per record of CSV.

    name: the object's key. Its ending (.csv, .jsonl, .ndjson, .json, with or without .gz) gives the format, otherwise the first line does.
    """

    def __init__(self, stream: Stream, name: str, ceilings: Ceilings) -> None:
        self._name = name.lower().removesuffix(".gz")
        self._ceilings = ceilings
        self._unpacking = Unpacking(stream, ceilings, OF.capitalize())

    def __iter__(self) -> Iterator[UnlabelledText]:
        """Raises FileError if the object, or its rest, can't be read. A bad line yields its error in its place."""
        pieces = iter(self._unpacking)
        head, first_line = beginning(pieces, OF)
        if not head:
            raise FileError(f"The object is empty: it needs texts such as {_FORM}, one a line.")
        read = self._recognised(head.lstrip().partition(b"\n")[0])
        # Blank lines before the first text are lines too.
        blank = chain.from_iterable([(number, RowError("is empty"))] for number in range(1, first_line) if read is _json_lines)
        for place, (line, found) in enumerate(chain(blank, read(Lines(chain([head], pieces), first_line))), start=1):
            if place > self._ceilings.rows:
                raise FileError(f"The object has more than {self._ceilings.rows:,} lines: at most {self._ceilings.rows:,} are read.")
            yield self._checked(line, found)

    def _recognised(self, first: bytes) -> Any:
        columns = columns_of(first.decode(errors="replace"))
        if self._name.endswith(".csv"):
            if "text" not in columns:
                raise FileError(f"No column `text` (found: {_found(columns)}). Rename the column with the texts to `text`.")
            return _csv
        if self._name.endswith(_JSON_LINES_NAMES):
            return _json_lines
        if first.startswith(b"["):
            raise FileError("The object is a JSON array: send JSON Lines, one text a line.")
        if self._name.endswith(".json") or first.startswith(b"{") or _is_json_string(first):
            return _json_lines
        if "text" in columns:
            return _csv
        raise FileError(_NONE)

    def _checked(self, line: int, found: _Record | RowError) -> UnlabelledText:
        known = None
        if isinstance(found, RowError):
            return UnlabelledText(line, None, f"Line {line} {found.predicate}.")
        text, given = found
        try:
            known = _id(given)
            check_text(_string(text), self._ceilings)
        except RowError as error:
            return UnlabelledText(line, None, f"Line {line} {error.predicate}.", known)
        return UnlabelledText(line, text, None, known)


def _json_lines(numbered: Lines) -> Iterator[tuple[int, _Record | RowError]]:
    for number, line in numbered:
        try:
            yield number, _json_record(line)
        except RowError as error:
            yield number, error


def _json_record(line: bytes | None) -> _Record:
    if line is None:
        raise RowError(f"has more than {MOST_RECORD_BYTES:,} bytes: put one text on each line, or shorten it")
    if not line or line.isspace():
        raise RowError("is empty")
    try:
        record = strict_json.parse(decoded(line))
    except strict_json.BrokenJsonError as error:
        raise RowError(f"{error.reason}. Expected {_FORM}") from error
    if isinstance(record, str):
        return record, None
    if not isinstance(record, dict):
        raise RowError(f"is neither a string nor an object: expected {_FORM}")
    return record.get("text"), record.get("id")


def _csv(numbered: Lines) -> Iterator[tuple[int, _Record | RowError]]:
    for line, fields in by_column(numbered, OF):
        yield line, fields if isinstance(fields, RowError) else (fields["text"], fields.get("id"))


def _id(given: Any) -> str | int | None:
    if given is None or (isinstance(given, str | int) and not isinstance(given, bool) and len(str(given)) <= MOST_ID_CHARACTERS):
        return given
    raise RowError(f'has an "id" that is neither a string nor a whole number of at most {MOST_ID_CHARACTERS} characters')


def _string(text: Any) -> str:
    if not isinstance(text, str):
        raise RowError(f'has no "text" that is a string: expected {_FORM}')
    return text


def _found(columns: Sequence[str]) -> str:
    """The first column names, cut short."""
    return ", ".join(name[:_MOST_NAME_CHARACTERS] for name in columns[:_MOST_NAMED]) or "none"


def _is_json_string(line: bytes) -> bool:
    try:
        return isinstance(strict_json.parse(decoded(line)), str)
    except (strict_json.BrokenJsonError, RowError):
        return False
