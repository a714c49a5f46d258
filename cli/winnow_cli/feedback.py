"""`winnow feedback`, `winnow correct`, `winnow rename`: new examples, corrections of those that a version learnt, and other labels."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

from winnow_cli import tables
from winnow_cli.client import Client
from winnow_cli.failures import UsageError
from winnow_cli.files import in_s3, lines
from winnow_cli.terminal import Terminal, line, plain
from winnow_cli.training import see_to_end

# The API takes so many examples that name a prediction in a request.
_MOST_NAMED = 200


def send(client: Client, terminal: Terminal, model: str, file: str, fields: Mapping[str, Any], *, watch: bool) -> None:
    """Upload the file, and send its place. fields: further fields of the request. Lines that name predictions are sent themselves."""
    kept: list[dict[str, Any]] = []
    for body in _requests(client, terminal, file, fields):
        kept.append(_post(client, model, body))
        if "file" in kept[-1]:
            terminal.say(*tables.of_problems(kept[-1]["file"]["problems"]))
    _show(client, terminal, model, kept, watch=watch)


def correct(client: Client, terminal: Terminal, model: str, corrections: Sequence[Mapping[str, Any]], retrain: str, *, watch: bool) -> None:
    """Send what is to become of examples, which each correction names by its id."""
    kept = _post(client, model, {"examples": corrections, "retrain": retrain})
    _show(client, terminal, model, [kept], watch=watch)


def change_labels(
    client: Client,
    terminal: Terminal,
    model: str,
    *,
    rename: Sequence[tuple[str, str]],
    merge: Sequence[tuple[str, str]],
    watch: bool,
) -> None:
    """Train a version with other labels. rename, merge: old labels, each with the new one."""
    twice = sorted({old for old, _ in rename if [each for each, _ in rename].count(old) > 1})
    if twice:
        raise UsageError(f"--label has {twice[0]} twice: give a label one new name.")
    into = {new: [old for old, other in merge if other == new] for _, new in merge}
    body = ({"rename": dict(rename)} if rename else {}) | ({"merge": into} if into else {})
    started = client.call("PATCH", f"/models/{model}/labels", body, headers={"Idempotency-Key": str(uuid4())})
    told = line(f"version {started['version']} of {model} is training with the new labels")
    if watch:
        terminal.say(told)
        see_to_end(client, terminal, model, started["version"], {"started": started})
    else:
        terminal.show(started, told)


def _post(client: Client, model: str, body: Mapping[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = client.call("POST", f"/models/{model}/examples", body, headers={"Idempotency-Key": str(uuid4())})
    return kept


def _show(client: Client, terminal: Terminal, model: str, kept: Sequence[Mapping[str, Any]], *, watch: bool) -> None:
    """Show the answers to feedback that was sent in parts."""
    last = kept[-1]
    new_labels = sorted({label for each in kept for label in each["new_labels"]})
    total = sum(each["examples"] for each in kept)
    result = {**last, "examples": total, "new_labels": new_labels, "batches": [each["batch"] for each in kept]}
    what_next = {
        "started": f"version {last['version']} is training on them",
        "underway": f"version {last['version']} is already training, and the next version will use them",
        "waiting": f"{_count(last['waiting'])} pending (`--retrain now` starts a training)",
    }
    shown = [line(f"{_count(total)} saved for {model}; {what_next[last['retrain']]}")]
    if new_labels:
        shown.append(line(f"  new labels: {', '.join(map(plain, new_labels))}"))
    if watch and last["retrain"] == "started":
        terminal.say(*shown)
        see_to_end(client, terminal, model, last["version"], {"feedback": result})
    else:
        terminal.show(result, *shown)


def _requests(client: Client, terminal: Terminal, file: str, fields: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The bodies to send, in order. Only the last one may start a training."""
    named = _named(Path(file))
    if named is None:
        yield {**in_s3(client, terminal, file), **fields}
        return
    if layout := [name for name in fields if name != "retrain"]:
        options = ", ".join(f"--{name.replace('_', '-')}" for name in layout)
        raise UsageError(f"{options}: leave this out, because the lines of {file} name predictions.")
    parts = [named[begin : begin + _MOST_NAMED] for begin in range(0, len(named), _MOST_NAMED)]
    for number, part in enumerate(parts, start=1):
        yield {"examples": part, **fields} if number == len(parts) else {"examples": part, "retrain": "no"}


def _named(path: Path) -> list[Any] | None:
    """The lines of a file of JSON Lines whose first one names a prediction and has no text. None for any other file."""
    if path.suffix.lower() != ".jsonl" or not path.is_file():
        return None
    try:
        first = json.loads(next(lines(path), "null"))
        if not isinstance(first, dict) or "prediction_id" not in first or "text" in first:
            return None
        return [json.loads(each) for each in lines(path)]
    except (ValueError, UsageError):
        # The API says what is wrong with the file.
        return None


def _count(examples: int) -> str:
    return "1 example" if examples == 1 else f"{examples} examples"
