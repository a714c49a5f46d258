"""The command `winnow` against a server that answers what each test wants: errors, exit codes, and what goes where."""

from __future__ import annotations

import io
import json
import os
import pty
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from winnow_cli.app import main

Winnow = Callable[..., subprocess.CompletedProcess[str]]
WINNOW = Path(sys.executable).with_name("winnow")
MODELS = {
    "models": [
        {
            "model_id": "savings",
            "status": "ready",
            "live_version": 2,
            "latest_version": 3,
            "labels": 8,
            "retrain_after": None,
            "tolerance": 0.0,
            "waiting_examples": 0,
            "created_at": "2026-03-02T09:16:41.007Z",
            "updated_at": "2026-03-02T09:17:55.120Z",
        }
    ],
    "next": None,
}
MODEL = MODELS["models"][0] | {"version": None}  # type: ignore[index]
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


class Server:
    """An API that gives its answers in order (the last again and again), and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, dict[str, str], bytes]] = []
        self.answers: dict[str, list[tuple[int, bytes]]] = {}
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                path = self.path.split("?", maxsplit=1)[0]
                owner.asked.append((self.command, self.path, dict(self.headers), body))
                given = owner.answers.get(f"{self.command} {path}", [(404, b'{"detail": "Nothing here."}')])
                status, content = given.pop(0) if len(given) > 1 else given[0]
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PUT = answer  # noqa: N815

            def log_message(self, *_: Any) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}/v1"
        threading.Thread(target=self.http.serve_forever, args=(0.05,), daemon=True).start()

    def gives(self, call: str, *answers: tuple[int, Any]) -> None:
        """What this call answers: statuses, each with a body as JSON, or with bytes as they are."""
        method, path = call.split()
        made = [(status, body if isinstance(body, bytes) else json.dumps(body).encode()) for status, body in answers]
        self.answers[f"{method} {path if path.startswith('/s3') else '/v1' + path}"] = made

    def calls(self) -> list[str]:
        return [f"{method} {path.removeprefix('/v1')}" for method, path, _, _ in self.asked]


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.http.shutdown()
    server.http.server_close()


@pytest.fixture
def winnow(server: Server) -> Winnow:
    """The command in this process: what it ended with, and what it wrote. Its streams are no terminal."""

    def run(*arguments: str, text: str = "", **settings: str) -> subprocess.CompletedProcess[str]:
        stdin, stdout, stderr = (io.TextIOWrapper(io.BytesIO(content), encoding="utf-8") for content in (text.encode(), b"", b""))
        before = signal.getsignal(signal.SIGTERM)
        try:
            with (
                patch.dict(os.environ, environment(server) | settings, clear=True),
                patch("sys.stdin", stdin),
                redirect_stdout(stdout),
                redirect_stderr(stderr),
            ):
                code = main(arguments)
        finally:
            signal.signal(signal.SIGTERM, before)
        written = []
        for stream in (stdout, stderr):
            stream.flush()
            written.append(stream.buffer.getvalue().decode())  # type: ignore[attr-defined]
        return subprocess.CompletedProcess(arguments, code, *written)

    return run


def environment(server: Server) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "WINNOW_URL": server.url, "WINNOW_API_KEY": "a-key"}


def ends(done: subprocess.CompletedProcess[str], code: int, *told: str) -> None:
    """It ended with this code and one line on stderr that holds all of this, and nothing on stdout."""
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    [line] = done.stderr.splitlines()
    assert line.startswith("winnow: ")
    for each in told:
        assert each in line


def problem(status: int, detail: str) -> tuple[int, Any]:
    return status, {"type": "urn:winnow:problem:x", "title": "X", "status": status, "detail": detail}


def test_the_key_goes_to_the_api_and_json_is_all_of_stdout(server: Server, winnow: Winnow) -> None:
    server.gives("GET /models", (200, MODELS | {"next": "more"}), (200, MODELS))
    done = winnow("models", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert [model["model_id"] for model in json.loads(done.stdout)["models"]] == ["savings", "savings"], "both pages"
    assert server.calls() == ["GET /models?limit=1000", "GET /models?limit=1000&next=more"]
    assert server.asked[0][2]["x-api-key"] == "a-key"


def test_without_a_terminal_there_are_no_colours_and_nothing_is_cut(server: Server, winnow: Winnow) -> None:
    server.gives("GET /models", (200, {"models": [MODELS["models"][0] | {"model_id": "m" * 64}], "next": None}))  # type: ignore[index]
    done = winnow("models", COLUMNS="40", FORCE_COLOR="")
    assert done.returncode == 0
    assert "\x1b" not in done.stdout + done.stderr
    assert any("m" * 64 in row and "2026-03-02T09:17:55.120Z" in row for row in done.stdout.splitlines())


def test_what_others_named_can_give_the_terminal_no_orders(server: Server, winnow: Winnow) -> None:
    labels = [{"label": "[red]a\x1b[2J\u202eb", "score": 1.0, "accepted": True}]
    server.gives("POST /prediction", (200, {"model_id": "m", "version": 1, "predictions": [{"labels": labels}]}))
    done = winnow("predict", "-m", "m", "hello\x07")
    assert done.returncode == 0
    assert "[red]a [2J b" in done.stdout


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"WINNOW_URL": ""}, "WINNOW_URL is not set"),
        ({"WINNOW_API_KEY": " "}, "WINNOW_API_KEY is not set"),
        ({"WINNOW_URL": "api.example"}, "WINNOW_URL must begin with https:// or http://"),
        ({"WINNOW_API_KEY": "schlüssel"}, "WINNOW_API_KEY has characters that no key has"),
    ],
)
def test_a_wrong_setting_is_a_usage_error(server: Server, winnow: Winnow, settings: dict[str, str], told: str) -> None:
    ends(winnow("models", **settings), 2, told)
    assert not server.asked


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nope"], "No such command 'nope'"),
        (["models", "--nope"], "No such option"),
        (["models", "../datasets"], "a model's id has 1 to 64 letters"),
        (["models", "--version", "2"], "--version needs the id of a model"),
        (["predict", "text"], "winnow predict --help"),
        (["predict", "-m", "m", "text", "--file", "x"], "either texts or --file"),
        (["predict", "-m", "m", "--n-top", "0", "text"], "greater than or equal to 1"),
        (["predict", "-m", "m", "--file", "missing.txt"], "missing.txt can't be read: No such file"),
        (["train", "missing.csv", "-m", "new"], "missing.csv can't be read: No such file"),
        (["train", ".", "-m", "new"], ". can't be read: Is a directory"),
        (["train", "/dev/null", "-m", "new", "--dry-run"], "/dev/null is no file"),
        (["batch", "-m", "m"], "--batch ID"),
        (["feedback", "missing.json", "-m", "m"], "missing.json can't be read"),
    ],
)
def test_a_wrong_call_is_a_usage_error_and_sends_nothing(server: Server, winnow: Winnow, arguments: list[str], told: str) -> None:
    ends(winnow(*arguments), 2, told)
    assert not [call for call in server.calls() if not call.startswith("GET /models/new")]


def test_without_a_command_the_help_says_which_there_are(winnow: Winnow) -> None:
    done = winnow()
    assert done.returncode == 2
    assert "feedback" in done.stdout
    assert winnow("--version").stdout.strip() == "0.1.0"


@pytest.mark.parametrize("status", [400, 404, 409, 412, 413, 422, 500])
def test_a_refusal_is_the_api_s_sentence(server: Server, winnow: Winnow, status: int) -> None:
    server.gives("PUT /models/m/live", problem(status, "Do it\nlike this."))
    server.gives("GET /models/m", (200, MODEL))
    ends(winnow("promote", "7", "-m", "m"), 1, "winnow: Do it like this.")
    assert json.loads(server.asked[-1][3]) == {"version": 7}


def test_a_wrong_key_is_told_how_to_look_further(server: Server, winnow: Winnow) -> None:
    server.gives("GET /models", problem(403, "This caller is unknown."))
    ends(winnow("models"), 1, "This caller is unknown.", "`winnow key`")


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_what_passes_is_tried_again(server: Server, winnow: Winnow, status: int) -> None:
    server.gives("GET /models", problem(status, "Too much."), (200, MODELS))
    assert winnow("models", "--json").returncode == 0
    assert len(server.asked) == 2


def test_what_does_not_pass_has_an_exit_code_of_its_own(server: Server, winnow: Winnow) -> None:
    server.gives("GET /models", problem(429, "Too many requests: wait."))
    ends(winnow("models"), 3, "Too many requests: wait.", "429")
    assert len(server.asked) == 4


def test_a_host_that_is_not_there(winnow: Winnow) -> None:
    ends(winnow("models", WINNOW_URL="http://127.0.0.1:9"), 3, "http://127.0.0.1:9 can't be reached (Connection refused)", "WINNOW_URL")
    ends(winnow("models", WINNOW_URL="https://winnow.invalid/v1"), 3, "https://winnow.invalid/v1 can't be reached")


@pytest.mark.parametrize("body", [b"<html>hello</html>", b"[]", b"{}"])
def test_another_server_than_winnow_is_no_traceback(server: Server, winnow: Winnow, body: bytes) -> None:
    server.gives("GET /models", (200, body))
    ends(winnow("models"), 1)


def test_texts_come_from_a_file_or_stdin_a_hundred_a_call(server: Server, winnow: Winnow, tmp_path: Path) -> None:
    hundred = {"model_id": "m", "version": 3, "predictions": [{"labels": [{"label": "a", "score": 0.5, "accepted": False}]}] * 100}
    rest = hundred | {"predictions": hundred["predictions"][:20]}  # type: ignore[index]
    file = tmp_path / "texts.txt"
    file.write_text("\ufeff" + "\n\n".join(f"text {number}" for number in range(120)) + "\n", encoding="utf-8")
    for arguments, text in ((["--file", str(file)], ""), ([], file.read_text())):
        server.asked.clear()
        server.gives("POST /prediction", (200, hundred), (200, rest))
        done = winnow("predict", "-m", "m", "--version", "3", "--json", *arguments, text=text)
        assert done.returncode == 0, done.stderr
        answers = [json.loads(line) for line in done.stdout.splitlines()]
        assert [answer["text"] for answer in answers] == [f"text {number}" for number in range(120)]
        assert answers[0] == {"text": "text 0", "model_id": "m", "version": 3, "labels": [{"label": "a", "score": 0.5, "accepted": False}]}
        assert [len(json.loads(body)["texts"]) for _, _, _, body in server.asked] == [100, 20]
        assert json.loads(server.asked[0][3])["version"] == 3


def test_an_error_in_the_midst_of_many_texts_says_where(server: Server, winnow: Winnow) -> None:
    first = {"model_id": "m", "version": 3, "predictions": [{"labels": [{"label": "a", "score": 0.5, "accepted": False}]}] * 100}
    server.gives("POST /prediction", (200, first), problem(422, "texts[3] must be a text."))
    done = winnow("predict", "-m", "m", "--json", text="text\n" * 150)
    assert done.returncode == 1
    assert len(done.stdout.splitlines()) == 100, "what was classified is there"
    assert done.stderr == "winnow: texts 101 to 150: texts[3] must be a text.\n"


def test_long_texts_go_in_requests_that_the_api_takes(server: Server, winnow: Winnow) -> None:
    server.gives("POST /prediction", *[(200, {"model_id": "m", "version": 3, "predictions": [{"labels": []}] * 5})] * 4)
    winnow("predict", "-m", "m", "--json", text=("ä" * 20_000 + "\n") * 20)
    assert server.asked
    assert all(len(body) <= 1_000_000 for _, _, _, body in server.asked)


def test_texts_that_are_not_utf8(server: Server, winnow: Winnow, tmp_path: Path) -> None:
    file = tmp_path / "latin.txt"
    file.write_bytes("one\nzwölf\n".encode("latin-1"))
    ends(winnow("predict", "-m", "m", "--file", str(file)), 2, "line 2", "not UTF-8")
    ends(winnow("feedback", "-m", "m", str(file)), 2, "not UTF-8")
    assert not server.asked


def dataset(server: Server, folder: Path, report: dict[str, Any]) -> str:
    file = folder / "my texts (1).csv"
    file.write_text("text,label\none,a\n")
    server.gives(
        "POST /datasets", (201, {"upload_url": server.url.replace("/v1", "/s3/x"), "s3bucket": "bucket", "training_object": "u/x"})
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
    assert "row 3 (as row 2)" in done.stderr
    assert server.calls() == ["GET /models/new", "POST /datasets", "PUT /s3/x", "POST /models", "POST /models"]
    upload, put, dry_run, training = server.asked[1:]
    assert json.loads(upload[3]) == {"name": "my-texts-1-.csv", "bytes": 17}
    assert put[3] == b"text,label\none,a\n"
    assert "x-api-key" not in put[2], "S3 is not told the key"
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
    assert done.stderr.splitlines()[-1].startswith("winnow: the data set can't be trained on")
    assert server.calls().count("POST /models") == 1


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
    assert done.stderr.splitlines()[-1] == "winnow: version 4 of new is failed: It needs more memory."


def test_interrupted_it_says_that_the_training_goes_on(server: Server, tmp_path: Path) -> None:
    file = dataset(server, tmp_path, REPORT | {"problems": []})
    server.gives("GET /models/new/versions/4", (200, VERSION))
    command = [WINNOW, "train", file, "-m", "new", "--watch"]
    with subprocess.Popen(command, env=environment(server), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        end = time.monotonic() + 30
        while "GET /models/new/versions/4" not in server.calls() and time.monotonic() < end:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=30)
    assert process.returncode == 130
    assert stdout == ""
    assert stderr.splitlines()[-1] == "version 4 of new trains on: `winnow models new` tells how far it is"
    assert "Traceback" not in stderr


def test_a_reader_that_goes_away_is_no_traceback(server: Server) -> None:
    server.gives("GET /models", (200, {"models": MODELS["models"] * 1000, "next": None}))  # type: ignore[operator]
    command = f"{WINNOW} models | head -n 2"
    done = subprocess.run(["/bin/sh", "-c", command], env=environment(server), capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr == ""
    assert len(done.stdout.splitlines()) == 2


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
    assert "\x1b[30;48;2;105;255;105mSave\x1b[0m" in shown, "all of the green"
    assert "\x1b[30;48;2;255;180;180mless\x1b[0m" in shown, "half of the red"
    assert shown.index("+2.000") < shown.index("-1.000") < shown.index("+0.200")
    assert json.loads(server.asked[0][3])["explain"] is True


@pytest.mark.parametrize(("listing", "upload", "role"), [(200, 422, "admin"), (200, 403, "predict"), (403, 403, None)])
def test_key_tells_the_role_by_what_it_may_call(server: Server, winnow: Winnow, listing: int, upload: int, role: str | None) -> None:
    server.gives("GET /models", (200, MODELS) if listing == 200 else problem(listing, "No."))
    server.gives("POST /datasets", problem(upload, "No."))
    done = winnow("key", "--json")
    assert json.loads(done.stdout) == {"role": role}
    assert done.returncode == (0 if role else 1)
    assert all(json.loads(body or b"{}") == {} for _, _, _, body in server.asked), "nothing is made"


def test_feedback_goes_in_parts_and_trains_once(server: Server, winnow: Winnow, tmp_path: Path) -> None:
    file = tmp_path / "more.csv"
    file.write_text("text,label\n" + "".join(f"text {number},a\n" for number in range(1500)))
    kept = {"model_id": "m", "batch": "b", "examples": 1000, "new_labels": ["a"], "waiting": 1000, "retrain": "waiting", "version": None}
    server.gives(
        "POST /models/m/examples", (201, kept), (201, kept | {"examples": 500, "new_labels": [], "retrain": "started", "version": 2})
    )
    done = winnow("feedback", str(file), "-m", "m", "--retrain", "now", "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert (result["examples"], result["new_labels"], result["retrain"], result["version"]) == (1500, ["a"], "started", 2)
    bodies = [json.loads(body) for _, _, _, body in server.asked]
    assert [(len(body["examples"]), body["retrain"]) for body in bodies] == [(1000, "no"), (500, "now")]
    assert bodies[0]["examples"][0] == {"text": "text 0", "label": "a"}
    assert len({headers["Idempotency-Key"] for _, _, headers, _ in server.asked}) == 2


def test_feedback_that_stops_halfway_says_what_is_kept(server: Server, winnow: Winnow, tmp_path: Path) -> None:
    file = tmp_path / "more.json"
    file.write_text(json.dumps([{"text": f"text {number}", "label": "a"} for number in range(1001)]))
    kept = {"model_id": "m", "batch": "b", "examples": 1000, "new_labels": [], "waiting": 1000, "retrain": "waiting", "version": None}
    server.gives("POST /models/m/examples", (201, kept), problem(422, "No."))
    ends(winnow("feedback", str(file), "-m", "m"), 1, "the first 1000 examples are kept", "No.")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("hello\n", "neither a JSON array"),
        ('{"text": "a", "label": "b"}\n{"text"\n', "line 2 is not JSON"),
        ("[", "can't be read"),
        ("[]", "no examples"),
        ("text,label\nonly\n", "line 2 has too few columns"),
        ('text,label\n"open,a\n', "is not CSV"),
    ],
)
def test_feedback_in_no_format(server: Server, winnow: Winnow, tmp_path: Path, content: str, told: str) -> None:
    file = tmp_path / "more"
    file.write_text(content)
    ends(winnow("feedback", str(file), "-m", "m"), 2, told)
    assert not server.asked


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
    ends(winnow("batch", "-m", "m", "--batch", str(BATCH["batch"]), "--output", "/nowhere/x"), 2, "/nowhere/x can't be written")


def test_a_batch_that_failed_is_a_failure(server: Server, winnow: Winnow) -> None:
    server.gives(f"GET /models/m/batches/{BATCH['batch']}", (200, BATCH | {"status": "failed", "result": None, "error": "It is empty."}))
    done = winnow("batch", "-m", "m", "--batch", str(BATCH["batch"]), "--watch", "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["error"] == "It is empty."
    assert done.stderr == f"winnow: batch {BATCH['batch']} is failed: It is empty.\n"
