"""`make bench-banking77`: Banking77, trained and classified through the API of a local cloud.

The data set is Casanueva et al. 2020 (https://arxiv.org/abs/2003.04807), CC BY 4.0: train.csv and test.csv with the columns text and
category. Its training examples go in as a client would send them (Winnow holds one in ten of them out); the official test set is
classified afterwards, a hundred texts a call.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import tempfile
import time
from collections.abc import Mapping
from itertools import batched
from pathlib import Path
from typing import Any

from local.client import ApiError, Client
from local.cloud import PROJECT, LocalCloud
from local.server import CloudError
from winnow.evaluation import evaluate

DATA = PROJECT.parent / "shared" / "data" / "banking77"
MODEL = "banking77"


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench-banking77", description=__doc__)
    parser.add_argument("data", nargs="?", type=Path, default=DATA, help="folder with train.csv and test.csv")
    data: Path = parser.parse_args().data
    if not (data / "train.csv").exists():
        print(f"winnow: {data} has no train.csv: give the folder of Banking77 with DATA=…", file=sys.stderr)
        return 1
    try:
        with tempfile.TemporaryDirectory() as folder, LocalCloud(Path(folder), port=None) as cloud:
            cloud.deploy()
            settings = cloud.environment()
            _measure(Client(settings["WINNOW_URL"], settings["WINNOW_API_KEY"]), _rows(data / "train.csv"), _rows(data / "test.csv"))
    except (CloudError, ApiError, TimeoutError) as error:
        print(f"winnow: {error}", file=sys.stderr)
        return 1
    return 0


def _rows(file: Path) -> list[dict[str, str]]:
    with file.open(newline="", encoding="utf-8") as lines:
        return [{"text": row["text"], "label": row["category"]} for row in csv.DictReader(lines)]


def _measure(client: Client, train: list[dict[str, str]], test: list[dict[str, str]]) -> None:
    content = "\n".join(json.dumps(row, ensure_ascii=False) for row in train).encode()
    began = time.monotonic()
    client.train(MODEL, client.upload("banking77.jsonl", content))
    model = client.wait(MODEL, _told(began))
    trained = time.monotonic() - began
    version = model["version"]
    if version["status"] != "ready":
        raise CloudError(f"the training ended {version['status']}: {version['error']}")
    began = time.monotonic()
    predicted: list[set[str]] = []
    for part in batched(test, 100, strict=False):
        answer = client.call("POST", "/prediction", {"model_id": MODEL, "texts": [row["text"] for row in part], "n_top": 1})
        predicted += [{prediction["labels"][0]["label"]} for prediction in answer["predictions"]]
    classified = time.monotonic() - began
    official = evaluate([{row["label"]} for row in test], predicted, sorted({row["label"] for row in train}))
    print(f"Banking77 through the API: {len(train):,} texts, recipe {version['recipe']}, {version['hyperparameters']['n_iter']} epochs")
    for where, evaluation in (("held out by Winnow", version["evaluation"]), ("official test set", official)):
        figures = f"accuracy {evaluation['accuracy']:.4f}   macro-F1 {evaluation['macro_f1']:.4f}"
        print(f"  {where:<19} {evaluation['examples']:>5} texts   {figures}")
    print(f"  seconds on this machine: {trained:.0f} from upload to ready, {classified:.1f} to classify the test set")


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
