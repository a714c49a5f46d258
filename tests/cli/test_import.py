"""`winnow import`: a version of another deployment, from a file."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Server, Winnow, ends
from tests.cli.test_labels import READY
from tests.client.conftest import example_of

DIGEST = hashlib.sha256(b"packed").hexdigest()
IMPORTED = READY | {"recipe": "linear", "warnings": ["The version was imported."]}


@pytest.fixture
def file(server: Server, tmp_path: Path) -> Path:
    """A file, and a server that takes it."""
    file = tmp_path / "savings-1.tar.gz"
    file.write_bytes(b"packed")
    stored = {"upload_url": server.url.replace("/v1", "/s3/x"), "s3bucket": "ours", "training_object": "uploads/1-x", "name": "1-x"}
    server.gives("POST /datasets", (201, stored))
    server.gives("PUT /s3/x", (200, b""))
    server.gives("DELETE /datasets/1-x", (200, example_of("DELETE /datasets/{name}")))
    return file


def sent(server: Server) -> list[dict[str, Any]]:
    return [json.loads(body) for method, path, _, body in server.asked if (method, path) == ("POST", "/v1/models")]


def test_the_file_is_uploaded_imported_and_removed(server: Server, winnow: Winnow, file: Path) -> None:
    server.gives("POST /models", (202, {"model_id": "new", "version": 1, "status": "queued"}))
    server.gives("GET /models/new/versions/1", (200, IMPORTED))
    done = winnow("import", str(file), "-m", "new", "--note", "from the stage")

    assert done.returncode == 0, done.stderr
    artifact = {"s3bucket": "ours", "object": "uploads/1-x", "sha256": DIGEST}
    assert sent(server) == [{"id": "new", "artifact": artifact, "note": "from the stage"}]
    assert "The version was imported." in done.stdout
    calls = server.calls()
    assert calls.index("DELETE /datasets/1-x") > calls.index("GET /models/new/versions/1")
    assert not [call for call in calls if "evaluation" in call]


def test_another_digest_is_sent_as_it_is_and_the_failure_is_said(server: Server, winnow: Winnow, file: Path) -> None:
    server.gives("POST /models", (202, {"model_id": "new", "version": 1, "status": "queued"}))
    server.gives("GET /models/new/versions/1", (200, IMPORTED | {"status": "failed", "live": False, "error": "The SHA-256 is another."}))
    done = winnow("import", str(file), "-m", "new", "--sha256", "0" * 64, "--force-update", "--keep-upload")

    ends(done, 1, "The SHA-256 is another.")
    assert [(each["artifact"]["sha256"], each["force_update"]) for each in sent(server)] == [("0" * 64, True)]
    assert "DELETE /datasets/1-x" not in server.calls()


def test_what_is_refused_at_once_leaves_no_upload(server: Server, winnow: Winnow, file: Path) -> None:
    refused = {"type": "urn:winnow:problem:invalid-field", "title": "X", "status": 422, "detail": "sha256 must be the SHA-256."}
    server.gives("POST /models", (422, refused))
    ends(winnow("import", str(file), "-m", "new", "--sha256", "0"), 1, "sha256 must be")
    assert server.calls()[-1] == "DELETE /datasets/1-x"


def test_a_file_that_is_not_there_and_a_model_that_is(server: Server, winnow: Winnow, file: Path) -> None:
    ends(winnow("import", "absent.tar.gz", "-m", "new"), 2, "Can't read absent.tar.gz")
    server.gives("GET /models/new", (200, {"model_id": "new"}))
    ends(winnow("import", str(file), "-m", "new"), 1, "Model new exists")
    assert sent(server) == []
