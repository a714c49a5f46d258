"""Texts without labels, the input of a batch prediction: JSON Lines, a JSON array, or a table with a header (docs/batches.md)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from winnow.datasets import csv_records
from winnow.datasets.decoding import Decoding
from winnow.datasets.formats import check_text
from winnow.datasets.row_problems import FileError, RowError
from winnow.datasets.tables import Table, columns_of, text_table, unclear_texts
from winnow.datasets.unlabelled_json import FORM, Record, array, is_json_string, lines
from winnow.datasets.unpacking import Beginning, Lines, Stream, Unpacking, beginning
from winnow.domain.dataset import Ceilings, Layout

OF = "the object"

_NONE = (
    f"The format of the object is unknown: send JSON Lines, each line a JSON string or an object with a text ({FORM}),"
    " or CSV with a column `text` in its header."
)
_JSON_LINES_NAMES = (".jsonl", ".ndjson")
_TABLE_NAMES = (".csv", ".tsv")

type _Read = Callable[[Iterator[bytes], int], Iterator[tuple[int, Record | RowError]]]


@dataclass(frozen=True, slots=True)
class UnlabelledText:
    """A text, or a sentence that says what is wrong with it.

    line: where it begins, from 1; of a JSON array, the number of the element. id: the client's name for it, if it has one. cells: the
    whole record of a table, with as many cells as the table has columns; all are empty if the record can't be cut into them.
    """

    line: int
    text: str | None
    error: str | None
    id: str | int | None = None
    cells: list[str] | None = None

    def as_dict(self) -> dict[str, Any]:
        found = {"line": self.line, "id": self.id, "text": self.text, "error": self.error, "cells": self.cells}
        return {name: value for name, value in found.items() if value is not None}


class UnlabelledTexts:
    """The texts of a stream in order, read once: one per line of JSON Lines, element of an array, or record of a table.

    name: the object's key. Its ending (.csv, .tsv, .jsonl, .ndjson, .json, with or without .gz) gives the format, otherwise the first line
    does. layout: what the client says about it. table: how the table is laid out, None for JSON; set once iteration has begun.
    """

    def __init__(self, stream: Stream, name: str, ceilings: Ceilings, layout: Layout | None = None) -> None:
        self._name = name.lower().removesuffix(".gz")
        self._ceilings = ceilings
        self._layout = layout or Layout()
        self._unpacking = Unpacking(stream, ceilings, OF.capitalize())
        self._decoding = Decoding(self._layout.encoding, OF)
        self._unit = "Line"
        self.table: Table | None = None

    def warning(self) -> str | None:
        """A sentence about lines that are not UTF-8. Call it after reading."""
        problem = self._decoding.problem()
        return problem.sentence if problem else None

    def __iter__(self) -> Iterator[UnlabelledText]:
        """Raises FileError if the object, or its rest, can't be read. A bad line yields its error in its place."""
        begins = beginning(self._decoding.utf8(iter(self._unpacking)), OF)
        if begins is None:
            raise FileError(f"The object is empty: it needs texts such as {FORM}, one a line.")
        read = self._recognised(begins)
        for place, (line, found) in enumerate(read(begins.pieces, begins.line), start=1):
            if place > self._ceilings.rows:
                raise FileError(f"The object has more than {self._ceilings.rows:,} lines: at most {self._ceilings.rows:,} are read.")
            yield self._checked(line, found)

    def _recognised(self, begins: Beginning) -> _Read:
        first = begins.sample.partition("\n")[0]
        if not self._name.endswith(_TABLE_NAMES):
            if first.startswith("[") and not self._name.endswith(_JSON_LINES_NAMES):
                self._unit = "Element"
                return lambda pieces, line: array(pieces, line, OF, self._layout)
            if self._name.endswith((*_JSON_LINES_NAMES, ".json")) or first.startswith("{") or is_json_string(first):
                return lambda pieces, line: lines(pieces, line, self._layout)
        table = text_table(begins.sample, self._layout, OF)
        if table is None:
            columns = columns_of(begins.sample, self._layout)
            raise unclear_texts(columns, OF) if len(columns) > 1 or self._name.endswith(_TABLE_NAMES) else FileError(_NONE)
        self.table = table
        return lambda pieces, line: _records(Lines(pieces, line), table)

    def _checked(self, line: int, found: Record | RowError) -> UnlabelledText:
        known = Record(None, cells=[""] * self.table.width if self.table else None) if isinstance(found, RowError) else found
        try:
            if isinstance(found, RowError):
                raise found
            check_text(found.text, self._ceilings)
        except RowError as error:
            return UnlabelledText(line, None, f"{self._unit} {line} {error.predicate}.", known.id, known.cells)
        return UnlabelledText(line, found.text, None, found.id, found.cells)


def _records(numbered: Lines, table: Table) -> Iterator[tuple[int, Record | RowError]]:
    for line, cells in csv_records.records(numbered, table, OF):
        if isinstance(cells, RowError):
            yield line, cells
        else:
            yield line, Record(csv_records.text_of(cells, table), None if table.id is None else cells[table.id], cells)
