"""`make demo`: the main job to its end, on a local cloud of its own: deploy, upload, train, look, classify. Leaves nothing running."""

from __future__ import annotations

import json
import signal
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from local.client import ApiError, Client
from local.cloud import PROJECT, LocalCloud
from local.server import CloudError

SAMPLE = PROJECT / "local" / "sample" / "savings.json"
MODEL = "savings"
TEXTS = [
    "I want to save for vacation!",
    "why did you take 35 dollars when my account went below zero?",
    "whats left for groceries till the 1st",
    "how do I add my second bank here",
    "the electricity people want 80 more than last winter",
]

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
    content = SAMPLE.read_bytes()
    dataset = client.upload(SAMPLE.name, content)
    console.print(f"Uploaded {len(json.loads(content))} labelled texts; training model [bold]{MODEL}[/] on them:")
    client.train(MODEL, dataset)
    model = _watched(client)
    version = model["version"]
    if version["status"] != "ready":
        raise CloudError(f"the training ended {version['status']}: {version['error']}")
    evaluation, trained_on = version["evaluation"], version["dataset"]
    console.print(
        f"\nVersion {version['version']} of [bold]{MODEL}[/] is ready. On {evaluation['examples']} held-out examples"
        f" (trained on {trained_on['train_examples']}, {trained_on['labels']} labels):"
    )
    console.print(f"  accuracy {evaluation['accuracy']:.3f}   macro-F1 {evaluation['macro_f1']:.3f}\n")
    for text in TEXTS:
        answer = client.call("GET", "/prediction", {"model_id": MODEL, "text": text, "n_top": "3"})
        console.print(f"  “{text}”")
        for label in answer["labels"]:
            console.print(
                f"    {label['label']:<16} {_bar(label['score'])} {label['score']:.2f}{'' if label['accepted'] else '  not accepted'}"
            )
    client.call("DELETE", f"/models/{MODEL}")


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
