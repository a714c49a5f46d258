"""CSV is cut into records. A record that is too long is an error in its place, and the next one is read from its start."""

from __future__ import annotations

import io
import random
import tracemalloc
from collections.abc import Iterator

import pytest

from winnow.datasets import csv_records, unpacking
from winnow.datasets.formats import Reader
from winnow.datasets.row_problems import FileError, RowError
from winnow.datasets.tables import Table
from winnow.datasets.unlabelled import UnlabelledTexts
from winnow.datasets.unpacking import MOST_RECORD_BYTES, Lines
from winnow.domain.dataset import Ceilings, Example

LONG = "x" * 140_000
LONGER = "x" * (MOST_RECORD_BYTES + 1)


def told(rows: list[str], header: str = "id,text") -> list[tuple[int, str | int | None, str | None]]:
    """The line, and the id and text or the error, of each record, as a batch prediction reads them."""
    texts = UnlabelledTexts(io.BytesIO("\n".join([header, *rows]).encode()), "texts.csv", Ceilings())
    return [(text.line, text.id, text.text or text.error) for text in texts]


@pytest.mark.parametrize(
    "rows",
    [
        [f'2,"{LONG}', 'second line, of the text"', "3,fine", "4,too"],
        [f'2,"{LONG}', '"', "3,fine", '4,"too"'],
        ['2,"', *["y" * 1_000] * 150, '"', "3,fine", "4,too"],
    ],
    ids=["a comma behind it", "a quote behind it", "150 lines"],
)
def test_a_long_text_is_an_error_in_its_place_with_its_id_and_nothing_else(rows: list[str]) -> None:
    bad, *fine = told(rows)

    assert bad[:2] == (2, "2")
    assert "characters: at most 20,000" in str(bad[2])
    assert fine == [(len(rows), "3", "fine"), (len(rows) + 1, "4", "too")]


@pytest.mark.parametrize("lines", [1, 150])
def test_a_long_column_that_is_ignored_does_not_matter(lines: int) -> None:
    assert told(['"' + "\n".join([LONG[:1_000] * (150 // lines)] * lines) + '",fine', "short,too"], "notes,text") == [
        (2, None, "fine"),
        (2 + lines, None, "too"),
    ]


@pytest.mark.parametrize(
    ("rows", "ends"),
    [
        ([f"2,{LONGER}"], 2),
        ([f"2,{LONGER * 3}"], 2),
        ([f'2,"{LONGER}"'], 2),
        ([f'2,"{LONGER * 3}""",'], 2),
        ([f'2,"{LONGER}', '"'], 3),
        ([f'2,"{LONGER}', '"",', '"'], 4),
        ([f'2,"{LONGER},"'], 2),
        ([f'2,{LONGER},"', '"'], 3),
        ([f'2,5" {LONGER},5" pipe'], 2),
        ([f'2,"a" {LONGER}, "b'], 2),
        ([f'2,a\r{LONGER},"b'], 2),
        ([f'2,"{LONGER[:10]}', *["y" * 1_000] * 4_000, '"'], 4_003),
        (['2,"', *['","'] * 1_500_000, '"'], 1_500_003),
    ],
)
def test_a_record_that_is_too_long_is_passed_over_to_its_end(rows: list[str], ends: int) -> None:
    bad, *fine = told([*rows, "3,fine", '4,"too"'])

    assert bad[:2] == (2, None)
    assert "more than 4,000,000 bytes" in str(bad[2])
    assert (f"open until line {ends}:" in str(bad[2])) == (ends > 2)
    assert fine == [(ends + 1, "3", "fine"), (ends + 2, "4", "too")]


@pytest.mark.parametrize("rows", [[f'2,"{LONGER}'], [f'2,"{LONGER}', "3,fine"], ['2,"', *["y" * 1_000] * 5_000]])
def test_one_whose_quote_is_never_closed_ends_the_file(rows: list[str]) -> None:
    with pytest.raises(FileError) as refused:
        told(["1,fine", *rows])

    assert refused.value.sentence == ("Line 3 of the object opens a quote that is never closed: close it, and double the quotes inside it.")


def test_a_data_set_is_read_so_too() -> None:
    body = f'text,label\n"{LONGER}\n",town\n"a\nshed",country\n'.encode()

    bad, fine = Reader(io.BytesIO(body), "texts", Ceilings())

    assert (bad.row, fine.row) == (2, 4)


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("text,text", "text"),
        ("Text, TEXT ", "Text"),
        ("id,text,note,ID", "id"),
        ("\n\nid,text,id", "id"),
    ],
)
def test_a_column_that_is_read_stands_once(header: str, name: str) -> None:
    row = header.count("\n") + 1
    with pytest.raises(FileError) as refused:
        told(["a" + ",b" * header.count(",")], header)

    assert refused.value.sentence == (
        f"Line {row} of the object has two columns named {name} (upper and lower case are the same): rename or remove one."
    )
    assert refused.value.row == row


def test_other_columns_may_have_one_name() -> None:
    assert told(["a,1,fine,b,,"], "note,id,text,Note,,") == [(2, "1", "fine")]


def test_a_header_that_cannot_be_read_says_so() -> None:
    with pytest.raises(FileError, match=r"Line 1 of the object holds a NUL byte: save the file as UTF-8 text\."):
        told(["fine,a"], "text,not\0e")


@pytest.mark.parametrize("blank", [" ", "\t\r", " \n\n\t"])
def test_white_space_before_the_header_is_no_header(blank: str) -> None:
    [text, label] = ["fine", "town"]
    row = blank.count("\n") + 3

    assert told([text], f"{blank}\ntext") == [(row, None, text)]
    assert list(Reader(io.BytesIO(f"{blank}\ntext,label\n{text},{label}".encode()), "texts", Ceilings())) == [Example(text, (label,), row)]


def test_the_memory_is_bounded() -> None:
    rows = b'2,"' + (b'quoted, ""and"" not ' * 50 + b'\n","') * 40_000 + b'"\n'
    body = io.BytesIO(b"id,text\n" + rows + b"3,fine\n")
    tracemalloc.start()
    texts = list(UnlabelledTexts(body, "texts.csv", Ceilings()))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert [text.text for text in texts] == [None, "fine"]
    assert len(rows) > 40_000_000
    assert most < 32_000_000


@pytest.mark.parametrize("seed", range(20))
def test_records_begin_at_the_same_lines_whatever_is_too_long(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = random.Random(seed)
    for _ in range(300):
        delimiter = drawn.choice(",;|")
        body = bytes(drawn.choices(b'""" \r\n\nab' + 2 * delimiter.encode(), k=drawn.randint(1, 40)))
        # Blank records are passed over only if they are read whole.
        monkeypatch.setattr(csv_records, "is_blank", lambda cell: False)
        whole = places(body, len(body), delimiter)
        monkeypatch.setattr(unpacking, "MOST_RECORD_BYTES", 4)
        monkeypatch.setattr(csv_records, "MOST_RECORD_BYTES", 4)

        assert places(body, drawn.randint(1, 5), delimiter) == whole
        monkeypatch.undo()


def places(body: bytes, piece: int, delimiter: str) -> list[int | str]:
    """The lines where records begin in a body that comes in pieces, and why reading stops if it isn't read to the end."""

    def pieces() -> Iterator[bytes]:
        for start in range(0, len(body), piece):
            yield body[start : start + piece]

    found: list[int | str] = []
    try:
        for line, record in csv_records.records(Lines(pieces(), 1), Table(delimiter, (), (1,), 0, width=2), "the data set"):
            assert isinstance(record, RowError | list)
            found.append(line)
    except FileError as error:
        found.append(error.sentence)
    return found
