"""The layout of a table: its delimiter, its header and its columns, found from its first lines and from what the client says.

csv_records.py reads the records of a table whose layout is known.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from winnow.datasets.labels import FASTTEXT_PREFIX, separator_of
from winnow.datasets.row_problems import FileError
from winnow.domain.dataset import Layout
from winnow.domain.normal_form import is_blank

# Names of columns that people's exports have, in lower case. docs/datasets.md lists them.
TEXT_NAMES = ("text", "sentence", "utterance", "message", "content", "body", "title", "query", "review", "subject", "v2")
LABEL_NAMES = ("label", "labels", "category", "class", "intent", "topic", "sentiment", "target", "tag", "v1")
_SUBJECT_AND_BODY = ("subject", "body")
# The names of spam.csv, which mean nothing without each other.
_SPAM = ("v1", "v2")
ID = "id"
SUBJECT = "subject"

DELIMITERS = (",", ";", "\t", "|")
_SEP = re.compile(r"sep=(.)\s*", re.IGNORECASE)
_MOST_RECORDS = 200
# The share of the first records that must have as many cells as the first one, in a file that is said to be a table and in others.
_STEADY_TABLE, _STEADY = 0.5, 0.9
# A cell of a header is a short name.
_LONGEST_NAME, _MOST_NAME_WORDS = 40, 4
# The column names in an error.
_MOST_NAMED = 12


@dataclass(frozen=True, slots=True)
class Table:
    """The layout of a table.

    first: the number of its first record, from 0, counted without blank lines: after `sep=` and the header. names: of the columns as the
    file has them; empty without a header. text: the places of the columns that make the text, label: of the labels, id: of the rows' ids,
    subject: of the subjects. separator: what stands between several labels. quoted: whether cells can be quoted.
    """

    delimiter: str
    names: tuple[str, ...]
    text: tuple[int, ...]
    label: int | None = None
    id: int | None = None
    subject: int | None = None
    separator: str | None = None
    quoted: bool = True
    first: int = 0
    width: int = 0

    @property
    def format(self) -> str:
        """The format's name in the report."""
        return "comprehend-csv" if not self.names and self.delimiter == "," and self.label == 0 else "csv"

    def understood(self) -> dict[str, object]:
        """The layout for a report. Columns without a name have their number, from 1."""
        named = [self._name(place) for place in self.text]
        found = {
            "delimiter": self.delimiter,
            "text_column": named if len(named) > 1 else named[0],
            "label_column": None if self.label is None else self._name(self.label),
            "label_separator": self.separator,
            "subject_column": None if self.subject is None else self._name(self.subject),
        }
        return {name: value for name, value in found.items() if value is not None}

    def _name(self, place: int) -> str:
        return self.names[place] if self.names else f"column {place + 1}"


def labelled_table(sample: str, layout: Layout, name: str, of: str) -> Table | None:
    """The layout of a table of examples. None if the file isn't a table.

    sample: the file's first lines. name: the object's name in lower case; `.csv` or `.tsv` says that it is a table.
    FileError if it is not clear which columns hold the text and the label.
    """
    begins, tried = _tried(sample, layout)
    with_header = [(each, found) for each in tried if (found := _labelled_columns(each.header, layout)) is not None]
    if with_header:
        best, (text, label) = max(with_header, key=lambda one: len(one[0].header))
        names = best.header
        separator = layout.label_separator or _separator(best.column(label, 1), names[label])
        subject = _subject_column(names, (*text, label), layout, of)
        return Table(best.delimiter, names, text, label, _place(names, ID), subject, separator, best.quoted, begins + 1, len(names))
    named = layout.text_column or layout.label_column or layout.subject_column
    named_table = len(tried) == 1 or name.endswith((".csv", ".tsv")) or named
    likely = _likeliest(tried, _STEADY_TABLE if named_table else _STEADY)
    if likely is None:
        if named_table and tried[0].rows:
            raise _unclear(max(tried, key=lambda each: len(each.header)).header, layout, of)
        return None
    if named or likely.looks_like_header():
        raise _unclear(likely.header, layout, of)
    if not (named_table or likely.repeats()):
        return None
    if likely.width != 2:
        raise FileError(
            f"Line 1 of {of} has {likely.width} columns and no header: write the columns' names into line 1, such as text and label."
        )
    label = likely.label_column()
    separator = layout.label_separator or _separator(likely.column(label, 0), "labels")
    return Table(likely.delimiter, (), (1 - label,), label, None, None, separator, likely.quoted, begins, 2)


def text_table(sample: str, layout: Layout, of: str) -> Table | None:
    """The layout of a table of texts without labels. None if its first line has no known column.

    FileError if the client named a column that isn't there.
    """
    begins, tried = _tried(sample, layout)
    found = [(each, text) for each in tried if (text := text_columns(each.header, layout))]
    if not found:
        if layout.text_column:
            raise _unclear(max(tried, key=lambda each: len(each.header)).header, layout, of, labelled=False)
        return None
    best, text = max(found, key=lambda one: len(one[0].header))
    return Table(best.delimiter, best.header, text, None, _place(best.header, ID), None, None, best.quoted, begins + 1, len(best.header))


def columns_of(sample: str, layout: Layout) -> tuple[str, ...]:
    """The names in the first line, for an error."""
    return max((each.header for each in _tried(sample, layout)[1]), key=len)


def unclear_texts(columns: Sequence[str], of: str) -> FileError:
    """The error about a table of texts whose columns are not known."""
    return _unclear(tuple(columns), Layout(), of, labelled=False)


class _Tried:
    """The first records, if the cells were parted by this delimiter."""

    def __init__(self, lines: Sequence[str], delimiter: str) -> None:
        self.delimiter = delimiter
        self.rows = _rows(lines, delimiter, quoted=True)
        # Tabs need no quotes, so a quote at the beginning of a cell may belong to the text.
        raw = _rows(lines, delimiter, quoted=False) if delimiter == "\t" else []
        self.quoted = not raw or (len(raw[0]) > 1 and _is_quoted(self.rows, raw))
        if not self.quoted:
            self.rows = raw
        self.header = _names(self.rows[0]) if self.rows else ()
        self.width = len(self.header)

    def column(self, place: int, first: int) -> list[str]:
        return [row[place] for row in self.rows[first:] if len(row) > place]

    def steadiness(self) -> float:
        return sum(len(row) == self.width for row in self.rows) / len(self.rows)

    def repeats(self) -> bool:
        """Whether there is a column whose values repeat, as labels do."""
        return self.width == 2 and len(self.rows) > 2 and self._distinct(self.label_column()) <= len(self.rows) / 2

    def label_column(self) -> int:
        """Of two columns the one with fewer different values; the first one if both have as many, as in Comprehend's CSV."""
        return int(self._distinct(1) < self._distinct(0))

    def looks_like_header(self) -> bool:
        """Whether the first record names columns. A name is short, and no other row has it in its column."""
        if not all(_is_name(cell) for cell in self.header) or any(
            cell in self.column(place, 1) for place, cell in enumerate(self.rows[0]) if cell
        ):
            return False
        known = {*TEXT_NAMES, *LABEL_NAMES}
        if any(name.lower() in known for name in self.header):
            return True
        # Without a known name, only a column that repeats shows that the first record is another kind of row.
        rest = len(self.rows) - 1
        return rest > 2 and any(len(set(self.column(place, 1))) <= rest / 2 for place in range(self.width))

    def _distinct(self, place: int) -> int:
        return len(set(self.column(place, 0)))


def _tried(sample: str, layout: Layout) -> tuple[int, list[_Tried]]:
    """The first records by each possible delimiter, and the number of lines before them: 1 if Excel's `sep=` is the first."""
    lines = [line + "\n" for line in sample.split("\n") if not is_blank(line)]
    named = _SEP.fullmatch(lines[0].strip()) if lines else None
    given = layout.delimiter or (named[1] if named else None)
    begins = int(named is not None)
    return begins, [_Tried(lines[begins:], delimiter) for delimiter in ([given] if given else DELIMITERS)]


def reader_of(lines: Iterable[str], delimiter: str, *, quoted: bool) -> Iterator[list[str]]:
    """The csv module's reader. Spaces before a cell are passed over, because people write `text, "label"`."""
    if quoted:
        return csv.reader(lines, delimiter=delimiter, strict=True, skipinitialspace=True)
    return csv.reader(lines, delimiter=delimiter, skipinitialspace=True, quoting=csv.QUOTE_NONE)


def _rows(lines: Sequence[str], delimiter: str, *, quoted: bool) -> list[list[str]]:
    rows: list[list[str]] = []
    try:
        for row in islice(reader_of(lines, delimiter, quoted=quoted), _MOST_RECORDS):
            if not all(is_blank(cell) for cell in row):
                rows.append(row)
    except csv.Error:
        # The reader of the records reports it, in its place.
        pass
    return rows


def _is_quoted(quoted: Sequence[Sequence[str]], raw: Sequence[Sequence[str]]) -> bool:
    """Whether quotes around cells of a table with tabs are those of CSV: they end where they should."""
    width = len(raw[0])
    return sum(len(row) == width for row in quoted) >= sum(len(row) == width for row in raw) - sum(
        "\n" in cell for row in quoted for cell in row
    ) and not any("\n" in cell and "\t" in cell for row in quoted for cell in row)


def _names(record: Sequence[str]) -> tuple[str, ...]:
    """The names of the columns, without the empty ones that Excel adds at the end."""
    names = [cell.replace("\ufeff", "").strip() for cell in record]
    while names and not names[-1]:
        names.pop()
    return tuple(names)


def _likeliest(tried: Sequence[_Tried], least: float) -> _Tried | None:
    """The delimiter that parts the first records into the same number of cells, at least two."""
    parted = [each for each in tried if each.width > 1 and each.steadiness() >= least]
    return max(parted, key=lambda each: (each.steadiness(), each.delimiter == "\t"), default=None)


def _labelled_columns(names: Sequence[str], layout: Layout) -> tuple[tuple[int, ...], int] | None:
    """The places of the text and of the label. None if the names don't show both."""
    label = _place(names, layout.label_column) if layout.label_column else _label_column(names)
    text = text_columns(names, layout)
    return (text, label) if text and label is not None and label not in text else None


def text_columns(names: Sequence[str], layout: Layout) -> tuple[int, ...]:
    """The places of the columns that make the text. Empty if the names don't show them."""
    if layout.text_column:
        places = [_place(names, name) for name in layout.text_column]
        return tuple(place for place in places if place is not None) if None not in places else ()
    lower = [name.strip().lower() for name in names]
    if layout.subject_column:
        # Not a text, also if its name could be one.
        lower = ["" if name == layout.subject_column.strip().lower() else name for name in lower]
    if "text" in lower:
        return (lower.index("text"),)
    if all(name in lower for name in _SUBJECT_AND_BODY):
        return tuple(lower.index(name) for name in _SUBJECT_AND_BODY)
    known = [place for place, name in enumerate(lower) if name in TEXT_NAMES and (name not in _SPAM or set(_SPAM) <= set(lower))]
    return (known[0],) if len(known) == 1 else ()


def _subject_column(names: Sequence[str], taken: Sequence[int], layout: Layout, of: str) -> int | None:
    """The place of the subjects. None if the table has none. FileError if the client named a column that isn't there or is another one."""
    if layout.subject_column is None:
        found = _place(names, SUBJECT)
        return None if found in taken else found
    found = _place(names, layout.subject_column)
    if found is None:
        raise _unclear(tuple(names), layout, of)
    if found in taken:
        raise FileError(f"The column {names[found]!r} can't hold the text or the label and the subject: name another column.", row=1)
    return found


def _label_column(names: Sequence[str]) -> int | None:
    lower = [name.lower() for name in names]
    exact = [name for name in ("label", "labels") if name in lower]
    if exact:
        return lower.index(exact[0]) if len(exact) == 1 else None
    known = [place for place, name in enumerate(lower) if name in LABEL_NAMES and (name not in _SPAM or set(_SPAM) <= set(lower))]
    return known[0] if len(known) == 1 else None


def _place(names: Sequence[str], wanted: str) -> int | None:
    """The place of a column, whatever its case and the white space around it."""
    lower = [name.strip().lower() for name in names]
    wanted = wanted.strip().lower()
    return lower.index(wanted) if wanted in lower else None


def _separator(cells: Sequence[str], name: str) -> str | None:
    if name.lower() == "labels" and any("|" in cell for cell in cells):
        return "|"
    return separator_of(cells) or ("|" if name.lower() == "labels" else None)


def _unclear(names: tuple[str, ...], layout: Layout, of: str, *, labelled: bool = True) -> FileError:
    found = listed(names)
    of_examples = (layout.label_column, layout.subject_column) if labelled else ()
    for wanted in (*layout.text_column, *filter(None, of_examples)):
        if _place(names, wanted) is None:
            return FileError(f"{of[0].upper()}{of[1:]} has no column {wanted[:_LONGEST_NAME]!r} (found: {found}).", row=1)
    text, label = bool(text_columns(names, layout)), not labelled or _label_column(names) is not None or bool(layout.label_column)
    missing = [] if text else ["the text (name it with `text_column`)"]
    missing += [] if label else ["the label (name it with `label_column`)"]
    holds = " and which ".join(missing) or "the text and which the label"
    return FileError(f"It is not clear which column of {of} holds {holds}. The columns are: {found}.", row=1)


def listed(names: Sequence[str]) -> str:
    """The names in an error. Long names are cut, and many names too."""
    found = ", ".join(name[:_LONGEST_NAME] or "(no name)" for name in names[:_MOST_NAMED]) or "none"
    return found + (f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else "")


def repeated(names: Sequence[str], places: Sequence[int | None]) -> str | None:
    """The first of these columns whose name occurs twice."""
    times = Counter(name.lower() for name in names)
    return next((names[place] for place in places if place is not None and times[names[place].lower()] > 1), None)


def _is_name(cell: str) -> bool:
    return (
        len(cell) <= _LONGEST_NAME
        and not cell.startswith(FASTTEXT_PREFIX)
        and len(cell.split()) <= _MOST_NAME_WORDS
        and not cell.replace(".", "").isdigit()
        and cell[-1:] not in ".!?"
    )
