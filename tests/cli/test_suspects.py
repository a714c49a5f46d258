"""`winnow suspects`: the rows whose labels look wrong, with the texts of a local file."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import MODELS, Server, Winnow, ends, problem

MODEL = MODELS["models"][0] | {"version": None}
PATH = "/models/savings/versions/3/suspects"


def answer(*found: dict[str, Any]) -> dict[str, Any]:
    return {
        "model_id": "savings",
        "version": 3,
        "checked_by": "cross-validation",
        "checked": 320,
        "found": len(found),
        "suspects": list(found),
        "next": None,
    }


def wrong(row: int, **more: Any) -> dict[str, Any]:
    return {"kind": "wrong", "label": "budget", "proposed": "saving", "row": row, "label_score": 0.004, "proposed_score": 0.958} | more


GROUP = {
    "kind": "label",
    "label": "debts",
    "proposed": "debt",
    "count": 9,
    "of": 10,
    "examples": [{"example": "00000000000000ab", "row": 71, "label_score": 0.011, "proposed_score": 0.942}],
}


def line_of(shown: str, beginning: str) -> list[str]:
    return next(line.split() for line in shown.splitlines() if line.strip().startswith(beginning))


def test_groups_come_first_and_texts_are_the_answer_s(server: Server, winnow: Winnow) -> None:
    server.gives("GET /models/savings", (200, MODEL))
    missing = wrong(17, kind="missing", label=None, label_score=None)
    server.gives(f"GET {PATH}", (200, answer(GROUP, wrong(38, text="a\x1bfirst text", example="0f3a5b7c9d1e2f40"), missing)))

    done = winnow("suspects", "savings")

    assert (done.returncode, done.stderr) == (0, "")
    assert server.calls() == ["GET /models/savings", f"GET {PATH}?limit=1000"]
    assert done.stdout.startswith("Checked 320 examples (by cross-validation). Findings: 3.\n")
    assert line_of(done.stdout, "debts") == ["debts", "debt", "9", "of", "10", "71", "00000000000000ab"]
    assert line_of(done.stdout, "38") == ["38", "budget", "0.004", "saving", "0.958", "0f3a5b7c9d1e2f40", "a", "first", "text"]
    assert line_of(done.stdout, "17") == ["17", "-", "-", "saving", "0.958", "-", "-"], "a version of an earlier release has no ids"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.json", json.dumps([{"text": "one", "label": "a"}, {"label": "a", "text": "two"}])),
        ("x.jsonl", '{"text": "one", "label": "a"}\n{"text": "two", "label": "b"}\n'),
        ("x.csv", "a,one\nb,two\n"),
        ("x.txt", "__label__a one\n__label__b two\n"),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_a_file_gives_the_texts_by_their_rows(
    server: Server, winnow: Winnow, tmp_path: Path, name: str, content: str, *, packed: bool
) -> None:
    file = tmp_path / name
    file.write_bytes(gzip.compress(content.encode()) if packed else content.encode())
    server.gives(f"GET {PATH}", (200, answer(wrong(2, text="of the answer"))))

    done = winnow("suspects", "savings", "--model-version", "3", "--file", str(file))

    assert server.calls() == [f"GET {PATH}?limit=1000"], "the file is only read"
    assert line_of(done.stdout, "2 ")[-1] in {"two", "b,two"}


def test_rows_of_csv_are_counted_as_the_api_does(server: Server, winnow: Winnow, tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_text('id,Text,label\n1,"in two\nlines",a\n\n2,after them,b\n')
    server.gives(f"GET {PATH}", (200, answer(wrong(2), wrong(5), wrong(9))))

    done = winnow("suspects", "savings", "--model-version", "3", "--file", str(file))

    assert line_of(done.stdout, "2 ")[6:] == ["in", "two", "lines"]
    assert line_of(done.stdout, "5 ")[6:] == ["after", "them"]
    assert line_of(done.stdout, "9 ")[6:] == ["-"], "the file has no such row"


def test_a_long_list_says_how_to_see_the_rest(server: Server, winnow: Winnow) -> None:
    whole = answer(*map(wrong, range(1, 61)))
    server.gives(f"GET {PATH}", (200, whole))

    assert winnow("suspects", "savings", "--model-version", "3").stdout.rstrip().endswith("10 more: --json shows all of them.")
    assert json.loads(winnow("suspects", "savings", "--model-version", "3", "--json").stdout) == whole


def test_what_can_t_be_shown_is_an_error(server: Server, winnow: Winnow, tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    file.write_text("[{]")
    ends(winnow("suspects", "savings", "--file", str(file)), 2, "Can't read")
    assert not server.asked
    server.gives("GET /models/savings", (200, MODEL))
    server.gives(f"GET {PATH}", problem(404, "The labels of version 3 of model 'savings' were not checked."))
    ends(winnow("suspects", "savings"), 1, "were not checked")
