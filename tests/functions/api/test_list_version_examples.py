"""GET …/versions/{version}/examples and …/examples.jsonl: what a version learnt, with the answers about it, page by page."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import numpy as np
import pytest

from tests.conftest import load_dataset
from tests.support import objects
from tests.support.feedback import add
from winnow.domain.dataset import example_id
from winnow.recipes.catalogue import COSTS
from winnow.storage.learnt_examples import LearntExamples
from winnow.training import learnt_examples

if TYPE_CHECKING:
    from tests.conftest import Answer, Json, Once, Winnow

EXCLUSIVE = load_dataset("exclusive.json")
SEVERAL = load_dataset("multilabel.jsonl")


@pytest.fixture(autouse=True)
def _cold() -> None:
    """No index is in memory."""
    learnt_examples._kept.clear()


@pytest.fixture
def cross_validated(winnow: Winnow, once: Once) -> Winnow:
    """A version whose examples were all answered by folds, and with texts."""

    def train() -> None:
        winnow.put_dataset()
        winnow.train(keep_texts=True, n_iter=5)

    return once("listed examples", train)


@pytest.fixture
def in_small_blocks(winnow: Winnow, once: Once, monkeypatch: pytest.MonkeyPatch) -> Winnow:
    """The same with the texts in many blocks."""

    def train() -> None:
        with monkeypatch.context() as small:
            small.setattr("winnow.storage.learnt_examples._BLOCK_BYTES", 300)
            winnow.put_dataset()
            winnow.train(keep_texts=True)

    return once("examples in small blocks", train)


@pytest.fixture
def held_out(winnow: Winnow, monkeypatch: pytest.MonkeyPatch) -> Winnow:
    """A version with test examples, and with texts."""
    monkeypatch.setattr("winnow.recipes.catalogue._MOST_CROSS_VALIDATED", dict.fromkeys(COSTS, 10))
    winnow.put_dataset()
    winnow.train(keep_texts=True, n_iter=5)
    return winnow


def listed(winnow: Winnow, version: int = 1, /, **query: str) -> Json:
    answer = asked(winnow, version, **query)
    assert answer.status == 200, answer.body
    body: Json = answer.body
    return body


def asked(winnow: Winnow, version: int = 1, /, **query: str) -> Answer:
    return winnow.call("list_version_examples", path={"model_id": "tc-01", "version": str(version)}, query=query)


def everything(winnow: Winnow, limit: int = 7, /, **query: str) -> list[Json]:
    """All examples, in pages of this length."""
    page = listed(winnow, limit=str(limit), **query)
    found: list[Json] = page["examples"]
    while page["next"] is not None:
        page = listed(winnow, limit=str(limit), next=page["next"], **query)
        found += page["examples"]
    return found


def uid(winnow: Winnow) -> str:
    [row] = [row for row in winnow.table.scan()["Items"] if row["pk"] == "MODELS"]
    return str(row["uid"])


def names(scored: list[Json]) -> list[str]:
    return [each["label"] for each in scored]


def test_pages_have_every_example_as_the_data_set_has_it(cross_validated: Winnow) -> None:
    found = everything(cross_validated)

    assert [(each["row"], each["text"], names(each["labels"])) for each in found] == [
        (row, each["text"], [each["label"]]) for row, each in enumerate(EXCLUSIVE, 1)
    ]
    assert [each["example"] for each in found] == [example_id(uid(cross_validated), each["text"]) for each in EXCLUSIVE]
    assert {(each["source"], each["batch"], each["split"]) for each in found} == {("training_object", None, "train")}
    assert {each["fold"] for each in found} == {1, 2, 3, 4, 5}
    assert listed(cross_validated)["matching"] == len(EXCLUSIVE)


def test_the_answers_are_those_of_the_evaluation(cross_validated: Winnow) -> None:
    evaluation = cross_validated.call("get_evaluation").body
    found = everything(cross_validated)

    assert sum(not each["wrong"] for each in found) / len(found) == pytest.approx(evaluation["accuracy"], abs=1e-6)
    confusion = evaluation["confusion"]
    for truth, row in zip(confusion["labels"], confusion["matrix"], strict=True):
        for predicted, count in zip(confusion["labels"], row, strict=True):
            cell = listed(cross_validated, label=truth, predicted=predicted)
            assert (cell["matching"], len(cell["examples"])) == (count, count)
    surest = listed(cross_validated, wrong="true", sort="score")["examples"]
    assert surest, "a version without mistakes shows nothing here"
    wrong = evaluation["most_wrong"]
    assert [(each["row"], each["score"]) for each in surest[: len(wrong)]] == [(each["row"], each["score"]) for each in wrong]
    for each in found:
        assert len(each["predicted"]) == 1
        assert each["wrong"] == (names(each["predicted"]) != names(each["labels"]))
        assert each["score"] == each["predicted"][0]["score"] >= each["labels"][0]["score"]


def test_filters_and_orders_hold(cross_validated: Winnow) -> None:
    found = everything(cross_validated)
    for query, kept in {
        "label=baking": [each for each in found if names(each["labels"]) == ["baking"]],
        "wrong=false": [each for each in found if not each["wrong"]],
        "split=2": [each for each in found if each["fold"] == 2],
        "split=train": found,
        "split=test": [],
        "split=9": [],
        "contains=THE OVEN": [each for each in found if "the oven" in each["text"].lower()],
        "sort=score": sorted(found, key=lambda each: -each["score"]),
        "sort=margin": sorted(found, key=lambda each: each["margin"]),
    }.items():
        name, value = query.split("=")
        same = [each["example"] for each in everything(cross_validated, **{name: value})]
        assert same == [each["example"] for each in kept], query
    assert everything(cross_validated, contains="the oven")
    both = everything(cross_validated, 1, contains="e", sort="margin", wrong="false")
    assert [each["row"] for each in both] == [
        each["row"] for each in sorted(found, key=lambda each: each["margin"]) if "e" in each["text"].lower() and not each["wrong"]
    ]


def test_test_examples_are_answered_by_the_version_and_others_have_no_answer(held_out: Winnow) -> None:
    found = everything(held_out)
    tested = [each for each in found if each["split"] == "test"]

    version = held_out.version()
    assert len(tested) == version["dataset"]["test_examples"] > 0
    assert len(found) == len(EXCLUSIVE)
    assert [each["row"] for each in found] == list(range(1, len(EXCLUSIVE) + 1))
    said = held_out.call(
        "predict", "predict_post_texts", body={"model_id": "tc-01", "texts": [each["text"] for each in tested], "n_top": 1}
    )
    for each, answer in zip(tested, said.body["predictions"], strict=True):
        best = answer["labels"][0]
        assert (each["fold"], each["accepted"], names(each["predicted"])) == (None, best["accepted"], [best["label"]])
        assert each["score"] == pytest.approx(best["score"], abs=1e-5)
    unanswered = [each for each in found if each["predicted"] is None]
    assert {each["split"] for each in unanswered} == {"train"}
    assert all(each["score"] is each["wrong"] is each["accepted"] is each["margin"] is each["fold"] is None for each in unanswered)
    # They come last, and are neither right nor wrong.
    assert [each["row"] for each in everything(held_out, sort="score")[-len(unanswered) :]] == [each["row"] for each in unanswered]
    answered = len(found) - len(unanswered)
    assert listed(held_out, wrong="true")["matching"] + listed(held_out, wrong="false")["matching"] == answered
    assert listed(held_out, split="test")["matching"] == len(tested)


def test_several_labels(winnow: Winnow) -> None:
    winnow.put_dataset("multilabel.jsonl")
    winnow.train(keep_texts=True, n_iter=5)
    found = everything(winnow)

    assert [(each["text"], names(each["labels"])) for each in found] == [(each["text"], each["labels"]) for each in SEVERAL]
    for each in found:
        scores = [label["score"] for label in each["predicted"]]
        assert scores == sorted(scores, reverse=True)
        assert each["wrong"] == (set(names(each["predicted"])) != set(names(each["labels"])))
        assert 0 <= each["margin"] <= 1
        assert 0 <= each["score"] <= 1
    label = SEVERAL[0]["labels"][0]
    assert listed(winnow, label=label)["matching"] == sum(label in each["labels"] for each in SEVERAL)
    surest = listed(winnow, wrong="true", sort="score")["examples"]
    wrong = winnow.call("get_evaluation").body["most_wrong"]
    assert [(each["row"], each["score"]) for each in surest][: len(wrong)] == [(each["row"], each["score"]) for each in wrong]


def test_feedback_is_named_as_the_source_of_what_it_labels(held_out: Winnow) -> None:
    learnt, tested = (listed(held_out, split=part)["examples"][0] for part in ("train", "test"))
    other = "baking" if names(learnt["labels"]) != ["baking"] else "cycling"
    texts = ["Quite another text", learnt["text"], tested["text"].upper()]
    batch = add(held_out, [{"text": text, "label": other} for text in texts], retrain="now").body["batch"]
    held_out.run_workflow(held_out.started_job())
    later = add(held_out, [{"text": "And one more text", "label": other}], retrain="now").body["batch"]
    held_out.run_workflow(held_out.started_job())
    assert held_out.version()["version"] == 3

    found = {each["example"]: each for page in (listed(held_out, 3, limit="1000"),) for each in page["examples"]}
    of_batches = {each["text"]: (each["batch"], each["row"], each["split"]) for each in found.values() if each["source"] == "feedback"}

    # A text of the test set keeps its spelling and its row.
    assert of_batches.pop(tested["text"]) == (batch, tested["row"], "test")
    assert {text: told[:2] for text, told in of_batches.items()} == {
        "Quite another text": (batch, 0),
        learnt["text"]: (batch, 0),
        "And one more text": (later, 0),
    }
    for each in (learnt, tested):
        assert names(found[each["example"]]["labels"]) == [other]
    assert {each["source"] for each in found.values()} == {"feedback", "training_object"}


def test_the_client_s_test_set_is_a_source_of_its_own(winnow: Winnow) -> None:
    winnow.put_dataset()
    winnow.s3.put_object(Bucket="albert-textcats", Key="testSet.json", Body=b'[{"text": "a new saddle", "label": "cycling"}]')
    winnow.train(test_object="testSet.json", keep_texts=True)
    add(winnow, [{"text": "Quite another text", "label": "baking"}], retrain="now")
    winnow.run_workflow(winnow.started_job())

    for version in (1, 2):
        [tested] = listed(winnow, version, split="test")["examples"]
        assert (tested["source"], tested["row"], tested["text"], tested["fold"]) == ("test_object", 1, "a new saddle", None)


@pytest.mark.parametrize("sort", ["row", "score"])
def test_a_page_ends_before_it_is_too_large_and_the_next_one_goes_on(
    cross_validated: Winnow, monkeypatch: pytest.MonkeyPatch, sort: str
) -> None:
    whole = listed(cross_validated, sort=sort)["examples"]
    monkeypatch.setattr("winnow.api.paging.MOST_BYTES", 1_500)

    first = listed(cross_validated, sort=sort)

    assert 1 < len(first["examples"]) < 6
    assert everything(cross_validated, 100, sort=sort) == whole


@pytest.mark.parametrize("sort", ["row", "score", "margin"])
@pytest.mark.parametrize("contains", [None, "e", "the oven"])
@pytest.mark.parametrize("most", [(1, 1), (3, 2), *(pytest.param(many, marks=pytest.mark.slow) for many in ((256, 1), (256, 16)))])
def test_a_page_looks_at_so_many_blocks_only(
    in_small_blocks: Winnow, monkeypatch: pytest.MonkeyPatch, sort: str, contains: str | None, most: tuple[int, int]
) -> None:
    winnow = in_small_blocks
    blocks, at_once = most
    filters = {"sort": sort} | ({} if contains is None else {"contains": contains})
    whole = everything(winnow, 1_000, **filters)
    read: list[int] = []
    lines = LearntExamples.lines

    def counted(self: Any, version: Any, asked: Any) -> Any:
        read.append(len(asked))
        return lines(self, version, asked)

    monkeypatch.setattr("winnow.storage.learnt_examples.LearntExamples.lines", counted)
    monkeypatch.setattr("winnow.versions.examples.MOST_BLOCKS", blocks)
    monkeypatch.setattr("winnow.versions.examples._BLOCKS_AT_ONCE", at_once)

    listed(winnow, limit="1000", **filters)
    assert sum(read) <= blocks
    assert max(read) <= at_once
    for limit in range(1, 6):
        assert everything(winnow, limit, **filters) == whole
    if contains is None:
        assert len(whole) == len(EXCLUSIVE)


def test_without_kept_texts_there_are_none(winnow: Winnow) -> None:
    winnow.put_dataset()
    winnow.train(keep_texts=False)

    found = everything(winnow)
    assert [each["row"] for each in found] == list(range(1, len(EXCLUSIVE) + 1))
    assert not any("text" in each for each in found)
    refused = asked(winnow, contains="oven")
    assert (refused.status, refused.body["field"]) == (422, "contains")
    file = winnow.call("get_version_examples")
    assert (file.status, file.body["type"]) == (404, "urn:winnow:problem:texts-not-kept")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"label": "unheard-of"}, "label"),
        ({"predicted": "unheard-of"}, "predicted"),
        ({"wrong": "maybe"}, "wrong"),
        ({"split": "0"}, "split"),
        ({"split": "all"}, "split"),
        ({"sort": "text"}, "sort"),
        ({"contains": "\u200b "}, "contains"),
        ({"limit": "1001"}, "limit"),
        ({"next": "x"}, "next"),
        ({"row": "1"}, "row"),
    ],
)
def test_other_fields_are_refused(cross_validated: Winnow, query: dict[str, str], field: str) -> None:
    answer = asked(cross_validated, **query)

    assert (answer.status, answer.body["field"]) == (422, field)


def test_a_cursor_of_another_query_or_version_is_refused(cross_validated: Winnow) -> None:
    after = listed(cross_validated, limit="3", wrong="false")["next"]
    cross_validated.train(force_update=True, keep_texts=True)

    assert asked(cross_validated, next=after, wrong="false").status == 200
    for version, query in ((1, {}), (1, {"wrong": "true"}), (1, {"wrong": "false", "sort": "score"}), (2, {"wrong": "false"})):
        refused = asked(cross_validated, version, next=after, **query)
        assert (refused.status, refused.body["field"]) == (422, "next")


def test_the_file_has_all_examples_as_a_training_takes_them(held_out: Winnow) -> None:
    link = held_out.call("get_version_examples").body

    body = objects.key_of(held_out, "/learnt/examples.jsonl.gz")
    assert urlsplit(link["url"]).path.endswith(body)
    packed = held_out.objects()[body]
    assert link["bytes"] == len(packed)
    assert [json.loads(line) for line in gzip.decompress(packed).splitlines()] == EXCLUSIVE
    held_out.s3.put_object(Bucket="albert-textcats", Key="again.jsonl.gz", Body=packed)
    report = held_out.create(id="tc-02", training_object="again.jsonl.gz", dry_run=True).body["report"]
    assert (report["trainable"], report["examples"]) == (True, len(EXCLUSIVE))


def test_blocks_make_one_file(winnow: Winnow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("winnow.storage.learnt_examples._BLOCK_BYTES", 300)
    winnow.put_dataset("multilabel.jsonl")
    winnow.train(keep_texts=True)

    packed = winnow.objects()[objects.key_of(winnow, "/learnt/examples.jsonl.gz")]
    assert [json.loads(line) for line in gzip.decompress(packed).splitlines()] == SEVERAL
    winnow.s3.put_object(Bucket="albert-textcats", Key="trainingSet.json", Body=packed)
    assert winnow.create(id="tc-02", dry_run=True).body["report"]["examples"] == len(SEVERAL)


@pytest.mark.parametrize("call", ["list_version_examples", "get_version_examples"])
def test_a_version_of_an_earlier_release_says_why_it_has_none(cross_validated: Winnow, call: str) -> None:
    objects.forget_digests(cross_validated)

    answer = cross_validated.call(call)

    assert (answer.status, answer.body["type"]) == (404, "urn:winnow:problem:examples-not-found")
    assert "an earlier release trained it" in answer.body["detail"]


@pytest.mark.parametrize("call", ["list_version_examples", "get_version_examples"])
def test_more_examples_than_an_index_takes(winnow: Winnow, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    for module in ("storage", "training"):
        monkeypatch.setattr(f"winnow.{module}.learnt_examples.MOST_EXAMPLES", 20)
    winnow.put_dataset()
    assert winnow.train(keep_texts=True)["status"] == "ready"

    answer = winnow.call(call)

    assert (answer.status, answer.body["type"]) == (404, "urn:winnow:problem:examples-not-found")
    assert "more than 20" in answer.body["detail"]


@pytest.mark.parametrize("call", ["list_version_examples", "get_version_examples"])
def test_a_model_or_version_that_is_not_there_is_not_found(winnow: Winnow, call: str) -> None:
    answer = winnow.call(call)
    assert (answer.status, answer.body["type"]) == (404, "urn:winnow:problem:model-not-found")

    winnow.create()
    assert winnow.call(call, path={"model_id": "tc-01", "version": "2"}).body["type"] == "urn:winnow:problem:version-not-found"
    assert winnow.call(call).status == 409


@pytest.mark.parametrize("name", ["/learnt/index.npz", "/learnt/examples.jsonl.gz"])
def test_what_was_changed_or_removed_is_not_served(cross_validated: Winnow, name: str) -> None:
    body = cross_validated.objects()[objects.key_of(cross_validated, name)]
    for other in (body[:-20], body[:40] + bytes([body[40] ^ 1]) + body[41:], b""):
        objects.replace(cross_validated, name, other)
        answer = asked(cross_validated)
        assert (answer.status, answer.body["type"]) == (500, "urn:winnow:problem:artifact")
        assert f"{name[1:]} of version 1 of model 'tc-01' has changed" in answer.body["detail"]
    objects.remove(cross_validated, name)
    assert f"{name[1:]} of version 1 of model 'tc-01' is missing" in asked(cross_validated).body["detail"]


def test_the_index_is_read_once_and_those_used_long_ago_are_dropped(cross_validated: Winnow, monkeypatch: pytest.MonkeyPatch) -> None:
    listed(cross_validated)
    with monkeypatch.context() as unread:
        unread.setattr("winnow.storage.learnt_examples.LearntExamples.index", lambda *_: pytest.fail("read again"))
        listed(cross_validated, sort="margin")
    cross_validated.train(force_update=True, keep_texts=True)
    monkeypatch.setattr("winnow.training.learnt_examples._MOST_KEPT", 1)

    listed(cross_validated, 2)

    assert len(learnt_examples._kept) == 1
    assert np.isfinite(next(iter(learnt_examples._kept.values())).columns["score"]).all()


@pytest.mark.parametrize(
    ("contains", "found"),
    [
        ("ONE two", [1, 2, 3]),
        ("one\u00a0 TWO ", [1, 2, 3]),
        ("e t", [1, 2, 3]),
        ('"quoted"', [4]),
        ("back\\slash", [4]),
        ("a\nb", [5]),
        ("straße", [6, 7]),
        ("fish", [8]),
        ("label", []),
        ("two one", []),
    ],
)
def test_a_part_of_a_text_is_found_in_any_spelling(winnow: Winnow, once: Once, contains: str, found: list[int]) -> None:
    texts = [
        *("one two", "and One\t TWO three", "\uff4f\uff4e\uff45 two", 'some "Quoted" back\\slash', "A  b, c"),
        *("die STRASSE", "die Straße", "ein \ufb01sh"),
    ]

    def train() -> None:
        winnow.put_dataset([{"text": text, "label": f"label {number % 2}"} for number, text in enumerate(texts)])
        winnow.train(keep_texts=True)

    once("spellings", train)

    assert [each["row"] for each in everything(winnow, contains=contains)] == found


def test_a_text_that_comes_twice_is_one_example_in_two_rows(winnow: Winnow) -> None:
    twice = [*EXCLUSIVE, {"text": EXCLUSIVE[0]["text"].upper(), "label": EXCLUSIVE[0]["label"]}]
    winnow.put_dataset(twice)
    winnow.train(keep_texts=True)

    found = everything(winnow)

    assert [each["row"] for each in found if each["example"] == found[0]["example"]] == [1, len(twice)]
