"""`winnow tradeoff` and `winnow policy`."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.cli.conftest import MODELS, Server, Winnow, ends, problem
from tests.support.contract import document

PATH = "/models/savings/policy"
COUNTED = {
    "answered": 281,
    "answered_share": 0.878125,
    "answered_interval": [0.837826, 0.909489],
    "right": 274,
    "right_share": 0.975089,
    "right_interval": [0.949546, 0.987868],
}
OF_LABEL = {"answered": 37, "right": 36, "right_share": 0.972973, "right_interval": [0.861824, 0.995216], "found_share": 0.9}
NONE_OF_LABEL = {"answered": 0, "right": 0, "right_share": None, "right_interval": None, "found_share": None}
TRADEOFF: dict[str, Any] = {
    "model_id": "savings",
    "version": 3,
    "measured_by": "cross-validation",
    "examples": 320,
    "own": COUNTED,
    "curve": [{"threshold": 0.7183, **COUNTED}],
    "per_label": [
        {"label": "debt", "examples": 0, "own": NONE_OF_LABEL, "curve": []},
        {"label": "saving", "examples": 40, "own": OF_LABEL, "curve": []},
    ],
}
POLICY = {"revision": 2, "min_precision": 0.95, "thresholds": None, "cost": None, "version": 3, "created_at": "2026-03-02T09:16:41.007Z"}
APPLIED = {"version": 3, "threshold": 0.7183, "thresholds": None, "reason": None, "held_out": {"examples": 320, **COUNTED}}


FAILED = {"status": "failed", "report": None, "error": "The test set has no label at all."}


def examples(name: str) -> Any:
    """The contract's example of this name."""
    return document()["components"]["examples"][name]["value"]


def governed(policy: Any = POLICY, **applied: Any) -> dict[str, Any]:
    return {"model_id": "savings", "policy": policy, "applied": None if policy is None else APPLIED | applied}


def sent(server: Server) -> Any:
    return json.loads(server.asked[-1][3])


def test_the_tradeoff_is_a_table(server: Server, winnow: Winnow) -> None:
    server.gives("GET /models/savings", (200, MODELS["models"][0]))
    server.gives("GET /models/savings/versions/3/tradeoff", (200, TRADEOFF))

    done = winnow("tradeoff", "savings")

    assert (done.returncode, done.stderr) == (0, "")
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert lines[0] == "Version 3, 320 examples (by cross-validation). Brackets: 95 % intervals."
    assert "its own 87.8 % [83.8, 90.9] 97.5 % [95.0, 98.8]" in lines
    assert "0.718 87.8 % [83.8, 90.9] 97.5 % [95.0, 98.8]" in lines
    # The label with the most mistakes comes first.
    assert lines.index("saving 37 97.3 % [86.2, 99.5] 90.0 %") < lines.index("debt 0 - -")
    assert json.loads(winnow("tradeoff", "savings", "--model-version", "3", "--json").stdout) == TRADEOFF


def test_a_policy_is_shown(server: Server, winnow: Winnow) -> None:
    server.gives(f"GET {PATH}", (200, governed()), (200, governed(None)))

    done = winnow("policy", "savings")

    assert done.stdout.splitlines() == [
        "Policy 2 of savings: at least 95 % of the answers are right.",
        "Version 3 accepts a label from the score 0.718 on.",
        "Of its 320 held-out examples it answers 87.8 % [83.8, 90.9], and of those 97.5 % [95.0, 98.8] rightly.",
    ]
    assert winnow("policy", "savings").stdout == "savings has no policy: each version's own thresholds say what is accepted.\n"


def test_a_version_that_accepts_nothing_says_why(server: Server, winnow: Winnow) -> None:
    held_out = {"examples": 320, **COUNTED, "answered": 0}
    server.gives(f"GET {PATH}", (200, governed(threshold=None, reason="It can't.", held_out=held_out)))

    assert winnow("policy", "savings").stdout.splitlines()[1:] == ["Version 3 accepts nothing. It can't."]


@pytest.mark.parametrize(
    ("options", "body", "shown"),
    [
        (["--min-precision", "0.95"], {"min_precision": 0.95}, "at least 95 % of the answers are right"),
        (
            ["--min-precision", "0.9", "--evaluation", "0a"],
            {"min_precision": 0.9, "evaluation": "0a"},
            "at least 90 % of the answers are right",
        ),
        (["--wrong", "10", "--refused", "1"], {"cost": {"wrong": 10, "refused": 1}}, "a wrong answer costs 10, a refused text 1"),
        (
            ["--threshold", "a=b=0.9", "--threshold", "c=1"],
            {"thresholds": {"a=b": 0.9, "c": 1}},
            "labels are accepted from these scores on: a=b 0.9, c 1",
        ),
        (["--threshold", "a=0.9999999"], {"thresholds": {"a": 0.9999999}}, "labels are accepted from these scores on: a 0.9999999."),
        (["--min-precision", "0.9999999"], {"min_precision": 0.9999999}, "at least 99.99999 % of the answers are right"),
    ],
)
def test_an_aim_is_sent(server: Server, winnow: Winnow, options: list[str], body: dict[str, Any], shown: str) -> None:
    aims: dict[str, Any] = dict.fromkeys(("min_precision", "thresholds", "cost"))
    server.gives(f"PUT {PATH}", (200, governed(POLICY | aims | body)))

    done = winnow("policy", "savings", *options)

    assert (sent(server), done.returncode) == (body, 0)
    assert done.stdout.startswith(f"Policy 2 of savings: {shown}")


def test_none_ends_the_policy(server: Server, winnow: Winnow) -> None:
    server.gives(f"DELETE {PATH}", (200, governed(None)))
    assert winnow("policy", "savings", "--none").returncode == 0
    assert server.calls() == [f"DELETE {PATH}"]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--wrong", "10"], "--refused"),
        (["--min-precision", "0.9", "--threshold", "a=1"], "one aim"),
        (["--threshold", "a"], "LABEL=SCORE"),
        (["--none", "--min-precision", "0.9"], "--none"),
        (["--evaluation", "0"], "--evaluation"),
        (["--min-precision", "nan"], "nan"),
        (["--wrong", "inf", "--refused", "1"], "inf"),
        (["--threshold", "a=nan"], "nan"),
    ],
)
def test_options_that_contradict_each_other_are_wrong_usage(server: Server, winnow: Winnow, options: list[str], told: str) -> None:
    ends(winnow("policy", "savings", *options), 2, told)
    assert server.calls() == []


def test_the_api_s_sentence_is_shown(server: Server, winnow: Winnow) -> None:
    server.gives(f"PUT {PATH}", problem(422, "About 130 examples would do."))
    ends(winnow("policy", "savings", "--min-precision", "0.95"), 1, "About 130 examples would do.")


def test_an_evaluation_is_awaited(server: Server, winnow: Winnow) -> None:
    report = examples("EvaluationReport")
    found = {"evaluation": "0a", "status": "ready", "learnt": 3, "report": report, "error": None}
    server.gives("GET /models/savings", (200, MODELS["models"][0]))
    server.gives("POST /models/savings/versions/2/evaluations", (202, {"evaluation": "0a", "status": "running"}))
    server.gives(
        "GET /models/savings/versions/2/evaluations/0a",
        (200, {"status": "running"}),
        (200, found),
        (200, found | {"learnt": 0}),
        (200, found | FAILED),
    )

    done = winnow("evaluate", "s3://bucket/may.csv", "--model", "savings", "--label-column", "kind")

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Evaluation 0a of version 2, without 3 texts that it has learnt\n")
    assert json.loads(server.asked[1][3]) == {"s3bucket": "bucket", "training_object": "may.csv", "label_column": "kind"}
    assert winnow("evaluate", "s3://bucket/may.csv", "-m", "savings").stdout.startswith("Evaluation 0a of version 2\n")
    ends(winnow("evaluate", "s3://bucket/may.csv", "-m", "savings", "--model-version", "2"), 1, "The test set has no label at all.")
