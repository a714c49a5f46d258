"""The command `winnow` as people and scripts use it: the life of a model on the deployed API, with a process for each command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Deployed
from winnow.domain.access import Role

WINNOW = Path(sys.executable).with_name("winnow")
MODEL = "by-command"


def run(api: Deployed, *arguments: str | Path, text: str = "", key: str | None = None) -> subprocess.CompletedProcess[str]:
    settings = os.environ | {"WINNOW_URL": api.url, "WINNOW_API_KEY": key or api.key}
    return subprocess.run([WINNOW, *arguments], env=settings, input=text, capture_output=True, text=True, timeout=300, check=False)


def told(api: Deployed, *arguments: str | Path, text: str = "") -> str:
    """The output of a successful command for a person."""
    done = run(api, *arguments, text=text)
    assert done.returncode == 0, done.stderr
    return done.stdout


def answer(api: Deployed, *arguments: str | Path) -> Any:
    """Its output for a script: stdout is only JSON."""
    return json.loads(told(api, *arguments, "--json"))


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory, small_dataset: bytes) -> Path:
    file = tmp_path_factory.mktemp("command-line") / "savings small.jsonl"
    file.write_bytes(small_dataset + b"\n" + small_dataset.split(b"\n", maxsplit=1)[0])  # the first twice
    return file


def test_from_a_file_to_a_better_model(api: Deployed, file: Path, tmp_path: Path) -> None:
    looked_over = run(api, "train", file, "--model", MODEL, "--dry-run")
    assert looked_over.returncode == 0, looked_over.stderr
    assert "duplicate (1)" in looked_over.stdout
    assert run(api, "models", MODEL).returncode == 1, "a dry run must not make a model"

    trained = run(api, "train", file, "--model", MODEL, "--recipe", "linear", "--watch")
    assert trained.returncode == 0, trained.stderr
    assert "duplicate (1)" in trained.stderr
    assert f"version 1 of {MODEL}: linear, ready, live" in trained.stdout
    evaluation = api.client.call("GET", f"/models/{MODEL}/versions/1/evaluation")
    accuracy, worst = f"{evaluation['accuracy']:.3f}", min(evaluation["per_label"], key=lambda label: evaluation["per_label"][label]["f1"])
    assert accuracy in trained.stdout
    assert f"{evaluation['per_label'][worst]['f1']:.3f}" in next(
        row for row in trained.stdout.splitlines() if row.strip().startswith(worst)
    )

    listed = answer(api, "models")["models"]
    assert MODEL in [model["model_id"] for model in listed]
    assert answer(api, "models", MODEL)["evaluation"] == evaluation
    assert accuracy in told(api, "models", MODEL)

    suspects = answer(api, "suspects", MODEL)
    assert (suspects["checked_by"], suspects["checked"]) == ("cross-validation", evaluation["examples"])
    assert f"Findings: {suspects['found']}." in told(api, "suspects", MODEL, "--file", file)

    predicted = answer(api, "predict", "-m", MODEL, "I want to save for vacation!")
    expected = api.client.call("POST", "/prediction", {"model_id": MODEL, "text": "I want to save for vacation!"})
    assert predicted["labels"] == expected["labels"]
    assert "vacation" in told(api, "predict", "-m", MODEL, "--explain", text="I want to save for vacation!\n")

    refused = run(api, "train", file, "-m", MODEL)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "--force-update" in refused.stderr

    more = tmp_path / "more.csv"
    more.write_text("text,label\nput 50 aside for my trip,saving\nfreeze my card,card\nblock my card please,card\n")
    better = answer(api, "feedback", more, "-m", MODEL, "--retrain", "now", "--watch")
    assert better["feedback"]["new_labels"] == ["card"]
    assert (better["version"]["version"], better["version"]["status"]) == (2, "ready")

    compared = answer(api, "compare", "1", "2", "-m", MODEL)
    heading = f"on {compared['examples']} examples, labels of version 2"
    assert heading in told(api, "compare", "1", "2", "-m", MODEL)
    assert answer(api, "promote", "2", "-m", MODEL)["live_version"] == 2
    assert f"Version 1 of {MODEL} is live (before: version 2)." in told(api, "promote", "1", "-m", MODEL)
    refused = run(api, "promote", "9", "-m", MODEL)
    assert refused.returncode == 1
    assert refused.stderr.startswith("winnow: ")

    texts, output = tmp_path / "texts.jsonl", tmp_path / "result.jsonl"
    texts.write_text('{"text": "I want to save for vacation!", "id": 7}\n{"text": ""}\n')
    done = answer(api, "batch", texts, "-m", MODEL, "--output", output)
    assert (done["status"], done["version"], done["progress"]["errors"]) == ("ready", 1, 1)
    first, second = map(json.loads, output.read_text().splitlines())
    assert first["id"] == 7
    assert first["labels"][0]["label"] == predicted["labels"][0]["label"]
    assert "error" in second
    assert done["batch"] in told(api, "batch", "-m", MODEL, "--batch", done["batch"])


def test_key_tells_which_role_it_has(api: Deployed) -> None:
    before = api.client.call("GET", "/datasets")["datasets"]
    assert answer(api, "key") == {"role": "admin"}
    for role in (Role.CLASSIFY, Role.PREDICT):
        lesser = api.cloud.keys().add(f"command-line-{role}", role)
        assert json.loads(run(api, "key", "--json", key=lesser).stdout) == {"role": role}
    unknown = run(api, "key", key="not-a-key")
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert "can't make any call" in unknown.stderr
    assert api.client.call("GET", "/datasets")["datasets"] == before


def test_a_data_set_with_errors_is_told_row_by_row(api: Deployed, tmp_path: Path) -> None:
    broken = tmp_path / "broken.csv"
    broken.write_text("text,label\none,a\n,a\ntwo,b\n")
    done = run(api, "train", broken, "-m", "broken")
    assert (done.returncode, done.stdout) == (1, "")
    assert "empty-text (1)" in done.stderr
    assert "row 3" in done.stderr
    assert run(api, "models", "broken").returncode == 1
