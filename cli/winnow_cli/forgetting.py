"""`winnow forget` and `winnow forgotten`: the texts of a request, and the receipt."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rich.console import RenderableType

from winnow_cli.failures import UsageError
from winnow_cli.files import decoded
from winnow_cli.terminal import line


def texts_in(path: Path) -> list[str]:
    """The texts of a file: a JSON array of strings, or one text a line. UsageError if it can't be read, or has none."""
    content = decoded(path)
    if content.lstrip().startswith("["):
        try:
            found = json.loads(content)
        except ValueError as error:
            raise UsageError(f"Can't read {path}: {error}") from error
        if not all(isinstance(text, str) for text in found):
            raise UsageError(f"{path} has more than texts: it must be a JSON array of strings, or have one text a line.")
    else:
        found = [text for text in content.splitlines() if text.strip()]
    if not found:
        raise UsageError(f"{path} has no text.")
    return list(found)


def begun(answer: Mapping[str, Any]) -> Iterator[RenderableType]:
    """A forgetting that was just asked for."""
    name = answer["forgetting"]
    yield line(f"Forgetting {name} has begun. It takes at least a quarter of an hour: winnow forgotten {name}")


def receipt(answer: Mapping[str, Any]) -> Iterator[RenderableType]:
    """How far it is, what was touched, what became of the models, and what could not be done."""
    done = answer["status"] == "done"
    yield line(f"Done at {answer['finished_at']}." if done else f"Not done yet: {answer['status']}.")
    for waits in answer["waiting_for"]:
        yield line(f"It waits for {waits}.")
    for place in answer["touched"]:
        yield line(f"Found: {_place(place)}")
    if answer["more"]:
        yield line(f"Found: {answer['more']:,} more places")
    for model in answer["models"]:
        yield from _model(model)
    for sentence in answer["not_done"]:
        yield line(f"Not done: {sentence}")


def _place(place: Mapping[str, Any]) -> str:
    what = f"version {place['version']}" if place["kind"] == "version" else " ".join(filter(None, (place["kind"], place["name"])))
    of = f" of {place['model_id']}" if place["model_id"] else ""
    return f"{what}{of} ({place['texts']:,} {'text' if place['texts'] == 1 else 'texts'})"


def _model(model: Mapping[str, Any]) -> Iterator[RenderableType]:
    name, gone = model["model_id"], ", ".join(map(str, model["withdrawn"]))
    made = f"version {model['made']} was made and " if model["made"] else ""
    yield line(f"{name}: {made}withdrawn: {gone or 'nothing'}")
    if model["lost_labels"]:
        yield line(f"{name} doesn't know these labels any more, because too few texts are left: {', '.join(model['lost_labels'])}")
    if model["problem"]:
        yield line(f"{name}: {model['problem']}")
