"""The reader of data sets, with files in pieces of any size and with any error."""

from __future__ import annotations

import gzip
import io
import json
import random
import zlib
from typing import Any

import pytest

from tests.support.dataset_formats import SEVERAL, Labelled
from tests.support.hostile_datasets import BROKEN, Broken
from winnow.datasets import unpacking
from winnow.datasets.formats import Reader
from winnow.datasets.row_problems import Problem
from winnow.domain.dataset import Ceilings, Example, Layout

EXAMPLES: list[Labelled] = [
    (f'{text} {number}, "said"', labels)
    for number in range(8)
    for text, labels in (("été", ("one", "two")), ("漢字 🙂", ("one",)), ("plain", ("three",)))
]


def read(body: bytes, name: str, ceilings: Ceilings | None = None) -> tuple[str | None, list[Example | Problem]]:
    reader = Reader(io.BytesIO(body), name, ceilings or Ceilings())
    found = list(reader)
    return reader.format, found


def sentences(found: list[Example | Problem]) -> list[str]:
    return [one.sentence for one in found if isinstance(one, Problem)]


@pytest.mark.parametrize("name", SEVERAL)
@pytest.mark.parametrize("piece", [1, 2, 3, 7, 64])
def test_it_does_not_matter_in_which_pieces_a_file_comes(name: str, piece: int, monkeypatch: pytest.MonkeyPatch) -> None:
    write, kind = SEVERAL[name]
    body = write(EXAMPLES)
    whole = read(body, name)
    monkeypatch.setattr(unpacking, "_PIECE", piece)

    assert read(body, name) == whole
    assert whole[0] == kind
    assert [(example.text, example.labels) for example in whole[1] if isinstance(example, Example)] == EXAMPLES


@pytest.mark.parametrize("broken", [broken for broken in BROKEN if len(broken.body()) < 3_000], ids=lambda broken: broken.what)
def test_nor_with_a_broken_one(broken: Broken, monkeypatch: pytest.MonkeyPatch) -> None:
    body = broken.body()
    whole = read(body, broken.name)
    monkeypatch.setattr(unpacking, "_PIECE", 5)

    in_pieces = read(body, broken.name)

    if body.startswith(unpacking.GZIP):
        # The size of the pieces decides how much broken gzip yields before the error is noticed.
        assert sentences(in_pieces[1]) == sentences(whole[1])
    else:
        assert in_pieces == whole


@pytest.mark.parametrize("name", SEVERAL)
def test_no_change_of_bytes_is_a_crash(name: str) -> None:
    drawn = random.Random(name)
    write, _ = SEVERAL[name]
    body = write(EXAMPLES)
    for _ in range(300):
        changed = bytearray(body)
        for _ in range(drawn.randint(1, 4)):
            place = drawn.randrange(len(changed))
            match drawn.randrange(4):
                case 0:
                    changed[place] = drawn.randrange(256)
                case 1:
                    del changed[place : place + drawn.randint(1, 40)]
                case 2:
                    changed[place:place] = drawn.choice(
                        [b'"', b"\0", b"[", b"{", b"\\u", b"\n", b"\r", b"|", b",", b"\xff", b"NaN", b"1e9999"]
                    )
                case 3:
                    changed[place:place] = changed[drawn.randrange(len(changed)) :][: drawn.randint(1, 40)]
            if not changed:
                break
        for example in read(bytes(changed), name)[1]:
            assert example.row >= 1
            assert isinstance(example, Problem) or (example.text.encode() and all(label.encode() for label in example.labels))


@pytest.mark.parametrize("layout", [{}, {"text_column": "text"}, {"text_column": ["text", "body"], "label_column": "topic"}])
def test_nor_is_any_choice_of_members(layout: dict[str, Any]) -> None:
    drawn = random.Random(1)
    values = ["a", " ", "", None, 5, True, ["a"], [], {"b": "c"}, {}]
    names = ["text", "body", "Subject", "label", "topic", "labels", "answer", "cats", "data", "annotations", "completions"]
    records = [{name: drawn.choice(values) for name in drawn.sample(names, drawn.randint(0, 5))} for _ in range(2_000)]
    for begin in range(0, len(records), 5):
        body = json.dumps(records[begin : begin + 5]).encode()
        for example in Reader(io.BytesIO(body), "records.json", Ceilings(), layout=Layout.of(layout)):
            assert isinstance(example, Problem) or example.text.strip()


def test_a_later_record_without_the_named_text_is_an_error_of_its_row() -> None:
    body = b'{"words": "a", "label": "one"}\n{"label": "two"}\n{"words": "b", "label": "two"}'
    found = list(Reader(io.BytesIO(body), "records.jsonl", Ceilings(), layout=Layout.of({"text_column": "words"})))
    assert [example.text for example in found if isinstance(example, Example)] == ["a", "b"]
    assert sentences(found) == ['Line 2 of the data set has no "words" (text_column): its members are label.']


def members(body: bytes, between: bytes = b"") -> bytes:
    """The body as gzip, with a member for each byte."""
    member = {byte: gzip.compress(bytes([byte]), mtime=0) + between for byte in set(body)}
    return b"".join(member[byte] for byte in body)


@pytest.mark.parametrize("name", [name for name in SEVERAL if not name.startswith("packed")])
@pytest.mark.parametrize("between", [b"", b"\0" * 3], ids=["", "padded"])
def test_nor_in_how_many_members_gzip_has_it(name: str, between: bytes) -> None:
    body = SEVERAL[name][0](EXAMPLES)

    assert read(members(body, between), name) == read(body, name)


def test_small_members_take_linear_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the bytes that zlib is given, of which each member copies what follows its end, and by the pieces that are read."""
    body = b"[" + b",\n".join(b'{"text": "number %d", "label": "a"}' % number for number in range(1_000)) + b"]"
    packed, given = members(body), 0
    make = zlib.decompressobj

    class Counting:
        def __init__(self, window: int) -> None:
            self._member = make(window)

        def decompress(self, data: bytes, most: int) -> bytes:
            nonlocal given
            given += len(data)
            return self._member.decompress(data, most)

        def __getattr__(self, name: str) -> Any:
            return getattr(self._member, name)

    monkeypatch.setattr(zlib, "decompressobj", Counting)
    pieces = list(unpacking.Unpacking(io.BytesIO(packed), Ceilings(), "it"))

    assert b"".join(pieces) == body
    assert len(pieces) == 1
    assert given < 10_000 * len(body)


def test_rows_before_a_broken_member_are_read() -> None:
    body = b'{"text": "one", "label": "a"}\n{"text": "two", "label": "b"}\n'
    _, found = read(members(body) + b"\x1f\x8b\x08broken", "a.jsonl")

    assert [one.text for one in found if isinstance(one, Example)] == ["one", "two"]
    assert sentences(found) == ["The data set is broken gzip: pack it and upload it again."]


@pytest.mark.parametrize(
    ("ceilings", "said"),
    [
        (Ceilings(rows=23), "has more than 23 rows: at most 23"),
        (Ceilings(bytes=500), "has more than 500 bytes after unpacking: at most 500"),
        (Ceilings(text_characters=5), "has a text of 15 characters: at most 5"),
        (Ceilings(labels=1), "has 2 labels: at most 1"),
    ],
)
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_the_ceilings_hold(ceilings: Ceilings, said: str, pack: type[bytes]) -> None:
    body = pack(SEVERAL["lines.jsonl"][0](EXAMPLES))

    _, found = read(body, "lines.jsonl", ceilings)

    assert any(isinstance(one, Problem) and said in one.sentence for one in found)


def test_text_that_packs_well_is_no_bomb_unless_the_operator_says_so() -> None:
    body = gzip.compress(b"".join(b'{"text": "number %d", "label": "a"}\n' % number for number in range(40_000)))

    assert len(read(body, "x")[1]) == 40_000
    last = read(body, "x", Ceilings(unpacked_ratio=2))[1][-1]
    assert isinstance(last, Problem)
    assert "more than 2 times its size" in last.sentence


def test_what_is_not_asked_for_is_ignored() -> None:
    _, found = read(b'{"text": "a", "label": "b", "source": "tweet", "answer": "42", "meta": {"x": [1e999, 2]}}', "x")

    assert found == [Example("a", ("b",))]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"text": "a", "label": "b", "answer": "reject"}\n{"text": "c", "label": "d", "answer": "accept"}', [Example("c", ("d",))]),
        (b'{"text": "a", "options": [{"id": "b"}], "accept": [], "answer": "accept"}', [Example("a", ())]),
        (b'{"text": "a", "options": [{"id": "b"}], "accept": ["b"]}', [Example("a", ("b",))]),
    ],
)
def test_prodigy_s_answers(body: bytes, expected: list[Example]) -> None:
    name, found = read(body, "x")

    assert name == "prodigy"
    assert [one for one in found if isinstance(one, Example)] == expected
    assert [one.kind for one in found if isinstance(one, Problem)] == ["skipped-row"] * (len(found) - len(expected))


def test_a_row_of_csv_is_the_line_on_which_it_starts() -> None:
    _, found = read(b'text,label\n"over\ntwo lines",a\n\n"one",b\n', "x")

    assert [(one.text, one.row) for one in found if isinstance(one, Example)] == [("over\ntwo lines", 2), ("one", 5)]


@pytest.mark.parametrize(
    ("body", "name", "kind"),
    [
        (b"\n \n[1]", "x.csv", "json-array"),
        (b"\xef\xbb\xbf{}", "x", "json-lines"),
        (b"__label__a text", "x", "fasttext"),
        (b"__label__a,text", "x.CSV", "comprehend-csv"),
        (b"Label,TEXT\n", "x", "csv"),
        (b"a,b", "x.csv.gz", "comprehend-csv"),
        (b"a,b", "x", None),
        (b"text,label,labels\n", "x", None),
        (b'{"source": "a", "text": "b"}', "x", "json-lines"),
        (b'{"source-ref": "s3://a/b"}', "x", "augmented-manifest"),
    ],
)
def test_a_format_is_recognised(body: bytes, name: str, kind: str | None) -> None:
    assert read(body, name)[0] == kind
