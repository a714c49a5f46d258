"""What differs between Linux, macOS and Windows: encodings, line ends, paths, terminals, and modules that are not there."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from tests.cli.conftest import Server, Winnow, environment
from tests.cli.test_work import REPORT, dataset
from tests.client.conftest import example_of
from winnow_client.calls import upload_name

WINNOW = [sys.executable, "-m", "winnow_cli"]
EVALUATION = example_of("GET /models/{model_id}/versions/{version}/evaluation")


def predicts(server: Server, label: str) -> None:
    labels = [{"label": label, "score": 0.9, "accepted": True}]
    server.gives("POST /prediction", (200, {"model_id": "m", "version": 1, "predictions": [{"labels": labels}]}))


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [
        ("cp1252", ["“Käse”", "  Größe  ##################.. 0.900".replace("..", "··")]),
        ("ascii", ['"K?se"', "  Gr??e  ##################.. 0.900"]),
        ("utf-8", ["“Käse”", "  Größe  ██████████████████·· 0.900"]),
    ],
)
def test_a_stream_gets_only_what_it_can_write(server: Server, encoding: str, shown: list[str]) -> None:
    predicts(server, "Größe")
    settings = environment(server) | {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    done = subprocess.run([*WINNOW, "predict", "-m", "m", "Käse"], env=settings, capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.decode(encoding).splitlines() == shown


def test_tables_are_plain_where_lines_cannot_be_drawn(server: Server) -> None:
    server.gives("GET /whoami", (200, example_of("GET /whoami")))
    model = {
        "model_id": "m",
        "status": "ready",
        "live_version": 1,
        "latest_version": 1,
        "labels": 2,
        "waiting_examples": 0,
        "updated_at": "x",
    }
    server.gives("GET /models", (200, {"models": [model], "next": None}))
    settings = environment(server) | {"PYTHONIOENCODING": "cp1252", "PYTHONUTF8": "0"}
    done = subprocess.run([*WINNOW, "models"], env=settings, capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.isascii()
    assert b"?" not in done.stdout


def test_json_is_whole_in_any_encoding(server: Server) -> None:
    predicts(server, "Größe 大")
    settings = environment(server) | {"PYTHONIOENCODING": "cp1252", "PYTHONUTF8": "0"}
    done = subprocess.run([*WINNOW, "predict", "-m", "m", "Käse", "--json"], env=settings, capture_output=True, check=False, timeout=60)
    assert json.loads(done.stdout.decode("cp1252"))["labels"][0]["label"] == "Größe 大"


def test_lines_may_end_as_on_windows(server: Server, winnow: Winnow, tmp_path: Path) -> None:
    predicts(server, "a")
    texts, table, labels = (tmp_path / name for name in ("texts.txt", "texts.csv", "labels.csv"))
    texts.write_bytes(b"\xef\xbb\xbfone\r\n\r\n")
    table.write_bytes(b'text;more\r\n"one\r\ntwo";x\r\n')
    labels.write_bytes(b"name,description\r\na,first\r\nb,\r\n")
    winnow("predict", "-m", "m", "--file", str(texts))
    winnow("predict", "-m", "m", "--file", str(table))
    assert [json.loads(body)["texts"] for _, _, _, body in server.asked] == [["one"], ["one\r\ntwo"]]
    server.asked.clear()
    server.gives("POST /models", (200, {"dry_run": True, "report": REPORT}))
    winnow("train", "--labels", str(labels), "-m", "new", "--dry-run")
    assert json.loads(server.asked[0][3])["labels"] == [{"name": "a", "description": "first"}, {"name": "b"}]


@pytest.mark.parametrize(
    ("name", "sent"),
    [("C:\\Users\\a b\\texts.csv", "C:-Users-a b-texts.csv"), ("..\\texts.csv", "-texts.csv"), ("CON.csv", "CON.csv"), ("..", "dataset")],
)
def test_a_name_with_backslashes_is_one_that_the_api_takes(name: str, sent: str) -> None:
    assert upload_name(name) == sent


def test_a_path_of_windows_is_no_address_in_s3(server: Server, winnow: Winnow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    dataset(server, tmp_path, REPORT)
    Path("C:\\data").write_text("text,label\none,a\n")
    done = winnow("train", "C:\\data", "-m", "new", "--dry-run", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(server.asked[0][3])["name"] == "C:-data"


def test_labels_are_asked_for_without_what_only_unix_has(server: Server, winnow: Winnow, tmp_path: Path) -> None:
    queue = example_of("GET /models/{model_id}/queue")
    item = queue["items"][0] | {"group": None}
    full = queue | {"items": [item], "left": 1, "exclusive": True, "groups": []}
    server.gives("GET /models/m/queue", (200, full), (200, full | {"items": [], "left": 0, "handed_out": 0}))
    server.gives("POST /models/m/examples", (201, example_of("POST /models/{model_id}/examples", "201")))
    missing: dict[str, Any] = {"fcntl": None, "termios": None, "tty": None}
    with patch.dict(sys.modules, missing):
        done = winnow("label", "m", text="1", XDG_STATE_HOME=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "1 text labelled for m" in done.stdout
    [sent] = [json.loads(body) for method, _, _, body in server.asked if method == "POST"]
    assert sent["examples"] == [{"text": item["text"], "label": item["labels"][0]["label"]}]


@pytest.mark.parametrize(
    ("settings", "coloured", "blocks"),
    [
        ({"TERM": "xterm-256color"}, True, True),
        ({"TERM": "xterm-256color", "NO_COLOR": "1"}, False, True),
        ({"TERM": "dumb"}, False, False),
        ({"TERM": "xterm-256color", "PYTHONIOENCODING": "cp1252"}, True, False),
    ],
)
def test_a_terminal_gets_what_it_can_show(server: Server, *, settings: dict[str, str], coloured: bool, blocks: bool) -> None:
    calibration = {"before": EVALUATION["calibration"]["before"], "after": {"ece": 0.1, "bins": [
        {"from": 0.5, "to": 1.0, "count": 8, "confidence": 0.9, "accuracy": 0.5},
    ]}}  # fmt: skip
    server.gives("GET /models/m", (200, {"latest_version": 1}))
    server.gives("GET /models/m/versions/1/evaluation", (200, EVALUATION | {"calibration": calibration}))
    server.gives("POST /prediction", (404, b"{}"))
    leader, follower = pty.openpty()
    done = subprocess.run(
        [*WINNOW, "figures", "m"], env=environment(server) | settings, stdin=follower, stdout=follower, check=False, timeout=60
    )
    os.close(follower)
    shown = os.read(leader, 65536).decode(errors="replace")
    os.close(leader)
    assert done.returncode == 0
    assert ("█" in shown) is blocks
    assert ("#" in shown) is not blocks
    assert "\x1b[3" not in shown or coloured
    if settings["TERM"] == "dumb":
        assert "\x1b" not in shown
