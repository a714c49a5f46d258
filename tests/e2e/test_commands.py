"""The commands that a person types, each in its own process: start, stop, demo, smoke."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from local import smoke
from local.server import free_port
from local.snapshots import Snapshots
from tests.e2e.conftest import Deployed
from winnow_cli.client import Client

ROOT = Path(__file__).parents[2]


def run(module: str, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", module, *arguments]
    environment = os.environ | {"PYTHONPATH": "layers/winnow"} | settings
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def wait_until_saved(folder: Path) -> None:
    deadline = time.monotonic() + 60
    while Snapshots(folder).answered_since():
        assert time.monotonic() < deadline, "what was answered is not saved"
        time.sleep(0.2)


def test_start_says_where_it_is_and_stop_ends_it(tmp_path: Path) -> None:
    folder = ("--folder", str(tmp_path / "cloud"))
    port = str(free_port("127.0.0.1"))
    started = run("local.start", *folder, WINNOW_PORT=port)
    try:
        assert started.returncode == 0, started.stderr
        file = tmp_path / "cloud" / "env"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        env = dict(line.split("=", 1) for line in file.read_text().splitlines())
        aws = {"AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"}
        assert set(env) == {"WINNOW_URL", "WINNOW_API_KEY", "WINNOW_DATASETS_BUCKET"} | aws
        assert env["AWS_ENDPOINT_URL"] == f"http://127.0.0.1:{port}"
        [first, *_] = re.findall(r"http://\S+", started.stdout)
        assert first == f"{env['WINNOW_URL']}/console"
        assert env["WINNOW_API_KEY"] in started.stdout
        assert Client(env["WINNOW_URL"], env["WINNOW_API_KEY"]).call("GET", "/models") == {"models": [], "next": None}

        again = run("local.start", *folder)
        assert again.returncode == 0, again.stderr
        assert f"already running on port {port}" in again.stdout

        # Killed, it starts with the same API, key and data, and says so.
        with socket.create_connection(("127.0.0.1", int(port))) as unfinished:
            unfinished.sendall(b"POST / HTTP/1.1\r\nHost: local\r\nContent-Length: 1000\r\n\r\nseven77")
            wait_until_saved(tmp_path / "cloud")
            os.kill(json.loads((tmp_path / "cloud" / "cloud.json").read_text())["pid"], signal.SIGKILL)
        after = run("local.start", *folder, WINNOW_PORT=port)
        assert after.returncode == 0, after.stderr
        assert "ended without a stop: it has its state of" in after.stdout
        assert dict(line.split("=", 1) for line in file.read_text().splitlines()) == env
        assert Client(env["WINNOW_URL"], env["WINNOW_API_KEY"]).call("GET", "/models") == {"models": [], "next": None}
    finally:
        stopped = run("local.stop", *folder)
    assert stopped.returncode == 0, stopped.stderr
    assert "stopped" in stopped.stdout
    assert "not running" in run("local.stop", *folder).stdout


def test_a_port_in_use_is_one_clear_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        started = run("local.start", "--folder", str(tmp_path), WINNOW_PORT=port)
    assert started.returncode == 1
    assert started.stderr.count("\n") == 1
    assert f"port {port} is taken" in started.stderr
    assert "WINNOW_PORT" in started.stderr


def test_the_demo_does_the_main_job_and_leaves_nothing_running() -> None:
    before = set((ROOT / ".local").glob("demo-*"))
    demo = run("local.demo")
    assert demo.returncode == 0, demo.stderr
    for measure in ("accuracy", "macro-F1"):
        assert len(re.findall(rf"^ {measure} +0\.\d{{3}} ", demo.stdout, re.MULTILINE)) == 2, "one of each of the two versions"
    assert re.search(r"“I want to save for vacation!”\n +saving +█+ [01]\.\d{3}\n", demo.stdout)
    assert demo.stdout.rstrip().endswith("/console")
    assert set((ROOT / ".local").glob("demo-*")) <= before  # it removes those of killed demos


def leftovers(api: Deployed) -> list[str]:
    models = [each["model_id"] for each in api.client.pages("/models", "models")]
    uploads = [each["name"] for each in api.client.pages("/datasets", "datasets")]
    return [name for name in models + uploads if "smoke" in name]


def test_smoke_passes_on_a_deployed_stack_and_fails_with_a_wrong_key(api: Deployed) -> None:
    done = run("local.smoke", api.url, api.key)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert [line[6:21].strip() for line in lines[:-1]] == [step.name for step in (*smoke.STEPS, *smoke.REMOVALS)]
    assert all(line.startswith("  ok  ") for line in lines[:-1])
    assert lines[-1].startswith("smoke: all steps passed")
    assert not leftovers(api)
    refused = run("local.smoke", api.url, "not-a-key")
    assert refused.returncode == 1
    assert re.search(r"^  NO  key .*403", refused.stdout, re.MULTILINE)
    assert re.search(r"^  --  upload .*it needs the step key", refused.stdout, re.MULTILINE)
    assert refused.stderr.count("\n") == 1


def test_smoke_removes_what_it_made_also_after_a_failed_step(
    api: Deployed, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # As if the stack's workflow of batches were broken: its step fails after its upload.
    def broken(self: Client, *_: Any, **__: Any) -> Any:
        raise TimeoutError("the batch has not ended")

    monkeypatch.setattr(Client, "follow", broken)
    monkeypatch.setattr(Client, "wait", lambda self, model_id, **_: _waited(self, model_id))
    # What its steps see in full, the test above shows.
    train = Client.train
    monkeypatch.setattr(Client, "train", lambda *given, **chosen: train(*given, **chosen | {"recipe": "linear"}))
    monkeypatch.setattr(smoke, "_COPIES", 1)
    assert not smoke.run(smoke.Smoke(api.url, api.key))
    told = capsys.readouterr().out
    assert re.search(r"^  NO  batch .*the batch has not ended$", told, re.MULTILINE)
    # What doesn't need the batch is tried all the same.
    assert re.search(r"^  ok  roll back ", told, re.MULTILINE)
    assert re.search(r"^  ok  delete uploads .*2 are gone$", told, re.MULTILINE)
    assert not leftovers(api)


def _waited(client: Client, model_id: str) -> Any:
    while (model := client.call("GET", f"/models/{model_id}"))["version"]["status"] not in {"ready", "failed"}:
        time.sleep(0.5)
    return model
