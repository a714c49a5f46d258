"""GET /models/{model_id}: status, progress, evaluation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from winnow.registry.versions import Versions

if TYPE_CHECKING:
    from tests.conftest import Ready, Winnow
    from winnow.domain.model import Model, Version


def test_a_model_that_is_not_there_is_not_found(winnow: Winnow) -> None:
    answer = winnow.call("get_model")

    assert answer.status == 404
    assert "tc-01" in answer.body["detail"]


@pytest.mark.parametrize("model_id", ["tc 01", "-tc", "a" * 65, "tc\n", "é"])
def test_an_id_that_no_model_can_have_is_refused(winnow: Winnow, model_id: str) -> None:
    answer = winnow.call("get_model", path={"model_id": model_id})

    assert (answer.status, answer.body["field"]) == (422, "model_id")


def test_an_unknown_query_parameter_is_named(winnow: Winnow) -> None:
    answer = winnow.call("get_model", query={"verbose": "1"})

    assert (answer.status, answer.body["field"]) == (422, "verbose")


def test_progress_grows_from_task_to_task(winnow: Winnow) -> None:
    winnow.put_dataset()
    winnow.create(n_iter=1)
    seen = [winnow.version()]
    job = winnow.started_job()
    for task in ("prepare", "train", "publish"):
        job = winnow.run_task(task, job)
        seen.append(winnow.version())

    assert [version["status"] for version in seen] == ["queued", "training", "training", "ready"]
    percents = [version["progress"]["percent"] for version in seen]
    assert percents == sorted(set(percents))
    assert (percents[0], percents[-1]) == (0, 100)
    assert [version["live"] for version in seen] == [False, False, False, True]
    assert [version["finished_at"] is None for version in seen] == [True, True, True, False]


def test_a_ready_model_shows_what_it_was_made_of_and_what_it_is_worth(ready: Ready) -> None:
    model = ready("exclusive.json").model()
    version = model.pop("version")

    assert (model["status"], model["live_version"], model["latest_version"], model["labels"]) == ("ready", 1, 1, 3)
    assert (version["version"], version["status"], version["live"], version["error"]) == (1, "ready", True, None)
    assert version["progress"].items() >= {"stage": "ready", "percent": 100, "eta_seconds": None}.items()
    chosen: dict[str, Any] = {"n_iter": 8, "n_texts": None, "spacy_model": "en", "exclusive": None, "rare_labels": "drop", "seed": 0}
    chosen |= {"min_precision": 0.9, "keep_texts": False}
    assert version["hyperparameters"] == chosen | {"dropout": 0, "batch_size": 1, "learn_rate": 2, "patience": None, "max_minutes": None}
    dataset = version["dataset"]
    assert (dataset["examples"], dataset["labels"], dataset["exclusive"]) == (36, 3, True)
    assert (dataset["train_examples"], dataset["test_examples"]) == (36, 0)
    assert version["evaluation"]["examples"] == 36
    assert {"accuracy", "macro_f1", "micro_f1"} <= set(version["evaluation"])
    assert all(time.endswith("Z") for time in (model["created_at"], model["updated_at"], version["created_at"], version["finished_at"]))


def test_a_training_that_ends_between_the_two_reads_is_seen_ended(winnow: Winnow, monkeypatch: pytest.MonkeyPatch) -> None:
    winnow.put_dataset()
    winnow.create()
    read = Versions.list

    def ended_meanwhile(versions: Versions, model: Model, limit: int) -> tuple[list[Version], int | None]:
        monkeypatch.setattr(Versions, "list", read)
        winnow.call("cancel_version", path={"model_id": "tc-01", "version": "1"})
        return read(versions, model, limit)

    monkeypatch.setattr(Versions, "list", ended_meanwhile)
    model = winnow.model()

    assert (model["status"], model["version"]["status"]) == ("failed", "cancelled")
