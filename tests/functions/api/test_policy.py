"""PUT, GET and DELETE /models/{model_id}/policy: what `accepted` means, changed without a training."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import load_dataset
from tests.support import objects
from tests.support.batches import TEXTS, get, post, result
from tests.support.batches import put as put_texts
from tests.support.policies import LABELS, give_dial, put, rows
from tests.support.races import before_write

if TYPE_CHECKING:
    from tests.conftest import Json, Once, Ready, Winnow
    from tests.support.clock import Clock

TEXT = "How long should brioche dough rest in the fridge?"
STALE = (412, "urn:winnow:problem:stale")


@pytest.fixture
def one(ready: Ready) -> Winnow:
    """tc-01 with a live version that has 400 held-out answers: of the surest 360 all are right, of the others none."""
    winnow = ready("exclusive.json")
    give_dial(winnow, 400, 0.9)
    return winnow


@pytest.fixture
def two(ready: Ready, once: Once) -> Winnow:
    """tc-01 with two ready versions. The second is live and lacks the label baking."""

    def make() -> None:
        winnow = ready("exclusive.json")
        winnow.put_dataset([record for record in load_dataset("exclusive.json") if record["label"] != "baking"])
        assert winnow.train(force_update=True)["status"] == "ready"

    return once("two versions, of which the second lacks baking", make)


def predict(winnow: Winnow, *, text: str = TEXT, **fields: Any) -> Json:
    """The answer of an environment that has just begun, so that no row is remembered."""
    winnow.new_environment()
    answer = winnow.call("predict", "predict_get_body", body={"model_id": "tc-01", "text": text, **fields})
    assert answer.status == 200, answer.body
    found: Json = answer.body
    return found


def accepted(answer: Json) -> list[bool]:
    return [each["accepted"] for each in answer["labels"]]


def policy(winnow: Winnow) -> Json:
    found: Json = winnow.call("get_policy").body
    return found


# --- what a policy changes ---


def test_a_policy_changes_what_is_accepted_and_nothing_else(one: Winnow) -> None:
    before = predict(one)
    assert before["labels"][0] | {"score": 0} == {"label": "baking", "score": 0, "accepted": True}
    assert "policy" not in before

    strict = put(one, thresholds={"baking": 1})

    assert (strict.status, strict.body["policy"]["revision"]) == (200, 1)
    after = predict(one)
    assert after["policy"] == 1
    assert accepted(after) == [False, False, False]
    assert [each | {"accepted": None} for each in after["labels"]] == [each | {"accepted": None} for each in before["labels"]]
    assert one.model()["policy"] == 1

    put(one, thresholds={"baking": 0})
    assert (predict(one)["policy"], accepted(predict(one))) == (2, [True, False, False])


def test_several_texts_each_name_the_policy(one: Winnow) -> None:
    put(one, thresholds={"cycling": 0.9})
    one.new_environment()

    answer = one.call("predict", "predict_get_body", body={"model_id": "tc-01", "texts": [TEXT, "a bicycle"], "n_top": 1})

    assert [each["policy"] for each in answer.body["predictions"]] == [1, 1]


def test_a_warm_function_notices_within_two_seconds(one: Winnow, monkeypatch: pytest.MonkeyPatch) -> None:
    seconds, ask = [0.0], {"model_id": "tc-01", "text": TEXT}
    predict(one)
    pointers = one.environments["functions/api/predict"].predictor()._pointers  # its clock is the test's
    monkeypatch.setattr(pointers, "_clock", lambda: seconds[0])
    pointers.forget("tc-01")
    assert "policy" not in one.call("predict", "predict_get_body", body=ask).body
    put(one, thresholds=dict.fromkeys(LABELS, 1))
    assert "policy" not in one.call("predict", "predict_get_body", body=ask).body

    seconds[0] += 2

    answer = one.call("predict", "predict_get_body", body=ask).body
    assert (answer["policy"], accepted(answer)) == (1, [False, False, False])


def test_without_a_policy_the_answer_is_as_before(one: Winnow) -> None:
    before = predict(one)
    put(one, thresholds={"baking": 1})

    ended = one.call("delete_policy")

    assert (ended.status, ended.body) == (200, {"model_id": "tc-01", "policy": None, "applied": None})
    assert {**predict(one), "prediction_id": ""} == {**before, "prediction_id": ""}
    assert one.model()["policy"] is None
    assert [(each["revision"], each["thresholds"]) for each in policy(one)["history"]] == [(2, None), (1, {"baking": 1})]
    # Once more changes nothing, and the next policy has the next number.
    state = rows(one)
    assert one.call("delete_policy").status == 200
    assert rows(one) == state
    assert put(one, cost={"wrong": 10, "refused": 1}).body["policy"]["revision"] == 3


def test_strange_texts_stay_refused(one: Winnow) -> None:
    strange = "zxqv wkjh"
    assert not any(accepted(predict(one, text=strange)))

    put(one, thresholds=dict.fromkeys(LABELS, 0))

    assert not any(accepted(predict(one, text=strange)))


def test_a_batch_keeps_the_policy_that_it_was_asked_under(one: Winnow) -> None:
    put_texts(one, TEXTS)
    put(one, thresholds=dict.fromkeys(LABELS, 1))
    asked = post(one, n_top=1).body["batch"]
    put(one, thresholds=dict.fromkeys(LABELS, 0))

    one.run_batch(one.started_job("BatchWorkflow"))

    batch = get(one, asked).body
    assert (batch["status"], batch["policy"]) == ("ready", 1)
    assert [(line["policy"], line["labels"][0]["accepted"]) for line in result(one, batch)] == [(1, False)] * len(TEXTS)


def test_a_batch_without_a_policy_names_none(one: Winnow) -> None:
    put_texts(one, TEXTS)
    asked = post(one, n_top=1).body["batch"]
    one.run_batch(one.started_job("BatchWorkflow"))
    batch = get(one, asked).body
    assert batch["policy"] is None
    assert not any("policy" in line for line in result(one, batch))


# --- the aims ---


def test_a_promise_shows_what_it_means(one: Winnow) -> None:
    answer = put(one, min_precision=0.95)

    assert answer.status == 200, answer.body
    assert answer.body["policy"] | {"created_at": ""} == {
        **{"revision": 1, "min_precision": 0.95, "thresholds": None, "cost": None, "evaluation": None, "version": 1, "created_at": ""}
    }
    applied = answer.body["applied"]
    assert 0.5 < applied["threshold"] < 0.6
    assert (applied["version"], applied["thresholds"], applied["reason"], applied["held_out"]["examples"]) == (1, None, None, 400)
    assert 300 < applied["held_out"]["answered"] < 400
    assert applied["held_out"]["right_share"] >= 0.95
    assert policy(one)["applied"] == applied


def test_costs_are_minimised(one: Winnow) -> None:
    held_out = put(one, cost={"wrong": 10, "refused": 1}).body["applied"]["held_out"]
    assert (held_out["answered"], held_out["right"]) == (360, 360)

    held_out = put(one, cost={"wrong": 1, "refused": 10}).body["applied"]["held_out"]
    assert (held_out["answered"], held_out["right"]) == (400, 360)


def test_costs_at_which_nothing_should_be_answered(one: Winnow) -> None:
    give_dial(one, 50, 0)

    applied = put(one, cost={"wrong": 10, "refused": 1}).body["applied"]

    assert (applied["threshold"], applied["thresholds"]) == (None, None)
    assert "cheapest to accept nothing" in applied["reason"]
    assert not any(accepted(predict(one)))


def test_thresholds_say_what_they_mean_too(one: Winnow) -> None:
    applied = put(one, thresholds={"baking": 0.75}).body["applied"]
    assert applied | {"held_out": 0} == {"version": 1, "threshold": None, "thresholds": {"baking": 0.75}, "reason": None, "held_out": 0}
    assert (applied["held_out"]["answered"], applied["held_out"]["right"]) == (200, 200)


def test_the_same_policy_again_writes_nothing(one: Winnow) -> None:
    put(one, min_precision=0.9)
    before = rows(one)
    assert put(one, min_precision=0.9).body["policy"]["revision"] == 1
    assert rows(one) == before
    assert put(one, min_precision=0.8).body["policy"]["revision"] == 2


# --- what is refused ---


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"cost": {"wrong": 0, "refused": 1}}, "cost.wrong"),
        ({"cost": {"wrong": 1, "refused": -1}}, "cost.refused"),
        ({"cost": {"wrong": 1}}, "cost"),
        ({"cost": {"wrong": 1, "refused": "1"}}, "cost.refused"),
        ({"cost": {"wrong": 1, "refused": 1e300}}, "cost.refused"),
        ({"min_precision": 0}, "min_precision"),
        ({"min_precision": 1}, "min_precision"),
        ({"min_precision": "0.9"}, "min_precision"),
        ({"thresholds": {}}, "thresholds"),
        ({"thresholds": {"baking": 1.1}}, "thresholds"),
        ({"thresholds": {"a.b[c] d": None}}, "thresholds"),
        ({"thresholds": {f"label {number}": 0.5 for number in range(1_001)}}, "thresholds"),
        ({"precision": 0.9}, "precision"),
        ({}, None),
        ({"min_precision": 0.9, "cost": {"wrong": 1, "refused": 1}}, "cost"),
        ({"min_precision": 0.9, "cost": {"wrong": 1, "refused": 1}, "thresholds": {"baking": 1}}, None),
        ({"evaluation": "0" * 32}, None),
        ({"min_precision": 0.9, "evaluation": "x"}, "evaluation"),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(one: Winnow, body: Json, field: str | None) -> None:
    before = rows(one)

    answer = one.call("set_policy", body=body)

    assert (answer.status, answer.body.get("field")) == (422, field), answer.body
    assert rows(one) == before


def test_a_label_that_the_live_version_lacks_is_refused(two: Winnow) -> None:
    before = rows(two)

    answer = put(two, thresholds={"cycling": 0.5, "baking": 0.5})

    assert (answer.status, answer.body["field"]) == (422, "thresholds")
    assert "'baking'" in answer.body["detail"]
    assert rows(two) == before


def test_too_few_examples_for_a_promise_say_how_many_would_do(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    before = rows(winnow)

    answer = put(winnow, min_precision=0.95)

    assert (answer.status, answer.body["type"]) == (422, "urn:winnow:problem:too-few-examples")
    assert answer.body["field"] == "min_precision"
    assert answer.body["examples"] == 36
    assert answer.body["examples_needed"] is None or f"{answer.body['examples_needed']:,} examples would do" in answer.body["detail"]
    assert rows(winnow) == before


def test_the_number_that_would_do_does(one: Winnow) -> None:
    give_dial(one, 40, 1)
    needed = put(one, min_precision=0.95).body["examples_needed"]
    assert needed > 40

    give_dial(one, needed, 1)

    assert put(one, min_precision=0.95).status == 200


def test_a_refused_promise_is_not_rounded(one: Winnow) -> None:
    assert "show that 0.999999999999 of" in put(one, min_precision=0.999999999999).body["detail"]


def test_a_precision_out_of_reach_needs_no_more_examples(one: Winnow) -> None:
    give_dial(one, 200, 0)
    answer = put(one, min_precision=0.5)
    assert (answer.status, answer.body["examples_needed"]) == (422, None)
    assert "however many" in answer.body["detail"]


def test_a_version_of_an_earlier_release_takes_thresholds_alone(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    objects.forget_digests(winnow)

    for aim in ({"min_precision": 0.5}, {"cost": {"wrong": 1, "refused": 1}}):
        answer = put(winnow, **aim)
        assert (answer.status, answer.body["type"]) == (409, "urn:winnow:problem:no-tradeoff")
        assert "an earlier release trained it" in answer.body["detail"]
    assert put(winnow, thresholds={"baking": 0.9}).body["applied"]["held_out"] is None


def test_a_model_without_a_live_version_has_nothing_to_apply_it_to(winnow: Winnow) -> None:
    assert put(winnow, min_precision=0.5).body["type"] == "urn:winnow:problem:model-not-found"
    assert winnow.call("get_policy").status == winnow.call("delete_policy").status == 404
    winnow.create()
    assert put(winnow, min_precision=0.5).body["type"] == "urn:winnow:problem:model-not-ready"
    assert winnow.call("get_policy").body == {"model_id": "tc-01", "policy": None, "applied": None, "history": [], "next": None}
    assert winnow.call("delete_policy").status == 200


# --- conditions ---


def test_a_stale_condition_changes_nothing(one: Winnow) -> None:
    tag = one.call("get_policy").headers["ETag"]
    first = put(one, {"If-Match": tag}, thresholds={"baking": 0.9})
    assert first.status == 200
    before = rows(one)

    refused = put(one, {"If-Match": tag}, thresholds={"baking": 0.1})
    assert (refused.status, refused.body["type"]) == STALE
    assert one.call("delete_policy", headers={"If-Match": tag}).status == 412
    assert rows(one) == before

    assert first.headers["ETag"] == one.call("get_policy").headers["ETag"]
    assert one.call("delete_policy", headers={"If-Match": first.headers["ETag"]}).status == 200


def test_the_tag_of_the_model_counts_too_and_a_policy_changes_it(one: Winnow) -> None:
    seen = one.call("get_model").headers["ETag"]
    assert put(one, {"If-Match": seen}, thresholds={"baking": 0.9}).status == 200
    assert put(one, {"If-Match": seen}, thresholds={"baking": 0.1}).status == 412


def test_feedback_and_other_properties_leave_the_policy_s_tag(one: Winnow) -> None:
    tag = one.call("get_policy").headers["ETag"]
    one.call("change_model", body={"tolerance": 0.02})
    assert one.call("get_policy", headers={"If-None-Match": tag}).status == 304
    assert put(one, {"If-Match": tag}, thresholds={"baking": 0.9}).status == 200


def test_a_condition_holds_until_the_write(one: Winnow) -> None:
    tag = one.call("get_policy").headers["ETag"]
    with before_write(lambda: put(one, thresholds={"baking": 0.2})):
        answer = put(one, {"If-Match": tag}, thresholds={"baking": 0.1})

    assert answer.status == 412
    assert policy(one)["policy"]["thresholds"] == {"baking": 0.2}


# --- promotions and deletions ---


def test_an_aim_is_applied_again_to_a_version_that_becomes_live(two: Winnow) -> None:
    give_dial(two, 400, 0.9, version=1)
    give_dial(two, 400, 0.5, version=2, lowest=0.8)
    first = put(two, cost={"wrong": 10, "refused": 1}).body
    assert (first["policy"]["version"], first["applied"]["held_out"]["answered"]) == (2, 200)

    two.call("promote_version", body={"version": 1})

    shown = policy(two)
    assert (shown["policy"]["revision"], shown["policy"]["version"]) == (1, 2)
    assert (shown["applied"]["version"], shown["applied"]["held_out"]["answered"]) == (1, 360)
    assert shown["applied"]["threshold"] < first["applied"]["threshold"]
    assert predict(two)["policy"] == 1


def test_predictions_follow_the_aim_to_another_version(two: Winnow) -> None:
    give_dial(two, 400, 1, version=2)
    # Version 1 has nothing to answer rightly, so it accepts nothing.
    give_dial(two, 100, 0, version=1)
    put(two, cost={"wrong": 10, "refused": 1})
    text = "My bicycle chain slips on the steepest hill"
    scores = predict(two, text=text)["labels"]
    assert accepted(predict(two, text=text))[0] == (scores[0]["score"] >= policy(two)["applied"]["threshold"])

    assert not any(accepted(predict(two, version=1)))
    two.call("promote_version", body={"version": 1})
    assert not any(accepted(predict(two)))


def test_a_promise_that_another_version_cannot_keep_accepts_nothing_and_says_so(two: Winnow) -> None:
    give_dial(two, 400, 0.9, version=2)
    assert put(two, min_precision=0.9).status == 200

    two.call("promote_version", body={"version": 1})

    applied = policy(two)["applied"]
    assert (applied["threshold"], applied["thresholds"]) == (None, None)
    assert "can't show that 0.9 of its accepted answers are right" in applied["reason"]
    answer = predict(two)
    assert (answer["policy"], accepted(answer)) == (1, [False, False, False])


def test_thresholds_of_labels_that_another_version_lacks_are_ignored(two: Winnow) -> None:
    two.call("promote_version", body={"version": 1})
    put(two, thresholds={"baking": 0.9, "cycling": 1})
    before = predict(two, text="My bicycle chain slips", version=2)
    assert "cycling" in [each["label"] for each in before["labels"]]

    two.call("promote_version", body={"version": 2})

    answer = predict(two, text="My bicycle chain slips")
    assert answer["policy"] == 1
    assert not any(each["accepted"] for each in answer["labels"] if each["label"] == "cycling")


def test_a_promotion_between_the_read_and_the_write_is_seen(two: Winnow) -> None:
    give_dial(two, 400, 0.9, version=1)
    give_dial(two, 400, 0.5, version=2)
    with before_write(lambda: two.call("promote_version", body={"version": 1})):
        answer = put(two, cost={"wrong": 10, "refused": 1})

    assert (answer.body["policy"]["version"], answer.body["applied"]["held_out"]["answered"]) == (1, 360)


def test_policies_go_with_their_model(one: Winnow) -> None:
    put(one, thresholds={"baking": 0.9})
    put(one, thresholds={"baking": 0.8})

    assert one.call("delete_model", path={"model_id": "tc-01"}).status == 200

    assert not [row for row in rows(one) if row["pk"].startswith("POLICIES")]
    assert not [key for key in one.objects() if key.endswith("dial.npz")]


def test_a_policy_of_a_deleted_model_does_not_come_back(one: Winnow) -> None:
    put(one, thresholds={"baking": 1})
    one.call("delete_model", path={"model_id": "tc-01"})
    one.put_dataset("exclusive.json")
    one.train(n_iter=8)
    assert policy(one)["policy"] is None
    assert "policy" not in predict(one)


# --- the history ---


def test_the_history_has_pages(one: Winnow) -> None:
    for threshold in (0.1, 0.2, 0.3):
        put(one, thresholds={"baking": threshold})

    first = one.call("get_policy", query={"limit": "2"}).body
    second = one.call("get_policy", query={"limit": "2", "next": first["next"]}).body

    assert [each["thresholds"]["baking"] for each in (*first["history"], *second["history"])] == [0.3, 0.2, 0.1]
    assert second["next"] is None
    refused = one.call("get_policy", query={"next": json.dumps({"list": "x"})})
    assert (refused.status, refused.body["field"]) == (422, "next")


def test_when_it_was_set_is_kept(one: Winnow, clock: Clock) -> None:
    put(one, thresholds={"baking": 0.1})
    clock.advance(hours=1)
    put(one, thresholds={"baking": 0.2})
    later, earlier = (each["created_at"] for each in policy(one)["history"])
    assert earlier < later
