"""`winnow schedule`: when a model trains by the clock."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import MODELS, Server, Winnow, ends, problem

CRON, NEXT = "cron(0 3 ? * SUN *)", "2026-03-08T03:00:00.000Z"
SET = {"model_id": "savings", "schedule": CRON, "scheduled_for": NEXT}
SAID = f"savings: {CRON}, next within the hour after {NEXT}.\n"


@pytest.mark.parametrize(
    ("options", "asked", "said"),
    [((), None, SAID), ((CRON,), {"schedule": CRON}, SAID), (("--off",), {"schedule": None}, "savings: no schedule.\n")],
)
def test_it_is_shown_set_and_removed(server: Server, winnow: Winnow, options: tuple[str, ...], asked: object, said: str) -> None:
    now = {"schedule": None, "scheduled_for": None} if options == ("--off",) else SET
    server.gives("GET /models/savings", (200, MODELS["models"][0] | now))
    server.gives("PATCH /models/savings", (200, MODELS["models"][0] | now))

    done = winnow("schedule", "savings", *options)

    assert (done.returncode, done.stdout) == (0, said), done.stderr
    assert [(method, json.loads(body or b"null")) for method, *_, body in server.asked] == [("PATCH" if asked else "GET", asked)]
    assert json.loads(winnow("schedule", "savings", *options, "--json").stdout) == {"model_id": "savings", **now}


def test_what_goes_together_and_what_the_api_refuses_is_said(server: Server, winnow: Winnow) -> None:
    ends(winnow("schedule", "savings", CRON, "--off"), 2, "either TIMES or --off")
    server.gives("PATCH /models/savings", problem(422, "schedule must be a rate or a cron expression."))
    ends(winnow("schedule", "savings", "daily"), 1, "schedule must be a rate or a cron expression.")
