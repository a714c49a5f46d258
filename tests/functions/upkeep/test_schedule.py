"""A model with a schedule is trained again by the clock, if examples wait."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import Context, load_event
from tests.support.feedback import add
from winnow.registry.models import Models

if TYPE_CHECKING:
    from tests.conftest import Answer, Json, Ready, Winnow
    from tests.support.clock import Clock


@pytest.fixture
def model(ready: Ready) -> Winnow:
    return ready("exclusive.json")


def change(winnow: Winnow, **properties: Any) -> Answer:
    return winnow.call("change_model", body=properties)


def sweep(winnow: Winnow, minute: int = 0) -> None:
    event = load_event("upkeep/sweep") | {"time": f"2026-11-23T16:{minute:02d}:00Z"}
    winnow.invoke("functions/upkeep/sweep", event, Context(seconds=240))


def versions(winnow: Winnow) -> list[int]:
    return sorted(int(row["version"]) for row in winnow.table.scan()["Items"] if row["pk"].startswith("VERSIONS#"))


def test_it_is_set_shown_and_removed(model: Winnow) -> None:
    assert (model.model()["schedule"], model.model()["scheduled_for"]) == (None, None)
    shown = change(model, schedule="cron(0 3 ? * SUN *)")
    assert (shown.status, shown.body["schedule"]) == (200, "cron(0 3 ? * SUN *)")
    assert shown.body["scheduled_for"].endswith("T03:00:00.000Z")

    tag = model.call("get_model", path={"model_id": "tc-01"}).headers["ETag"]
    again = change(model, schedule="cron(0 3 ? * SUN *)")
    assert again.headers["ETag"] == tag, "the same schedule changes nothing"
    # Another setting leaves it.
    change(model, title="Savings")
    assert model.model()["schedule"] == "cron(0 3 ? * SUN *)"
    removed = change(model, schedule=None).body
    assert (removed["schedule"], removed["scheduled_for"]) == (None, None)
    assert next(entry["settings"] for entry in model.call("get_history").body["entries"]) == {"schedule": None}


@pytest.mark.parametrize("expression", ["rate(5 minutes)", "cron(0 3 * * *)", "cron(0 3 30 2 ? *)", "every day", 1, ""])
def test_a_bad_one_is_refused_and_changes_nothing(model: Winnow, expression: Any) -> None:
    change(model, schedule="rate(1 day)")
    answer = change(model, schedule=expression)
    assert (answer.status, answer.body["field"]) == (422, "schedule")
    assert model.model()["schedule"] == "rate(1 day)"


def test_when_its_time_has_come_the_waiting_examples_are_trained_on(model: Winnow, clock: Clock) -> None:
    change(model, schedule="rate(1 day)")
    first = model.model()["scheduled_for"]
    add(model, [{"text": "sour dough", "label": "baking"}], retrain="no")
    clock.advance(hours=23)
    sweep(model)
    assert versions(model) == [1]
    clock.advance(hours=2)
    sweep(model, minute=5)
    assert versions(model) == [1], "it looks once an hour"
    sweep(model)
    assert versions(model) == [1, 2]
    trained = model.model()
    assert (trained["version"]["source"], trained["version"]["promote"], trained["waiting_examples"]) == ("feedback", "if-better", 0)
    assert trained["scheduled_for"] > first
    # Told twice, trained once.
    sweep(model)
    assert versions(model) == [1, 2]


def test_without_examples_it_goes_on_to_the_next_time(model: Winnow, clock: Clock) -> None:
    change(model, schedule="rate(1 day)")
    first = model.model()["scheduled_for"]
    clock.advance(days=3, hours=1)
    sweep(model)
    assert versions(model) == [1]
    assert first < model.model()["scheduled_for"]
    add(model, [{"text": "sour dough", "label": "baking"}], retrain="no")
    sweep(model)
    assert versions(model) == [1], "the next time is a day away"


def test_while_a_version_is_trained_it_waits(model: Winnow, clock: Clock) -> None:
    change(model, schedule="rate(1 day)")
    clock.advance(days=1, hours=1)
    model.create("create_model_force_update", n_iter=1)
    add(model, [{"text": "sour dough", "label": "baking"}], retrain="no")
    due = model.model()["scheduled_for"]
    sweep(model)
    assert (versions(model), model.model()["scheduled_for"]) == ([1, 2], due)
    model.run_workflow(model.started_job())
    sweep(model)
    assert versions(model) == [1, 2, 3]


def test_what_changed_meanwhile_stays(model: Winnow, clock: Clock) -> None:
    change(model, schedule="rate(1 day)")
    models = Models(model.table)
    read = models.get("tc-01")
    clock.advance(days=2)
    change(model, schedule="rate(2 days)")
    changed = model.model()["scheduled_for"]
    assert not models.reschedule(read)
    read = models.get("tc-01")
    clock.advance(days=3)
    assert models.reschedule(read)
    assert not models.reschedule(read), "somebody else has"
    change(model, schedule=None)
    assert not models.reschedule(models.get("tc-01"))
    assert changed

    row: Json = model.table.get_item(Key={"pk": "MODELS", "sk": "tc-01"})["Item"]
    model.table.put_item(Item=row | {"uid": "of another life", "schedule": read.schedule, "scheduled_for": read.scheduled_for})
    assert not models.reschedule(read)
