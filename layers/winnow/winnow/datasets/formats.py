"""Reading labelled examples: a JSON array of objects, or JSON Lines. Either `"label": "a"` or `"labels": ["a", "b"]`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from winnow import strict_json
from winnow.domain import MAX_LABEL_CHARACTERS, MAX_TEXT_CHARACTERS, Example
from winnow.errors import DatasetError, UnreadableError

_FORM = '{"text": "…", "label": "…"} or {"text": "…", "labels": ["…", …]}'
_BYTE_ORDER_MARK = "\ufeff"


def read_examples(body: bytes) -> list[Example]:
    """The examples of a data set, in its order. DatasetError says in which line or example what is wrong, and what is expected."""
    text = _decoded(body).removeprefix(_BYTE_ORDER_MARK)
    if not text.strip():
        raise DatasetError(f"The data set is empty: it needs examples such as {_FORM}.")
    records = _array(text) if text.lstrip().startswith("[") else _lines(text)
    return [_example(record, unit, row) for unit, row, record in records]


def _decoded(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        raise DatasetError(
            f"Line {line} of the data set is not UTF-8 (byte 0x{body[error.start]:02x} at offset {error.start}): save the file as UTF-8."
        ) from error


def _array(text: str) -> Iterator[tuple[str, int, Any]]:
    try:
        records = strict_json.loads(text, what="The data set")
    except UnreadableError as error:
        raise DatasetError(error.sentence) from error
    yield from (("Example", number, record) for number, record in enumerate(records, start=1))


def _lines(text: str) -> Iterator[tuple[str, int, Any]]:
    # Only a line feed ends a line: str.splitlines would also cut at characters that a JSON string may hold.
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            yield "Line", number, strict_json.loads(line, what=f"Line {number} of the data set")
        except UnreadableError as error:
            raise DatasetError(f"{error.sentence} Expected a JSON array, or one JSON object per line: {_FORM}.") from error


def _example(record: Any, unit: str, row: int) -> Example:
    place = f"{unit} {row} of the data set"
    if not isinstance(record, Mapping):
        raise DatasetError(f"{place} is not an object: expected {_FORM}.")
    text = record.get("text")
    if not isinstance(text, str):
        raise DatasetError(f'{place} has no "text" that is a string: expected {_FORM}.')
    if not text.strip():
        raise DatasetError(f"{place} has an empty text: give it a text or leave it out.")
    if len(text) > MAX_TEXT_CHARACTERS:
        raise DatasetError(f"{place} has a text of {len(text):,} characters: at most {MAX_TEXT_CHARACTERS:,}. Shorten it.")
    return Example(text, _labels(record, place), row)


def _labels(record: Mapping[str, Any], place: str) -> tuple[str, ...]:
    if ("label" in record) == ("labels" in record):
        raise DatasetError(f'{place} needs either "label" or "labels": expected {_FORM}.')
    labels = [record["label"]] if "label" in record else record["labels"]
    if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
        raise DatasetError(f"{place} has a label that is not a string: expected {_FORM}.")
    for label in labels:
        if not label.strip():
            raise DatasetError(f"{place} has an empty label: name it.")
        if len(label) > MAX_LABEL_CHARACTERS:
            raise DatasetError(f"{place} has a label of {len(label):,} characters: at most {MAX_LABEL_CHARACTERS}. Shorten it.")
    return tuple(dict.fromkeys(labels))
