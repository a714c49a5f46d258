"""The exports of tools and other people's JSON: bytes as a tool writes them become examples, or the one sentence that helps."""

from __future__ import annotations

import io
import json
import random
from typing import Any

import pytest

from tests.support.tool_exports import AB, EXPORTS, OTHERWISE, REFUSED, ROWS, SKIPPED, jsonl, pretty
from winnow.datasets import unpacking
from winnow.datasets.formats import Reader
from winnow.datasets.row_problems import Kind, Problem
from winnow.domain.dataset import Ceilings, Example, Layout


def read(body: bytes, name: str = "texts", layout: Layout | None = None) -> tuple[str | None, list[Any], list[Problem]]:
    """The format, the examples as (text, labels), and the problems."""
    reader = Reader(io.BytesIO(body), name, Ceilings(), layout=layout)
    found = list(reader)
    examples = [(each.text, each.labels) for each in found if isinstance(each, Example)]
    return reader.format, examples, [each for each in found if isinstance(each, Problem)]


@pytest.mark.parametrize("what", EXPORTS)
@pytest.mark.parametrize("piece", [7, 100_000])
def test_an_export_is_read_in_pieces_of_any_size(what: str, piece: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking, "_PIECE", piece)
    body, name = EXPORTS[what]

    assert read(body) == (name, OTHERWISE.get(what, AB), [])


@pytest.mark.parametrize("what", SKIPPED)
def test_what_is_not_to_be_trained_on_is_skipped_and_counted(what: str) -> None:
    body, skipped = SKIPPED[what]

    _, examples, problems = read(body)

    assert examples == AB
    assert [problem.kind for problem in problems] == [Kind.SKIPPED_ROW] * skipped


@pytest.mark.parametrize("what", REFUSED)
@pytest.mark.parametrize("piece", [7, 100_000])
def test_what_cannot_be_read_is_refused_with_the_sentence_that_helps(what: str, piece: int, monkeypatch: pytest.MonkeyPatch) -> None:
    body, sentence = REFUSED[what]
    if piece < len(body) < 10_000:
        monkeypatch.setattr(unpacking, "_PIECE", piece)

    _, _, problems = read(body)

    assert sentence in problems[-1].sentence
    assert problems[-1].kind.refuses


def test_the_client_names_the_members() -> None:
    body = jsonl(
        *({"id": n, "Head": "Re:", "words": text, "kind": label} for n, (text, (label,)) in enumerate(AB)), {"Head": "x", "kind": None}
    )
    layout = Layout(("head", "words"), "kind")

    reader = Reader(io.BytesIO(body), "texts", Ceilings(), layout=layout)

    assert [(each.text, each.labels) for each in reader if isinstance(each, Example)] == [
        ("Re:\n\nI love it", ("pos",)),
        ("Re:\n\nI hate it", ("neg",)),
        ("x", ()),
    ]
    assert reader.facts()["understood"] == {"text_column": ["Head", "words"], "label_column": "kind", "encoding": "utf-8"}
    assert 'has no "kind" (label_column): its members are text, label.' in read(jsonl(*ROWS), layout=Layout((), "kind"))[2][0].sentence


def test_subject_and_body_are_one_text() -> None:
    assert read(jsonl({"Subject": "Hi", "body": "I love it", "category": "pos"}))[1] == [("Hi\n\nI love it", ("pos",))]


@pytest.mark.parametrize(("value", "labels"), [(0, ("0",)), (True, ("true",)), (None, ()), ([], ()), (" pos ", ("pos",))])
def test_numbers_and_booleans_are_labels_and_blank_ones_are_none(value: Any, labels: tuple[str, ...]) -> None:
    assert read(jsonl({"text": "a", "label": value}))[1:] == ([("a", labels)], [])


def test_rows_without_a_label_are_unlabelled_once_one_has_one() -> None:
    assert read(jsonl(ROWS[0], {"text": "new"}))[1:] == ([AB[0], ("new", ())], [])


def test_a_large_object_is_streamed_and_names_after_its_list_are_refused() -> None:
    long = [{"text": f"{n} " + "a" * 9_000, "label": n % 2} for n in range(600)]
    before, after = {"label_names": ["a", "b"], "data": long}, {"data": long, "label_names": ["a", "b"]}

    _, examples, problems = read(json.dumps(before).encode())
    assert ({labels for _, labels in examples}, len(examples), problems) == ({("a",), ("b",)}, 600, [])
    assert 'has "label_names" after the list of examples: put it before the list.' in read(json.dumps(after).encode())[2][-1].sentence
    # A small one is known as a whole.
    assert read(jsonl({"data": long[:2], "label_names": ["a", "b"]}))[1][1][1] == ("b",)


def test_errors_count_the_examples_of_an_object_and_the_lines_of_json_lines() -> None:
    wrong = {"text": 3, "label": "a"}

    assert read(pretty({"data": [*ROWS, wrong]}))[2][0].sentence.startswith("Example 3 of the data set")
    assert read(jsonl(*ROWS, wrong))[2][0].sentence.startswith("Line 3 of the data set")


@pytest.mark.parametrize("what", EXPORTS)
def test_no_value_in_the_place_of_another_is_a_crash(what: str) -> None:
    body = EXPORTS[what][0].decode()
    drawn = random.Random(what)
    for _ in range(60):
        old = drawn.choice(["[", "{", '"', "1", ":", ",", *(word for word in body.split('"') if word.isalpha())])
        new = drawn.choice(["null", "3", "1.5", "[]", "{}", '"x"', "[[1]]", '{"a": 1}', "\n", "", "\0"])
        changed = body.replace(f'"{old}"' if old.isalpha() else old, new, drawn.choice([1, -1]))

        for one in Reader(io.BytesIO(changed.encode()), "texts", Ceilings()):
            assert isinstance(one, Problem) or (isinstance(one.text, str) and all(isinstance(label, str) for label in one.labels))
