"""Drift: what is measured of a day of the prediction log, and GET /models/{model_id}/drift and drift.svg."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Sequence
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from boto3.dynamodb.types import TypeSerializer

from tests.conftest import Context, load_event
from tests.functions.upkeep.test_announce import Bus
from tests.support import objects
from tests.support.feedback import set_properties
from tests.support.invoked import Invoked
from tests.support.metrics import counted
from tests.support.races import before_write
from winnow.aws import clients
from winnow.domain.clock import sortable_id, utc_now
from winnow.domain.keys import log_key
from winnow.registry import table as rows
from winnow.storage.prediction_log import PredictionLog

if TYPE_CHECKING:
    from tests.conftest import Json, Ready, Winnow
    from tests.support.clock import Clock

MEASURE = "functions/upkeep/measure_drift"
LABELS = ("a", "b", "c")
USUAL = {
    "measured_by": "held-out",
    "texts": 900,
    "accepted": 810,
    "score": 0.75,
    "familiarity": 0.2,
    "labels": {"a": 300, "b": 300, "c": 300},
    "scores": [0] * 500 + [9] * 100 + [0] * 400,
}
# A day as the held-out examples are.
EVEN = [(LABELS[place % 3], 0.5 + (place % 100) / 1000) for place in range(900)]


@pytest.fixture
def model(ready: Ready, clock: Clock) -> Winnow:
    """tc-01 with a log, and with a version that is said to answer as USUAL says."""
    winnow = ready("exclusive.json")
    objects.write(winnow, "/usual.json", json.dumps(USUAL).encode())
    set_properties(winnow, log={"share": 1, "days": 30})
    # Its first whole day.
    clock.advance(days=1)
    return winnow


def uid(winnow: Winnow) -> str:
    return str(winnow.table.get_item(Key=rows.model_key("tc-01"))["Item"]["uid"])


def log(winnow: Winnow, answers: Iterable[tuple[str, float]], *, version: int = 1, in_one: int = 100, days: int = 30) -> None:
    """Write answers into the log of today, as requests of `in_one` texts."""
    answers = list(answers)
    for start in range(0, len(answers), in_one):
        request = sortable_id()
        lines = [
            {
                "prediction_id": f"{request}-{place:02d}-{days}d",
                "text": "planted",
                "version": version,
                "labels": [[label, score, True], ["z", 0.01, False]],
                "familiarity": 0.25,
            }
            for place, (label, score) in enumerate(answers[start : start + in_one])
        ]
        key = log_key(uid(winnow), days, f"{utc_now():%Y-%m-%d}", request)
        winnow.s3.put_object(Bucket=winnow.names["Models"], Key=key, Body=gzip.compress("\n".join(map(json.dumps, lines)).encode()))


def measure(winnow: Winnow) -> None:
    winnow.invoke(MEASURE, load_event("upkeep/measure_drift"), Context(seconds=600))


def tomorrow(clock: Clock) -> None:
    now = utc_now()
    clock.advance(seconds=(now.replace(hour=0, minute=30, second=0, microsecond=0) + timedelta(days=1) - now).total_seconds())


def day(winnow: Winnow, clock: Clock, answers: Sequence[tuple[str, float]], **more: Any) -> Json:
    """What is said of a day with these answers."""
    log(winnow, answers, **more)
    tomorrow(clock)
    measure(winnow)
    return days(winnow)[0]


def days(winnow: Winnow, **query: str) -> list[Json]:
    answer = winnow.call("get_drift", query=query)
    assert answer.status == 200
    found: list[Json] = answer.body["days"]
    return found


def test_a_day_like_the_held_out_examples_has_not_drifted(model: Winnow, clock: Clock) -> None:
    date = f"{utc_now():%Y-%m-%d}"

    found = day(model, clock, EVEN)

    assert (found["day"], found["version"], found["texts"], found["other_texts"]) == (date, 1, 900, 0)
    assert (found["accepted_share"], found["mean_familiarity"]) == (1, 0.25)
    assert found["mean_score"] == pytest.approx(0.5495)
    assert found["labels"] == [{"label": label, "share": 0.333333, "usual_share": 0.333333} for label in LABELS]
    assert found["held_out"] == {
        "measured_by": "held-out",
        "texts": 900,
        "accepted_share": 0.9,
        "mean_score": 0.75,
        "mean_familiarity": 0.2,
    }
    assert (found["drifted"], found["psi"]) == (False, 0)
    assert min(found["p_labels"], found["p_scores"]) > 0.9


def test_a_tenth_of_the_labels_that_changed_is_found(model: Winnow, clock: Clock) -> None:
    changed = [("c" if label == "a" and place % 10 < 3 else label, score) for place, (label, score) in enumerate(EVEN)]
    found = day(model, clock, changed)
    assert found["drifted"] is True
    assert found["p_labels"] < 0.001 < found["p_scores"]
    assert {each["label"] for each in found["labels"][:2]} == {"a", "c"}
    assert found["reason"] == "The labels of this day differ from those of the held-out examples."


def test_scores_that_fell_are_found(model: Winnow, clock: Clock) -> None:
    found = day(model, clock, [(label, score - 0.02) for label, score in EVEN])
    assert found["p_scores"] < 0.001 < found["p_labels"]
    assert found["reason"] == "The scores of this day differ from those of the held-out examples."


def test_what_folds_answered_may_be_a_little_less_sure(model: Winnow, clock: Clock) -> None:
    objects.write(model, "/usual.json", json.dumps(USUAL | {"measured_by": "cross-validation"}).encode())
    assert day(model, clock, [(label, score + 0.009) for label, score in EVEN])["p_scores"] > 0.01
    assert day(model, clock, [(label, score + 0.03) for label, score in EVEN])["drifted"] is True


def test_a_day_is_measured_once_and_after_its_end(model: Winnow, clock: Clock) -> None:
    log(model, EVEN)
    measure(model)
    # The day before, on which it was made.
    assert [each["texts"] for each in days(model)] == [0]
    tomorrow(clock)
    clock.advance(minutes=-25)
    measure(model)
    assert len(days(model)) == 1
    clock.advance(minutes=25)
    measure(model)
    [found, _] = days(model)
    log(model, EVEN)
    clock.advance(hours=2)
    measure(model)
    assert days(model)[0] == found


def test_the_version_with_most_texts_counts(model: Winnow, clock: Clock) -> None:
    log(model, EVEN[:150], version=2)
    found = day(model, clock, EVEN)
    assert (found["version"], found["texts"], found["other_texts"], found["drifted"]) == (1, 900, 150, False)


def test_a_version_that_is_gone_has_nothing_to_compare_with(model: Winnow, clock: Clock) -> None:
    found = day(model, clock, EVEN, version=7)
    assert (found["version"], found["held_out"], found["p_labels"], found["drifted"]) == (7, None, None, False)
    assert found["reason"] == "Version 7 is deleted, so there is nothing to compare with."


def test_a_version_of_an_earlier_release_has_nothing_to_compare_with(model: Winnow, clock: Clock) -> None:
    objects.forget_digests(model)
    found = day(model, clock, EVEN)
    assert (found["held_out"], found["drifted"]) == (None, False)
    assert "train it again" in found["reason"]


def test_a_changed_object_is_no_reference(model: Winnow, clock: Clock) -> None:
    objects.replace(model, "/usual.json", b"{}")
    found = day(model, clock, EVEN)
    assert (found["held_out"], found["drifted"]) == (None, False)
    assert "has changed since its training" in found["reason"]


def test_a_few_texts_are_not_judged(model: Winnow, clock: Clock) -> None:
    found = day(model, clock, [("c", 0.1)] * 99)
    assert (found["texts"], found["psi"], found["p_labels"], found["drifted"]) == (99, None, None, False)
    assert found["reason"] == "Too few texts to judge: 99 of the day and 900 held-out examples. It takes 100 of each."


def test_at_most_two_thousand_texts_are_looked_at(model: Winnow, clock: Clock) -> None:
    found = day(model, clock, EVEN * 3)
    assert (found["texts"], found["drifted"]) == (2000, False)


def test_an_expired_text_and_a_damaged_object_are_passed_over(model: Winnow, clock: Clock) -> None:
    tomorrow(clock)
    log(model, EVEN[:100], days=1)
    clock.advance(hours=12)
    log(model, EVEN[:300], days=1)
    key = log_key(uid(model), 1, f"{utc_now():%Y-%m-%d}", sortable_id())
    model.s3.put_object(Bucket=model.names["Models"], Key=key, Body=b"no gzip")
    tomorrow(clock)
    measure(model)
    assert days(model)[0]["texts"] == 300


def test_what_publish_writes_is_what_is_compared(ready: Ready, clock: Clock) -> None:
    winnow = ready("exclusive.json")
    evaluation = winnow.call("get_evaluation").body
    set_properties(winnow, log={"share": 1, "days": 30})
    clock.advance(days=1)
    winnow.new_environment()
    asked = {"model_id": "tc-01", "texts": ["my rent is due", "I want to save for vacation!"]}
    winnow.call("predict", "predict_post_text", body=asked)
    tomorrow(clock)
    measure(winnow)
    [found] = days(winnow)
    assert found["texts"] == 2
    held_out = found["held_out"]
    assert (held_out["measured_by"], held_out["texts"]) == (evaluation["measured_by"], evaluation["examples"])
    assert held_out["accepted_share"] == evaluation["accepted_share"]
    assert sum(each["usual_share"] for each in found["labels"]) == pytest.approx(1, abs=1e-5)


def test_days_come_in_pages_newest_first(model: Winnow, clock: Clock) -> None:
    for _ in range(3):
        day(model, clock, [])
    first = model.call("get_drift", query={"limit": "2"}).body
    second = model.call("get_drift", query={"limit": "2", "next": first["next"]}).body
    dates = [each["day"] for each in first["days"] + second["days"]]
    assert (len(dates), dates, second["next"]) == (3, sorted(dates, reverse=True), None)
    assert first["log"] == {"share": 1, "days": 30}
    assert model.call("get_drift", query={"next": "x"}).status == 422


def test_without_a_log_there_is_no_drift_and_measured_days_stay(ready: Ready, clock: Clock) -> None:
    winnow = ready("exclusive.json")
    for call in ("get_drift", "get_drift_figure"):
        answer = winnow.call(call)
        assert (answer.status, answer.body["type"]) == (409, "urn:winnow:problem:no-drift")
        assert "switch the log on" in answer.body["detail"]
        assert winnow.call(call, path={"model_id": "nobody"}).body["type"] == "urn:winnow:problem:model-not-found"
    set_properties(winnow, log={"share": 1, "days": 30})
    assert days(winnow) == []
    clock.advance(days=1)
    day(winnow, clock, [])
    set_properties(winnow, log=None)
    assert (len(days(winnow)), winnow.call("get_drift").body["log"]) == (1, None)
    tomorrow(clock)
    measure(winnow)
    assert len(days(winnow)) == 1


def test_the_figure_shows_the_days_and_quotes_no_markup(model: Winnow, clock: Clock) -> None:
    day(model, clock, EVEN)
    day(model, clock, [("<script>", 0.5)] * 200)
    answer = model.call("get_drift_figure")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "image/svg+xml")
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert str(answer.body).count("<circle") == 8
    assert "<script" not in str(answer.body)


def test_the_rows_go_with_the_model_and_by_themselves(model: Winnow, clock: Clock) -> None:
    date = utc_now().replace(hour=0, minute=0, second=0, microsecond=0)
    day(model, clock, EVEN)
    [row] = [row for row in model.table.scan()["Items"] if row["pk"].startswith("DRIFT#")]
    assert int(row["expires"]) == (date + timedelta(days=90)).timestamp()
    assert "planted" not in str(row)
    model.call("delete_model")
    clock.advance(minutes=17)
    model.invoke("functions/upkeep/sweep", load_event("upkeep/sweep"), Context(seconds=240))
    assert not [row for row in model.table.scan()["Items"] if row["pk"].startswith("DRIFT#")]


def test_a_model_that_is_deleted_meanwhile_gets_no_row(model: Winnow, clock: Clock) -> None:
    log(model, EVEN)
    tomorrow(clock)
    with before_write(lambda: model.call("delete_model")):
        measure(model)
    assert not [row for row in model.table.scan()["Items"] if row["pk"].startswith("DRIFT#")]


def test_two_runs_at_once_write_one_row(model: Winnow, clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    log(model, EVEN)
    tomorrow(clock)
    capsys.readouterr()
    with before_write(lambda: measure(model)):
        measure(model)
    assert counted(capsys.readouterr().out) == {}
    [row] = [row for row in model.table.scan()["Items"] if row["pk"].startswith("DRIFT#")]
    assert row["texts"] == 900


def test_a_broken_model_does_not_stop_the_others(
    model: Winnow, clock: Clock, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    model.create(id="tc-02")
    model.call("change_model", path={"model_id": "tc-02"}, body={"log": {"share": 1, "days": 30}})
    clock.advance(days=1)
    broken = uid(model)
    of_day = PredictionLog.of_day

    def fails(log: PredictionLog, of: str, *rest: Any) -> Any:
        if of == broken:
            raise OSError
        return of_day(log, of, *rest)

    monkeypatch.setattr(PredictionLog, "of_day", fails)
    tomorrow(clock)
    capsys.readouterr()
    measure(model)
    assert counted(capsys.readouterr().out) == {"SweepFaults": 1}
    assert days(model) == []
    assert len(model.call("get_drift", path={"model_id": "tc-02"}).body["days"]) == 1


def test_the_sweeper_has_it_measured_in_the_first_minutes_of_an_hour(model: Winnow, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    lambda_ = Invoked("MeasureDrift")
    monkeypatch.setattr(clients, "lambda_", cache(lambda: lambda_))

    def sweep(at: str) -> int:
        model.invoke("functions/upkeep/sweep", load_event("upkeep/sweep") | {"time": f"2026-11-23T{at}:00Z"}, Context(seconds=240))
        return len(lambda_.events)

    assert [sweep(at) for at in ("16:05", "16:55", "17:04", "18:01")] == [0, 0, 1, 2]
    measure(model)
    assert sweep("19:04") == 2, "the day is measured"
    tomorrow(clock)
    assert sweep("19:04") == 3
    model.call("change_model", body={"log": None})
    tomorrow(clock)
    assert sweep("20:00") == 3, "no model has a log"


def test_without_time_the_next_run_does_the_rest(model: Winnow, clock: Clock) -> None:
    log(model, EVEN)
    tomorrow(clock)
    model.invoke(MEASURE, load_event("upkeep/measure_drift"), Context(seconds=90))
    assert days(model) == []
    measure(model)
    assert len(days(model)) == 1


def test_a_drifted_day_is_announced_and_counted(
    model: Winnow, clock: Clock, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bus = Bus(refused=1)
    monkeypatch.setattr(clients, "events", cache(lambda: bus))
    found = day(model, clock, [("a", 0.5)] * 900)
    [row] = [row for row in model.table.scan()["Items"] if row["pk"].startswith("DRIFT#")]
    image = {name: TypeSerializer().serialize(value) for name, value in row.items()}
    event = {"Records": [{"eventName": "INSERT", "dynamodb": {"NewImage": image}}]}
    assert image["drifted"] == {"BOOL": True}  # the filter's form

    capsys.readouterr()
    with pytest.raises(RuntimeError):
        model.invoke("functions/upkeep/announce", event)
    assert counted(capsys.readouterr().out) == {}
    model.invoke("functions/upkeep/announce", event)

    assert counted(capsys.readouterr().out) == {"DriftedModels": 1}
    [sent] = bus.events
    assert (sent["Source"], sent["DetailType"]) == ("winnow", "Winnow Model Drifted")
    names = ("day", "version", "texts", "psi", "p_labels", "p_scores", "reason")
    assert sent["Detail"] == {"model_id": "tc-01", **{name: found[name] for name in names}, "labels": found["labels"]}
