"""Data sets that can't be used for training: each ends in `failed`, with a sentence that says where and why."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import load_dataset

if TYPE_CHECKING:
    from tests.conftest import Winnow

GOOD = [{"text": f"{thing} in {place}", "label": place} for place in ("town", "country") for thing in ("a house", "a garden", "a shed")]


def lines(*more: Any) -> bytes:
    """The good records and then more, as JSON Lines. The others begin in line 7."""
    return "\n".join(
        [json.dumps(record) for record in GOOD] + [each if isinstance(each, str) else json.dumps(each) for each in more]
    ).encode()


def array(*more: Any) -> bytes:
    """The good records and then more, as a JSON array. The others begin with example 7."""
    return json.dumps([*GOOD, *more]).encode()


BAD = {
    "empty": (b"", ["is empty"]),
    "blank": (b" \n\t\n", ["is empty"]),
    "only a byte order mark": (b"\xef\xbb\xbf", ["is empty"]),
    "empty array": (b"[]", ["no label at all"]),
    "malformed array": (b'[\n{"text": "a house", "label": "town"},\n]', ["is not JSON", "line 2"]),
    "malformed line": (lines('{"text": "a house in town", "label": }'), ["Line 7", "is not JSON"]),
    "one object over many lines": (b'{\n "text": "a",\n "label": "b"\n}', ["only the label 'b'"]),
    "deep": (b"[" * 100_000, ["nested too deeply"]),
    "NaN": (lines('{"text": "a", "label": NaN}'), ["Line 7", "NaN"]),
    "key twice": (lines('{"text": "a", "text": "b", "label": "town"}'), ["Line 7", "'text'"]),
    "half a surrogate pair": (lines('{"text": "\\ud83d", "label": "town"}'), ["Line 7", "surrogate"]),
    "neither UTF-8 nor Windows-1252": (lines() + b'\n{"text": "caf\x81", "label": "town"}', ["Line 7", "not UTF-8", "0x81"]),
    "UTF-16 without a mark": (array().decode().encode("utf-16-le"), ["not UTF-8", "`encoding`"]),
    "one label": (json.dumps([{**record, "label": "town"} for record in GOOD]).encode(), ["only the label 'town'"]),
    "no text": (lines({"label": "town"}), ["Line 7", "no text under a known name", "text_column"]),
    "text is no string": (array({"text": 7, "label": "town"}), ["Example 7", '"text"']),
    "empty text": (lines({"text": "", "label": "town"}), ["Line 7", "empty text"]),
    "blank text": (array({"text": " \n", "label": "town"}), ["Example 7", "empty text"]),
    "text too long": (lines({"text": "a" * 20_001, "label": "town"}), ["Line 7", "20,001 characters", "20,000"]),
    "label and labels": (lines({"text": "a", "label": "town", "labels": ["town"]}), ["Line 7", 'either "label" or "labels"']),
    "label too long": (lines({"text": "a", "label": "t" * 201}), ["Line 7", "201 characters", "200"]),
    "array with a string": (array("a house"), ["Example 7", "not an object"]),
    "line with an array": (lines(["a house", "town"]), ["Line 7", "not an object"]),
    "too many labels": (json.dumps([{"text": f"{n}", "label": f"{n // 2}"} for n in range(2002)]).encode(), ["1,001 labels", "1,000"]),
}


@pytest.mark.parametrize("name", BAD)
def test_it_ends_in_failed_with_a_sentence(winnow: Winnow, name: str) -> None:
    body, said = BAD[name]
    winnow.put_dataset(body)

    version = winnow.train()

    assert (version["status"], version["live"]) == ("failed", False)
    for words in said:
        assert words in version["error"]
    assert "internal error" not in version["error"]
    assert winnow.model()["status"] == "failed"


@pytest.mark.parametrize("fields", [{"training_object": "missing.json"}, {"s3bucket": "no-such-bucket"}])
def test_a_data_set_that_is_not_there_is_named(winnow: Winnow, fields: dict[str, Any]) -> None:
    version = winnow.train(**fields)

    assert version["status"] == "failed"
    assert "/".join(version["dataset"].values()) in version["error"]
    assert "POST /datasets" in version["error"]


@pytest.mark.parametrize("more", [["a boat"], ["a boat", "A  boat"]])
def test_a_label_with_one_text_is_left_out_or_refused(winnow: Winnow, more: list[str]) -> None:
    winnow.put_dataset(array(*({"text": text, "label": "sea"} for text in more)))

    version = winnow.train()
    refused = winnow.train(force_update=True, rare_labels="refuse")

    assert (version["status"], version["dataset"]["labels"], version["dataset"]["examples"]) == ("ready", 2, 6)
    report = winnow.call("get_report").body["report"]
    assert [each["rows"] for each in report["problems"] if each["kind"] == "dropped-label"] == [[{"labels": ["sea"]}]]
    assert refused["status"] == "failed"
    assert "Fewer than two distinct texts for 'sea'" in refused["error"]


@pytest.mark.parametrize("more", [{"text": "a"}, {"text": "a", "label": None}, {"text": "a", "label": " "}])
def test_a_row_without_a_label_is_left_out_and_counted(winnow: Winnow, more: dict[str, Any]) -> None:
    winnow.put_dataset(array(more))

    version = winnow.train()

    assert (version["status"], version["dataset"]["exclusive"], version["dataset"]["examples"]) == ("ready", True, 6)
    assert version["dataset"]["warnings"] == 3


@pytest.mark.parametrize(
    "body", [lines(""), b"\xef\xbb\xbf" + lines(), lines().replace(b"\n", b"\r\n"), b"\n \n" + lines(), b" " + array()]
)
def test_white_space_and_a_byte_order_mark_do_not_matter(winnow: Winnow, body: bytes) -> None:
    winnow.put_dataset(body)

    version = winnow.train()

    assert (version["status"], version["dataset"]["examples"]) == ("ready", 6)


def test_any_unicode_text_is_trained_on(winnow: Winnow) -> None:
    odd = ["🙂🙂", "e\u0301", "\u2028", "\x00", "مرحبا", "漢字", "(" * 3000]
    records = load_dataset("exclusive.json") + [{"text": f"{text} x", "label": "baking"} for text in odd]
    winnow.put_dataset(records)

    assert winnow.train()["status"] == "ready"
