"""delete, cancel, watch, datasets, report, figures, download, keys; uploads that are removed; all fields of a training."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from rich.text import Text

from tests.cli.conftest import MODELS, Server, Winnow, ends, problem
from tests.cli.test_work import REPORT, dataset
from tests.client.conftest import example_of
from winnow_cli import plots
from winnow_cli.terminal import BLOCKS, PLAIN

MODEL = MODELS["models"][0] | {"version": None}
VERSION = "/models/{model_id}/versions/{version}"
READY = example_of(f"GET {VERSION}")
EVALUATION = example_of(f"GET {VERSION}/evaluation")
BATCH = "20260302T091641007-1a2b3c4d"
UPLOAD = "0f8fad5bd9cb469fa16570867728950e-texts.csv"


# --- delete, cancel, watch ---


def test_nothing_is_deleted_that_nobody_was_asked_about(server: Server, winnow: Winnow) -> None:
    ends(winnow("delete", "savings"), 2, "savings with all its versions", "--yes")
    assert not server.asked


def test_a_model_or_a_version_is_deleted(server: Server, winnow: Winnow) -> None:
    server.gives("DELETE /models/savings", (202, {"model_id": "savings", "status": "deleting"}))
    done = winnow("delete", "savings", "--yes")
    assert (done.returncode, done.stdout) == (0, "Deleted savings with all its versions, and its objects are being removed.\n")
    server.gives("DELETE /models/savings/versions/2", (200, {"model_id": "savings", "version": 2, "status": "deleted"}))
    assert winnow("delete", "savings", "--model-version", "2", "-y").stdout == "Deleted version 2 of savings.\n"
    server.gives("DELETE /models/savings/versions/2", problem(409, "Version 2 is live."))
    ends(winnow("delete", "savings", "--model-version", "2", "-y"), 1, "Version 2 is live.")


def test_a_training_or_a_batch_is_cancelled(server: Server, winnow: Winnow) -> None:
    server.gives("GET /models/savings", (200, MODEL))
    server.gives("POST /models/savings/versions/3/cancel", (200, READY | {"status": "cancelled"}))
    assert winnow("cancel", "savings").stdout == "The training of version 3 of savings is cancelled.\n"
    server.gives(f"POST /models/savings/batches/{BATCH}/cancel", (200, {"batch": BATCH, "status": "cancelled"}))
    assert json.loads(winnow("cancel", "savings", "--batch", BATCH, "--json").stdout)["status"] == "cancelled"
    ends(winnow("cancel", "savings", "--batch", BATCH, "--model-version", "2"), 2, "either --model-version or --batch")


def test_watch_waits_for_what_has_begun(server: Server, winnow: Winnow) -> None:
    server.gives("GET /models/savings", (200, MODEL))
    running = READY | {"status": "training", "live": False}
    server.gives("GET /models/savings/versions/3", (200, running), (200, READY))
    server.gives("GET /models/savings/versions/3/evaluation", (200, EVALUATION))
    done = winnow("watch", "savings", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"model_id": "savings", "version": READY, "evaluation": EVALUATION}
    server.gives("GET /models/savings/versions/3", (200, READY | {"status": "failed", "error": "It needs more memory."}))
    done = winnow("watch", "savings", "--model-version", "3", "--json")
    assert (done.returncode, done.stderr) == (1, "winnow: Version 3 of savings failed: It needs more memory.\n")
    batch = example_of("GET /models/{model_id}/batches/{batch}")
    server.gives(f"GET /models/savings/batches/{BATCH}", (200, batch | {"status": "running", "result": None}), (200, batch))
    assert "ready, 100 %" in winnow("watch", "savings", "--batch", BATCH).stdout


# --- datasets, report, download, figures ---


def test_uploads_are_listed_and_removed(server: Server, winnow: Winnow) -> None:
    page = example_of("GET /datasets")
    server.gives("GET /datasets", (200, page | {"next": None}))
    done = winnow("datasets")
    assert all(each["name"] in done.stdout for each in page["datasets"])
    assert json.loads(winnow("datasets", "--json").stdout) == {"datasets": page["datasets"]}
    server.gives(f"DELETE /datasets/{UPLOAD}", (200, {"name": UPLOAD, "status": "deleted"}))
    done = winnow("datasets", "--remove", UPLOAD)
    assert (done.stdout, done.stderr) == ("", f"Removed {UPLOAD}.\n")
    ends(winnow("datasets", "--remove", "../models/savings"), 2, "`winnow datasets` shows")


def test_the_report_of_a_version(server: Server, winnow: Winnow) -> None:
    server.gives("GET /models/savings", (200, MODEL))
    report = example_of("POST /models")["report"]
    server.gives("GET /models/savings/versions/3/report", (200, {"model_id": "savings", "version": 3, "report": report}))
    done = winnow("report", "savings")
    assert done.returncode == 0, done.stderr
    assert "version 3 of savings: 640 rows, 639 examples, 2 labels (csv)" in done.stdout
    assert "empty-text (1): Give each row a text, or remove it." in done.stdout
    assert done.stdout.index("saving ") < done.stdout.rindex("budget "), "most examples first"


def test_a_version_is_downloaded_in_one_step(server: Server, winnow: Winnow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    server.gives("GET /models/savings", (200, MODEL))
    link = example_of(f"GET {VERSION}/artifact") | {"url": server.url.replace("/v1", "/s3/x")}
    server.gives("GET /models/savings/versions/2/artifact", (200, link))
    server.gives("GET /s3/x", (200, b"packed"))
    saved = " ".join(winnow("download", "savings").stdout.split())
    assert saved == f"Version 2 of savings is saved in savings-2.tar.gz. Its SHA-256 is {link['sha256']}."
    assert (tmp_path / "savings-2.tar.gz").read_bytes() == b"packed"
    assert winnow("download", "savings", "--output", "-").stdout == "packed"
    server.gives("GET /s3/x", (403, b"expired"))
    ends(winnow("download", "savings", "--output", "other"), 1, "403")
    assert [file.name for file in tmp_path.iterdir()] == ["savings-2.tar.gz"]


def test_figures_are_drawn_or_saved(server: Server, winnow: Winnow, tmp_path: Path) -> None:
    server.gives("GET /models/savings", (200, MODEL))
    server.gives("GET /models/savings/versions/3/evaluation", (200, EVALUATION))
    done = winnow("figures", "savings")
    assert done.returncode == 0, done.stderr
    assert "Reliability" in done.stdout
    assert "Confusion" in done.stdout
    assert done.stdout.isascii(), "a pipe gets plain characters"
    for name in ("confusion", "reliability"):
        server.gives(f"GET /models/savings/versions/3/evaluation/{name}.svg", (200, f"<svg>{name}</svg>".encode()))
    gone = {"type": "urn:winnow:problem:figure-not-found", "title": "X", "status": 404, "detail": "None."}
    for name in ("learning", "examples"):
        server.gives(f"GET /models/savings/versions/3/evaluation/{name}.svg", (404, gone))
    folder = tmp_path / "a" / "b"
    done = winnow("figures", "savings", "--output", str(folder), "--json")
    assert json.loads(done.stdout)["files"] == [str(folder / "confusion.svg"), str(folder / "reliability.svg")]
    assert (folder / "reliability.svg").read_text() == "<svg>reliability</svg>"


def drawn(lines: Iterable[Text]) -> list[str]:
    return [each.plain for each in lines]


def test_a_bar_is_as_long_as_its_share_and_the_mark_is_at_the_score() -> None:
    bins = [
        {"from": 0.0, "to": 0.5, "count": 0, "confidence": None, "accuracy": None},
        {"from": 0.5, "to": 1.0, "count": 8, "confidence": 0.75, "accuracy": 0.5},
    ]
    _, row, _ = drawn(plots.reliability({"ece": 0.25, "bins": bins}, BLOCKS))
    assert row == "  0.5-1.0  " + "█" * 20 + " " * 9 + "│" + " " * 10 + "  0.50  8 texts"
    _, row, _ = drawn(plots.reliability({"ece": 0.25, "bins": bins}, PLAIN))
    assert row == "  0.5-1.0  " + "#" * 20 + " " * 9 + "|" + " " * 10 + "  0.50  8 texts"
    assert plots.bar(0.5 + 1 / 80, BLOCKS).rstrip() == "█" * 20 + "▌", "half of a cell"


def test_few_labels_are_a_matrix_and_many_are_pairs() -> None:
    rows = drawn(plots.confusion({"labels": ["a", "a label with a long name"], "matrix": [[9, 1], [0, 5]]}, BLOCKS))
    assert rows[2:] == ["   1 a               █  9░  1", "   2 a label with a..    █  5"]
    many = [f"label {number}" for number in range(20)]
    matrix = [[0] * 20 for _ in many]
    matrix[3][4], matrix[5][6] = 8, 4
    rows = drawn(plots.confusion({"labels": many, "matrix": matrix}, PLAIN))
    assert [row.split("#")[-1].split() for row in rows[1:]] == [
        ["8", "label", "3", "/", "label", "4"],
        ["4", "label", "5", "/", "label", "6"],
    ]
    assert drawn(plots.confusion(None, PLAIN)) == ["No confusion: a text may have several labels."]


# --- uploads ---


def with_name(server: Server, folder: Path, report: dict[str, Any] = REPORT) -> str:
    """A data set whose upload can be removed."""
    file = dataset(server, folder, report)
    [(status, body)] = server.answers["POST /v1/datasets"]
    server.answers["POST /v1/datasets"] = [(status, json.dumps(json.loads(body) | {"name": UPLOAD}).encode())]
    server.gives(f"DELETE /datasets/{UPLOAD}", (200, {"name": UPLOAD, "status": "deleted"}))
    return file


REMOVED = f"DELETE /datasets/{UPLOAD}"


@pytest.mark.parametrize(
    ("options", "report", "removed"),
    [
        (["--dry-run"], REPORT, True),
        (["--dry-run", "--keep-upload"], REPORT, False),
        ([], REPORT | {"errors": 1, "trainable": False}, True),
        ([], REPORT, False),
    ],
)
def test_an_upload_is_removed_when_it_was_read(
    server: Server, winnow: Winnow, tmp_path: Path, *, options: list[str], report: dict[str, Any], removed: bool
) -> None:
    done = winnow("train", with_name(server, tmp_path, report), "-m", "new", *options)
    assert (server.calls()[-1] == REMOVED) is removed
    stays = f"The upload stays: `winnow datasets --remove {UPLOAD}`"
    assert (stays in done.stderr) is (not removed and not options)


def test_a_watched_training_removes_what_it_has_read(server: Server, winnow: Winnow, tmp_path: Path) -> None:
    file = with_name(server, tmp_path)
    running = READY | {"status": "training"}
    server.gives("GET /models/new/versions/4", (200, running), (200, READY))
    server.gives("GET /models/new/versions/4/evaluation", (200, EVALUATION))
    done = winnow("train", file, "-m", "new", "--watch")
    assert done.returncode == 0, done.stderr
    assert server.calls().index(REMOVED) > server.calls().index("GET /models/new/versions/4")
    server.gives(f"DELETE /datasets/{UPLOAD}", problem(409, "A training reads it."))
    server.gives("GET /models/new", problem(404, "None."))
    server.gives("POST /models", (200, {"dry_run": True, "report": REPORT}))
    done = winnow("train", file, "-m", "new", "--dry-run")
    assert done.returncode == 0, "the work is done all the same"
    assert f"The upload is still there: `winnow datasets --remove {UPLOAD}` removes it." in done.stderr


def test_a_watched_batch_removes_what_it_has_read(server: Server, winnow: Winnow, tmp_path: Path) -> None:
    file = with_name(server, tmp_path)
    batch = example_of("GET /models/{model_id}/batches/{batch}")
    server.gives("POST /models/m/batches", (202, {"model_id": "m", "batch": BATCH, "version": 2, "status": "queued"}))
    server.gives(f"GET /models/m/batches/{BATCH}", (200, batch))
    assert winnow("batch", file, "-m", "m", "--watch").returncode == 0
    assert server.calls()[-1] == REMOVED
    server.asked.clear()
    assert winnow("batch", "s3://mine/texts.csv", "-m", "m", "--watch").returncode == 0
    assert not [call for call in server.calls() if call.startswith("DELETE")], "what lay in S3 is not ours"


def test_fields_of_a_training_are_sent(server: Server, winnow: Winnow) -> None:
    server.gives("POST /models", (200, {"dry_run": True, "report": REPORT}))
    options = "--multilabel --n-iter 3 --n-texts 50 --dropout 0.2 --batch-size 8 --learn-rate 0.5 --seed 0 --patience 2 --max-minutes 1.5"
    more = "--spacy-model de --min-precision 0.9 --no-keep-texts --retrain-after 10 --tolerance 0.01 --title T --tag a --tag b --note N"
    done = winnow("train", "s3://mine/x.csv", "-m", "new", "--dry-run", "--recipe", "cnn", *options.split(), *more.split())
    assert done.returncode == 0, done.stderr
    assert json.loads(server.asked[0][3]) == {
        **{"id": "new", "s3bucket": "mine", "training_object": "x.csv", "dry_run": True, "recipe": "cnn", "exclusive": False},
        **{"n_iter": 3, "n_texts": 50, "dropout": 0.2, "batch_size": 8, "learn_rate": 0.5, "seed": 0, "patience": 2, "max_minutes": 1.5},
        **{"spacy_model": "de", "min_precision": 0.9, "keep_texts": False, "retrain_after": 10, "tolerance": 0.01, "title": "T"},
        **{"tags": ["a", "b"], "note": "N"},
    }


def test_the_default_of_n_top_is_the_api_s(server: Server, winnow: Winnow) -> None:
    labels = [{"label": "a", "score": 0.5, "accepted": True}]
    server.gives("POST /prediction", (200, {"model_id": "m", "version": 1, "predictions": [{"labels": labels}]}))
    winnow("predict", "-m", "m", "text")
    assert "n_top" not in json.loads(server.asked[0][3])


# --- a wrong URL ---


@pytest.mark.parametrize("status", [200, 301, 403, 404, 500])
def test_a_wrong_url_is_said(server: Server, winnow: Winnow, status: int) -> None:
    server.gives("GET /whoami", (status, b'{"message": "Forbidden"}' if status == 403 else b"<html>hello</html>"))
    ends(winnow("whoami"), 1, "WINNOW_URL", "ApiUrl", server.url)


# --- keys ---


class Gateway:
    """CloudFormation and API Gateway of a stack with one key."""

    def describe_stacks(self, StackName: str) -> dict[str, Any]:  # noqa: N803
        assert StackName == "winnow"
        return {"Stacks": [{"Outputs": [{"OutputKey": "AdminPlan", "OutputValue": "plan"}]}]}

    def get_paginator(self, name: str) -> Gateway:
        assert name == "get_usage_plan_keys"
        return self

    def paginate(self, usagePlanId: str) -> list[dict[str, Any]]:  # noqa: N803
        assert usagePlanId == "plan"
        return [{"items": [{"id": "k1"}]}]

    def get_api_key(self, apiKey: str) -> dict[str, Any]:  # noqa: N803
        return {"id": apiKey, "name": "winnow.editors", "value": "secret", "enabled": True, "createdDate": datetime(2026, 3, 2, tzinfo=UTC)}


def test_keys_are_listed_without_their_values(winnow: Winnow) -> None:
    with patch("boto3.client", lambda _: Gateway()):
        done = winnow("keys", "--json")
        assert re.search(r"editors +admin +k1 +yes", winnow("keys").stdout)
    assert json.loads(done.stdout)["keys"] == [
        {"name": "editors", "role": "admin", "key_id": "k1", "enabled": True, "created_at": "2026-03-02T00:00:00+00:00"}
    ]
    assert "secret" not in done.stdout


def test_keys_without_boto3_or_credentials_say_what_to_do(winnow: Winnow) -> None:
    with patch.dict(sys.modules, {"boto3": None}):
        ends(winnow("keys"), 2, "pip install ./client './cli[aws]'")
    nowhere = {"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": "/nowhere", "AWS_SHARED_CREDENTIALS_FILE": "/nowhere"}
    ends(winnow("keys", AWS_DEFAULT_REGION="eu-central-1", **nowhere), 2, "AWS can't be asked", "AWS_PROFILE")
