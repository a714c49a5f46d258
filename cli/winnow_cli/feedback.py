"""`winnow feedback`: newly labelled examples, up to a thousand a call."""

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
    """Send the examples of a file, and ask for the training with the last of them only."""
    found = list(parts(examples(file), _MOST_EXAMPLES, _MOST_BYTES))
    kept: list[dict[str, Any]] = []
    for part in found:
        body = {"examples": part, "retrain": retrain if part is found[-1] else "no"}
        try:
            kept.append(client.call("POST", f"/models/{model}/examples", body, headers={"Idempotency-Key": str(uuid4())}))
        except ApiError as error:
            if kept:
                done = sum(each["examples"] for each in kept)
                error.sentence = f"the first {done} examples are kept, and of the others: {error.sentence}"
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
    told = {
        "started": f"version {last['version']} is trained on them",
        "underway": f"version {last['version']} is being trained already; they are trained on after it",
        "waiting": f"{_number(last['waiting'], 'waits', 'wait')} for a version (--retrain now starts one)",
    }
    shown = [line(f"{_number(result['examples'], 'is', 'are')} kept for {model}: {told[last['retrain']]}")]
    if labels:
        shown.append(line(f"  new labels: {', '.join(map(plain, labels))}"))
    if watch and last["retrain"] == "started":
        terminal.say(*shown)
        see_to_end(client, terminal, model, last["version"], {"feedback": result})
    else:
        terminal.show(result, *shown)


def _number(examples: int, singular: str, plural: str) -> str:
    return f"1 example {singular}" if examples == 1 else f"{examples} examples {plural}"
