"""`winnow history`, `winnow note`, `winnow whoami`, and the words of a model in `winnow models`."""

from __future__ import annotations

import json
from typing import Any

from tests.cli.conftest import MODELS, Server, Winnow, ends, problem

KEY = {"kind": "key", "name": "editors", "key_id": "f6g7h8i9j0"}
MODEL = MODELS["models"][0] | {"version": None, "title": None, "note": None, "tags": []}


def entry(deed: str, **more: Any) -> dict[str, Any]:
    absent = dict.fromkeys(("call", "version", "before", "batch", "examples", "settings"))
    return {"id": "20260302T101500120-5e6f7a8b", "at": "2026-03-02T10:15:00.120Z", "deed": deed, "by": KEY, **absent, **more}


def history(*entries: dict[str, Any], more: str | None = None) -> dict[str, Any]:
    return {"model_id": "savings", "entries": list(entries), "next": more}


def sent(server: Server) -> Any:
    return json.loads(server.asked[-1][3])


def test_the_history_has_a_row_for_each_deed(server: Server, winnow: Winnow) -> None:
    batch = "20260302T091641007-1a2b3c4d"
    answer = history(
        entry("roll-back", version=1, before=2),
        entry("train", version=2, by={"kind": "winnow", "name": None, "key_id": None}),
        entry("add-examples", batch=batch, examples=3, by=None),
        entry("change-model", settings={"tolerance": 0.5, "title": None}, by=KEY | {"name": None}),
        more="abc",
    )
    server.gives("GET /models/savings/history", (200, answer))

    done = winnow("history", "savings", "--limit", "4")

    assert (done.returncode, done.stderr) == (0, "")
    assert server.calls() == ["GET /models/savings/history?limit=4"]
    rows = [line.strip().split(maxsplit=3) for line in done.stdout.splitlines() if line.strip().startswith("2026")]
    assert [row[1:] for row in rows] == [
        ["roll-back", "1", rows[0][3]],
        ["train", "2", "Winnow"],
        ["add-examples", "-", rows[2][3]],
        ["change-model", "-", rows[3][3]],
    ]
    assert rows[0][3].split() == ["editors", "before:", "version", "2"]
    assert rows[2][3].split() == ["unknown", "3", "examples,", "batch", batch]
    assert rows[3][3].split() == ["key", "f6g7h8i9j0", "tolerance", "0.5,", "title"]
    assert "--limit N shows more" in done.stdout
    assert json.loads(winnow("history", "savings", "--json").stdout) == answer


def test_a_model_without_a_history_and_one_that_never_was(server: Server, winnow: Winnow) -> None:
    server.gives("GET /models/savings/history", (200, history()))
    assert "No entries yet" in winnow("history", "savings").stdout
    server.gives("GET /models/savings/history", problem(404, "There is no model 'savings'."))
    ends(winnow("history", "savings"), 1, "There is no model 'savings'.")


def test_the_history_says_what_a_deed_was_about(server: Server, winnow: Winnow) -> None:
    answer = history(
        entry("add-examples", batch="b", examples=1),
        entry("train", version=2, call="PATCH /models/{model_id}/labels"),
        entry("change-policy", settings={"policy": None}),
        entry("change-policy", settings={"policy": 2}),
    )
    server.gives("GET /models/savings/history", (200, answer))

    rows = [
        line.split(maxsplit=4)[-1].strip() for line in winnow("history", "savings").stdout.splitlines() if line.strip().startswith("2026")
    ]

    assert rows == ["1 example, batch b", "changed labels", "no policy", "policy 2"]


def test_words_are_written_on_the_model_or_on_a_version(server: Server, winnow: Winnow) -> None:
    server.gives("PATCH /models/savings", (200, MODEL | {"title": "Savings", "tags": ["a", "b"], "note": "one\ntwo"}))
    server.gives("PATCH /models/savings/versions/2", (200, {"version": 2, "note": None}))

    done = winnow("note", "one\ntwo", "-m", "savings", "--title", "Savings", "--tag", "a", "--tag", "b")
    assert (done.returncode, done.stdout) == (0, "Savings\nTags: a, b\nNote: one\ntwo\n")
    assert sent(server) == {"title": "Savings", "tags": ["a", "b"], "note": "one\ntwo"}
    assert winnow("note", "", "--model", "savings", "--model-version", "2").returncode == 0
    assert (server.calls()[-1], sent(server)) == ("PATCH /models/savings/versions/2", {"note": None})
    assert winnow("note", "--model", "savings", "--title", "", "--tag", "").returncode == 0
    assert sent(server) == {"title": None, "tags": []}


def test_a_note_of_nothing_or_a_title_of_a_version_is_a_usage_error(server: Server, winnow: Winnow) -> None:
    ends(winnow("note", "-m", "savings"), 2, "Give a note, --title or --tag")
    ends(winnow("note", "x", "-m", "savings", "--model-version", "2", "--tag", "a"), 2, "A version has only a note")
    ends(winnow("models", "savings", "--tag", "a"), 2, "--tag lists models")
    assert not server.asked


def test_models_are_listed_by_a_tag_on_all_pages(server: Server, winnow: Winnow) -> None:
    server.gives("GET /models", (200, {"models": [], "next": "more"}), (200, MODELS))
    assert "savings" in winnow("models", "--tag", "a b").stdout
    assert server.calls() == ["GET /models?limit=1000&tag=a+b", "GET /models?limit=1000&tag=a+b&next=more"]
    server.gives("GET /models", (200, {"models": [], "next": None}))
    assert winnow("models", "--tag", "c").stdout == "No model has the tag c.\n"


def test_a_model_is_shown_with_its_words(server: Server, winnow: Winnow) -> None:
    server.gives("GET /models/savings", (200, MODEL | {"title": "Sav\x1bings", "note": "ask"}))
    server.gives("GET /models/savings/versions", (200, {"versions": [], "next": None}))
    assert winnow("models", "savings").stdout.startswith("Sav ings\nNote: ask\n")


def test_whose_key_it_is(server: Server, winnow: Winnow) -> None:
    limits = {"requests_per_second": 0.5, "requests_per_day": 1_000_000}
    answer = KEY | {"role": "admin", "limits": limits, "used_today": 1_417}
    server.gives("GET /whoami", (200, answer))
    assert winnow("whoami").stdout == "editors, role admin\n0.5 requests a second, 1,000,000 a day\n1,417 requests today\n"
    assert json.loads(winnow("whoami", "--json").stdout) == answer

    server.gives("GET /whoami", (200, {"kind": "iam", "name": "arn:a", "key_id": None, "role": None, "limits": None, "used_today": None}))
    assert winnow("whoami").stdout == "arn:a, role (IAM decides)\n"
    server.gives("GET /whoami", (200, dict.fromkeys(answer)))
    assert winnow("whoami").stdout == "Nobody: this deployment asks for no key.\n"
