"""`make bench-banking77`: train and classify Banking77 through the API of a local cloud.

The data set is Casanueva et al. 2020 (https://arxiv.org/abs/2003.04807), CC BY 4.0: train.csv and test.csv with the columns text and
category. The benchmark uploads the training examples as a client would: all of them, or a few of each label. Then it classifies the
official test set, 100 texts per call.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Mapping
from itertools import batched
from pathlib import Path
from typing import Any

from benchmarks.splits import DATA, FOLDERS, Split, banking77, few, require_banking77
from local.cloud import LocalCloud
from local.server import CloudError
from winnow.evaluation.measures import evaluate
from winnow_cli.client import ApiError, Client

MODEL = "banking77"


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench-banking77", description=__doc__)
    parser.add_argument("data", nargs="?", type=Path, default=DATA / FOLDERS["banking77"], help="the folder with train.csv and test.csv")
    parser.add_argument("--recipe", help="the recipe to train with (default: the API's default)")
    parser.add_argument("--per-label", type=int, help="train with this many examples of each label (default: all)")
    parser.add_argument("--seeds", type=int, default=1, help="with --per-label: draws of the examples, the seeds 0, 1, … (1)")
    arguments = parser.parse_args()
    data: Path = arguments.data
    require_banking77(data)
    try:
        with tempfile.TemporaryDirectory() as folder, LocalCloud(Path(folder), port=None) as cloud:
            cloud.deploy()
            settings = cloud.environment()
            client = Client(settings["WINNOW_URL"], settings["WINNOW_API_KEY"])
            asked = {"recipe": arguments.recipe} if arguments.recipe else {}
            if arguments.per_label is None:
                _measure(client, MODEL, banking77(data), asked)
            else:
                draws = [few(banking77(data), arguments.per_label, seed) for seed in range(arguments.seeds)]
                found = [_measure(client, f"{MODEL}-{seed}", draw, asked) for seed, draw in enumerate(draws)]
                mean = sum(found) / len(found)
                print(
                    f"{arguments.per_label} examples of each label, {len(found)} draws: mean accuracy {mean:.4f} on the official test set"
                )
    except (CloudError, ApiError, TimeoutError) as error:
        print(f"winnow: {error}", file=sys.stderr)
        return 1
    return 0


def _measure(client: Client, name: str, split: Split, asked: Mapping[str, str]) -> float:
    """Train the model `name`, and print what was measured. Returns the accuracy on the official test set."""
    rows = [json.dumps({"text": example.text, "label": example.labels[0]}, ensure_ascii=False) for example in split.train]
    began = time.monotonic()
    client.train(name, client.upload("banking77.jsonl", "\n".join(rows).encode()), **asked)
    model = client.wait(name, _told(began))
    trained = time.monotonic() - began
    version = model["version"]
    if version["status"] != "ready":
        raise CloudError(f"the training has the status {version['status']}: {version['error']}")
    began = time.monotonic()
    predicted: list[set[str]] = []
    for part in batched(split.test, 100, strict=False):
        answer = client.call("POST", "/prediction", {"model_id": name, "texts": [example.text for example in part], "n_top": 1})
        predicted += [{prediction["labels"][0]["label"]} for prediction in answer["predictions"]]
    classified = time.monotonic() - began
    official = evaluate([set(example.labels) for example in split.test], predicted, sorted({example.labels[0] for example in split.train}))
    print(
        f"Banking77 through the API: {len(split.train):,} texts, recipe {version['recipe']}, {version['hyperparameters']['n_iter']} epochs"
    )
    if version["selection"]:
        print(f"  {json.dumps(version['selection'])}")
    for where, evaluation in (("measured by Winnow", version["evaluation"]), ("official test set", official)):
        figures = f"accuracy {evaluation['accuracy']:.4f}   macro-F1 {evaluation['macro_f1']:.4f}"
        print(f"  {where:<19} {evaluation['examples']:>5} texts   {figures}")
    strangers = client.call("GET", f"/models/{name}/versions/{version['version']}/evaluation")["strangers"]
    if strangers:
        print(
            f"  texts without a known label: {strangers['let_through']:.1%} of {strangers['texts']} texts of {strangers['labels']} left-out"
            f" labels accepted ({strangers['let_through_by_score']:.1%} by score alone);"
            f" {strangers['refused']:.1%} of the other texts refused"
        )
    print(f"  seconds on this machine: {trained:.0f} from upload to ready, {classified:.1f} to classify the test set")
    return float(official["accuracy"])


def _told(began: float) -> Any:
    told = -20

    def watch(model: Mapping[str, Any]) -> None:
        nonlocal told
        progress = model["version"]["progress"]
        if progress["percent"] >= told + 20:
            told = progress["percent"]
            print(f"  {time.monotonic() - began:4.0f} s  {progress['stage']} {progress['percent']} %", flush=True)

    return watch


if __name__ == "__main__":
    sys.exit(main())
