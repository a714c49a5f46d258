"""Rows of the registry that contradict each other, or that nobody can read: after a restore, an import, or a write by hand."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.metrics import sweep
from winnow.registry import table as rows
from winnow.registry.models import Models

if TYPE_CHECKING:
    from tests.conftest import Ready, Winnow
    from winnow.domain.model import Model

MODEL = rows.model_key("tc-01")


def uid(winnow: Winnow) -> str:
    return str(winnow.table.get_item(Key=MODEL)["Item"]["uid"])


def in_training(winnow: Winnow, version: int) -> None:
    """The model says that it trains this version."""
    values: dict[str, Any] = {":version": version, ":at": "2026-11-01T00:00:00.000Z"}
    winnow.table.update_item(
        Key=MODEL, UpdateExpression="SET training_version = :version, queued_at = :at", ExpressionAttributeValues=values
    )


def no_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail a test that reads models without an end."""
    reads, get = itertools.count(1), Models.get

    def counted(models: Models, model_id: str) -> Model:
        if next(reads) > 100:
            pytest.fail("the reads don't end")
        return get(models, model_id)

    monkeypatch.setattr(Models, "get", counted)


# --- rows that contradict each other ---


@pytest.mark.parametrize("version", [1, 7], ids=["a version that is ready", "a version that isn't there"])
def test_a_model_that_trains_what_isn_t_in_training_answers_and_the_sweeper_releases_it(
    ready: Ready, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, version: int
) -> None:
    winnow = ready("exclusive.json")
    in_training(winnow, version)

    no_loop(monkeypatch)

    answers = [winnow.call(call) for call in ("get_model", "get_version", "list_versions")]
    assert [answer.status for answer in answers] == [200, 200, 200]
    assert winnow.create("create_model_force_update").status == 409

    assert sweep(winnow, capsys)["TrainingsReleased"] == 1

    assert winnow.table.get_item(Key=rows.SLOTS_KEY)["Item"]["since"] == {}
    assert winnow.model()["status"] == "ready"
    assert winnow.create("create_model_force_update").status == 202
    assert "TrainingsReleased" not in sweep(winnow, capsys)


def test_what_holds_no_slot_is_released_too(winnow: Winnow, capsys: pytest.CaptureFixture[str]) -> None:
    winnow.parameters["MostTrainings"] = "1"
    winnow.create(id="tc-00")
    winnow.create()
    winnow.table.delete_item(Key=rows.version_key(uid(winnow), 1))

    assert sweep(winnow, capsys) == {"TrainingsReleased": 1}

    assert winnow.model()["status"] == "failed"


def test_a_model_whose_version_in_training_is_gone_can_be_deleted(winnow: Winnow) -> None:
    winnow.create()
    winnow.table.delete_item(Key=rows.version_key(uid(winnow), 1))

    assert winnow.call("delete_model").status == 200
    assert winnow.call("get_model").status == 404
