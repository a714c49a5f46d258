"""`winnow feedback`, `winnow correct`, `winnow labels`: new examples, corrections of those that a version learnt, and other labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

from winnow_cli import tables
from winnow_cli.client import Client
from winnow_cli.failures import UsageError
from winnow_cli.files import in_s3
from winnow_cli.terminal import Terminal, line, plain
from winnow_cli.training import see_to_end


def send(client: Client, terminal: Terminal, model: str, file: str, fields: Mapping[str, Any], *, watch: bool) -> None:
    """Upload the file, and send its place. fields: further fields of the request."""
    kept = _post(client, model, {**in_s3(client, terminal, file), **fields})
    terminal.say(*tables.of_problems(kept["file"]["problems"]))
    _show(client, terminal, model, kept, watch=watch)


def correct(client: Client, terminal: Terminal, model: str, corrections: Sequence[Mapping[str, Any]], retrain: str, *, watch: bool) -> None:
    """Send what is to become of examples, which each correction names by its id."""
    kept = _post(client, model, {"examples": corrections, "retrain": retrain})
    _show(client, terminal, model, kept, watch=watch)


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
        raise UsageError(f"--rename has {twice[0]} twice: give a label one new name.")
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


def _show(client: Client, terminal: Terminal, model: str, kept: Mapping[str, Any], *, watch: bool) -> None:
    result = {**kept, "batches": [kept["batch"]]}
    what_next = {
        "started": f"version {kept['version']} is training on them",
        "underway": f"version {kept['version']} is already training, and the next version will use them",
        "waiting": f"{_count(kept['waiting'])} pending (`--retrain now` starts a training)",
    }
    shown = [line(f"{_count(kept['examples'])} saved for {model}; {what_next[kept['retrain']]}")]
    if kept["new_labels"]:
        shown.append(line(f"  new labels: {', '.join(map(plain, kept['new_labels']))}"))
    if watch and kept["retrain"] == "started":
        terminal.say(*shown)
        see_to_end(client, terminal, model, kept["version"], {"feedback": result})
    else:
        terminal.show(result, *shown)


def _count(examples: int) -> str:
    return "1 example" if examples == 1 else f"{examples} examples"
