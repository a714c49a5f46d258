"""POST and GET /models/{model_id}/queue: what is chosen, to whom it is handed out, and how it leaves the queue."""

from __future__ import annotations

import gzip
import json
import random
from itertools import count
from string import ascii_lowercase
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import CLIENT_BUCKET, Context, load_event
from tests.support.feedback import add
from tests.support.races import before_write
from tests.support.review import TEXTS, get, make, put_texts, texts_of
from winnow.review import make as making
from winnow.review import sources

if TYPE_CHECKING:
    from tests.conftest import Answer, Ready, Winnow
    from tests.support.clock import Clock


@pytest.fixture
def model(ready: Ready) -> Winnow:
    return ready("exclusive.json")


def row_of(winnow: Winnow) -> Any:
    [row] = [row for row in winnow.table.scan()["Items"] if row["pk"].startswith("REVIEW#")]
    return row


def objects_of(winnow: Winnow) -> list[str]:
    return [key for key in winnow.objects() if "/queue/" in key]


# --- what is in it ---


def test_all_new_texts_are_queued_and_the_answer_says_what_became_of_the_file(model: Winnow) -> None:
    known = json.loads(model.s3.get_object(Bucket=CLIENT_BUCKET, Key="trainingSet.json")["Body"].read())[0]["text"]

    made = make(model, [*TEXTS, known.upper(), "  How do I whisk  EGG whites", " ", {"text": "pruning a quince", "id": 7, "label": "x"}])

    assert made.status == 201
    told = {name: made.body[name] for name in ("rows", "unreadable", "drawn", "left_out", "looked_at", "queued", "version")}
    assert told == {"rows": 16, "unreadable": 1, "drawn": 15, "left_out": 2, "looked_at": 13, "queued": 13, "version": 1}
    assert [problem[:8] for problem in made.body["problems"]] == ["Line 15 "]
    assert made.headers["Location"] == "queue"
    out = get(model, 50)
    assert sorted(texts_of(out)) == sorted([*TEXTS, "pruning a quince"])
    assert (out["left"], out["handed_out"], out["exclusive"]) == (13, 13, True)
    first = out["items"][0]
    best, second = first["labels"][:2]
    assert first["uncertainty"] == pytest.approx(1 - best["score"] + second["score"], abs=1e-3)
    assert {item["id"] for item in out["items"]} == {None, 7}
    assert {item["line"] for item in out["items"]} == {*range(1, 13), 16}


def test_a_text_that_nearly_repeats_another_is_left_out(model: Winnow) -> None:
    made = make(model, [*TEXTS, "how do I whisk egg whites??", "how do I whisk egg, whites"])

    assert (made.body["looked_at"], made.body["queued"]) == (14, 12)


def test_texts_with_feedback_are_left_out_also_by_a_queue_that_is_made_later(model: Winnow) -> None:
    add(model, [{"text": TEXTS[0], "label": "baking"}])

    assert make(model).body["queued"] == len(TEXTS) - 1
    assert TEXTS[0] not in texts_of(get(model, 50))


def test_of_a_large_file_an_even_part_is_drawn_the_same_each_time(model: Winnow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "MOST_TEXTS", 40)
    many = ["".join(random.Random(number).choices(ascii_lowercase, k=20)) for number in range(200)]

    drawn = []
    for _ in range(2):
        made = make(model, many)
        drawn.append({item["line"] for item in _object(model)})
        assert (made.body["rows"], made.body["drawn"]) == (200, 40)

    assert drawn[0] == drawn[1]
    assert any(line > 150 for line in drawn[0])
    assert any(line < 50 for line in drawn[0])


def _object(winnow: Winnow) -> list[Any]:
    """The items in the newest queue's object."""
    newest = max(objects_of(winnow))
    return [json.loads(line) for line in gzip.decompress(winnow.objects()[newest]).splitlines()][1:]


def test_the_queue_has_a_limit(model: Winnow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making, "MOST_ITEMS", 5)

    assert make(model).body["queued"] == 5
    assert len(get(model, 50)["items"]) == 5


def test_what_there_is_no_time_for_is_not_looked_at(model: Winnow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making, "_TOGETHER", 1)
    # Each look at the clock is a second later, and there are 22.
    seconds = count()
    monkeypatch.setattr(making, "monotonic", lambda: next(seconds))
    monkeypatch.setattr(sources, "monotonic", lambda: 0)

    told = make(model).body

    assert (told["drawn"], told["looked_at"], told["queued"]) == (12, 10, 10)


def test_similar_texts_without_an_accepted_label_are_a_candidate_label_with_its_words(model: Winnow) -> None:
    strange = [f"the goalkeeper saved penalty number {each}" for each in ("one", "two", "three", "four", "five", "six")]

    made = make(model, [*TEXTS, *strange])

    [group] = made.body["groups"]
    assert group["texts"] == 6
    assert {"goalkeeper", "penalty"} <= set(group["words"])
    out = get(model, 50)
    assert out["groups"] == [group]
    assert {item["text"] for item in out["items"] if item["group"] == group["group"]} <= set(strange)


def test_the_names_of_labels_are_enough_to_begin(winnow: Winnow) -> None:
    winnow.parameters["Encoder"] = "minilm"
    assert winnow.create(s3bucket=None, training_object=None, labels=["baking", "gardening", "cycling"]).status == 202
    winnow.run_workflow(winnow.started_job())

    made = make(winnow, [*TEXTS, "how do I whisk the egg whites"])

    assert (made.status, made.body["looked_at"], made.body["queued"]) == (201, 13, 12), "one says the same as another"
    out = get(winnow, 50)
    assert not any(label["accepted"] for item in out["items"] for label in item["labels"])
    assert "slugs ate every lettuce" in texts_of(out)


def test_several_labels_a_text(ready: Ready) -> None:
    winnow = ready("multilabel.jsonl")

    assert make(winnow).status == 201

    out = get(winnow)
    assert out["exclusive"] is False
    assert all(0 <= item["uncertainty"] <= 1 for item in out["items"])


def test_a_table_is_read_as_it_was_told(model: Winnow) -> None:
    body = "subject;body;topic\nhélp;where is one;atm\ncard;freeze it;x\n".encode("windows-1252")

    made = make(model, body, "texts.csv", text_column=["subject", "body"], delimiter=";", encoding="windows-1252")

    assert made.status == 201, made.body
    assert sorted(texts_of(get(model))) == ["card\n\nfreeze it", "hélp\n\nwhere is one"]


# --- handing out ---


def test_no_text_is_handed_out_twice_until_ten_minutes_are_over(model: Winnow, clock: Clock) -> None:
    make(model)

    first, second, third = get(model, 5), get(model, 5), get(model, 5)

    assert [len(each["items"]) for each in (first, second, third)] == [5, 5, 2]
    assert len({*texts_of(first), *texts_of(second), *texts_of(third)}) == 12
    assert (third["left"], third["handed_out"]) == (12, 12)
    nothing = get(model)
    assert (nothing["items"], nothing["left"]) == ([], 12)
    clock.advance(minutes=9, seconds=50)
    assert get(model)["items"] == []
    clock.advance(seconds=20)
    assert texts_of(get(model, 5)) == texts_of(first), "they come back in their order"
    assert sum(len(items) for items in row_of(model)["leases"].values()) == 5, "what is over isn't kept"


def test_ten_are_handed_out_if_nobody_says_how_many(model: Winnow) -> None:
    make(model)

    assert len(get(model)["items"]) == 10


def test_two_reviewers_at_once_get_different_texts(model: Winnow) -> None:
    make(model)

    with before_write(lambda: get(model, 5), "dynamodb.UpdateItem") as other:
        own = get(model, 5)

    assert len({*texts_of(own), *texts_of(other[0])}) == 10


def test_feedback_takes_texts_out_and_taking_it_back_brings_them_in_again(model: Winnow, clock: Clock) -> None:
    make(model)
    both = [{"text": TEXTS[1].upper(), "label": "cycling"}, {"text": TEXTS[2], "label": "gardening"}, {"text": "other", "label": "x"}]
    batch = add(model, both).body["batch"]
    add(model, [{"text": TEXTS[2], "label": "gardening"}])
    add(model, [{"text": "quite another", "label": "x"}])

    out = get(model, 50)

    assert (out["left"], len(out["items"])) == (10, 10)
    assert {TEXTS[1], TEXTS[2]}.isdisjoint(texts_of(out))
    model.call("delete_examples", path={"model_id": "tc-01", "batch": batch})
    assert texts_of(get(model)) == [TEXTS[1]], "the other one has another answer"
    clock.advance(minutes=20)
    assert get(model, 50)["left"] == 11


def test_objects_of_feedback_that_were_read_are_not_read_again(model: Winnow, clock: Clock) -> None:
    make(model)
    add(model, [{"text": TEXTS[1], "label": "cycling"}])
    add(model, [{"text": "quite another", "label": "x"}])
    clock.advance(minutes=20)
    get(model, 2)

    for key in list(model.objects()):
        if "/feedback/" in key:
            model.s3.delete_object(Bucket=model.names["Models"], Key=key)

    assert get(model, 50)["left"] == len(TEXTS) - 1


def test_a_damaged_feedback_batch_is_passed_over(model: Winnow) -> None:
    make(model)
    add(model, [{"text": TEXTS[1], "label": "cycling"}])
    [key] = [key for key in model.objects() if "/feedback/" in key]
    model.s3.put_object(Bucket=model.names["Models"], Key=key, Body=b"damaged")

    assert get(model, 50)["left"] == len(TEXTS)
    assert make(model).status == 201


# --- its life ---


def test_a_new_queue_replaces_the_old_one_and_what_is_handed_out_stays_so(model: Winnow, clock: Clock) -> None:
    make(model)
    out = texts_of(get(model, 5))

    make(model)

    assert len(objects_of(model)) == 2
    assert set(out).isdisjoint(texts_of(get(model, 50)))
    clock.advance(days=2)
    model.invoke("functions/upkeep/sweep", load_event("upkeep/sweep"), Context(seconds=240))
    assert [row_of(model)["queue"] in key for key in objects_of(model)] == [True]
    assert len(get(model, 50)["items"]) == 12


def test_texts_that_are_handed_out_while_a_new_queue_is_made_stay_handed_out(model: Winnow) -> None:
    make(model)

    with before_write(lambda: get(model, 5)) as other:
        assert make(model).status == 201

    assert set(texts_of(other[0])).isdisjoint(texts_of(get(model, 50)))


def test_a_queue_that_is_replaced_while_it_is_read_gives_the_new_one(model: Winnow) -> None:
    make(model)
    [old] = objects_of(model)

    def replaced() -> None:
        make(model, TEXTS[:3])
        model.s3.delete_object(Bucket=model.names["Models"], Key=old)

    with before_write(replaced, "s3.GetObject"):
        assert sorted(texts_of(get(model))) == sorted(TEXTS[:3])


def test_after_thirty_days_it_is_gone_and_its_object_too(model: Winnow, clock: Clock) -> None:
    make(model)
    clock.advance(days=30, minutes=1)

    assert not_found(model.call("get_queue"))
    # DynamoDB removes the row some time later.
    model.table.delete_item(Key={name: row_of(model)[name] for name in ("pk", "sk")})
    model.invoke("functions/upkeep/sweep", load_event("upkeep/sweep"), Context(seconds=240))
    assert objects_of(model) == []
    assert make(model).status == 201


def test_an_expired_queue_is_replaced(model: Winnow, clock: Clock) -> None:
    make(model)
    clock.advance(days=31)

    assert make(model).status == 201
    assert get(model, 50)["left"] == len(TEXTS)


def not_found(answer: Answer) -> bool:
    return (answer.status, answer.body["type"]) == (404, "urn:winnow:problem:review-queue-not-found")


def test_it_goes_with_the_model_and_another_life_has_none(model: Winnow) -> None:
    make(model)

    model.call("delete_model")

    assert [row for row in model.table.scan()["Items"] if row["pk"].startswith("REVIEW#")] == []
    assert objects_of(model) == []
    assert model.call("get_queue").body["type"] == "urn:winnow:problem:model-not-found"
    model.train()
    assert not_found(model.call("get_queue"))


def test_a_model_that_is_deleted_meanwhile_gets_no_queue(model: Winnow) -> None:
    with before_write(lambda: model.call("delete_model")):
        assert make(model).status == 404

    assert [row for row in model.table.scan()["Items"] if row["pk"].startswith("REVIEW#")] == []


def test_a_changed_or_lost_object_is_found(model: Winnow) -> None:
    make(model)
    [key] = objects_of(model)
    model.s3.put_object(Bucket=model.names["Models"], Key=key, Body=b"changed")
    assert "have changed" in model.call("get_queue").body["detail"]
    model.s3.delete_object(Bucket=model.names["Models"], Key=key)
    assert model.call("get_queue").body["type"] == "urn:winnow:problem:artifact"


# --- bad input ---


def test_a_model_without_a_ready_version_can_t_judge(winnow: Winnow) -> None:
    assert make(winnow).status == 404
    winnow.put_dataset()
    winnow.create()

    answer = make(winnow)

    assert (answer.status, answer.body["type"]) == (409, "urn:winnow:problem:model-not-ready")
    assert not_found(winnow.call("get_queue"))


def test_without_a_live_version_the_latest_ready_one_judges(winnow: Winnow) -> None:
    winnow.put_dataset()
    winnow.train(promote="never", n_iter=8)

    assert make(winnow).body["version"] == 1


@pytest.mark.parametrize(
    ("body", "key", "told"),
    [
        (b"", "texts.jsonl", "is empty"),
        (b"\n \n", "texts.jsonl", "is empty"),
        (b'" "\n""\n', "texts.jsonl", "no text that can be read"),
        (b"{}\n", "texts.jsonl", "no text that can be read"),
        (b"text\n", "texts.csv", "no text that can be read"),
        (b"a,b\n1,2\n", "texts.csv", "column"),
        (b"\x1f\x8bbroken", "texts.csv.gz", "gzip"),
        (b'["a", ', "texts.json", "JSON"),
        (None, "absent.jsonl", "can't be read"),
    ],
)
def test_a_file_without_texts_is_refused(model: Winnow, body: bytes | None, key: str, told: str) -> None:
    answer = make(model, body, key)

    assert (answer.status, answer.body["type"]) == (422, "urn:winnow:problem:dataset")
    assert told in answer.body["detail"]
    assert not_found(model.call("get_queue"))


def test_a_file_with_known_texts_alone_is_refused_and_the_earlier_queue_stays(model: Winnow) -> None:
    make(model)

    answer = make(model, model.s3.get_object(Bucket=CLIENT_BUCKET, Key="trainingSet.json")["Body"].read(), "known.json")

    assert (answer.status, answer.body["type"]) == (422, "urn:winnow:problem:dataset")
    assert len(get(model, 50)["items"]) == len(TEXTS)


def test_a_file_that_is_too_long_is_refused(model: Winnow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "MOST_ROWS", 3)
    assert "at most 3" in make(model).body["detail"]
    monkeypatch.setattr(sources, "MOST_BYTES", 10)
    assert "10 bytes" in make(model).body["detail"]


def test_a_file_that_takes_too_long_is_refused(model: Winnow) -> None:
    put_texts(model)

    answer = model.invoke("functions/api/create_queue", load_event("api/create_queue"), Context(seconds=5))

    assert answer["statusCode"] == 422
    assert "too long to read" in answer["body"]


@pytest.mark.parametrize(
    ("fields", "field"),
    [({"s3bucket": "X"}, "s3bucket"), ({"object": ""}, "object"), ({"n_top": 3}, "n_top"), ({"delimiter": "x"}, "delimiter")],
)
def test_wrong_fields_are_refused(model: Winnow, fields: dict[str, Any], field: str) -> None:
    answer = model.call("create_queue", body={"s3bucket": CLIENT_BUCKET, "object": "texts.jsonl", **fields})

    assert (answer.status, answer.body["field"]) == (422, field)


@pytest.mark.parametrize("query", [{"limit": "0"}, {"limit": "51"}, {"limit": "x"}, {"minutes": "5"}])
def test_wrong_parameters_are_refused(model: Winnow, query: dict[str, str]) -> None:
    answer = model.call("get_queue", query=query)

    assert (answer.status, answer.body["field"]) == (422, next(iter(query)))
