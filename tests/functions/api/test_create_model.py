"""POST /models: what starts a training, and what prevents one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

import pytest

from winnow.aws import clients

if TYPE_CHECKING:
    from tests.conftest import Answer, Ready, Winnow


def test_a_new_model_is_queued_and_its_workflow_started(winnow: Winnow) -> None:
    answer = winnow.call("create_model")

    assert answer.status == 202
    assert answer.body == {"model_id": "tc-01", "version": 1, "status": "queued"}
    assert urljoin("https://example.com/v1/models", answer.headers["Location"]) == "https://example.com/v1/models/tc-01"
    assert int(answer.headers["Retry-After"]) > 0
    assert winnow.started_job()["job"]["model_id"] == "tc-01"
    assert winnow.version()["dataset"] == {"s3bucket": "albert-textcats", "training_object": "trainingSet.json"}


def test_numbers_nearer_to_zero_than_dynamodb_s_are_still_above_zero(winnow: Winnow) -> None:
    assert winnow.create(learn_rate=5e-324, max_minutes=1e-200).status == 202
    kept = winnow.version()["hyperparameters"]
    assert (kept["learn_rate"], kept["max_minutes"]) == (1e-130, 1e-130)


def test_an_id_that_exists_is_refused_without_force_update(ready: Ready) -> None:
    winnow = ready("exclusive.json")

    answer = winnow.call("create_model")

    assert answer.status == 409
    assert "force_update" in answer.body["detail"]
    assert winnow.model()["latest_version"] == 1


def test_a_language_without_a_tokenizer_is_refused_with_the_recipes_that_need_none(winnow: Winnow) -> None:
    answer = winnow.create(spacy_model="zh")

    assert (answer.status, answer.body["field"]) == (422, "spacy_model")
    assert answer.body["detail"].endswith("such as zh or ja, leave it out: all recipes but cnn do without it).")


@pytest.mark.parametrize("event", ["create_model", "create_model_force_update"])
def test_while_a_version_is_made_a_second_is_refused_with_the_way_to_stop_the_first(winnow: Winnow, event: str) -> None:
    winnow.call("create_model")

    answer = winnow.call("create_model", event)

    assert answer.status == 409
    assert "Version 1 " in answer.body["detail"]
    assert "POST /models/tc-01/versions/1/cancel" in answer.body["detail"]
    assert len(winnow.executions()) == 1


@pytest.mark.parametrize("force_update", ["True", "true", True])
def test_force_update_trains_a_new_version_while_the_old_one_answers(ready: Ready, force_update: Any) -> None:
    winnow = ready("exclusive.json")

    answer = winnow.create("create_model_force_update", force_update=force_update)

    assert (answer.status, answer.body["version"]) == (202, 2)
    assert winnow.model()["status"] == "ready"
    assert winnow.model()["live_version"] == 1
    assert winnow.version()["status"] == "queued"
    assert winnow.call("predict", "predict_get_body").body["version"] == 1


def test_force_update_of_an_id_that_does_not_exist_makes_version_1(winnow: Winnow) -> None:
    answer = winnow.call("create_model", "create_model_force_update")

    assert (answer.status, answer.body["version"]) == (202, 1)


@pytest.mark.parametrize("force_update", ["False", "false", False])
def test_force_update_may_be_said_to_be_off(ready: Ready, force_update: Any) -> None:
    assert ready("exclusive.json").create(force_update=force_update).status == 409


@pytest.mark.parametrize("given", [3, "3"])
def test_n_iter_and_n_texts_are_numbers_or_strings_of_digits(winnow: Winnow, given: Any) -> None:
    assert winnow.create(n_iter=given, n_texts="20").status == 202
    kept = winnow.version()["hyperparameters"]
    assert (kept["n_iter"], kept["n_texts"], kept["spacy_model"]) == (3, 20, "en")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", None),
        ("s3bucket", None),
        ("training_object", None),
        ("id", 7),
        ("id", ""),
        ("id", "tc/01"),
        ("id", "tc-01\n"),
        ("id", "a" * 65),
        ("s3bucket", "Not_A_Bucket"),
        ("training_object", ""),
        ("training_object", ["trainingSet.json"]),
        ("force_update", "yes"),
        ("force_update", 1),
        ("force_update", 0),
        ("n_iter", 0),
        ("n_iter", True),
        ("n_iter", "3.5"),
        ("n_iter", 1001),
        ("n_iter", "9" * 400),
        ("n_texts", 3),
        ("n_texts", "-5"),
        ("n_texts", []),
        ("spacy_model", "ja"),
        ("spacy_model", "en_core_web_sm"),
        ("colour", "blue"),
    ],
)
def test_a_field_that_is_missing_unknown_or_wrong_is_named(winnow: Winnow, field: str, value: Any) -> None:
    answer = winnow.create(**{field: value})

    assert answer.status == 422
    assert answer.body["field"] == field
    assert field in answer.body["detail"]
    assert winnow.executions() == []
    assert winnow.call("list_models").body["models"] == []


def test_two_requests_at_once_start_one_training(winnow: Winnow, monkeypatch: pytest.MonkeyPatch) -> None:
    meanwhile = between_look_and_write(winnow, monkeypatch, "create_model")

    answers = [winnow.call("create_model"), *meanwhile]

    assert sorted(answer.status for answer in answers) == [202, 409]
    assert len(winnow.executions()) == 1
    assert winnow.model()["latest_version"] == 1


def test_two_updates_at_once_start_one_training(ready: Ready, monkeypatch: pytest.MonkeyPatch) -> None:
    winnow = ready("exclusive.json")
    before = len(winnow.executions())
    meanwhile = between_look_and_write(winnow, monkeypatch, "create_model_force_update")

    answers = [winnow.call("create_model", "create_model_force_update"), *meanwhile]

    assert sorted(answer.status for answer in answers) == [202, 409]
    assert len(winnow.executions()) == before + 1
    assert winnow.model()["latest_version"] == 2


def test_a_start_whose_answer_was_lost_and_was_sent_again_is_a_start(winnow: Winnow) -> None:
    events = clients.stepfunctions().meta.events
    sent: list[Any] = []

    def send_before(params: Any, **_: Any) -> None:
        if not sent:
            sent.append(params)
            # Another input: moto accepts a repetition with the same input.
            winnow.stepfunctions.start_execution(**params | {"input": "{}"})

    events.register("provide-client-params.stepfunctions.StartExecution", send_before, unique_id="twice")
    answer = winnow.call("create_model")
    events.unregister("provide-client-params.stepfunctions.StartExecution", unique_id="twice")

    assert (answer.status, winnow.model()["status"]) == (202, "training")
    assert len(winnow.executions()) == 1


def between_look_and_write(winnow: Winnow, monkeypatch: pytest.MonkeyPatch, event: str) -> list[Answer]:
    """Send another request with the event after the next request's first read of the registry. Its answer appears in the list."""
    answers: list[Answer] = []
    table = winnow.table

    class LookedAt:
        def get_item(self, **arguments: Any) -> Any:
            seen = table.get_item(**arguments)
            if not patched.undone:
                patched.undo()
                answers.append(winnow.call("create_model", event))
            return seen

        def __getattr__(self, name: str) -> Any:
            return getattr(table, name)

    class Patched:
        undone = False

        def undo(self) -> None:
            self.undone = True
            clients.registry_table = real

    real, patched = clients.registry_table, Patched()
    monkeypatch.setattr(clients, "registry_table", LookedAt)
    return answers
