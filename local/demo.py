"""`make demo`: deploy, upload, train, evaluate and classify on a separate local cloud, then stop it.

The demo trains a first version on a few examples of each label, and a second version on many. It runs the command `winnow`
and shows each command line.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from local.cloud import FAILURES, PROJECT, LocalCloud
from local.server import sentence
from winnow_cli.app import main as winnow

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
_BEGINNING_SECONDS = 60


class DemoError(Exception):
    """A command failed and printed the reason."""


def main() -> int:
    """Run the demo. Returns 0 only if every step worked."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        (PROJECT / ".local").mkdir(exist_ok=True)
        _remove_leftovers()
        with tempfile.TemporaryDirectory(dir=PROJECT / ".local", prefix="demo-") as folder, LocalCloud(Path(folder), port=None) as cloud:
            print("Deploying template.yaml to a local cloud …", flush=True)
            cloud.deploy()
            os.environ |= cloud.environment()
            _demonstrate(Path(folder))
    except FAILURES as error:
        print(sentence(error), file=sys.stderr)
        return 1
    except DemoError:
        return 1
    _say_how_to_go_on()
    return 0


def _remove_leftovers() -> None:
    """Remove the folders of demos that were killed. One that has just begun has no server yet."""
    for folder in (PROJECT / ".local").glob("demo-*"):
        if time.time() - folder.stat().st_mtime > _BEGINNING_SECONDS and not LocalCloud(folder, port=None).find():
            shutil.rmtree(folder, ignore_errors=True)


def _demonstrate(folder: Path) -> None:
    few, others = _parted(json.loads(SAMPLE.read_bytes()))
    few_file, others_file = (folder / name for name in ("few.json", "others.json"))
    few_file.write_text(json.dumps(few), encoding="utf-8")
    others_file.write_text(json.dumps(others), encoding="utf-8")
    print(f"\nVersion 1: train on 5 examples per label ({len(few)} in total), test on the other {len(others)}.", flush=True)
    _winnow("train", few_file, "--model", MODEL, "--test", others_file, "--watch")
    print(f"\nVersion 2: train on all {len(few) + len(others)} examples, and measure it in five folds of them.", flush=True)
    _winnow("train", SAMPLE, "--model", MODEL, "--force-update", "--watch")
    print(flush=True)
    _winnow("predict", "--model", MODEL, *TEXTS)
    _winnow("models")


def _winnow(*arguments: str | Path) -> None:
    """Print a command and run it. Raises DemoError if it fails."""
    typed = [each.name if isinstance(each, Path) else each for each in arguments]
    print(f"$ winnow {shlex.join(typed)}", flush=True)
    began = time.monotonic()
    if winnow([str(each) for each in arguments]):
        raise DemoError
    if arguments[0] == "train":
        print(f"({time.monotonic() - began:.0f} seconds, from the file to the live version)", flush=True)


def _parted(examples: Sequence[dict[str, str]]) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """The first FEW examples of each label, and the others."""
    seen: Counter[str] = Counter()
    few: list[dict[str, str]] = []
    others: list[dict[str, str]] = []
    for example in examples:
        seen[example["label"]] += 1
        (few if seen[example["label"]] <= FEW else others).append(example)
    return few, others


def _say_how_to_go_on() -> None:
    print(
        """
The demo worked, and nothing keeps running. To continue by hand:

  make start                          # start a local cloud that keeps running
  set -a; . .local/env; set +a        # set its URL and key
  .venv/bin/winnow train local/sample/savings.json --model savings --watch
  .venv/bin/winnow predict --model savings "I want to save for vacation!"
  curl -G "$WINNOW_URL/prediction" -H "x-api-key: $WINNOW_API_KEY" -d model_id=savings --data-urlencode 'text=I want to save for vacation!'
  make stop

Or in a browser: `make start` prints a key and the address of the console first, http://127.0.0.1:4566/…/console"""
    )


if __name__ == "__main__":
    sys.exit(main())
