"""PATCH /models/{model_id}, and the same properties in POST /models: retrain_after, tolerance, title, note and tags."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import load_event
from tests.support.feedback import add, labelled
from tests.support.races import before_write

if TYPE_CHECKING:
    from tests.conftest import Answer, Ready, Winnow

NEW = (None, 0.0)


def change(winnow: Winnow, if_match: str | None = None, **properties: Any) -> Answer:
    return winnow.call("change_model", body=properties, headers=None if if_match is None else {"If-Match": if_match})


def properties(winnow: Winnow) -> tuple[int | None, float]:
    model = winnow.model()
    return model["retrain_after"], model["tolerance"]


def test_what_is_named_changes_and_the_rest_stays(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    assert properties(winnow) == NEW

    answer = change(winnow, retrain_after=100)
    assert (answer.status, answer.body["retrain_after"], answer.body["tolerance"]) == (200, 100, 0)
    assert answer.body == winnow.model()
    change(winnow, tolerance=0.015)
    assert properties(winnow) == (100, 0.015)
    change(winnow, retrain_after=None, tolerance=1)
    assert properties(winnow) == (None, 1)
    assert [(model["retrain_after"], model["tolerance"]) for model in winnow.call("list_models").body["models"]] == [(None, 1)]


def test_words_are_shown_with_the_model_and_can_be_removed(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    words: dict[str, Any] = {
        "title": "What clients ask",
        "note": "Ask the team first.\nThen promote.",
        "tags": ["support", "Übung 1", "support"],
    }
    shown = words | {"tags": ["support", "Übung 1"]}
    new = winnow.model()
    assert (new["title"], new["note"], new["tags"]) == (None, None, [])

    answer = change(winnow, **words)

    assert (answer.status, answer.body) == (200, winnow.model())
    assert shown.items() <= answer.body.items()
    assert shown.items() <= winnow.call("list_models").body["models"][0].items()
    assert change(winnow, **words).headers["ETag"] == answer.headers["ETag"]
    gone = change(winnow, title=None, note=None, tags=[]).body
    assert (gone["title"], gone["note"], gone["tags"]) == (None, None, [])


def test_a_number_nearer_to_zero_than_dynamodb_s_is_kept_as_its_smallest(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    answer = change(winnow, tolerance=1.2426673973201003e-267)
    assert (answer.status, answer.body["tolerance"], properties(winnow)) == (200, 1e-130, (None, 1e-130))


def test_the_tag_is_that_of_the_model_and_changes_only_with_it(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    before = winnow.call("get_model").headers["ETag"]

    same = change(winnow, retrain_after=None, tolerance=0)
    other = change(winnow, tolerance=0.5)

    assert same.headers["ETag"] == before
    assert other.headers["ETag"] == winnow.call("get_model").headers["ETag"] != before


def test_a_stale_tag_changes_nothing_and_feedback_makes_none_stale(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    tag = winnow.call("get_model").headers["ETag"]
    add(winnow)

    assert change(winnow, tag, retrain_after=7).status == 200
    stale = change(winnow, tag, retrain_after=8)

    assert (stale.status, stale.body["type"]) == (412, "urn:winnow:problem:stale")
    assert properties(winnow) == (7, 0)
    assert change(winnow, "*", retrain_after=9).status == 200


def test_what_changed_between_the_look_and_the_write_is_stale_too(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    tag = winnow.call("get_model").headers["ETag"]

    with before_write(lambda: change(winnow, tolerance=0.3)) as others:
        answer = change(winnow, tag, tolerance=0.2)

    assert (others[0].status, answer.status) == (200, 412)
    assert properties(winnow) == (None, 0.3)


def test_a_model_that_is_deleted_meanwhile_is_not_made_again(ready: Ready) -> None:
    winnow = ready("exclusive.json")

    with before_write(lambda: winnow.call("delete_model", path={"model_id": "tc-01"}).status) as deleted:
        answer = change(winnow, tolerance=0.2)

    assert (deleted, answer.status) == ([200], 404)
    assert winnow.call("list_models").body["models"] == []


def test_what_it_sets_holds_for_the_next_examples(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    add(winnow, labelled(3))
    change(winnow, retrain_after=4)

    assert add(winnow, labelled(1, "atm")).body["retrain"] == "started"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"retrain_after": 0}, "retrain_after"),
        ({"retrain_after": 100_001}, "retrain_after"),
        ({"retrain_after": "5"}, "retrain_after"),
        ({"retrain_after": 2.5}, "retrain_after"),
        ({"tolerance": -0.1}, "tolerance"),
        ({"tolerance": 1.1}, "tolerance"),
        ({"tolerance": None}, "tolerance"),
        ({"title": ""}, "title"),
        ({"title": "two\nlines"}, "title"),
        ({"title": "x" * 101}, "title"),
        ({"note": "x" * 1_001}, "note"),
        ({"note": "\x1b[31m"}, "note"),
        ({"tags": None}, "tags"),
        ({"tags": "support"}, "tags"),
        ({"tags": ["x" * 41]}, "tags[0]"),
        ({"tags": [str(number) for number in range(11)]}, "tags"),
        ({"live_version": 1}, "live_version"),
        ({}, None),
    ],
)
def test_other_values(ready: Ready, body: dict[str, Any], field: str | None) -> None:
    winnow = ready("exclusive.json")

    answer = change(winnow, **body)

    assert (answer.status, answer.body.get("field")) == (422, field)
    assert properties(winnow) == NEW


def test_a_whole_number_may_be_written_with_a_point(ready: Ready) -> None:
    winnow = ready("exclusive.json")

    assert winnow.call("change_model", body='{"retrain_after": 5.0}').status == 200
    assert json.dumps(winnow.model()["retrain_after"]) == "5"


def test_there_must_be_a_model(winnow: Winnow) -> None:
    assert change(winnow, tolerance=0.1).status == 404
    assert winnow.call("change_model", path={"model_id": "-"}).status == 422
    assert winnow.call("change_model", body="[").status == 400


def test_post_models_sets_them_and_a_later_training_only_what_it_names(winnow: Winnow) -> None:
    winnow.create(retrain_after=50, tolerance=0.02)
    assert properties(winnow) == (50, 0.02)
    winnow.call("cancel_version", path={"model_id": "tc-01", "version": "1"})

    winnow.create(force_update=True)
    assert properties(winnow) == (50, 0.02)
    winnow.call("cancel_version", path={"model_id": "tc-01", "version": "2"})
    body = json.loads(load_event("api/create_model")["body"]) | {"force_update": True, "retrain_after": None}
    assert winnow.call("create_model", body=body).status == 202
    assert properties(winnow) == (None, 0.02)
    assert set(winnow.version()["hyperparameters"]).isdisjoint({"retrain_after", "tolerance"})


def test_post_models_without_them_makes_a_model_that_never_trains_by_itself(winnow: Winnow) -> None:
    winnow.create()

    assert properties(winnow) == NEW
    assert winnow.create("create_model_force_update", retrain_after=0).status == 422
