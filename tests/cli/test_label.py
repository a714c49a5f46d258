"""`winnow label`: keys, undo, and that no answer is lost or sent twice."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Server, Winnow, ends, environment, problem

QUEUE, EXAMPLES = "GET /models/savings/queue", "POST /models/savings/examples"
LABELS = [{"label": "saving", "score": 0.4, "accepted": False}, {"label": "bills", "score": 0.3, "accepted": False}]
RECEIVED = {"model_id": "savings", "batch": "b1", "examples": 1, "new_labels": [], "waiting": 7, "retrain": "waiting", "version": None}


def item(number: int, **more: Any) -> dict[str, Any]:
    text = f"text {number}"
    about = {"line": number, "id": None, "prediction_id": None, "labels": LABELS, "uncertainty": 0.9, "group": None}
    return {"item": f"{number:016x}", "text": text, **about, **more}


def out(*items: dict[str, Any], left: int = 12, handed_out: int = 0, **more: Any) -> tuple[int, Any]:
    return 200, {
        "model_id": "savings",
        "queue": "20260302T091641007-1a2b3c4d",
        "version": 2,
        "exclusive": True,
        "items": list(items),
        "handed_out_until": "2026-03-02T09:26:41.007Z",
        "left": left,
        "handed_out": handed_out,
        "groups": [{"group": 1, "words": ["card", "machine"], "texts": 14}],
        "created_at": "2026-03-02T09:16:41.007Z",
    } | more


@pytest.fixture
def state(tmp_path: Path) -> dict[str, str]:
    return {"XDG_STATE_HOME": str(tmp_path)}


def sent(server: Server) -> list[list[dict[str, Any]]]:
    return [json.loads(body)["examples"] for method, path, _, body in server.asked if f"{method} {path}" == f"POST /v1{EXAMPLES[5:]}"]


def keys(server: Server) -> list[str]:
    return [headers["Idempotency-Key"] for method, path, headers, _ in server.asked if path.endswith("/examples")]


def files(state: dict[str, str]) -> list[Path]:
    return list((Path(state["XDG_STATE_HOME"]) / "winnow").glob("*.json"))


def test_number_keys_choose_labels_and_the_end_sends_them(server: Server, winnow: Winnow, state: dict[str, str]) -> None:
    server.gives(QUEUE, out(item(1), item(2, group=1), item(3), item(4)), out(left=4, handed_out=4))
    server.gives(EXAMPLES, (201, RECEIVED))

    done = winnow("label", "savings", text="1\nx9\n2sncard\n", **state)

    assert done.returncode == 0, done.stderr
    [answers] = sent(server)
    assert [(each["text"], each["label"]) for each in answers] == [("text 1", "saving"), ("text 2", "bills"), ("text 4", "card")]
    assert done.stdout == "3 texts labelled for savings; examples pending: 7\n"
    assert "perhaps a new label: card, machine" in done.stderr
    assert done.stderr.count("no such key") == 2
    assert "1 are skipped or with other reviewers" in done.stderr
    assert files(state) == []


def test_undo_goes_back_over_answers_and_skipped_texts(server: Server, winnow: Winnow, state: dict[str, str]) -> None:
    server.gives(QUEUE, out(item(1), item(2), item(3)), out())
    server.gives(EXAMPLES, (201, RECEIVED))

    done = winnow("label", "savings", "--json", text="u1suu2s1q", **state)

    assert sent(server) == [[{"text": "text 1", "label": "bills"}, {"text": "text 3", "label": "saving"}]]
    assert json.loads(done.stdout) == {"model_id": "savings", "labelled": 2, "skipped": 1, "batches": ["b1"]}
    assert "nothing to undo" in done.stderr


def test_several_labels_are_chosen_and_confirmed(server: Server, winnow: Winnow, state: dict[str, str]) -> None:
    server.gives(QUEUE, out(item(1), item(2), exclusive=False), out(exclusive=False))
    server.gives(EXAMPLES, (201, RECEIVED))

    winnow("label", "savings", text="12ncard\n2\n\n", **state)

    assert sent(server) == [[{"text": "text 1", "labels": ["card", "saving"]}, {"text": "text 2", "labels": []}]]


def test_answers_are_sent_in_small_batches_and_the_last_five_can_be_undone(server: Server, winnow: Winnow, state: dict[str, str]) -> None:
    server.gives(QUEUE, out(*(item(number) for number in range(1, 13))), out())
    server.gives(EXAMPLES, (201, RECEIVED))

    done = winnow("label", "savings", "--retrain", "now", text="1" * 10 + "u" * 6 + "2q", **state)

    assert [len(batch) for batch in sent(server)] == [5, 1]
    assert sent(server)[1] == [{"text": "text 6", "label": "bills"}]
    assert len(set(keys(server))) == 2
    assert "is sent already" in done.stderr
    bodies = [json.loads(body) for _, path, _, body in server.asked if path.endswith("/examples")]
    assert [body.get("retrain") for body in bodies] == [None, "now"]


def test_what_could_not_be_sent_is_sent_the_next_time_under_the_same_key(server: Server, winnow: Winnow, state: dict[str, str]) -> None:
    server.gives(QUEUE, out(item(1), item(2)), out())
    server.gives(EXAMPLES, problem(500, "An unexpected error."))

    done = winnow("label", "savings", text="11q", **state)

    assert done.returncode == 1
    [file] = files(state)
    assert f"2 answers are kept in {file}" in done.stderr
    assert file.stat().st_mode & 0o77 == 0
    server.gives(EXAMPLES, (201, RECEIVED))
    server.gives(QUEUE, out(item(3)), out())

    again = winnow("label", "savings", "--json", text="2q", **state)

    assert sent(server) == [sent(server)[0], sent(server)[0], [{"text": "text 3", "label": "bills"}]]
    assert [keys(server)[0], keys(server)[2]] == [keys(server)[1], keys(server)[-1]]
    assert json.loads(again.stdout)["labelled"] == 1
    assert files(state) == []


def test_a_text_that_is_handed_out_again_before_its_answer_is_sent_is_not_asked_again(
    server: Server, winnow: Winnow, state: dict[str, str]
) -> None:
    server.gives(QUEUE, out(item(1), item(2)), out(item(1), item(3)), out())
    server.gives(EXAMPLES, (201, RECEIVED))

    winnow("label", "savings", text="111", **state)

    assert [example["text"] for example in sent(server)[0]] == ["text 1", "text 2", "text 3"]


def test_a_file_makes_the_queue_first(server: Server, winnow: Winnow, state: dict[str, str]) -> None:
    made = {"version": 2, "rows": 900, "looked_at": 640, "queued": 500, "problems": ["Line 3 is empty."], "groups": []}
    server.gives("POST /models/savings/queue", (201, made))
    server.gives(QUEUE, out(left=0))

    done = winnow("label", "savings", "--file", "s3://b/k.csv", "--text-column", "body", **state)

    assert json.loads(server.asked[0][3]) == {"s3bucket": "b", "object": "k.csv", "text_column": "body"}
    assert "Looked at 640 of 900 texts by version 2. To label: 500." in done.stderr
    assert "No more texts: all are labelled." in done.stderr
    assert done.stdout == "0 texts labelled for savings\n"


def test_the_log_makes_the_queue_first(server: Server, winnow: Winnow, state: dict[str, str]) -> None:
    made = {"version": 2, "rows": 640, "looked_at": 640, "queued": 500, "problems": [], "groups": []}
    server.gives("POST /models/savings/queue", (201, made))
    server.gives(QUEUE, out(item(1, line=None, prediction_id="20260302T091641007-1a2b3c4d-00-7d"), left=1), out(left=0))
    server.gives(EXAMPLES, (201, RECEIVED))

    done = winnow("label", "savings", "--from-log", text="1", **state)

    assert json.loads(server.asked[0][3]) == {"from": "log"}
    assert "Looked at 640 texts by version 2. To label: 500." in done.stderr
    assert [each["text"] for each in sent(server)[0]] == ["text 1"]


def test_without_a_queue_it_says_how_to_make_one(server: Server, winnow: Winnow, state: dict[str, str]) -> None:
    server.gives(QUEUE, problem(404, "Model 'savings' has no review queue, or it has expired: make one."))
    ends(winnow("label", "savings", **state), 1, "winnow label savings --file FILE")
    ends(winnow("label", "savings", "--delimiter", ";", **state), 2, "--file FILE")
    ends(winnow("label", "savings", "--from-log", "--file", "x.csv", **state), 2, "either --file FILE or --from-log")
    server.gives(QUEUE, problem(404, "There is no model 'savings'."))
    ends(winnow("label", "savings", **state), 1, "no model")


class Labelling:
    """The command in a pseudo-terminal, as a process of its own."""

    def __init__(self, server: Server, state: dict[str, str]) -> None:
        self.terminal, theirs = pty.openpty()
        # A shell's background jobs ignore SIGINT, and the command would inherit this from the tests.
        command = ["env", "--default-signal=INT", sys.executable, "-m", "winnow_cli", "label", "savings"]
        self.process = subprocess.Popen(
            command, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(server) | state
        )
        os.close(theirs)

    def types(self, text: str) -> None:
        os.write(self.terminal, text.encode())

    def ended(self) -> tuple[str, str]:
        written = self.process.communicate(timeout=60)
        os.close(self.terminal)
        return written


def until(holds: Any) -> None:
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_in_a_terminal_single_keys_are_enough(server: Server, state: dict[str, str]) -> None:
    server.gives(QUEUE, out(item(1), item(2), item(3)), out())
    server.gives(EXAMPLES, (201, RECEIVED))
    labelling = Labelling(server, state)

    until(lambda: server.asked)
    labelling.types("1nmy ca")
    labelling.types("rd\n")
    until(lambda: len(server.asked) == 1 and files(state) and "my card" in files(state)[0].read_text())
    labelling.types("\x1b[A2u2\x04")

    stdout, stderr = labelling.ended()
    assert (labelling.process.returncode, stdout) == (0, "3 texts labelled for savings; examples pending: 7\n"), stderr
    assert [example["label"] for example in sent(server)[0]] == ["saving", "my card", "bills"]


def test_a_killed_command_leaves_its_answers_and_others_don_t_touch_those_of_one_that_runs(
    server: Server, winnow: Winnow, state: dict[str, str]
) -> None:
    server.gives(QUEUE, out(item(1), item(2)))
    server.gives(EXAMPLES, (201, RECEIVED))
    killed = Labelling(server, state)
    until(lambda: server.asked)
    killed.types("1")
    until(lambda: files(state))

    server.gives(QUEUE, out())
    assert winnow("label", "savings", **state).returncode == 0
    assert sent(server) == [], "the other command is still running"
    killed.process.send_signal(signal.SIGKILL)
    killed.ended()
    assert winnow("label", "savings", **state).returncode == 0

    assert sent(server) == [[{"text": "text 1", "label": "saving"}]]
    assert files(state) == []


def test_ctrl_c_sends_what_was_answered(server: Server, state: dict[str, str]) -> None:
    server.gives(QUEUE, out(item(1), item(2)))
    server.gives(EXAMPLES, (201, RECEIVED))
    labelling = Labelling(server, state)
    until(lambda: server.asked)
    labelling.types("1")
    until(lambda: files(state))
    labelling.process.send_signal(signal.SIGINT)

    labelling.ended()
    assert labelling.process.returncode == 130
    assert sent(server) == [[{"text": "text 1", "label": "saving"}]]
