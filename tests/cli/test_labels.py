"""`winnow train --labels`: labels without examples."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Server, Winnow, ends
from tests.cli.test_work import REPORT, VERSION

LABELS = [{"name": "billing"}, {"name": "login", "description": "Passwords, codes"}]
MEANINGLESS = {"kind": "meaningless-label", "refuses": False, "count": 1, "sentence": "Name it.", "rows": [{"labels": ["L1"]}]}
NAMED = REPORT | {
    "format": None,
    "examples": 0,
    "labels": [{"label": name, "description": "", "examples": 0, "texts": 0} for name in ("billing", "login")],
    "problems": [MEANINGLESS],
}
READY = VERSION | {
    "version": 1,
    "status": "ready",
    "live": True,
    "recipe": "zero-shot",
    "evaluation": None,
    "warnings": ["Nothing was measured."],
}


def sent(server: Server) -> list[dict[str, Any]]:
    return [json.loads(body) for method, path, _, body in server.asked if (method, path) == ("POST", "/v1/models")]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("labels.csv", 'name,description\nbilling,\nlogin,"Passwords, codes"\n'),
        ("labels.csv", '\ufeffDescription,Label\n,billing\n"Passwords, codes",login\n\n'),
        ("labels.txt", 'billing\nlogin,"Passwords, codes"\n'),
        ("labels.json", json.dumps(LABELS)),
    ],
)
def test_the_labels_of_a_file_are_sent_and_nothing_is_uploaded(
    server: Server, winnow: Winnow, tmp_path: Path, name: str, content: str
) -> None:
    file = tmp_path / name
    file.write_text(content)
    server.gives("POST /models", (200, {"dry_run": True, "report": NAMED}), (202, {"model_id": "new", "version": 1, "status": "queued"}))
    done = winnow("train", "--labels", str(file), "-m", "new")

    assert done.returncode == 0, done.stderr
    assert server.calls() == ["GET /models/new", "POST /models", "POST /models"]
    assert sent(server) == [{"id": "new", "labels": LABELS, "dry_run": True}, {"id": "new", "labels": LABELS}]
    assert f"{name}: 2 labels, no examples" in done.stderr
    assert "meaningless-label (1): Name it." in done.stderr


def test_names_alone_are_sent_as_they_stand_in_json(server: Server, winnow: Winnow, tmp_path: Path) -> None:
    file = tmp_path / "labels.json"
    file.write_text('["a", "b"]')
    server.gives("POST /models", (200, {"dry_run": True, "report": NAMED}))
    winnow("train", "--labels", str(file), "-m", "new", "--dry-run")
    assert sent(server) == [{"id": "new", "labels": ["a", "b"], "dry_run": True}]


def test_the_version_is_shown_with_its_warnings_and_without_an_evaluation(server: Server, winnow: Winnow, tmp_path: Path) -> None:
    file = tmp_path / "labels.csv"
    file.write_text("a\nb\n")
    server.gives("POST /models", (200, {"dry_run": True, "report": NAMED}), (202, {"model_id": "new", "version": 1, "status": "queued"}))
    server.gives("GET /models/new/versions/1", (200, READY))
    done = winnow("train", "--labels", str(file), "-m", "new", "--watch")

    assert done.returncode == 0, done.stderr
    assert done.stdout == "version 1 of new: zero-shot, ready, live\nWarning: Nothing was measured.\n"
    assert "GET /models/new/versions/1/evaluation" not in server.calls()


def test_either_a_data_set_or_labels(server: Server, winnow: Winnow, tmp_path: Path) -> None:
    ends(winnow("train", "-m", "new"), 2, "either a data set or", "--labels FILE")
    ends(winnow("train", "x.csv", "--labels", "y.csv", "-m", "new"), 2, "either a data set or")
    ends(winnow("train", "--labels", str(tmp_path / "absent.csv"), "-m", "new", "--force-update"), 2, "Can't read")
    broken = tmp_path / "broken.json"
    broken.write_text('["a",')
    ends(winnow("train", "--labels", str(broken), "-m", "new", "--force-update"), 2, "Can't read")
