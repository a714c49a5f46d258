"""Versions from feedback: when and on what they are trained. (Feedback: test_add_examples.py; failures: test_failed_retraining.py.)"""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import Json
from tests.support.feedback import add, frozen, labelled, set_properties, told
from tests.support.metrics import sweep
from tests.support.races import before_write
from winnow.aws import clients
from winnow.recipes.catalogue import COSTS

if TYPE_CHECKING:
    from tests.conftest import Ready, Winnow
    from tests.support.clock import Clock


# --- examples ---


def test_a_version_learns_from_the_examples_of_its_base_and_from_the_feedback(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    known = frozen(winnow, 1, "train")
    add(winnow, [*labelled(6, "card"), {"text": known[0]["text"].upper(), "label": "card"}], retrain="now")
    winnow.run_workflow(winnow.started_job())

    version, train = winnow.version(), frozen(winnow, 2, "train")
    assert (version["dataset"]["train_examples"], version["dataset"]["test_examples"], frozen(winnow, 2, "test")) == (42, 0, [])
    assert Counter(example["labels"][0] for example in train)["card"] == 7
    assert version["evaluation"]["measured_by"] == "cross-validation"
    # Version 1 answers the new texts itself, and the others by its folds.
    assert winnow.call("compare_versions", path={"model_id": "tc-01", "version": "1"}, query={"to": "2"}).body["examples"] == 42


def test_a_version_with_a_test_set_holds_out_feedback_too(winnow: Winnow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("winnow.recipes.catalogue._MOST_CROSS_VALIDATED", dict.fromkeys(COSTS, 0))
    winnow.put_dataset()
    winnow.train(n_iter=8)
    base = winnow.version()
    # A change of the client's object has no effect.
    winnow.put_dataset([{"text": f"{label} {number}", "label": label} for label in ("p", "q") for number in range(9)])
    add(winnow, labelled(6, "card"), retrain="no")
    again = frozen(winnow, 1, "train")[0]
    tested = frozen(winnow, 1, "test")[0]
    answer = add(winnow, [{"text": again["text"].upper(), "label": "card"}, {"text": tested["text"], "label": "card"}], retrain="now")
    assert (answer.body["retrain"], answer.body["version"], answer.body["waiting"]) == ("started", 2, 0)

    assert winnow.run_workflow(winnow.started_job()) == "Publish"

    version = winnow.version()
    assert (version["status"], version["source"], version["recipe"]) == ("ready", "feedback", base["recipe"])
    assert (base["source"], version["hyperparameters"]) == ("request", base["hyperparameters"])
    told_of = version["dataset"]
    assert told_of["base"] == {"version": 1}
    assert (told_of["feedback_examples"], told_of["dropped"], told_of["relabelled"]) == (8, 2, 2)
    assert (told_of["examples"], told_of["labels"]) == (base["dataset"]["examples"] + 6, base["dataset"]["labels"] + 1)
    assert {name: told_of[name] for name in ("sha256", "etag")} == {name: base["dataset"][name] for name in ("sha256", "etag")}
    report = winnow.call("get_report", path={"model_id": "tc-01", "version": "2"})
    assert (report.status, "GET /models/tc-01/versions/1/report" in report.body["detail"]) == (404, True)
    train, test = frozen(winnow, 2, "train"), frozen(winnow, 2, "test")
    assert (len(train), len(test)) == (told_of["train_examples"], told_of["test_examples"])
    assert Counter(example["labels"][0] for example in train)["card"] == 6
    assert Counter(example["labels"][0] for example in test)["card"] == 2
    assert [example["labels"] for example in test if example["text"] == tested["text"]] == [["card"]]
    assert not {example["text"] for example in train} & {example["text"] for example in test}
    prediction = winnow.call("predict", "predict_post_text", body={"model_id": "tc-01", "text": "card text number 3", "n_top": 1})
    assert (prediction.body["version"], prediction.body["labels"][0]["label"]) == (2, "card")
    assert told(winnow) == (2, 0, 2)


def test_a_version_from_feedback_is_the_base_of_the_next(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    for label in ("card", "atm"):
        add(winnow, labelled(5, label), retrain="now")
        winnow.run_workflow(winnow.started_job())

    version = winnow.version()
    assert (version["status"], version["dataset"]["base"], version["dataset"]["feedback_examples"]) == ("ready", {"version": 2}, 5)
    assert Counter(example["labels"][0] for example in [*frozen(winnow, 3, "train"), *frozen(winnow, 3, "test")])["card"] == 5
    assert told(winnow) == (3, 0, 3)


def test_the_base_is_the_live_version_and_its_settings_are_taken(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    winnow.train(force_update=True, n_iter=2, seed=5, min_precision=0.5)
    winnow.call("promote_version", body={"version": 1})

    add(winnow, retrain="now")
    winnow.run_workflow(winnow.started_job())

    version, first = winnow.version(), winnow.call("get_version", path={"model_id": "tc-01", "version": "1"}).body
    assert version["dataset"]["base"] == {"version": 1}
    assert version["hyperparameters"] == first["hyperparameters"]


def test_where_none_is_live_the_base_is_the_latest_that_is_ready_and_nothing_goes_live_by_itself(winnow: Winnow) -> None:
    winnow.put_dataset()
    winnow.train(promote="never")
    winnow.train(promote="never", force_update=True, n_iter=2)
    winnow.create(force_update=True)
    winnow.call("cancel_version", path={"model_id": "tc-01", "version": "3"})

    add(winnow, retrain="now")
    winnow.run_workflow(winnow.started_job())

    assert (winnow.version()["status"], winnow.version()["dataset"]["base"]) == ("ready", {"version": 2})
    assert told(winnow) == (4, 0, None)


def test_a_multilabel_model_stays_one(ready: Ready) -> None:
    winnow = ready("multilabel.jsonl")

    add(winnow, [{"text": f"text {number}", "label": "price"} for number in range(4)], retrain="now")
    winnow.run_workflow(winnow.started_job())

    assert (winnow.version()["status"], winnow.version()["dataset"]["exclusive"]) == ("ready", False)


# --- the gate ---


WORDS = {"baking": "flour and butter for the cake", "cycling": "a flat tyre on my bike", "gardening": "tulip bulbs in the flower bed"}


def poison(winnow: Winnow, *, half: bool = False, **properties: Any) -> Json:
    """Train a good model, and send its training texts, or half of them, with swapped labels as feedback. Returns the version from it."""
    winnow.put_dataset([{"text": f"{words} {number}", "label": label} for label, words in WORDS.items() for number in range(20)])
    assert winnow.train(n_iter=8, **properties)["live"]
    swapped = {"baking": "cycling", "cycling": "gardening", "gardening": "baking"}
    wrong = [
        {"text": example["text"], "label": swapped[example["labels"][0]]} for example in frozen(winnow, 1, "train")[:: 2 if half else 1]
    ]
    assert add(winnow, wrong, retrain="now").body["retrain"] == "started"
    winnow.run_workflow(winnow.started_job())
    return winnow.version()


def test_a_poisoned_batch_doesn_t_go_live_nor_into_the_next_version(winnow: Winnow) -> None:
    version = poison(winnow)

    assert (version["status"], version["promote"], version["gate"]["passed"]) == ("ready", "if-better", False)
    assert "the labels of all 60 examples that both can answer have changed" in version["gate"]["reason"]
    assert (version["dataset"]["relabelled"], version["live"]) == (version["dataset"]["feedback_examples"], False)
    assert told(winnow) == (2, 0, 1)
    add(winnow, labelled(5), retrain="now")
    winnow.run_workflow(winnow.started_job())
    assert (winnow.version()["dataset"]["base"], winnow.version()["dataset"]["feedback_examples"]) == ({"version": 1}, 5)
    assert told(winnow) == (3, 0, 3)


def test_one_corrected_example_is_left_out_of_the_comparison(winnow: Winnow) -> None:
    winnow.put_dataset([{"text": f"{words} {number}", "label": label} for label, words in WORDS.items() for number in range(20)])
    winnow.train(n_iter=8)
    [first, *_] = frozen(winnow, 1, "train")
    add(winnow, [{"text": first["text"], "label": "cycling" if first["labels"] == ["baking"] else "baking"}], retrain="now")
    winnow.run_workflow(winnow.started_job())

    assert winnow.version()["gate"]["reason"].count("1 example whose labels have changed since is left out.") == 1


def test_half_a_poisoned_batch_is_judged_by_the_other_examples(winnow: Winnow) -> None:
    version = poison(winnow, half=True)

    assert (version["gate"]["passed"], version["gate"]["examples"], version["live"]) == (False, 30, False)
    assert "30 examples whose labels have changed since are left out" in version["gate"]["reason"]


def test_a_worse_version_goes_live_where_the_model_s_tolerance_lets_it(winnow: Winnow) -> None:
    version = poison(winnow, half=True, tolerance=1)

    assert (version["gate"]["passed"], version["live"]) == (True, True)
    assert "minus the tolerance of 1" in version["gate"]["reason"]


# --- when ---


def test_auto_trains_when_enough_wait_and_not_before(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    set_properties(winnow, retrain_after=5)

    answers = [add(winnow, labelled(2, prefix=f"{number} ")).body for number in range(3)]

    assert [(answer["retrain"], answer["waiting"], answer["version"]) for answer in answers] == [
        ("waiting", 2, None),
        ("waiting", 4, None),
        ("started", 0, 2),
    ]
    winnow.run_workflow(winnow.started_job())
    assert winnow.version()["dataset"]["feedback_examples"] == 6


def test_without_retrain_after_auto_never_trains(ready: Ready, capsys: pytest.CaptureFixture[str]) -> None:
    winnow = ready("exclusive.json")

    assert {add(winnow, labelled(1000, prefix=f"{number} ")).body["retrain"] for number in range(2)} == {"waiting"}
    assert sweep(winnow, capsys) == {}
    assert told(winnow) == (1, 2000, 1)


def test_where_retrain_after_is_set_later_the_sweeper_trains(ready: Ready, capsys: pytest.CaptureFixture[str]) -> None:
    winnow = ready("exclusive.json")
    add(winnow, labelled(4))
    set_properties(winnow, retrain_after=5)
    assert sweep(winnow, capsys) == {}
    set_properties(winnow, retrain_after=4)

    assert sweep(winnow, capsys) == {"RetrainingsStarted": 1}
    assert told(winnow) == (2, 0, 1)


def test_no_trains_nothing_and_what_it_sent_is_trained_on_with_the_next(ready: Ready, capsys: pytest.CaptureFixture[str]) -> None:
    winnow = ready("exclusive.json")
    set_properties(winnow, retrain_after=2)

    assert add(winnow, labelled(5), retrain="no").body["retrain"] == "waiting"
    assert sweep(winnow, capsys) == {}
    assert add(winnow, labelled(1, "atm")).body["retrain"] == "started"
    assert told(winnow) == (2, 0, 1)


@pytest.mark.parametrize("retrain", ["now", "auto"])
def test_however_many_cross_the_line_one_version_is_trained(ready: Ready, retrain: str) -> None:
    winnow = ready("exclusive.json")
    set_properties(winnow, retrain_after=2)
    add(winnow, labelled(3), retrain="no")
    before = len(winnow.executions())

    # Each request reads the model before the next one registers a version.
    def another(left: int) -> list[Json]:
        if left == 0:
            return []
        with before_write(lambda: another(left - 1)) as others:
            answer = add(winnow, labelled(2, prefix=f"{left} "), retrain=retrain)
        return [answer.body, *others[0]]

    answers = another(4)

    assert sorted(answer["retrain"] for answer in answers) == ["started", "underway", "underway", "underway"]
    assert {answer["version"] for answer in answers} == {2}
    assert len(winnow.executions()) == before + 1
    assert winnow.model()["latest_version"] == 2


def test_of_two_that_are_about_to_register_one_does(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    add(winnow, labelled(3, prefix="earlier "), retrain="no")
    others: list[Json] = []
    # The first transaction writes the batch, the second registers the version. Between them another request does both.
    client = clients.registry_table().meta.client

    def second(**_: object) -> None:
        client.meta.events.unregister("before-call.dynamodb.TransactWriteItems", unique_id="first")
        client.meta.events.register("before-call.dynamodb.TransactWriteItems", meanwhile, unique_id="second")

    def meanwhile(**_: object) -> None:
        client.meta.events.unregister("before-call.dynamodb.TransactWriteItems", unique_id="second")
        others.append(add(winnow, labelled(1, "atm"), retrain="now").body)

    client.meta.events.register("before-call.dynamodb.TransactWriteItems", second, unique_id="first")
    answer = add(winnow, retrain="now").body

    assert (others[0]["retrain"], others[0]["version"], others[0]["waiting"]) == ("started", 2, 0)
    assert (answer["retrain"], answer["version"], answer["waiting"]) == ("underway", 2, 0)
    winnow.run_workflow(winnow.started_job())
    assert winnow.version()["dataset"]["feedback_examples"] == 6


def test_a_batch_between_the_look_and_the_registration_is_taken_too(ready: Ready) -> None:
    winnow = ready("exclusive.json")

    with before_write(lambda: add(winnow, labelled(4, "atm"), retrain="no"), "dynamodb.Query") as others:
        answer = add(winnow, retrain="now").body

    assert (others[0].status, answer["retrain"], answer["waiting"]) == (201, "started", 0)
    winnow.run_workflow(winnow.started_job())
    assert winnow.version()["dataset"]["feedback_examples"] == 6
    assert told(winnow) == (2, 0, 2)


def test_what_comes_while_one_is_trained_waits_for_its_end(ready: Ready, capsys: pytest.CaptureFixture[str]) -> None:
    winnow = ready("exclusive.json")
    # With this tolerance every version passes the gate.
    set_properties(winnow, retrain_after=3, tolerance=1)
    add(winnow, labelled(3))
    job = winnow.started_job()

    answers = [add(winnow, labelled(2, prefix=f"{number} ")).body for number in range(2)]
    asked = add(winnow, labelled(1, "atm"), retrain="now").body

    assert [(answer["retrain"], answer["waiting"], answer["version"]) for answer in answers] == [("waiting", 2, None), ("underway", 4, 2)]
    assert (asked["retrain"], asked["waiting"], asked["version"]) == ("underway", 5, 2)
    assert sweep(winnow, capsys) == {}
    winnow.run_workflow(job)
    assert told(winnow) == (2, 5, 2)

    assert sweep(winnow, capsys) == {"RetrainingsStarted": 1}
    assert sweep(winnow, capsys) == {}
    winnow.run_workflow(winnow.started_job())
    assert winnow.version()["dataset"]["feedback_examples"] == 5
    assert told(winnow) == (3, 0, 3)


def test_a_training_that_a_client_asked_for_is_one_to_wait_for_and_leaves_the_feedback(
    ready: Ready, capsys: pytest.CaptureFixture[str]
) -> None:
    winnow = ready("exclusive.json")
    winnow.create(force_update=True, n_iter=1)
    job = winnow.started_job()

    answer = add(winnow, retrain="now").body
    winnow.run_workflow(job)

    assert (answer["retrain"], answer["version"], answer["waiting"]) == ("underway", 2, 2)
    assert "feedback_examples" not in winnow.version()["dataset"]
    assert told(winnow) == (2, 2, 2)
    assert sweep(winnow, capsys) == {"RetrainingsStarted": 1}
    winnow.run_workflow(winnow.started_job())
    assert (winnow.version()["status"], winnow.version()["dataset"]["base"]) == ("ready", {"version": 2})


def test_a_request_that_died_before_its_training_is_finished_by_the_sweeper(
    ready: Ready, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    winnow = ready("exclusive.json")
    with monkeypatch.context() as dying:
        # No `except Exception` sees the end of the process.
        dying.setattr("winnow.training.feedback._try_to_retrain", lambda model: sys.exit())
        with pytest.raises(SystemExit):
            add(winnow, retrain="now")

    assert sweep(winnow, capsys) == {"RetrainingsStarted": 1}
    assert told(winnow) == (2, 0, 1)


def test_a_version_whose_workflow_did_not_start_is_started_by_the_sweeper(
    ready: Ready, monkeypatch: pytest.MonkeyPatch, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    winnow = ready("exclusive.json")
    with monkeypatch.context() as broken:
        broken.setattr(winnow, "names", {**winnow.names, "TrainingWorkflow": f"{winnow.names['TrainingWorkflow']}-that-is-gone"})
        assert add(winnow, retrain="now").body["retrain"] == "started"
    clock.advance(minutes=6)

    assert sweep(winnow, capsys) == {"TrainingsStarted": 1}
    winnow.run_workflow(winnow.started_job())
    assert told(winnow) == (2, 0, 2)
