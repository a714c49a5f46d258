"""A text is found in a file in whatever format it is, and wherever it stands in it."""

from __future__ import annotations

import gzip
import io
import json
from typing import Any

import pytest

from winnow.datasets.any_texts import AnyTexts
from winnow.domain.dataset import Ceilings, Layout
from winnow.domain.forgetting import Forgotten

SALT = "ab" * 32
TEXT = 'The "planted" text, with ; and | é'
OF_TEXT, OF_SUBJECT = Forgotten.of(SALT, None, [TEXT]), Forgotten.of(SALT, "customer 17", ())


def found(body: str | bytes, name: str = "a", layouts: tuple[Layout, ...] = (), of: Forgotten = OF_TEXT) -> tuple[int, bool]:
    """How many texts are found, and whether a part of the file may not have been looked at."""
    content = body.encode() if isinstance(body, str) else body
    texts = AnyTexts(lambda: io.BytesIO(content), name, Ceilings(), layouts)
    looked = Forgotten(of.salt, of.subject, set(of.texts))
    return texts.count(looked.meets, looked.is_subject), texts.unread


def quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


FILES = {
    "a data set": json.dumps([{"text": TEXT, "label": "a"}]),
    "JSON Lines": json.dumps({"text": TEXT, "label": "a"}),
    "texts alone": f"{json.dumps('another')}\n{json.dumps(TEXT)}\n",
    "a member of another name": json.dumps([{"id": 7, "remark": {"by": "me", "is": TEXT}}], ensure_ascii=False),
    "JSON over several lines": json.dumps({"deep": [{"remark": TEXT}]}, indent=2),
    "CSV": f"text,label\n{quoted(TEXT)},a\n",
    "CSV with semicolons": f"id;comment;x\n7;{quoted(TEXT)};y\n",
    "CSV of other columns": f"when,what was said,by\ntoday,{quoted(TEXT)},me\n",
    "fastText": f"__label__a __label__b {TEXT}\n__label__a another\n",
    "lines": f"first\n  {TEXT.upper()}\nlast",
    "spaCy": json.dumps([[TEXT, {"cats": {"a": 1}}]]),
    "a row that is wrong": f'{{"text": "a", "label": "b"}}\n{{"text": {json.dumps(TEXT)}, "label": [[1]]}}\n',
}


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_a_text_is_found(kind: str, packed: bool) -> None:
    body = FILES[kind].encode()
    assert found(gzip.compress(body) if packed else body) == (1, False)


@pytest.mark.parametrize("kind", FILES)
def test_another_file_has_none(kind: str) -> None:
    assert found(FILES[kind].replace("planted", "other").replace("PLANTED", "OTHER")) == (0, False)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "windows-1252"])
def test_a_text_is_found_in_each_encoding(encoding: str) -> None:
    assert found(f"text,label\nanother,b\n{quoted(TEXT)},a\n".encode(encoding))[0] == 1


def test_a_text_of_several_columns_is_found_as_the_client_has_read_it() -> None:
    layout = Layout(("greeting", "rest"))
    body = "greeting,rest,label\nHello,my name is Anna,a\n"
    forgotten = Forgotten.of(SALT, None, ["Hello\n\nmy name is Anna"])
    assert found(body, "a.csv", of=forgotten)[0] == 0
    assert found(body, "a.csv", (layout,), forgotten) == (1, False)


def test_several_texts_are_counted_whatever_the_way_to_read_them() -> None:
    assert found("text,label\n" + f"{quoted(TEXT)},a\n" * 3 + "other,b\n") == (3, False)


LINES = Forgotten.of(SALT, None, ["the first line\nand the second"])


@pytest.mark.parametrize(
    "body",
    [
        'when,what was said,by\r\ntoday,"the first line\r\nand the second",me\r\n',
        'text,label,comment\na,b,"the first line\nAND the second"\n',
        'when\twhat was said\tby\n5\tan inch is 1",\tme\nnow\t"the first line\nand the second"\tme\n',
        'when,what,by\n"x\ny","the first line\nand the second",me\n',
    ],
)
def test_a_cell_of_several_lines_is_found_in_any_column(body: str) -> None:
    assert found(body, of=LINES) == (1, False)


def test_the_subject_of_a_row_of_several_lines_is_found() -> None:
    assert found('id,what,subject\n1,"one\ntwo",customer 17\n', of=OF_SUBJECT)[0] == 1


@pytest.mark.parametrize("body", ["first\rthe planted text\rlast\r", "text,label\rthe planted text,me\rx,y\r"])
def test_a_line_that_ends_as_on_an_old_mac_is_found(body: str) -> None:
    assert found(body, of=Forgotten.of(SALT, None, ["the planted text"]))[0] == 1


@pytest.mark.slow
@pytest.mark.parametrize("place", [0, 700, 2999])
def test_any_string_is_found_in_a_json_array_on_one_long_line(place: int) -> None:
    rows: list[dict[str, Any]] = [{"text": f"a{n}", "label": "b", "remark": TEXT if n == place else "é\\" * 900} for n in range(3000)]
    body = json.dumps(rows, ensure_ascii=False)
    assert found(body) == (1, False)
    assert found(body, of=OF_SUBJECT) == (0, False)
    rows[place] |= {"subject": "customer 17", "text": "", "label": [[]]}
    assert found(json.dumps(rows), of=OF_SUBJECT)[0] == 1


@pytest.mark.parametrize(
    "body",
    [
        "text,label\nplanted,a\n".encode("utf-16-le"),
        "text,label\nplanted,a\n".encode("utf-32"),
        gzip.compress(gzip.compress(b"text,label\nplanted,a\n")),
        b"SQLite format 3\0\x10\0\x01\x01planted\0",
    ],
    ids=["UTF-16 without a mark", "UTF-32", "packed twice", "binary"],
)
def test_a_file_that_is_no_text_is_told(body: bytes) -> None:
    assert found(body, of=Forgotten.of(SALT, None, ["planted"])) == (0, True)


def test_utf_16_without_a_mark_is_read_as_the_client_has_read_it() -> None:
    body = "text,label\nplanted,a\n".encode("utf-16-le")
    assert found(body, layouts=(Layout(encoding="utf-16"),), of=Forgotten.of(SALT, None, ["planted"])) == (1, False)


@pytest.mark.parametrize(
    "body",
    [
        '{"text": "a", "label": "b", "subject": "customer 17"}',
        '{"remark": "a", "subject": "customer 17"}',
        '{"text": "a", "Subject" : "customer 17"}',
        "text,label,subject\na,b,customer 17\n",
        "id;what;Subject\n1;a; customer 17\n",
    ],
)
def test_a_subject_is_found(body: str) -> None:
    assert found(body, of=OF_SUBJECT)[0] == 1
    assert found(body.replace("17", "18"), of=OF_SUBJECT) == (0, False)


def test_a_subject_of_another_column_is_found_as_the_client_has_read_it() -> None:
    body = "text,label,who\na,b,customer 17\n"
    assert found(body, of=OF_SUBJECT)[0] == 0
    assert found(body, layouts=(Layout(subject_column="who"),), of=OF_SUBJECT)[0] == 1


@pytest.mark.parametrize("spelling", ["Zo\u00eb", "Zoe\u0308", " Zo\u00eb\u200b"])
def test_a_subject_is_found_in_each_spelling_of_its_accents(spelling: str) -> None:
    of = Forgotten.of(SALT, "Zo\u00eb", ())
    assert found(json.dumps({"text": "a", "label": "b", "subject": spelling}), of=of)[0] == 1
    assert of.has("a", spelling)
    assert not of.has("a", "zo\u00eb")


def test_the_texts_of_a_subject_are_known_from_then_on() -> None:
    looked = Forgotten(SALT, OF_SUBJECT.subject, set())
    assert not looked.meets("hello", None)
    assert looked.meets("hello", "customer 17")
    assert looked.meets(" HELLO ", None)
    # The same text of another subject stays.
    assert not looked.meets("hello", "customer 4")


@pytest.mark.parametrize("body", [b"%PDF-1.7 ...", b"PK\x03\x04...", b"\x1f\x8b broken", b"x" * 5_000_000])
def test_what_cannot_be_looked_at_is_told(body: bytes) -> None:
    assert found(body) == (0, True)


def test_an_empty_file_has_nothing() -> None:
    assert found(b"") == (0, False)
