"""Batch predictions of tables: a table comes back as a table, with the labels after its own columns."""

from __future__ import annotations

import csv
import gzip
import io
import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.batches import TEXTS, done, get, post, predicted, put, result, saved, started
from winnow.batch import split_join

if TYPE_CHECKING:
    from tests.conftest import Ready, Winnow


@pytest.fixture(autouse=True)
def few_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shards of two lines."""
    monkeypatch.setattr(split_join, "MOST_LINES", 2)


def written(rows: list[list[str]], delimiter: str = ",") -> bytes:
    with io.StringIO(newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows(rows)
        return file.getvalue().encode()


def read(body: bytes, delimiter: str = ",") -> list[list[str]]:
    return list(csv.reader(io.StringIO(body.decode(), newline=""), delimiter=delimiter, strict=True))


def cells(winnow: Winnow, texts: list[str], n_top: int = 1) -> list[list[str]]:
    """The cells that the labels of these texts give."""
    return [
        [cell for label in labels for cell in (label["label"], str(label["score"]), json.dumps(label["accepted"]))]
        for labels in predicted(winnow, texts, n_top)
    ]


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(("key", "delimiter"), [("texts.csv", ","), ("texts", ";"), ("texts.csv", "|"), ("texts.tsv", "\t")])
def test_a_table_comes_back_with_its_columns_and_after_them_the_labels(ready: Ready, key: str, delimiter: str, packed: bool) -> None:
    winnow = ready("exclusive.json")
    texts = ["prune, then\nwater", 'the "oil"; a|b', TEXTS[1], "last\r\none", "tulips\rand roses"]
    rows = [[f"n{place}", text, "=1+1", ""] for place, text in enumerate(texts)]
    body = written([["id", "Text", "more", "note"], *rows], delimiter)
    key += ".gz" * packed
    put(winnow, gzip.compress(body) if packed else body, key)

    batch = done(winnow, object=key)

    assert (batch["status"], batch["error"], batch["warning"], batch["lines"]) == ("ready", None, None, 5)
    assert ("tsv" if delimiter == "\t" else "csv") == batch["result"]["url"].partition("?")[0].rpartition(".")[2]
    header, *found = read(saved(winnow, batch), delimiter)
    assert header == ["id", "Text", "more", "note", "label", "score", "accepted"]
    assert found == [[*row, *labels] for row, labels in zip(rows, cells(winnow, texts), strict=True)]


def test_several_labels_have_numbers_and_those_that_are_missing_are_empty(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    put(winnow, written([["text"], [TEXTS[0]], [TEXTS[1]]]), "texts.csv")

    header, *found = read(saved(winnow, done(winnow, object="texts.csv", n_top=5)))

    names = [f"{name}{number}" for number in ("", "_2", "_3", "_4", "_5") for name in ("label", "score", "accepted")]
    assert header == ["text", *names]
    expected = cells(winnow, TEXTS[:2], 5)
    assert [len(labels) for labels in expected] == [9, 9]
    assert found == [[text, *labels, *[""] * 6] for text, labels in zip(TEXTS, expected, strict=False)]


def test_a_record_that_cannot_be_classified_has_the_reason_in_a_column_of_its_own(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    put(winnow, f"id,text\n1,{TEXTS[0]}\n2, \n3,a,b\n4,{TEXTS[1]}\n".encode(), "texts.csv")

    batch = done(winnow, object="texts.csv")

    header, first, empty, wide, last = read(saved(winnow, batch))
    assert header == ["id", "text", "label", "score", "accepted", "error"]
    good = cells(winnow, TEXTS[:2])
    assert (first, last) == (["1", TEXTS[0], *good[0], ""], ["4", TEXTS[1], *good[1], ""])
    assert empty[:5] == ["2", "", "", "", ""]
    assert empty[5].startswith("Line 3 has an empty text")
    assert wide[:5] == [""] * 5
    assert wide[5].startswith("Line 4 has 3 columns, but the header has 2")
    assert (batch["lines"], batch["progress"]["errors"]) == (4, 2)


@pytest.mark.parametrize(
    ("names", "added"),
    [
        (["Label", "text"], ["predicted_label", "predicted_score", "predicted_accepted"]),
        (["error", "text"], ["predicted_label", "predicted_score", "predicted_accepted"]),
        (["text", "score", "predicted_label"], [f"predicted_predicted_{name}" for name in ("label", "score", "accepted")]),
    ],
)
def test_no_two_columns_get_one_name(ready: Ready, names: list[str], added: list[str]) -> None:
    winnow = ready("exclusive.json")
    rows = [[TEXTS[0] if name == "text" else "x" for name in names]]
    put(winnow, written([names, *rows]), "texts.csv")
    header, found = read(saved(winnow, done(winnow, object="texts.csv")))
    assert header == [*names, *added]
    assert found == [*rows[0], *cells(winnow, TEXTS[:1])[0]]


def test_the_result_can_be_classified_again(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    put(winnow, written([["text"], *([text] for text in TEXTS)]), "texts.csv")
    once = saved(winnow, done(winnow, object="texts.csv"))
    put(winnow, once, "again.csv")
    twice = read(saved(winnow, done(winnow, object="again.csv")))
    assert [row[:4] for row in twice] == read(once)
    assert [row[4:] for row in twice[1:]] == [row[1:] for row in read(once)[1:]]


def test_the_client_s_layout_is_kept_and_what_is_not_utf_8_is_told(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    body = "titre;corps;n\nà réparer;un pneu crevé;1\n;tailler les rosiers;2\n".encode("cp1252")
    put(winnow, body, "texts.csv")

    named = done(winnow, object="texts.csv", text_column=["titre", "corps"], delimiter=";", encoding="windows-1252")
    found = done(winnow, object="texts.csv", text_column="corps")

    texts = ["à réparer\n\nun pneu crevé", "tailler les rosiers"]
    assert [row[3:] for row in read(saved(winnow, named), ";")[1:]] == cells(winnow, texts)
    assert read(saved(winnow, named), ";")[1][:3] == ["à réparer", "un pneu crevé", "1"]
    assert named["warning"] is None
    assert found["warning"].startswith("1 line is not UTF-8 (the first is line 2 of the object), and read as Windows-1252.")
    [listed, _] = winnow.call("list_batches").body["batches"]
    assert listed["warning"] == found["warning"]


@pytest.mark.parametrize(
    ("field", "value"), [("text_column", []), ("text_column", 1), ("delimiter", ":"), ("delimiter", ""), ("encoding", "latin-1")]
)
def test_a_wrong_layout_is_named(ready: Ready, field: str, value: Any) -> None:
    answer = post(ready("exclusive.json"), **{field: value})
    assert (answer.status, answer.body["field"]) == (422, field)


@pytest.mark.parametrize(
    ("key", "body", "expected"),
    [
        ("texts.csv", b"text\n", b"text,label,score,accepted\n"),
        ("texts.csv", b"Text;n\r\n\r\n \r\n", b"Text;n;label;score;accepted\n"),
        ("texts.json", b"[]", b""),
    ],
)
def test_an_object_without_texts_has_an_empty_result(ready: Ready, key: str, body: bytes, expected: bytes) -> None:
    winnow = ready("exclusive.json")
    put(winnow, body, key)

    batch = done(winnow, object=key)

    assert (batch["status"], batch["error"], batch["lines"]) == ("ready", None, 0)
    assert batch["progress"] == {
        **{"percent": 100, "lines": 0, "errors": 0, "shards": 0},
        **{"all_lines": 0, "all_errors": 0, "all_shards": 0},
    }
    assert saved(winnow, batch) == expected


# --- while Winnow is upgraded ---


def test_a_batch_that_an_earlier_release_split_is_joined_as_json_lines(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    put(winnow, written([["text"], *([text] for text in TEXTS[:2])]), "texts.csv")
    job = started(winnow, object="texts.csv")
    split = winnow.invoke("functions/batch/split", job)
    [key] = [key for key in winnow.objects() if "/texts/" in key]
    as_before = "".join(json.dumps({"line": line, "id": "a", "text": text}) + "\n" for line, text in enumerate(TEXTS[:2], start=2))
    winnow.s3.put_object(Bucket=winnow.names["Models"], Key=key, Body=as_before.encode())
    [row] = [row for row in winnow.table.scan()["Items"] if row["pk"].startswith("BATCHES#")]
    del row["delimiter"]
    winnow.table.put_item(Item=row)

    winnow.run_batch(job | {"split": split}, "Shards")

    lines = result(winnow, get(winnow, job["batch"]["batch"]).body)
    assert [(line["line"], line["id"], line["labels"]) for line in lines] == [
        (line, "a", labels) for line, labels in enumerate(predicted(winnow, TEXTS[:2]), start=2)
    ]
