"""Examples may have a subject: it is read from every format that has columns, and stays beside its text."""

from __future__ import annotations

import gzip
import io
import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.feedback import add, frozen
from winnow.datasets.formats import Reader
from winnow.datasets.merge import merge
from winnow.datasets.row_problems import Problem
from winnow.domain.dataset import Ceilings, Example, Layout

if TYPE_CHECKING:
    from tests.conftest import Json, Winnow

WORDS = {"baking": "dough oven flour", "cycling": "bicycle saddle brake"}
RECORD = {"text": "a loaf", "label": "baking"}


def examples() -> list[Json]:
    """The subject u1 has a text of each label, and one has nobody."""
    own = [{"text": f"{words} {number}", "label": label} for label, words in WORDS.items() for number in range(8)]
    return [*({**each, "subject": f"u{place % 8}"} for place, each in enumerate(own)), {"text": "nobody's flour", "label": "baking"}]


def read(body: str, name: str = "a.jsonl", **layout: Any) -> tuple[list[str | None], list[str], Json]:
    """The subjects of the examples, the problems, and what was understood."""
    reader = Reader(io.BytesIO(body.encode()), name, Ceilings(), layout=Layout(**layout))
    found = list(reader)
    subjects = [each.subject for each in found if isinstance(each, Example)]
    return subjects, [each.sentence for each in found if isinstance(each, Problem)], reader.understood


LINES = {
    "json-lines": ('{"text": "a", "label": "b", "subject": "u1"}\n{"text": "c", "label": "b"}', ["u1", None]),
    "json-array": ('[{"text": "a", "label": "b", "subject": 17}, {"text": "c", "label": "b", "subject": " u2 "}]', ["17", "u2"]),
    "json-object": ('{"data": [{"text": "a", "label": "b", "subject": "u1"}]}', ["u1"]),
    "csv": ("text,label,Subject\na,b,u1\nc,b,\n", ["u1", None]),
    "hugging-face": ('{"rows": [{"row": {"text": "a", "label": "b", "subject": "u1"}}]}', ["u1"]),
    "prodigy": ('{"text": "a", "label": "b", "answer": "accept", "meta": {"subject": "u1"}}', ["u1"]),
    "clu": ('{"assets": {"utterances": [{"text": "a", "intent": "b", "dataset": "Train", "subject": "u1"}]}}', ["u1"]),
}


@pytest.mark.parametrize("kind", LINES)
def test_formats_with_columns_have_subjects(kind: str) -> None:
    body, subjects = LINES[kind]
    found, problems, understood = read(body, "a.csv" if kind == "csv" else "a.json")
    assert (found, problems) == (subjects, [])
    assert understood["subject_column"].lower() == "subject"


def test_a_subject_that_is_the_text_stays_the_text() -> None:
    found, problems, understood = read("subject,body,label\nhello,there,a\n", "a.csv")
    assert (found, problems, understood["text_column"]) == ([None], [], ["subject", "body"])
    assert "subject_column" not in understood


@pytest.mark.parametrize(
    ("body", "name"), [('{"message": "a", "label": "b", "subject": "u1"}', "a.jsonl"), ("message,label,subject\na,b,u1\n", "a.csv")]
)
def test_a_named_column_is_no_text(body: str, name: str) -> None:
    assert read(body, name, subject_column="subject")[:2] == (["u1"], [])


@pytest.mark.parametrize("value", ["x" * 201, "[1]", "1.5", "true"])
def test_a_named_column_must_have_subjects(value: str) -> None:
    given = json.dumps(value) if value.startswith("x") else value
    body = f'{{"text": "a", "label": "b", "subject": {given}}}'

    assert read(body)[:2] == ([None], [])
    _, [problem], _ = read(body, subject_column="subject")
    assert problem.startswith("Line 1 of the data set has a subject that is not a string or a whole number of at most 200 characters")


@pytest.mark.parametrize(
    ("body", "name", "told"),
    [
        ('{"text": "a", "label": "b"}', "a.jsonl", 'Line 1 of the data set has no "who" (subject_column)'),
        ("text,label\na,b\n", "a.csv", "The data set has no column 'who'"),
        ("a,b\nc,b\nd,b\n", "a.csv", "The data set has no column 'who'"),
        ("__label__a hello", "a.txt", "The data set has no columns: leave out subject_column"),
        ("text,label,who,who\na,b,c,d\n", "a.csv", "two columns named who"),
    ],
)
def test_a_named_column_that_is_not_there_refuses_the_file(body: str, name: str, told: str) -> None:
    _, [problem], _ = read(body, name, subject_column="who")
    assert told in problem


def test_a_column_cannot_be_the_text_and_the_subject() -> None:
    _, [problem], _ = read("text,label\na,b\n", "a.csv", subject_column="label")
    assert "can't hold the text or the label and the subject" in problem


def test_it_is_frozen_and_shown_with_the_examples_and_in_feedback(winnow: Winnow) -> None:
    winnow.put_dataset(examples())
    winnow.train(recipe="linear", keep_texts=True)
    parts = [each for part in ("train", "test") for each in frozen(winnow, 1, part)]
    assert sorted(each.get("subject", "") for each in parts) == sorted(each.get("subject", "") for each in examples())
    [listed] = [gzip.decompress(body) for key, body in winnow.objects().items() if key.endswith("learnt/examples.jsonl.gz")]
    assert {line["text"]: line.get("subject") for line in map(json.loads, listed.splitlines())} == {
        each["text"]: each.get("subject") for each in examples()
    }

    batch = add(winnow, [RECORD | {"subject": "u9"}, {"text": "a wheel", "label": "cycling"}], retrain="now").body["batch"]
    shown = winnow.call("get_feedback_batch", path={"model_id": "tc-01", "batch": batch}).body["examples"]
    assert [each.get("subject") for each in shown] == ["u9", None]
    winnow.run_workflow(winnow.started_job())
    assert next(each["subject"] for part in ("train", "test") for each in frozen(winnow, 2, part) if each["text"] == "a loaf") == "u9"


@pytest.mark.parametrize("subject", ["", "  ", "x" * 201, 7])
def test_feedback_with_a_bad_subject_is_refused(winnow: Winnow, subject: object) -> None:
    winnow.put_dataset()
    winnow.train(recipe="linear")
    answer = add(winnow, [RECORD | {"subject": subject}])
    assert (answer.status, "subject" in answer.body["detail"]) == (422, True)


def test_new_labels_take_a_text_from_nobody() -> None:
    train = [Example(f"{label} {number}", (label,)) for label in "ab" for number in range(4)]
    train += [Example("both", ("a",), subject="u1"), Example("Both", ("a",), subject="u2")]
    test = [Example("tested", ("a",), subject="u3"), Example("b", ("b",))]

    parts = merge(train, test, [Example("both", ("b",)), Example("tested", ("b",), subject="u4")], 0, exclusive=True).parts

    both = sorted((each.subject, each.labels) for each in parts.train if each.text == "both")
    assert both == [("u1", ("b",)), ("u2", ("b",))]
    assert sorted(each.subject or "" for each in parts.test if each.text == "tested") == ["u3", "u4"]
