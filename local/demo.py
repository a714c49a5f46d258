"""`make demo`: the main job to its end, on a local cloud of its own: deploy, upload, train, look, classify. Leaves nothing running.

It begins as most people do, with a handful of examples of each label, and trains a second version on many.
"""

from __future__ import annotations

import json
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from local.cloud import PROJECT, LocalCloud
from local.server import CloudError
from winnow_cli.client import ApiError, Client

SAMPLE = PROJECT / "local" / "sample" / "savings.json"
MODEL = "savings"
TEXTS = [
    "I want to save for vacation!",
    "why did you take 35 dollars when my account went below zero?",
    "whats left for groceries till the 1st",
    "how do I add my second bank here",
    "the electricity people want 80 more than last winter",
]

FEW = 5

console = Console(highlight=False)


def main() -> int:
    """Run the demo. 0 only if all of it worked."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    (PROJECT / ".local").mkdir(exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(dir=PROJECT / ".local", prefix="demo-") as folder, LocalCloud(Path(folder), port=None) as cloud:
            console.print("Deploying template.yaml to a local cloud …")
            cloud.deploy()
            settings = cloud.environment()
            _demonstrate(Client(settings["WINNOW_URL"], settings["WINNOW_API_KEY"]))
    except (CloudError, ApiError, TimeoutError) as error:
        print(f"winnow: {error}", file=sys.stderr)
        return 1
    _say_how_to_go_on()
    return 0


def _demonstrate(client: Client) -> None:
    examples: list[dict[str, str]] = json.loads(SAMPLE.read_bytes())
    few, others = _parted(examples)
    console.print(f"\nFive examples of each label, {len(few)} in all; tested on the other {len(others)}:")
    dataset = client.upload("few.json", json.dumps(few).encode())
    test_object = client.upload("others.json", json.dumps(others).encode())["training_object"]
    _train(client, {**dataset, "test_object": test_object})
    console.print(f"\nAll {len(examples)} of them, a fifth held out, as version 2:")
    _train(client, client.upload(SAMPLE.name, SAMPLE.read_bytes()), force_update=True)
    console.print()
    for text in TEXTS:
        answer = client.call("GET", "/prediction", {"model_id": MODEL, "text": text, "n_top": "3"})
        console.print(f"  “{text}”")
        for label in answer["labels"]:
            console.print(
                f"    {label['label']:<16} {_bar(label['score'])} {label['score']:.2f}{'' if label['accepted'] else '  not accepted'}"
            )
    client.call("DELETE", f"/models/{MODEL}")


def _parted(examples: Sequence[dict[str, str]]) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """The first five of each label, and the others."""
    seen: Counter[str] = Counter()
    few: list[dict[str, str]] = []
    others: list[dict[str, str]] = []
    for example in examples:
        seen[example["label"]] += 1
        (few if seen[example["label"]] <= FEW else others).append(example)
    return few, others


def _train(client: Client, dataset: Mapping[str, str], **more: Any) -> None:
    """Train a version to its end, and tell how good it is."""
    client.train(MODEL, dataset, **more)
    version = _watched(client)["version"]
    if version["status"] != "ready":
        raise CloudError(f"the training ended {version['status']}: {version['error']}")
    evaluation = version["evaluation"]
    tried = ", ".join(f"{candidate['recipe']} {candidate.get('score') or 0:.3f}" for candidate in version["selection"]["candidates"])
    console.print(f"  on folds of the training set: {tried}")
    console.print(
        f"  version {version['version']} is [bold]{version['recipe']}[/]: on the test set accuracy {evaluation['accuracy']:.3f},"
        f" macro-F1 {evaluation['macro_f1']:.3f}"
    )


def _watched(client: Client) -> dict[str, Any]:
    """Wait for the training: with a bar on a terminal, else with a line for each ten percent."""
    columns = TextColumn("  {task.description:<11}"), BarColumn(40), TaskProgressColumn(), TimeRemainingColumn()
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("queued", total=100)
        told = -10

        def watch(model: Mapping[str, Any]) -> None:
            nonlocal told
            progress = model["version"]["progress"]
            bar.update(task, completed=progress["percent"], description=progress["stage"])
            if not console.is_terminal and progress["percent"] >= told + 10:
                told = progress["percent"]
                console.print(f"  {progress['stage']:<11} {progress['percent']:3} %")

        return client.wait(MODEL, watch)


def _bar(score: float) -> str:
    return ("█" * round(score * 30)).ljust(30, "·")


def _say_how_to_go_on() -> None:
    headers = '-H "x-api-key: $WINNOW_API_KEY" -H "Content-Type: application/json"'
    console.print(
        f"""
All of it worked, and nothing is left running. To go on by hand:

  make start                          # the same local cloud, kept running
  set -a; . .local/env; set +a        # its URL and key
  curl "$WINNOW_URL/datasets" {headers} -d '{{"name": "savings.json"}}'
  curl -T local/sample/savings.json "UPLOAD_URL"        # the upload_url of that answer
  curl "$WINNOW_URL/models" {headers} -d '{{"id": "savings", "s3bucket": "…", "training_object": "…"}}'
  curl "$WINNOW_URL/models/savings" {headers}
  curl -X GET "$WINNOW_URL/prediction" {headers} -d '{{"model_id": "savings", "text": "I want to save for vacation!"}}'
  make stop""",
        soft_wrap=True,
        markup=False,
    )


if __name__ == "__main__":
    sys.exit(main())
