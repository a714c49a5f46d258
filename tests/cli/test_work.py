"""The commands train, feedback, batch and key: interrupted, in a pipe and on a terminal."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import MODELS, Server, Winnow, ends, environment, problem

WINNOW = Path(sys.executable).with_name("winnow")
MODEL = MODELS["models"][0] | {"version": None}
VERSION = {
    "version": 4,
    "status": "training",
    "live": False,
    "recipe": "linear",
    "selection": None,
    "gate": None,
    "error": None,
    "progress": {"stage": "training", "percent": 40, "eta_seconds": 3},
}
REPORT: dict[str, Any] = {
    "format": "csv",
    "rows": 3,
    "examples": 2,
    "errors": 0,
    "warnings": 1,
    "trainable": True,
    "labels": [{"label": "a", "examples": 2, "texts": 2}],
    "problems": [
        {"kind": "duplicate", "refuses": False, "count": 1, "sentence": "The same text twice.", "rows": [{"row": 3, "first_row": 2}]},
    ],
    "test_set": None,
}


def dataset(server: Server, folder: Path, report: dict[str, Any]) -> str:
    file = folder / "my texts (1).csv"
    file.write_text("text,label\none,a\n")
    server.gives(
        "POST /datasets",
        (
            201,
            {
                "upload_url": server.url.replace("/v1", "/s3/x"),
                "headers": {"If-None-Match": "*"},
                "s3bucket": "bucket",
                "training_object": "u/x",
            },
        ),
    )
    server.gives("PUT /s3/x", (200, b""))
    server.gives("POST /models", (200, {"dry_run": True, "report": report}), (202, {"model_id": "new", "version": 4, "status": "queued"}))
    return str(file)


def test_a_data_set_is_uploaded_looked_over_and_trained_on(server: Server, winnow: Winnow, tmp_path: Path) -> None:
    file = dataset(server, tmp_path, REPORT)
    done = winnow("train", file, "-m", "new", "--recipe", "linear", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"model_id": "new", "version": 4, "status": "queued", "report": REPORT}
    assert "duplicate (1): The same text twice." in done.stderr
    assert "row 3 (same text as row 2)" in done.stderr
    assert server.calls() == ["GET /models/new", "POST /datasets", "PUT /s3/x", "POST /models", "POST /models"]
    upload, put, dry_run, training = server.asked[1:]
    assert json.loads(upload[3]) == {"name": "my texts (1).csv", "bytes": 17}
    assert put[3] == b"text,label\none,a\n"
    assert "x-api-key" not in put[2], "S3 must not get the key"
    assert put[2]["If-None-Match"] == "*", "S3 must get the headers that are signed"
    request = {"id": "new", "s3bucket": "bucket", "training_object": "u/x", "recipe": "linear"}
    assert json.loads(dry_run[3]) == request | {"dry_run": True}
    assert json.loads(training[3]) == request
    assert "Idempotency-Key" in training[2]


def test_a_data_set_that_is_refused_starts_nothing(server: Server, winnow: Winnow, tmp_path: Path) -> None:
    refused = {
        "kind": "empty-text",
        "refuses": True,
        "count": 1,
        "sentence": "Give each a text.",
        "rows": [{"row": 2, "problem": "Empty."}],
    }
    file = dataset(server, tmp_path, REPORT | {"errors": 1, "trainable": False, "problems": [refused]})
    done = winnow("train", file, "-m", "new")
    assert (done.returncode, done.stdout) == (1, "")
    assert "row 2: Empty." in done.stderr
    assert done.stderr.splitlines()[-1] == "winnow: Can't train: fix the 1 error above."
    assert server.calls().count("POST /models") == 1


def test_what_lies_in_s3_is_not_uploaded(server: Server, winnow: Winnow) -> None:
    server.gives("POST /models", (200, {"dry_run": True, "report": REPORT | {"test_set": REPORT}}))
    done = winnow("train", "s3://mine/a/train.csv", "--test", "s3://mine/test.csv", "-m", "new", "--dry-run", "--json")
    assert json.loads(done.stdout)["report"]["test_set"] == REPORT
    assert server.calls() == ["POST /models"]
    sent = {"id": "new", "s3bucket": "mine", "training_object": "a/train.csv", "test_object": "test.csv", "dry_run": True}
    assert json.loads(server.asked[0][3]) == sent
    ends(winnow("train", "s3://mine/train.csv", "--test", "s3://other/test.csv", "-m", "new", "--dry-run"), 2, "in the same bucket")


def test_errors_in_the_test_set_count(server: Server, winnow: Winnow, tmp_path: Path) -> None:
    file = dataset(server, tmp_path, REPORT | {"test_set": REPORT | {"errors": 2}})
    done = winnow("train", file, "--test", file, "-m", "new", "--json")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "winnow: Can't train: fix the 2 errors above."
    assert server.calls().count("POST /models") == 1


def test_a_large_data_set_s_report_is_waited_for(server: Server, winnow: Winnow) -> None:
    server.gives("POST /models", (202, {"dry_run": True, "report_id": "f0", "status": "running"}))
    running = {"report_id": "f0", "status": "running", "report": None, "error": None}
    estimates = [{"recipe": "linear", "sentence": "linear: about 2.3 hours in a container."}]
    server.gives("GET /reports/f0", (200, running), (200, running | {"status": "ready", "report": REPORT, "estimates": estimates}))
    done = winnow("train", "s3://mine/train.csv", "-m", "new", "--dry-run", "--json")
    assert json.loads(done.stdout) == {"report": REPORT, "estimates": estimates}
    assert winnow("train", "s3://mine/train.csv", "-m", "new", "--dry-run").stdout.splitlines()[-1] == estimates[0]["sentence"]
    server.gives("GET /reports/f0", (200, running | {"status": "failed", "error": "It took too long."}))
    ends(winnow("train", "s3://mine/train.csv", "-m", "new", "--dry-run"), 1, "It took too long.")


def test_nothing_is_uploaded_for_a_model_that_exists(server: Server, winnow: Winnow, tmp_path: Path) -> None:
    file = dataset(server, tmp_path, REPORT)
    server.gives("GET /models/new", (200, MODEL))
    ends(winnow("train", file, "-m", "new"), 1, "--force-update")
    assert server.calls() == ["GET /models/new"]


def test_a_training_that_fails_is_a_failure(server: Server, winnow: Winnow, tmp_path: Path) -> None:
    file = dataset(server, tmp_path, REPORT | {"problems": []})
    failed = VERSION | {"status": "failed", "error": "It needs more memory."}
    server.gives("GET /models/new/versions/4", (200, VERSION), (200, failed))
    done = winnow("train", file, "-m", "new", "--watch", "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["version"]["status"] == "failed"
    assert done.stderr.splitlines()[-1] == "winnow: Version 4 of new failed: It needs more memory."


def test_interrupted_it_says_that_the_training_goes_on(server: Server, tmp_path: Path) -> None:
    file = dataset(server, tmp_path, REPORT | {"problems": []})
    server.gives("GET /models/new/versions/4", (200, VERSION))
    # A shell's background jobs ignore SIGINT, and the command would inherit this from the tests.
    command = ["env", "--default-signal=INT", str(WINNOW), "train", file, "-m", "new", "--watch"]
    with subprocess.Popen(command, env=environment(server), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            end = time.monotonic() + 30
            while "GET /models/new/versions/4" not in server.calls() and time.monotonic() < end:
                time.sleep(0.05)
            process.send_signal(signal.SIGINT)
            stdout, stderr = process.communicate(timeout=30)
        finally:
            process.kill()
    assert process.returncode == 130
    assert stdout == ""
    assert stderr.splitlines()[-1] == "Version 4 of new is still training. `winnow models new` shows its progress."
    assert "Traceback" not in stderr


@pytest.mark.parametrize("arguments", [["models"], ["models", "--json"], []])
def test_a_reader_that_goes_away_is_no_traceback(server: Server, arguments: list[str]) -> None:
    server.gives("GET /models", (200, {"models": MODELS["models"] * 1000, "next": None}))
    reading, writing = os.pipe()
    os.close(reading)
    command = [str(WINNOW), *arguments]
    done = subprocess.run(command, env=environment(server), stdout=writing, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, "")


def test_on_a_terminal_words_are_coloured_by_what_they_add(server: Server) -> None:
    words = [
        {"word": "save", "contribution": 2.0, "start": 0, "end": 4},
        {"word": "less", "contribution": -1.0, "start": 5, "end": 9},
        {"word": "½", "contribution": 0.2, "start": None, "end": None},
    ]
    explanation = {"label": "saving", "logit": 1.3, "temperature": 1.0, "bias": 0.1, "words": words}
    labels = [{"label": "saving", "score": 0.9, "accepted": True}]
    server.gives(
        "POST /prediction", (200, {"model_id": "m", "version": 1, "predictions": [{"labels": labels, "explanation": explanation}]})
    )
    leader, follower = pty.openpty()
    settings = environment(server) | {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
    done = subprocess.run(
        [WINNOW, "predict", "-m", "m", "--explain", "Save less"], env=settings, stdin=follower, stdout=follower, check=False
    )
    os.close(follower)
    shown = os.read(leader, 65536).decode()
    os.close(leader)
    assert done.returncode == 0
    assert "\x1b[30;48;2;105;255;105mSave\x1b[0m" in shown, "full green"
    assert "\x1b[30;48;2;255;180;180mless\x1b[0m" in shown, "half red"
    assert shown.index("+2.000") < shown.index("-1.000") < shown.index("+0.200")
    assert json.loads(server.asked[0][3])["explain"] is True


def test_what_a_text_loses_without_each_word_is_shown_as_that(server: Server, winnow: Winnow) -> None:
    words = [{"word": "save", "contribution": 2.0, "start": 0, "end": 4}]
    explanation = {"label": "saving", "method": "occlusion", "logit": 1.3, "temperature": 1.0, "bias": None, "words": words}
    labels = [{"label": "saving", "score": 0.9, "accepted": True}]
    told = {"labels": labels, "explanation": explanation | {"untried_words": 1_200}}
    server.gives("POST /prediction", *[(200, {"model_id": "m", "version": 1, "predictions": [told]})] * 2)

    done = winnow("predict", "-m", "m", "--explain", text="Save " * 150 + "\n" + "Save " * 150)

    shown = done.stdout.splitlines()
    assert "  evidence for saving: +1.300 in total (each number is what it loses without the word)" in shown
    assert "   +2.000  save" in shown
    assert "  The text is long: its last 1,200 words were not tried." in shown
    assert server.calls() == ["POST /prediction"] * 2, "few texts at once"


@pytest.mark.parametrize(
    ("listing", "upload", "prediction", "role"),
    [(200, 422, 422, "admin"), (200, 403, 422, "predict"), (403, 403, 422, "classify"), (403, 403, 403, None)],
)
def test_key_tells_the_role_by_what_it_may_call(
    server: Server, winnow: Winnow, *, listing: int, upload: int, prediction: int, role: str | None
) -> None:
    server.gives("GET /models", (200, MODELS) if listing == 200 else problem(listing, "No."))
    server.gives("POST /datasets", problem(upload, "No."))
    server.gives("POST /prediction", problem(prediction, "No."))
    done = winnow("key", "--json")
    assert json.loads(done.stdout) == {"role": role}
    assert done.returncode == (0 if role else 1)
    assert all(json.loads(body or b"{}") == {} for _, _, _, body in server.asked), "nothing must be made"


BATCH = {
    "model_id": "m",
    "batch": "20260302T091641007-1a2b3c4d",
    "status": "ready",
    "version": 2,
    "error": None,
    "progress": {"percent": 100, "lines": 3, "errors": 1, "all_lines": 3},
}


def test_a_batch_s_result_is_downloaded_without_the_key(server: Server, winnow: Winnow, tmp_path: Path) -> None:
    path, output = f"/models/m/batches/{BATCH['batch']}", tmp_path / "result.jsonl"
    link = {"url": server.url.replace("/v1", "/s3/result"), "bytes": 4, "expires_at": "2026-03-02T09:45:00.000Z"}
    server.gives(f"GET {path}", (200, BATCH | {"status": "running", "result": None}), (200, BATCH | {"result": link}))
    server.gives("GET /s3/result", (200, b"all\n"))
    done = winnow("batch", "-m", "m", "--batch", str(BATCH["batch"]), "--output", str(output), "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["status"] == "ready"
    assert output.read_bytes() == b"all\n"
    assert "x-api-key" not in server.asked[-1][2]
    piped = winnow("batch", "-m", "m", "--batch", str(BATCH["batch"]), "--output", "-")
    assert piped.stdout == "all\n"
    ends(winnow("batch", "-m", "m", "--batch", str(BATCH["batch"]), "--output", "/nowhere/x"), 2, "Can't write /nowhere/x")


def test_a_batch_that_waits_says_how_many_are_before_it(server: Server, winnow: Winnow) -> None:
    progress = {"percent": 0, "lines": 0, "errors": 0, "all_lines": None}
    waits = BATCH | {"status": "queued", "ahead": 3, "progress": progress, "result": None}
    server.gives(f"GET /models/m/batches/{BATCH['batch']}", (200, waits), (200, waits | {"ahead": None}))
    asked = ("batch", "-m", "m", "--batch", str(BATCH["batch"]))
    assert "it waits for its turn; before it: 3" in winnow(*asked).stdout
    assert "waits for its turn" not in winnow(*asked).stdout


@pytest.mark.parametrize(
    ("made", "named", "told"),
    [
        ("csv", "result.csv", ""),
        ("csv", "result.txt", ""),
        ("csv", "result.jsonl", ", which is CSV, because the texts came as CSV"),
        ("jsonl", "result.csv", ", which is JSON Lines, because the texts came as JSON"),
    ],
)
def test_a_result_of_another_format_than_its_name_is_told(
    server: Server, winnow: Winnow, tmp_path: Path, *, made: str, named: str, told: str
) -> None:
    link = {"url": server.url.replace("/v1", f"/s3/result.{made}"), "bytes": 4, "expires_at": "2026-03-02T09:45:00.000Z"}
    server.gives(f"GET /models/m/batches/{BATCH['batch']}", (200, BATCH | {"result": link, "warning": "1 line is not UTF-8."}))
    server.gives(f"GET /s3/result.{made}", (200, b"all\n"))
    output = tmp_path / named
    done = winnow("batch", "-m", "m", "--batch", str(BATCH["batch"]), "--output", str(output))
    assert done.returncode == 0, done.stderr
    assert "".join(done.stdout.splitlines(keepends=True)[-2:]) == f"  1 line is not UTF-8.\n  result saved in {output}{told}\n"


def test_a_batch_that_failed_is_a_failure(server: Server, winnow: Winnow) -> None:
    server.gives(f"GET /models/m/batches/{BATCH['batch']}", (200, BATCH | {"status": "failed", "result": None, "error": "It is empty."}))
    done = winnow("batch", "-m", "m", "--batch", str(BATCH["batch"]), "--watch", "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["error"] == "It is empty."
    assert done.stderr == f"winnow: Batch {BATCH['batch']} failed: It is empty.\n"
