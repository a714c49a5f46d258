"""The table of `make smoke`: what is tried, what is not, and what is removed in any case. (tests/e2e/test_commands.py runs the steps.)"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
import requests

from local import smoke
from local.smoke import Smoke, SmokeError, Step

type Do = Callable[[Smoke], str]


def failing(error: BaseException) -> Do:
    def do(_: Smoke) -> str:
        raise error

    return do


def fine(_: Smoke) -> str:
    return "fine"


def told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], steps: Mapping[str, Do], seconds: float = 60
) -> tuple[bool, list[str]]:
    """The marks and names of the table, where these steps are those given, and all others are fine."""
    for name in ("STEPS", "REMOVALS"):
        monkeypatch.setattr(smoke, name, tuple(Step(it.name, steps.get(it.name, fine), it.needs) for it in getattr(smoke, name)))
    try:
        passed = smoke.run(Smoke("http://127.0.0.1:9", "key", seconds))
    except KeyboardInterrupt:
        passed = False
    return passed, [f"{line[2:4]} {line[6:21].strip()}" for line in capsys.readouterr().out.splitlines()]


def test_all_that_pass_are_a_success(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    passed, lines = told(monkeypatch, capsys, {})
    assert passed
    assert {line[:2] for line in lines} == {"ok"}


@pytest.mark.parametrize("error", [SmokeError("no"), TimeoutError("late"), requests.ConnectionError("cut"), KeyError("labels")])
def test_a_failed_step_stops_no_step_that_does_not_need_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: Exception
) -> None:
    passed, lines = told(monkeypatch, capsys, {"batch": failing(error)})
    assert not passed
    assert lines[-5:] == ["ok retrain", "NO batch", "ok roll back", "ok delete model", "ok delete uploads"]


def test_what_was_made_is_removed_after_an_interruption_too(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    _, lines = told(monkeypatch, capsys, {"train": failing(KeyboardInterrupt())})
    assert lines[-2:] == ["ok delete model", "ok delete uploads"]


def test_a_removal_that_fails_is_a_failure_and_the_other_is_still_made(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    passed, lines = told(monkeypatch, capsys, {"delete model": failing(SmokeError("no"))})
    assert not passed
    assert lines[-2:] == ["NO delete model", "ok delete uploads"]


def test_what_needs_a_failed_step_is_not_tried(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    passed, lines = told(monkeypatch, capsys, {"retrain": failing(SmokeError("no"))})
    assert not passed
    assert lines[-5:] == ["NO retrain", "-- batch", "-- roll back", "ok delete model", "ok delete uploads"]


def test_nothing_is_begun_when_the_time_is_over(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    passed, lines = told(monkeypatch, capsys, {}, seconds=0)
    assert not passed
    assert {line[:2] for line in lines} == {"--"}
