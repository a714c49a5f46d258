"""`make bench-encoder`: what one prediction costs, through the function's own handler, by recipes without and with the sentence encoder.

Models of Banking77 are trained through the API of a local cloud (cnn for one epoch: its weights cost the same to use). Then each is asked
in fresh processes with the built layers, which read registry and artifact from that cloud: benchmarks/answering.py. A first process for
each warms the machine's page cache and isn't counted. Init: CPU seconds from the process's start until the function can be called. Cold:
to its first answer, init among them. Warm: CPU milliseconds of one call with one text of the test set. Memory: the most that the
process held. All are medians over the processes.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.splits import DATA, FOLDERS, Split, banking77
from local.client import ApiError, Client
from local.cloud import PROJECT, LocalCloud
from local.server import CREDENTIALS, CloudError

RECIPES: Mapping[str, Mapping[str, Any]] = {"linear": {}, "cnn": {"n_iter": 1}, "sentence": {}, "best": {}}
BUILT = PROJECT / ".aws-sam" / "local"
LAYERS = ("WinnowLayer", "SpacyLayer", "EncoderLayer")
EVENT = PROJECT / "events" / "api" / "predict_post_text.json"


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench-encoder", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="?", type=Path, default=DATA / FOLDERS["banking77"], help="folder with train.csv and test.csv")
    parser.add_argument("--texts", type=int, default=500, help="how many texts of the test set to ask for (500)")
    parser.add_argument("--processes", type=int, default=5, help="how many fresh processes for each recipe (5)")
    arguments = parser.parse_args()
    if not (arguments.data / "train.csv").exists():
        print(f"winnow: {arguments.data} has no train.csv: give the folder of Banking77 with DATA=…", file=sys.stderr)
        return 1
    split = banking77(arguments.data)
    texts = [example.text for example in split.test][:: max(1, len(split.test) // arguments.texts)][: arguments.texts]
    try:
        with tempfile.TemporaryDirectory() as folder, LocalCloud(Path(folder), port=None) as cloud:
            cloud.deploy()
            _train(cloud, split)
            _measure(cloud, texts, arguments.processes)
    except (CloudError, ApiError, TimeoutError) as error:
        print(f"winnow: {error}", file=sys.stderr)
        return 1
    return 0


def _train(cloud: LocalCloud, split: Split) -> None:
    settings = cloud.environment()
    client = Client(settings["WINNOW_URL"], settings["WINNOW_API_KEY"])
    rows = [json.dumps({"text": example.text, "label": example.labels[0]}, ensure_ascii=False) for example in split.train]
    dataset = client.upload("banking77.jsonl", "\n".join(rows).encode())
    for recipe, more in RECIPES.items():
        client.train(recipe, dataset, recipe=recipe, **more)
        version = client.wait(recipe)["version"]
        if version["status"] != "ready":
            raise CloudError(f"the training by {recipe} ended {version['status']}: {version['error']}")


def _measure(cloud: LocalCloud, texts: Sequence[str], processes: int) -> None:
    print(f"{len(texts)} texts of Banking77, {processes} processes for each recipe, one BLAS thread")
    print(f"  {'recipe':<8} {'init s':>8} {'cold s':>8} {'warm ms':>8} {'95 %':>8} {'MB':>6}")
    for recipe in RECIPES:
        _asked(cloud, recipe, texts[:1])
        runs = [_asked(cloud, recipe, texts) for _ in range(processes)]
        figures = ("init", "cold", "warm", "late", "memory")
        init, cold, warm, late, most = (statistics.median(run[name] for run in runs) for name in figures)
        print(f"  {recipe:<8} {init:>8.2f} {cold:>8.2f} {1000 * warm:>8.1f} {1000 * late:>8.1f} {most / 1e6:>6.0f}", flush=True)


def _asked(cloud: LocalCloud, model_id: str, texts: Sequence[str]) -> dict[str, float]:
    """One process's figures: see benchmarks/answering.py."""
    outputs = cloud.outputs()
    event = json.loads(EVENT.read_text(encoding="utf-8"))
    events = [json.dumps(event | {"body": json.dumps({"model_id": model_id, "text": text})}) for text in texts]
    with tempfile.TemporaryDirectory() as folder:
        asked, told = Path(folder) / "events.jsonl", Path(folder) / "figures.json"
        asked.write_text("\n".join(events), encoding="utf-8")
        environment = {
            **CREDENTIALS,
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join(str(BUILT / layer / "python") for layer in LAYERS),
            "AWS_ENDPOINT_URL": cloud.endpoint,
            "REGISTRY_TABLE": outputs["RegistryTable"],
            "MODELS_BUCKET": outputs["ModelsBucket"],
            "OPENBLAS_NUM_THREADS": "1",
            "ENCODER": "minilm",
            "ENCODER_BUCKET": "",
            "AWS_LAMBDA_FUNCTION_NAME": "winnow",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1769",
            # Nothing stays of the process before.
            "TMPDIR": folder,
        }
        command: list[str | Path] = [sys.executable, "-P", PROJECT / "benchmarks" / "answering.py", BUILT / "Predict", asked, told]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode:
            raise CloudError(f"the function failed: {(done.stderr.strip().splitlines() or ['it said nothing'])[-1]}")
        figures: dict[str, float] = json.loads(told.read_text(encoding="utf-8"))
    return figures


if __name__ == "__main__":
    sys.exit(main())
