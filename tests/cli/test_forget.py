"""`winnow forget` and `winnow forgotten`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Server, Winnow

ID = "20260302T091641007-1a2b3c4d"
PLACE = {"kind": "version", "texts": 2, "model_id": "savings", "version": 2, "name": None}
RECEIPT: dict[str, Any] = {
    "forgetting": ID,
    "status": "done",
    "waiting_for": [],
    "texts": None,
    "by": None,
    "touched": [PLACE, {"kind": "upload", "texts": 1, "model_id": None, "version": None, "name": "0-a.csv"}],
    "more": 1234,
    "models": [{"model_id": "savings", "made": 3, "withdrawn": [1, 2], "lost_labels": ["debt"], "problem": None}],
    "not_done": ["Your own buckets."],
    "created_at": "2026-03-02T09:16:41.007Z",
    "finished_at": "2026-03-02T09:42:00.000Z",
}


@pytest.mark.parametrize(
    ("content", "sent"),
    [(b"one text\n\n two \n", ["one text", " two "]), (b'["a\\nb", "c"]', ["a\nb", "c"])],
    ids=["lines", "JSON"],
)
def test_texts_come_from_a_file(server: Server, winnow: Winnow, tmp_path: Path, content: bytes, sent: list[str]) -> None:
    (tmp_path / "texts").write_bytes(content)
    server.gives("POST /forget", (202, {"forgetting": ID, "status": "working"}))
    done = winnow("forget", "--texts", str(tmp_path / "texts"))
    assert (done.returncode, done.stderr) == (0, "")
    assert f"Forgetting {ID} has begun." in done.stdout
    assert json.loads(server.asked[-1][3]) == {"texts": sent}


def test_a_subject_is_sent_as_it_is(server: Server, winnow: Winnow) -> None:
    server.gives("POST /forget", (202, {"forgetting": ID, "status": "working"}))
    done = winnow("forget", "--subject", "customer 17", "--json")
    assert json.loads(done.stdout)["forgetting"] == ID
    assert json.loads(server.asked[-1][3]) == {"subject": "customer 17"}


@pytest.mark.parametrize("content", [b"", b" \n", b"[1]", b"[", b"\xff"])
def test_a_file_without_texts_is_refused_before_anything_is_asked(server: Server, winnow: Winnow, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "texts").write_bytes(content)
    done = winnow("forget", "--texts", str(tmp_path / "texts"))
    assert (done.returncode, str(tmp_path) in done.stderr) == (2, True)
    assert server.asked == []


@pytest.mark.parametrize("given", [(), ("--subject", "u1", "--texts", "a.txt")])
def test_it_takes_one_of_the_two(winnow: Winnow, given: tuple[str, ...]) -> None:
    done = winnow("forget", *given)
    assert (done.returncode, "Give either --subject or --texts." in done.stderr) == (2, True)


def test_the_receipt_names_everything(server: Server, winnow: Winnow) -> None:
    server.gives(f"GET /forget/{ID}", (200, RECEIPT))
    assert winnow("forgotten", ID).stdout.splitlines() == [
        "Done at 2026-03-02T09:42:00.000Z.",
        "Found: version 2 of savings (2 texts)",
        "Found: upload 0-a.csv (1 text)",
        "Found: 1,234 more places",
        "savings: version 3 was made and withdrawn: 1, 2",
        "savings doesn't know these labels any more, because too few texts are left: debt",
        "Not done: Your own buckets.",
    ]


def test_before_its_end_it_says_what_it_waits_for(server: Server, winnow: Winnow) -> None:
    waiting = RECEIPT | {"status": "waiting", "finished_at": None, "waiting_for": ["version 3 of model 'savings'"], "models": [], "more": 0}
    server.gives(f"GET /forget/{ID}", (200, waiting))
    assert winnow("forgotten", ID).stdout.splitlines()[:2] == ["Not done yet: waiting.", "It waits for version 3 of model 'savings'."]
