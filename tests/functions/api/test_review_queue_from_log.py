"""POST /models/{model_id}/queue {"from": "log"}: the queue of texts that were classified, as long as the model's log keeps them."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest

from tests.functions.api.test_prediction_log import objects, predict, switch_on
from tests.support.feedback import add, set_properties
from tests.support.races import before_write
from tests.support.review import TEXTS, get, make, make_from_log, texts_of
from winnow.review import make as making
from winnow.review import sources

if TYPE_CHECKING:
    from tests.conftest import Answer, Ready, Winnow
    from tests.support.clock import Clock


@pytest.fixture
def model(ready: Ready) -> Winnow:
    """tc-01, whose log has TEXTS."""
    winnow = ready("exclusive.json")
    switch_on(winnow, {"share": 1, "days": 7})
    predict(winnow, list(TEXTS[:6]))
    for text in TEXTS[6:]:
        predict(winnow, text)
    return winnow


def refused(answer: Answer) -> str:
    assert (answer.status, answer.body["type"]) == (409, "urn:winnow:problem:no-logged-texts")
    return str(answer.body["detail"])


def test_the_texts_of_the_log_are_queued_with_the_ids_of_their_predictions(model: Winnow) -> None:
    made = make_from_log(model)

    assert made.status == 201, made.body
    told = {name: made.body[name] for name in ("rows", "unreadable", "problems", "drawn", "left_out", "looked_at", "queued", "version")}
    assert told == {"rows": 12, "unreadable": 0, "problems": [], "drawn": 12, "left_out": 0, "looked_at": 12, "queued": 12, "version": 1}
    out = get(model, 50)
    kept = {line["text"]: line["prediction_id"] for lines in objects(model).values() for line in lines}
    assert {item["text"]: item["prediction_id"] for item in out["items"]} == kept
    assert {(item["line"], item["id"]) for item in out["items"]} == {(None, None)}


def test_the_least_certain_come_first_and_strange_ones_are_candidate_labels(model: Winnow) -> None:
    predict(model, [f"the goalkeeper saved penalty number {each}" for each in ("one", "two", "three", "four", "five", "six")])

    made = make_from_log(model)

    [group] = made.body["groups"]
    assert {"goalkeeper", "penalty"} <= set(group["words"])
    uncertain = [item["uncertainty"] for item in get(model, 50)["items"]]
    assert uncertain[0] > sorted(uncertain)[len(uncertain) // 2]


def test_a_text_that_came_often_is_asked_for_once(model: Winnow) -> None:
    predict(model, [TEXTS[0]] * 5)

    made = make_from_log(model)

    assert (made.body["drawn"], made.body["left_out"], made.body["queued"]) == (17, 5, 12)


def test_two_reviewers_at_once_get_different_texts_until_ten_minutes_are_over(model: Winnow, clock: Clock) -> None:
    make_from_log(model)

    with before_write(lambda: get(model, 5), "dynamodb.UpdateItem") as other:
        own = get(model, 5)

    assert len({*texts_of(own), *texts_of(other[0])}) == 10
    assert make_from_log(model).status == 201, "a new queue doesn't hand them out either"
    assert len(get(model, 50)["items"]) == 2
    clock.advance(minutes=11)
    assert len(get(model, 50)["items"]) == 12


def test_an_answer_by_the_id_of_the_prediction_takes_a_text_out_for_good(model: Winnow) -> None:
    make_from_log(model)
    [first, second] = get(model, 2)["items"]

    assert add(model, [{"prediction_id": first["prediction_id"], "label": "baking"}, {"text": second["text"], "label": "x"}]).status == 201

    assert get(model, 50)["left"] == 10
    predict(model, [first["text"], second["text"]])
    made = make_from_log(model)
    assert (made.body["left_out"], made.body["queued"]) == (4, 10)
    assert {first["text"], second["text"]}.isdisjoint(texts_of(get(model, 50)))


def test_the_queue_has_no_text_of_its_own_so_what_the_log_removes_is_gone(model: Winnow, clock: Clock) -> None:
    make_from_log(model)
    [body] = [body for key, body in model.objects().items() if "/queue/" in key]
    assert not any(text in gzip.decompress(body).decode() for text in TEXTS)
    lost, *_ = [key for key, lines in objects(model).items() if len(lines) == 1]

    model.s3.delete_object(Bucket=model.names["Models"], Key=lost)
    assert len(get(model, 50)["items"]) == 11
    clock.advance(days=7, minutes=1)
    nothing = get(model, 50)
    assert (nothing["items"], nothing["left"]) == ([], 0)
    assert "has no text yet" in refused(make_from_log(model))


def test_lost_texts_give_their_place_to_others(model: Winnow) -> None:
    make_from_log(model)
    for key, lines in objects(model).items():
        if len(lines) > 1:
            model.s3.delete_object(Bucket=model.names["Models"], Key=key)

    assert sorted(texts_of(get(model, 6))) == sorted(TEXTS[6:])


def test_the_newest_days_come_first(model: Winnow, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "MOST_TEXTS", 3)
    clock.advance(days=2)
    model.new_environment()
    new = ["how long to prove a sourdough", "chain oil for winter", "when to sow beans"]
    for text in new:
        predict(model, text)

    assert make_from_log(model).body["drawn"] == 3

    assert sorted(texts_of(get(model, 50))) == sorted(new)


def test_without_a_log_the_answer_says_how_to_switch_it_on(ready: Ready) -> None:
    winnow = ready("exclusive.json")

    assert '{"log": {"share": 0.1, "days": 30}}' in refused(make_from_log(winnow))
    switch_on(winnow)
    assert "has no text yet" in refused(make_from_log(winnow))
    assert winnow.call("get_queue").status == 404


def test_what_a_log_kept_before_it_was_switched_off_is_queued(model: Winnow) -> None:
    set_properties(model, log=None)

    assert make_from_log(model).body["queued"] == 12


def test_with_little_time_some_texts_are_read(model: Winnow, monkeypatch: pytest.MonkeyPatch) -> None:
    # The time to read is over after the second request.
    seconds = iter([0, 100])
    monkeypatch.setattr(sources, "monotonic", lambda: next(seconds))
    monkeypatch.setattr(making, "monotonic", lambda: 0)

    answer = make_from_log(model)

    assert answer.status == 201, answer.body
    # One request of the log has six texts, the others have one.
    assert answer.body["drawn"] in {2, 7}
    assert answer.body["looked_at"] == answer.body["drawn"]


def test_another_life_of_the_model_has_none_of_them(model: Winnow) -> None:
    make_from_log(model)
    model.call("delete_model")
    model.train()
    switch_on(model)

    refused(make_from_log(model))


def test_a_queue_of_a_file_has_no_predictions(model: Winnow) -> None:
    make(model)

    assert {item["prediction_id"] for item in get(model, 50)["items"]} == {None}


@pytest.mark.parametrize(
    ("body", "field", "told"),
    [
        ({"from": "file"}, "from", "from must be log"),
        ({"from": "log", "object": "texts.jsonl"}, "object", "object can't be sent with from"),
        ({"from": "log", "delimiter": ";"}, "delimiter", "delimiter can't be sent with from"),
        ({}, "s3bucket", "s3bucket is missing"),
        ({"s3bucket": "albert-textcats"}, "object", "object is missing"),
    ],
)
def test_wrong_fields_are_refused(model: Winnow, body: dict[str, str], field: str, told: str) -> None:
    answer = model.call("create_queue", body=body)

    assert (answer.status, answer.body["field"]) == (422, field)
    assert told in answer.body["detail"]
