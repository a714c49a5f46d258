"""Requests, output and exit codes of `winnow` when something goes wrong: settings, usage, refusals, no answer."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

from tests.cli.conftest import MODELS, Server, Winnow, ends, environment, problem
from tests.support.contract import contract
from winnow_cli.app import app
from winnow_cli.failures import ExitCode

PAGE = Path(__file__).parents[2] / "docs" / "command-line.md"


def test_the_key_goes_to_the_api_and_json_is_all_of_stdout(server: Server, winnow: Winnow) -> None:
    server.gives("GET /models", (200, MODELS | {"next": "more"}), (200, MODELS))
    done = winnow("models", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert [model["model_id"] for model in json.loads(done.stdout)["models"]] == ["savings", "savings"], "both pages"
    assert server.calls() == ["GET /models?limit=1000", "GET /models?limit=1000&next=more"]
    assert server.asked[0][2]["x-api-key"] == "a-key"


def test_without_a_terminal_there_are_no_colours_and_nothing_is_cut(server: Server, winnow: Winnow) -> None:
    server.gives("GET /models", (200, {"models": [MODELS["models"][0] | {"model_id": "m" * 64}], "next": None}))
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
        ({"WINNOW_API_KEY": "schlüssel"}, "WINNOW_API_KEY contains a character that keys never have"),
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
        (["models", "../datasets"], "a model id has 1 to 64 letters"),
        (["models", "--model-version", "2"], "--model-version needs a model id"),
        (["predict", "text"], "winnow predict --help"),
        (["predict", "-m", "m", "text", "--file", "x"], "either texts or --file"),
        (["predict", "-m", "m", "--n-top", "0", "text"], "greater than or equal to 1"),
        (["predict", "-m", "m", "--file", "missing.txt"], "Can't read missing.txt: No such file"),
        (["train", "missing.csv", "-m", "new"], "Can't read missing.csv: No such file"),
        (["train", ".", "-m", "new"], "Can't read .: Is a directory"),
        (["train", "/dev/null", "-m", "new", "--dry-run"], "Can't upload /dev/null"),
        (["batch", "-m", "m"], "--batch ID"),
        (["batch", "-m", "m", "--batch", "../x"], "a batch id has only letters"),
        (["batch", "-m", "m", "--batch", "20260302T091641007-1a2b3c4d", "--n-top", "3"], "--n-top: for new batches only"),
        (["batch", "-m", "m", "--batch", "20260302T091641007-1a2b3c4d", "--model-version", "2"], "leave this out with --batch ID"),
        (["feedback", "missing.json", "-m", "m"], "Can't read missing.json"),
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


@pytest.mark.parametrize("command", sorted(typer.main.get_command(app).commands))  # type: ignore[attr-defined]
def test_the_help_of_each_command_has_examples(winnow: Winnow, command: str) -> None:
    done = winnow(command, "-h")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"Examples:\n    winnow {command}" in done.stdout
    assert winnow(command, "--help").stdout == done.stdout


def test_the_help_shows_what_can_be_chosen(winnow: Winnow) -> None:
    # Lines are broken where they are too long.
    shown = "".join(winnow("train", "-h").stdout.split())
    assert "<auto|linear|light|cnn|sentence|best|zero-shot>" in shown
    assert "<auto|if-better|never>" in shown
    ends(winnow("train", "x.csv", "-m", "m", "--recipe", "magic"), 2, "'magic' is not one of", "linear")


def test_each_field_of_a_training_has_an_option() -> None:
    named = {"id": "model", "training_object": "file", "test_object": "test", "promote": "promote_when"}
    fields = contract()["components"]["schemas"]["TrainingRequest"]["properties"].keys() - {"s3bucket", "artifact"}
    command = typer.main.get_command(app).commands["train"]  # type: ignore[attr-defined]
    assert {named.get(name, name) for name in fields} <= {parameter.name for parameter in command.params}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_a_shell_is_told_how_to_complete(server: Server, shell: str) -> None:
    command = [sys.executable, "-m", "winnow_cli"]
    settings = {**os.environ, **environment(server), "_WINNOW_COMPLETE": f"source_{shell}"}
    done = subprocess.run(command, env=settings, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "_WINNOW_COMPLETE" in done.stdout


def test_tab_completes_commands_and_choices(server: Server) -> None:
    settings = {**os.environ, **environment(server), "_WINNOW_COMPLETE": "complete_bash"}
    for words, wanted in (("winnow wat", "watch"), ("winnow train --recipe li", "light")):
        asked = {**settings, "COMP_WORDS": words, "COMP_CWORD": str(len(words.split()) - 1)}
        done = subprocess.run([sys.executable, "-m", "winnow_cli"], env=asked, capture_output=True, text=True, check=False, timeout=60)
        assert wanted in done.stdout.split(), done


@pytest.mark.parametrize("status", [400, 404, 409, 412, 413, 422, 500])
def test_a_refusal_is_the_api_s_sentence(server: Server, winnow: Winnow, status: int) -> None:
    server.gives("PUT /models/m/live", problem(status, "Do it\nlike this."))
    server.gives("GET /models/m", (200, MODELS["models"][0]))
    ends(winnow("promote", "7", "-m", "m"), 1, "winnow: Do it like this.")
    assert json.loads(server.asked[-1][3]) == {"version": 7}


def test_the_error_for_a_wrong_key_names_the_command_that_shows_more(server: Server, winnow: Winnow) -> None:
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


def test_it_does_not_wait_for_what_takes_an_hour(server: Server, winnow: Winnow) -> None:
    server.headers["Retry-After"] = "3600"
    server.gives("GET /models", problem(429, "The requests of the day are used up."))
    ends(winnow("models"), 3, "The requests of the day are used up.")
    assert len(server.asked) == 1


def test_a_host_that_is_not_there(winnow: Winnow) -> None:
    ends(winnow("models", WINNOW_URL="http://127.0.0.1:9"), 3, "Can't reach http://127.0.0.1:9 (Connection refused)", "WINNOW_URL")
    ends(winnow("models", WINNOW_URL="https://winnow.invalid/v1"), 3, "Can't reach https://winnow.invalid/v1")


@pytest.mark.parametrize("body", [b"<html>hello</html>", b"[]", b"{}"])
def test_another_server_than_winnow_is_no_traceback(server: Server, winnow: Winnow, body: bytes) -> None:
    server.gives("GET /models", (200, body))
    ends(winnow("models"), 1)


def test_texts_come_from_a_file_or_stdin_a_hundred_a_call(server: Server, winnow: Winnow, tmp_path: Path) -> None:
    labels = [{"label": "a", "score": 0.5, "accepted": False}]
    hundred: dict[str, Any] = {"model_id": "m", "version": 3, "predictions": [{"labels": labels}] * 100}
    rest = hundred | {"predictions": hundred["predictions"][:20]}
    file = tmp_path / "texts.txt"
    file.write_text("\ufeff" + "\n\n".join(f"text {number}" for number in range(120)) + "\n", encoding="utf-8")
    for arguments, text in ((["--file", str(file)], ""), ([], file.read_text())):
        server.asked.clear()
        server.gives("POST /prediction", (200, hundred), (200, rest))
        done = winnow("predict", "-m", "m", "--model-version", "3", "--json", *arguments, text=text)
        assert done.returncode == 0, done.stderr
        answers = [json.loads(line) for line in done.stdout.splitlines()]
        assert [answer["text"] for answer in answers] == [f"text {number}" for number in range(120)]
        assert answers[0] == {"text": "text 0", "model_id": "m", "version": 3, "labels": labels}
        assert [len(json.loads(body)["texts"]) for _, _, _, body in server.asked] == [100, 20]
        assert json.loads(server.asked[0][3])["version"] == 3


def test_an_error_in_the_midst_of_many_texts_says_where(server: Server, winnow: Winnow) -> None:
    first = {"model_id": "m", "version": 3, "predictions": [{"labels": [{"label": "a", "score": 0.5, "accepted": False}]}] * 100}
    server.gives("POST /prediction", (200, first), problem(422, "texts[3] must be a text."))
    done = winnow("predict", "-m", "m", "--json", text="text\n" * 150)
    assert done.returncode == 1
    assert len(done.stdout.splitlines()) == 100, "the first results must be printed"
    assert done.stderr == "winnow: Texts 101 to 150: texts[3] must be a text.\n"


def test_long_texts_go_in_requests_that_the_api_takes(server: Server, winnow: Winnow) -> None:
    server.gives("POST /prediction", *[(200, {"model_id": "m", "version": 3, "predictions": [{"labels": []}] * 5})] * 4)
    winnow("predict", "-m", "m", "--json", text=("ä" * 20_000 + "\n") * 20)
    assert server.asked
    assert all(len(body) <= 1_000_000 for _, _, _, body in server.asked)


def test_texts_that_are_not_utf8(server: Server, winnow: Winnow, tmp_path: Path) -> None:
    file = tmp_path / "latin.txt"
    file.write_bytes("one\nzwölf\n".encode("latin-1"))
    ends(winnow("predict", "-m", "m", "--file", str(file)), 2, "Line 2", "not UTF-8")
    assert not server.asked


def test_the_page_has_every_command_option_and_exit_code() -> None:
    page = PAGE.read_text(encoding="utf-8")
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    assert set(re.findall(r"^\| `winnow (\w+)", page, re.MULTILINE)) == commands.keys()
    for name, command in commands.items():
        named = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
        options = {option for option in named if option.startswith("--")} - {"--help", "--json"}
        described = "".join(row for row in page.splitlines() if re.match(rf"\| `winnow {name}[ `]", row))
        assert options == set(re.findall(r"--[a-z0-9-]+", described)), name
    assert {int(code) for code in re.findall(r"^\| (\d+) \|", page, re.MULTILINE)} == set(ExitCode)
