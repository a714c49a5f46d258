"""`winnow examples` and `winnow errors`: the examples of a version, in pages, and all of them in a file."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path
from typing import Any

from rich.console import Console

from tests.cli.conftest import MODELS, Server, Winnow, ends, problem
from winnow_cli import tables

MODEL = MODELS["models"][0] | {"version": None}
PATH = "/models/savings/versions/3/examples"


def example(number: int, **more: Any) -> dict[str, Any]:
    return {
        "example": f"{number:016x}",
        "row": number,
        "source": "training_object",
        "batch": None,
        "split": "train",
        "fold": 1,
        "labels": [{"label": "budget", "score": 0.004}],
        "predicted": [{"label": "saving", "score": 0.958}],
        "accepted": True,
        "wrong": True,
        "score": 0.958,
        "margin": 0.95,
        "text": f"text {number}",
    } | more


def page(*examples: dict[str, Any], matching: int = 3, after: str | None = None) -> dict[str, Any]:
    return {"model_id": "savings", "version": 3, "matching": matching, "examples": list(examples), "next": after}


def test_examples_are_shown_with_their_answers(server: Server, winnow: Winnow) -> None:
    server.gives("GET /models/savings", (200, MODEL))
    unanswered = example(2, row=0, predicted=None, score=None, wrong=None, text="a\x1bsecond", labels=[{"label": "a", "score": None}])
    nothing = example(3, predicted=[], labels=[])
    del nothing["text"]
    server.gives(f"GET {PATH}", (200, page(example(1), unanswered, nothing)))

    done = winnow("examples", "savings")

    assert (done.returncode, done.stderr) == (0, "")
    assert server.calls() == ["GET /models/savings", f"GET {PATH}?sort=row&limit=20"]
    assert done.stdout.startswith("Examples that match: 3.\n")
    shown = [line.split() for line in done.stdout.splitlines() if line.strip().startswith("0000")]
    assert shown == [
        ["0000000000000001", "1", "budget", "saving", "0.958", "text", "1"],
        ["0000000000000002", "-", "a", "-", "-", "a", "second"],
        ["0000000000000003", "3", "(none)", "(none)", "0.958", "-"],
    ]


def test_a_narrow_terminal_leaves_ids_whole() -> None:
    shown = io.StringIO()
    terminal = Console(file=shown, width=70)
    for each in tables.examples([example(1, text="a long text " * 20)], page(), counted=True):
        terminal.print(each)

    assert "0000000000000001" in shown.getvalue()
    assert all(len(line) <= 70 for line in shown.getvalue().splitlines())


def test_what_is_asked_for_goes_to_the_api(server: Server, winnow: Winnow) -> None:
    server.gives(f"GET {PATH}", (200, page(example(1), after="abc")))
    asked = ("--label", "a b", "--predicted", "c", "--wrong", "--split", "2", "--contains", "x&y", "--sort", "margin", "--limit", "1")

    done = winnow("examples", "savings", "--model-version", "3", *asked)

    [call] = server.calls()
    assert call == f"GET {PATH}?label=a+b&predicted=c&split=2&contains=x%26y&wrong=true&sort=margin&limit=1"
    assert done.stdout.startswith("Examples: 1.\n"), "with --contains nobody has counted"
    assert "There are more" in done.stdout


def test_more_than_a_page_is_asked_for_in_pages(server: Server, winnow: Winnow) -> None:
    pages = [page(*map(example, range(1, 4)), after="abc"), page(after="def"), page(example(4))]
    server.gives(f"GET {PATH}", *((200, each) for each in pages))

    done = winnow("errors", "savings", "--model-version", "3", "--label", "budget", "--limit", "1500", "--json")

    query = "label=budget&wrong=true&sort=score"
    assert server.calls() == [
        f"GET {PATH}?{query}&limit=1000",
        f"GET {PATH}?{query}&next=abc&limit=1000",
        f"GET {PATH}?{query}&next=def&limit=1000",
    ]
    told = json.loads(done.stdout)
    assert ([each["row"] for each in told["examples"]], told["next"]) == ([1, 2, 3, 4], None)


def test_all_examples_are_saved_in_a_file(server: Server, winnow: Winnow, tmp_path: Path) -> None:
    packed = gzip.compress(b'{"text": "one", "label": "a"}\n', mtime=0)
    link = {
        "model_id": "savings",
        "version": 3,
        "url": f"{server.url.removesuffix('/v1')}/s3/x",
        "bytes": len(packed),
        "expires_at": "2026",
    }
    server.gives(f"GET {PATH}.jsonl", (200, link))
    server.gives("GET /s3/x", (200, packed))
    file = tmp_path / "examples.jsonl.gz"

    done = winnow("examples", "savings", "--model-version", "3", "--output", str(file))

    assert done.stdout == f"The examples of version 3 of savings are saved in {file}.\n"
    assert file.read_bytes() == packed
    plain = tmp_path / "examples.jsonl"
    assert winnow("examples", "savings", "--model-version", "3", "--output", str(plain)).returncode == 0
    assert plain.read_bytes() == gzip.decompress(packed)
    assert sorted(tmp_path.iterdir()) == [plain, file]
    nowhere = tmp_path / "absent" / "examples.jsonl"
    ends(winnow("examples", "savings", "--model-version", "3", "--output", str(nowhere)), 2, "Can't write")
    ends(winnow("examples", "savings", "--output", str(file), "--wrong"), 2, "--output saves all examples")


def test_what_can_t_be_shown_is_an_error(server: Server, winnow: Winnow) -> None:
    server.gives(f"GET {PATH}", problem(404, "Version 3 of model 'savings' has no list of its examples."))

    ends(winnow("errors", "savings", "--model-version", "3"), 1, "has no list of its examples")
    ends(winnow("examples", "savings", "--limit", "0"), 2, "--limit")


RECEIVED = {
    "model_id": "savings",
    "batch": "20260302T091641007-1a2b3c4d",
    "examples": 2,
    "new_labels": [],
    "waiting": 2,
    "retrain": "waiting",
    "version": None,
}
TWO = ("0f3a5b7c9d1e2f40", "1a2b3c4d5e6f7081")


def test_corrections_name_examples_by_their_ids(server: Server, winnow: Winnow) -> None:
    server.gives("POST /models/savings/examples", (201, RECEIVED))

    for options, what in (
        (("--label", "debt"), {"label": "debt"}),
        (("--label", "debt", "--label", "saving"), {"labels": ["debt", "saving"]}),
        (("--drop",), {"drop": True}),
        (("--keep", "--retrain", "no"), {"keep": True}),
    ):
        server.asked.clear()
        done = winnow("correct", *TWO, *options, "--model", "savings")
        assert done.stdout == "2 examples saved for savings; 2 examples pending (`--retrain now` starts a training)\n"
        [(_, _, headers, body)] = server.asked
        retrain = "no" if "no" in options else "auto"
        assert json.loads(body) == {"examples": [{"example": example, **what} for example in TWO], "retrain": retrain}
        assert headers["Idempotency-Key"]


def test_a_correction_says_one_thing(server: Server, winnow: Winnow) -> None:
    for options in ((), ("--drop", "--keep"), ("--label", "a", "--drop")):
        ends(winnow("correct", TWO[0], *options, "--model", "savings"), 2, "Give one of --label LABEL, --drop and --keep")
    assert not server.asked


def test_labels_are_renamed_and_merged(server: Server, winnow: Winnow) -> None:
    server.gives("PATCH /models/savings/labels", (202, {"model_id": "savings", "version": 4, "status": "queued"}))

    done = winnow("rename", "-m", "savings", "--label", "a b=c", "--merge", "d=x", "--merge", "e=x", "--merge", "f=y")

    assert done.stdout == "version 4 of savings is training with the new labels\n"
    assert json.loads(server.asked[0][3]) == {"rename": {"a b": "c"}, "merge": {"x": ["d", "e"], "y": ["f"]}}
    ends(winnow("rename", "-m", "savings"), 2, "Give --label OLD=NEW or --merge LABEL=INTO")
    ends(winnow("rename", "-m", "savings", "--merge", "a="), 2, "--merge needs two labels with = between them")
    ends(winnow("rename", "-m", "savings", "--label", "a=b", "--label", "a=c"), 2, "--label has a twice")
