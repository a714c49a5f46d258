"""Rows of the registry that contradict each other, or that nobody can read: after a restore, an import, or a write by hand."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.metrics import counted, sweep
from winnow.aws.log import logger
from winnow.registry import table as rows
from winnow.registry.models import Models

if TYPE_CHECKING:
    from tests.conftest import Ready, Winnow
    from tests.support.clock import Clock
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

    assert winnow.table.get_item(Key=rows.TRAINING_SLOTS_KEY)["Item"]["since"] == {}
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


# --- rows that nobody can read ---

TORSO = {"pk": "MODELS", "sk": "zz", "training_version": 1}


def damage(winnow: Winnow) -> None:
    """Put damaged rows of each kind that is read in lists beside good ones."""
    damaged = [
        TORSO,
        {**TORSO, "sk": "00", "uid": "u0", "queued_at": 7},
        {**winnow.table.get_item(Key=MODEL)["Item"], "sk": "01", "latest_version": "two"},
        {"pk": "BATCHES", "sk": "u#b"},
        {"pk": f"BATCHES#{uid(winnow)}", "sk": "20260101T000000000-00000000", "expires": "never"},
        {"pk": f"VERSIONS#{uid(winnow)}", "sk": "000000"},
        {"pk": f"FEEDBACK#{uid(winnow)}", "sk": "20260101T000000000-00000000"},
        {"pk": "DELETIONS", "sk": "0"},
    ]
    for row in damaged:
        winnow.table.put_item(Item=row)
    winnow.table.update_item(Key=rows.TRAINING_SLOTS_KEY, UpdateExpression="SET since.x = :y", ExpressionAttributeValues={":y": 7})


def test_lists_pass_over_damaged_rows_and_count_them(ready: Ready, capsys: pytest.CaptureFixture[str]) -> None:
    winnow = ready("exclusive.json")
    damage(winnow)
    capsys.readouterr()

    listed = {
        "list_models": ("models", 1, 3),
        "list_versions": ("versions", 1, 1),
        "list_batches": ("batches", 0, 1),
        "list_examples": ("batches", 0, 1),
    }
    for call, (name, good, bad) in listed.items():
        answer = winnow.call(call)
        assert (answer.status, len(answer.body[name])) == (200, good)
        assert counted(capsys.readouterr().out) == {"DamagedRows": bad}
    assert winnow.call("list_models", query={"limit": "1"}).body["next"] is None


def test_the_sweeper_passes_over_damaged_rows_and_does_its_work(
    ready: Ready, clock: Clock, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    winnow = ready("exclusive.json")
    # None of them started, because there was no slot.
    monkeypatch.setitem(winnow.parameters, "MostTrainings", "0")
    winnow.create(id="tc-02")
    damage(winnow)
    winnow.create(id="tc-03")
    winnow.call("delete_model", path={"model_id": "tc-03"})
    monkeypatch.setitem(winnow.parameters, "MostTrainings", "4")
    clock.advance(hours=25)
    told: list[str] = []
    monkeypatch.setattr(logger, "error", lambda message, extra: told.append(extra["row"]))

    metrics = sweep(winnow, capsys)

    assert metrics["DeletionsFinished"] == 1
    assert "SweepFaults" not in metrics
    assert metrics["DamagedRows"] == len(told)
    assert {*told} == {"MODELS/zz", "MODELS/00", "BATCHES/u#b", "DELETIONS/0", "TRAININGS/slots"}
    assert winnow.started_job()["job"]["model_id"] == "tc-02"


@pytest.mark.parametrize("row", [{"since": "x"}, {"since": {}, "revision": "x"}, {"since": {"u#1": 5, "y": "2026"}, "revision": 3}])
def test_damaged_slots_are_made_again(winnow: Winnow, capsys: pytest.CaptureFixture[str], row: dict[str, Any]) -> None:
    winnow.create()
    winnow.table.put_item(Item={**rows.TRAINING_SLOTS_KEY, **row})

    assert "SweepFaults" not in sweep(winnow, capsys)

    assert [*winnow.table.get_item(Key=rows.TRAINING_SLOTS_KEY)["Item"]["since"]] == [f"{uid(winnow)}#1"]


def test_an_object_of_a_damaged_version_is_no_orphan(ready: Ready, clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    winnow = ready("exclusive.json")
    before = winnow.objects()
    winnow.s3.put_object(Bucket=winnow.names["Models"], Key="models/f00/versions/1/1/b.bin", Body=b"x")
    winnow.table.update_item(Key=rows.version_key(uid(winnow), 1), UpdateExpression="REMOVE fence")
    clock.advance(hours=25)

    assert sweep(winnow, capsys) == {"OrphansRemoved": 1, "DamagedRows": 1}

    assert winnow.objects() == before


@pytest.mark.parametrize("call", ["get_model", "delete_model", "list_versions", "predict"])
def test_a_call_about_a_damaged_row_names_it(winnow: Winnow, capsys: pytest.CaptureFixture[str], call: str) -> None:
    winnow.table.put_item(Item=TORSO)
    body = {"body": {"model_id": "zz", "text": "a"}} if call == "predict" else {"path": {"model_id": "zz"}}

    answer = winnow.call(call, "predict_post_text" if call == "predict" else None, **body)

    assert (answer.status, answer.body["type"]) == (500, "urn:winnow:problem:damaged-row")
    assert "MODELS/zz" in answer.body["detail"]
    assert counted(capsys.readouterr().out) == {"DamagedRows": 1}
