"""`winnow log`, ids in `winnow predict --json`, and `winnow feedback` with lines that name predictions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import MODELS, Server, Winnow, ends, problem

MODEL = MODELS["models"][0] | {"version": None}
ID = "20260302T091641007-1a2b3c4d-{:02d}-30d"
KEPT = {
    "model_id": "m",
    "batch": "b",
    "examples": 2,
    "new_labels": ["card"],
    "waiting": 2,
    "retrain": "waiting",
    "version": None,
}


def sent(server: Server, call: str) -> list[Any]:
    return [json.loads(body) for method, path, _, body in server.asked if f"{method} {path.removeprefix('/v1')}" == call]


def file_of(tmp_path: Path, *records: Any) -> str:
    (tmp_path / "corrections.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    return str(tmp_path / "corrections.jsonl")


@pytest.mark.parametrize(
    ("options", "asked", "log", "said"),
    [
        ((), None, None, "savings keeps none of the texts that it classifies."),
        ((), None, {"share": 0.125, "days": 7}, "savings keeps 12.5 % of the texts that it classifies, for 7 days."),
        (
            ("--share", "0.1"),
            {"share": 0.1, "days": 30},
            {"share": 0.1, "days": 30},
            "savings keeps 10 % of the texts that it classifies, for 30 days.",
        ),
        (
            ("--share", "1", "--days", "1"),
            {"share": 1.0, "days": 1},
            {"share": 1, "days": 1},
            "savings keeps 100 % of the texts that it classifies, for a day.",
        ),
        (("--off",), None, None, "savings keeps none of the texts that it classifies."),
    ],
)
def test_log_shows_and_sets_what_is_kept(
    server: Server, winnow: Winnow, options: tuple[str, ...], *, asked: Any, log: Any, said: str
) -> None:
    for method in ("GET", "PATCH"):
        server.gives(f"{method} /models/savings", (200, MODEL | {"log": log}))

    done = winnow("log", "savings", *options)

    assert (done.returncode, done.stdout) == (0, f"{said}\n"), done.stderr
    assert sent(server, "PATCH /models/savings") == ([{"log": asked}] if options else [])
    assert json.loads(winnow("log", "savings", *options, "--json").stdout) == {"model_id": "savings", "log": log}


@pytest.mark.parametrize(
    ("options", "told"),
    [(("--off", "--share", "1"), "--off"), (("--off", "--days", "7"), "--off"), (("--days", "7"), "--days needs --share")],
)
def test_log_says_what_goes_together(winnow: Winnow, options: tuple[str, ...], told: str) -> None:
    ends(winnow("log", "savings", *options), 2, told)


def test_what_the_api_refuses_is_said(server: Server, winnow: Winnow) -> None:
    server.gives("PATCH /models/savings", problem(422, "log.share must be above 0 and at most 1."))
    ends(winnow("log", "savings", "--share", "2"), 1, "log.share must be above 0 and at most 1.")
    ends(winnow("log", "savings", "--share", "1", "--days", "5"), 2, "'1', '7', '30', '90'")


def test_predict_shows_the_id_in_json(server: Server, winnow: Winnow) -> None:
    prediction = {"prediction_id": ID.format(0), "labels": [{"label": "card", "score": 0.9, "accepted": True}]}
    server.gives("POST /prediction", (200, {"model_id": "m", "version": 1, "predictions": [prediction]}))
    assert json.loads(winnow("predict", "-m", "m", "freeze it", "--json").stdout)["prediction_id"] == ID.format(0)


def test_lines_that_name_predictions_are_sent_as_examples(server: Server, winnow: Winnow, tmp_path: Path) -> None:
    records = [
        {"prediction_id": ID.format(0), "label": "card"},
        {"prediction_id": ID.format(1), "labels": ["a"]},
        {"text": "x", "label": "a"},
    ]
    server.gives("POST /models/m/examples", (201, KEPT | {"examples": 3, "waiting": 3}))

    done = winnow("feedback", file_of(tmp_path, *records), "-m", "m")

    assert done.stdout.splitlines()[0] == "3 examples saved for m; 3 examples pending (`--retrain now` starts a training)"
    assert sent(server, "POST /models/m/examples") == [{"examples": records, "retrain": "auto"}]


def test_many_lines_are_sent_in_parts_of_which_the_last_may_train(server: Server, winnow: Winnow, tmp_path: Path) -> None:
    records = [{"prediction_id": ID.format(number % 100), "label": "card"} for number in range(450)]
    answers = [KEPT | {"batch": f"b{number}", "examples": size, "retrain": "waiting"} for number, size in enumerate((200, 200, 50))]
    server.gives("POST /models/m/examples", *((201, answer) for answer in answers))

    done = winnow("feedback", file_of(tmp_path, *records), "-m", "m", "--retrain", "now", "--json")

    bodies = sent(server, "POST /models/m/examples")
    assert [(len(body["examples"]), body["retrain"]) for body in bodies] == [(200, "no"), (200, "no"), (50, "now")]
    assert [record for body in bodies for record in body["examples"]] == records
    told = json.loads(done.stdout)
    assert (told["examples"], told["batches"], told["new_labels"]) == (450, ["b0", "b1", "b2"], ["card"])


def test_options_of_a_table_say_nothing_about_such_lines(winnow: Winnow, tmp_path: Path) -> None:
    file = file_of(tmp_path, {"prediction_id": ID.format(0), "label": "card"})
    ends(winnow("feedback", file, "-m", "m", "--text-column", "body"), 2, "--text-column", "name predictions")


def test_other_json_lines_are_uploaded(server: Server, winnow: Winnow, tmp_path: Path) -> None:
    server.gives(
        "POST /datasets", (201, {"upload_url": f"{server.url[:-3]}/s3/x", "s3bucket": "bucket", "training_object": "u/x", "headers": {}})
    )
    server.gives("PUT /s3/x", (200, b""))
    server.gives("POST /models/m/examples", (201, KEPT | {"file": {"problems": []}}))

    winnow("feedback", file_of(tmp_path, {"text": "x", "label": "a", "prediction_id": "beside"}), "-m", "m")

    assert sent(server, "POST /models/m/examples") == [{"s3bucket": "bucket", "training_object": "u/x", "retrain": "auto"}]
