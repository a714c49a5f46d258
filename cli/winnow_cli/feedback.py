"""`winnow feedback`: send newly labelled examples, at most 1,000 per call."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import uuid4

from winnow_cli.client import ApiError, Client
from winnow_cli.files import examples, parts
from winnow_cli.terminal import Terminal, line, plain
from winnow_cli.training import see_to_end

_MOST_EXAMPLES, _MOST_BYTES = 1000, 700_000


def send(client: Client, terminal: Terminal, model: str, file: Path, retrain: str, *, watch: bool) -> None:
    """Send the examples of a file. Only the last call may start a training."""
    found = list(parts(examples(file), _MOST_EXAMPLES, _MOST_BYTES))
    kept: list[dict[str, Any]] = []
    for part in found:
        body = {"examples": part, "retrain": retrain if part is found[-1] else "no"}
        try:
            kept.append(client.call("POST", f"/models/{model}/examples", body, headers={"Idempotency-Key": str(uuid4())}))
        except ApiError as error:
            if kept:
                done = sum(each["examples"] for each in kept)
                error.sentence = f"The first {done} examples are saved, the others are not: {error.sentence}"
            raise
    last, labels = kept[-1], sorted({label for each in kept for label in each["new_labels"]})
    result = {
        "model_id": model,
        "batches": [each["batch"] for each in kept],
        "examples": sum(each["examples"] for each in kept),
        "new_labels": labels,
        "waiting": last["waiting"],
        "retrain": last["retrain"],
        "version": last["version"],
    }
    what_next = {
        "started": f"version {last['version']} is training on them",
        "underway": f"version {last['version']} is already training, and the next version will use them",
        "waiting": f"{_count(last['waiting'])} pending (`--retrain now` starts a training)",
    }
    shown = [line(f"{_count(result['examples'])} saved for {model}; {what_next[last['retrain']]}")]
    if labels:
        shown.append(line(f"  new labels: {', '.join(map(plain, labels))}"))
    if watch and last["retrain"] == "started":
        terminal.say(*shown)
        see_to_end(client, terminal, model, last["version"], {"feedback": result})
    else:
        terminal.show(result, *shown)


def _count(examples: int) -> str:
    return "1 example" if examples == 1 else f"{examples} examples"
