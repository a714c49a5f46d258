"""Reading texts without labels: one result per line, whatever is between. (Kinds of bad lines: tests/functions/api/test_batches.py.)"""

from __future__ import annotations

import gzip
import io
import json
import tracemalloc

import pytest

from winnow.datasets.row_problems import FileError
from winnow.datasets.unlabelled import UnlabelledText, UnlabelledTexts
from winnow.domain.dataset import Ceilings


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
        (b"ID;text\nb\n", "t.jsonl.gz", [None, None]),
        (b"nothing\n", "t.json", [None]),
        (b'[1]\n{"text": "fine"}\n', "t.jsonl.gz", [None, "fine"]),
        (b'["a"]\n"fine"\n', "t.NDJSON", [None, "fine"]),
    ],
)
def test_the_name_says_the_format_and_else_the_first_line(first: bytes, name: str, texts: list[str | None]) -> None:
    assert [text.text for text in read(first, name)] == texts


@pytest.mark.parametrize("name", ["t.json", "t.json.gz", "t"])
def test_a_json_array_is_refused_where_the_name_does_not_say_json_lines(name: str) -> None:
    with pytest.raises(FileError, match="is a JSON array: send JSON Lines"):
        read(b'[1]\n{"text": "fine"}\n', name)


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
