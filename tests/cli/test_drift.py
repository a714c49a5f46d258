"""`winnow drift`."""

from __future__ import annotations

import json
from typing import Any

from tests.cli.conftest import Server, Winnow, ends, problem

DAY: dict[str, Any] = {
    "day": "2026-03-02",
    "version": 3,
    "texts": 1000,
    "other_texts": 0,
    "accepted_share": 0.871,
    "mean_score": 0.842015,
    "mean_familiarity": None,
    "labels": [{"label": "debt", "share": 0.22, "usual_share": 0.121875}],
    "more_labels": 0,
    "held_out": {"measured_by": "held-out", "texts": 320, "accepted_share": 0.878, "mean_score": 0.861, "mean_familiarity": None},
    "psi": 0.068441,
    "p_labels": 0.0001,
    "p_scores": 0.272,
    "drifted": True,
    "reason": "The labels of this day differ from those of the held-out examples.",
    "measured_at": "2026-03-03T00:24:09.120Z",
}
ABSENT = dict.fromkeys(("version", "accepted_share", "mean_score", "held_out", "psi", "p_labels", "p_scores"))
EMPTY = DAY | ABSENT | {"day": "2026-03-01", "texts": 0, "labels": [], "drifted": False, "reason": "The log has no text of this day."}


def drift(*days: dict[str, Any], more: str | None = None) -> dict[str, Any]:
    return {"model_id": "savings", "log": None, "days": list(days), "next": more}


def test_each_day_has_a_row(server: Server, winnow: Winnow) -> None:
    answer = drift(DAY, DAY | {"day": "2026-02-28", "drifted": False}, EMPTY, more="abc")
    server.gives("GET /models/savings/drift", (200, answer))

    done = winnow("drift", "savings", "--limit", "3")

    assert (done.returncode, done.stderr, server.calls()) == (0, "", ["GET /models/savings/drift?limit=3"])
    rows = [line.split() for line in done.stdout.splitlines() if line.strip().startswith("2026")]
    assert rows[0] == ["2026-03-02", "3", "1000", "0.871", "0.842", "0.068", "drifted"]
    assert [row[-2:] for row in rows[1:]] == [["as", "usual"], ["not", "judged"]]
    assert "--limit N shows more" in done.stdout
    assert json.loads(winnow("drift", "savings", "--json").stdout) == answer


def test_a_day_shows_its_labels(server: Server, winnow: Winnow) -> None:
    server.gives("GET /models/savings/drift", (200, drift(DAY, EMPTY)))
    done = winnow("drift", "savings", "--day", "2026-03-02")
    assert done.returncode == 0
    assert done.stdout.startswith(DAY["reason"])
    assert ["debt", "0.220", "0.122"] in [line.split() for line in done.stdout.splitlines()]
    assert json.loads(winnow("drift", "savings", "--day", "2026-03-02", "--json").stdout) == DAY
    assert EMPTY["reason"] in winnow("drift", "savings", "--day", "2026-03-01").stdout
    ends(winnow("drift", "savings", "--day", "2026-02-01"), 1, "has no measured day 2026-02-01")


def test_without_days_it_says_why(server: Server, winnow: Winnow) -> None:
    server.gives("GET /models/savings/drift", (200, drift()))
    assert "No day is measured yet" in winnow("drift", "savings").stdout
    server.gives("GET /models/savings/drift", problem(409, "Model 'savings' keeps no prediction log."))
    ends(winnow("drift", "savings"), 1, "keeps no prediction log")
