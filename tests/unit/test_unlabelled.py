"""Reading texts without labels: one result per line, whatever is between. (Kinds of bad lines: tests/functions/api/test_batches.py.)"""

from __future__ import annotations

import gzip
import io
import json
import tracemalloc
from typing import Any

import pytest

from winnow.datasets.row_problems import FileError
from winnow.datasets.unlabelled import UnlabelledText, UnlabelledTexts
from winnow.domain.dataset import Ceilings, Layout


def read(body: bytes, name: str = "texts") -> list[UnlabelledText]:
    return list(UnlabelledTexts(io.BytesIO(body), name, Ceilings()))


@pytest.mark.parametrize("blank", [1, 300_000])
def test_blank_lines_before_the_first_text_are_lines_too(blank: int) -> None:
    found = read(b"\n" * blank + b'"a"\n')
    assert [text.line for text in found] == list(range(1, blank + 2))
    assert [text.text for text in found[-2:]] == [None, "a"]
    assert found[0].error == "Line 1 is empty."


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_the_last_line_needs_no_end_and_a_byte_order_mark_is_no_part_of_the_text(mark: bytes, end: bytes) -> None:
    assert [text.text for text in read(mark + b'{"text": "a"}\n"b"' + end)] == ["a", "b"]


@pytest.mark.parametrize(
    ("first", "name", "texts"),
    [
        (b'"text"\nb\n', "t.csv", ["b"]),
        (b'"text"\n"b"\n', "t", ["text", "b"]),
        (b'"text","id"\nb,1\n', "t", ["b"]),
        (b"ID;text\n1;b\n", "t", ["b"]),
        (b"ID;text\nb\n", "t.jsonl.gz", [None, None]),
        (b"nothing\n", "t.json", [None]),
        (b'[1]\n{"text": "fine"}\n', "t.jsonl.gz", [None, "fine"]),
        (b'["a"]\n"fine"\n', "t.NDJSON", [None, "fine"]),
    ],
)
def test_the_name_says_the_format_and_else_the_first_line(first: bytes, name: str, texts: list[str | None]) -> None:
    assert [text.text for text in read(first, name)] == texts


@pytest.mark.parametrize("name", ["t.json", "t.json.gz", "t"])
@pytest.mark.parametrize("between", ["", "\n", "\n" * 5])
def test_a_json_array_is_read_where_the_name_does_not_say_json_lines(name: str, between: str) -> None:
    found = read(f'{between}[{between}"a",{between}{{"text": "b", "id": 3}}, 17, {{"label": "x"}}]{between}'.encode(), name)
    assert [(text.line, text.text, text.id) for text in found] == [(1, "a", None), (2, "b", 3), (3, None, None), (4, None, None)]
    assert str(found[2].error).startswith("Element 3 is neither a string nor an object")
    with pytest.raises(FileError, match="Extra data after the array, line 2 column 1"):
        read(b'[1]\n{"text": "fine"}\n', name)


@pytest.mark.parametrize(
    "body", [b"text\n", b"text", b"text\n\n  \n", b"Id;Text\r\n\r\n", b"\xef\xbb\xbftext\n", b"sep=;\nid;text\n", b"[]"]
)
def test_no_text_is_no_error(body: bytes) -> None:
    assert read(body, "t.json" if body == b"[]" else "t.csv") == []
    assert read(body) == []


@pytest.mark.parametrize(
    ("body", "layout", "name"),
    [
        (b"note,Message\nx,fine\n", {}, "t"),
        (b"note;text\nx;fine\n", {}, "t.csv"),
        (b"sep=|\nnote|text\nx|fine\n", {}, "t.csv"),
        (b"note\ttext\nx\tfine\n", {}, "t.tsv.gz"),
        (b",text,,\n7,fine,,\n", {}, "t.csv"),
        (b"query,review\nx,fine\n", {"text_column": "review"}, "t.csv"),
        (b"query,review\nx,fine\n", {"text_column": "Review "}, "t"),
        (b"a,b;text\nx,y;fine\n", {"delimiter": ";"}, "t.csv"),
        ("text\nfine\n".encode("utf-16"), {}, "t.csv"),
        ("text\nfine\n".encode("utf-16-le"), {"encoding": "utf-16"}, "t.csv"),
        (b'{"Utterance": "fine"}', {}, "t.jsonl"),
        (b'{"text": "x", "other": "fine"}', {"text_column": ["other"]}, "t.jsonl"),
        (b'[{"note": 1, "sentence": "fine"}]', {}, "t.json"),
    ],
)
def test_the_text_is_found_as_in_a_data_set(body: bytes, layout: dict[str, Any], name: str) -> None:
    [found] = UnlabelledTexts(io.BytesIO(body), name, Ceilings(), Layout.of(layout))
    assert (found.text, found.error) == ("fine", None)


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (b"subject,body,more\nhello, you ,x\n", "t.csv"),
        (b'{"more": "x", "body": "you", "subject": "hello"}', "t.jsonl"),
    ],
)
@pytest.mark.parametrize("layout", [Layout(), Layout(text_column=("subject", "body"))])
def test_subject_and_body_are_one_text(body: bytes, name: str, layout: Layout) -> None:
    [found] = UnlabelledTexts(io.BytesIO(body), name, Ceilings(), layout)
    assert found.text == "hello\n\nyou"


@pytest.mark.parametrize(
    ("body", "layout", "name", "said"),
    [
        (b"review,query\nx,y\n", {}, "t", "(name it with `text_column`). The columns are: review, query."),
        (b"review,text\nx,y\n", {"text_column": "body"}, "t", "has no column 'body' (found: review, text)."),
        (b"hello there\nyou\n", {}, "t", "format of the object is unknown"),
        (b"hello there\nyou\n", {}, "t.csv", "The columns are: hello there."),
    ],
)
def test_what_is_not_clear_is_said_with_the_columns_and_the_parameter(body: bytes, layout: dict[str, Any], name: str, said: str) -> None:
    with pytest.raises(FileError) as error:
        list(UnlabelledTexts(io.BytesIO(body), name, Ceilings(), Layout.of(layout)))
    assert said in error.value.sentence


@pytest.mark.parametrize(
    ("line", "layout", "said"),
    [
        ('{"review": "a", "query": "b"}', {}, "has several members that may be the text (review, query): name one in text_column"),
        ('{"n": 1}', {}, "has no text under a known name: its members are n. Name the one with the text in text_column"),
        ('{"text": "a", "n": 1}', {"text_column": "other"}, 'has no "other" (text_column): its members are text, n'),
        ('{"subject": "a", "body": 1}', {}, 'has no "body" that is a string'),
        ('{"subject": "a", "body": "b"}', {"text_column": ["subject", "more"]}, 'has no "more" (text_column)'),
    ],
)
def test_an_object_without_a_known_text_names_its_members(line: str, layout: dict[str, Any], said: str) -> None:
    [found] = UnlabelledTexts(io.BytesIO(line.encode()), "t.jsonl", Ceilings(), Layout.of(layout))
    assert said in str(found.error)


def test_a_later_object_without_the_named_texts_is_an_error_in_its_place() -> None:
    body = b'{"a": "x", "b": "y"}\n{"a": "x"}\n{"c": "z"}\n{"b": "y"}'
    found = list(UnlabelledTexts(io.BytesIO(body), "t.jsonl", Ceilings(), Layout.of({"text_column": ["a", "b"]})))
    assert [text.text for text in found if not text.error] == ["x\n\ny", "x", "y"]
    assert str(found[2].error) == 'Line 3 has no "a, b" (text_column): its members are c.'


@pytest.mark.parametrize(("name", "body"), [("t.csv", b"text\nna\xefve\nplain\ncaf\xe9\n"), ("t.jsonl", b'"na\xefve"\n"plain"\n"caf\xe9"')])
def test_lines_of_windows_are_read_with_one_warning(name: str, body: bytes) -> None:
    texts = UnlabelledTexts(io.BytesIO(body), name, Ceilings())
    assert [text.text for text in texts] == ["naïve", "plain", "café"]
    assert str(texts.warning()).startswith("2 lines are not UTF-8 (the first is line ")
    utf8 = UnlabelledTexts(io.BytesIO(body.decode("cp1252").encode()), name, Ceilings())
    assert (len(list(utf8)), utf8.warning()) == (3, None)


def test_a_record_of_a_table_has_all_its_cells_and_empty_ones_if_it_cannot_be_cut() -> None:
    found = read(b'id;text;more\n7;fine;"a;b"\n8; ;x\n9;too;many;cells\n', "t.csv")
    assert [text.cells for text in found] == [["7", "fine", "a;b"], ["8", "", "x"], ["", "", ""]]
    assert [text.error is None for text in found] == [True, False, False]


@pytest.mark.parametrize("packed", [False, True])
def test_a_line_without_end_does_not_fill_the_memory(packed: bool) -> None:
    body = b'"a"\n' + b"x" * 60_000_000 + b'\n"b"\n'
    stream = gzip.compress(body, 1) if packed else body
    ceilings = Ceilings(unpacked_ratio=10_000)
    tracemalloc.start()
    found = [text.as_dict() for text in UnlabelledTexts(io.BytesIO(stream), "texts", ceilings)]
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [sorted(text) for text in found] == [["line", "text"], ["error", "line"], ["line", "text"]]
    assert most < 20_000_000


def test_an_id_is_kept_as_it_is() -> None:
    sent = ["a", "", 0, 7, -3, "x" * 200]
    found = read("\n".join(json.dumps({"text": "t", "id": each}) for each in sent).encode())
    assert [text.id for text in found] == sent
    assert [text.as_dict()["id"] for text in found] == sent
