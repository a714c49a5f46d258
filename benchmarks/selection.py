"""`make bench-selection`: which recipe `auto` chooses for three data sets, and why, through the API of a local cloud.

The data sets are the authors' training sets of Banking77 and NLU++ banking, and five texts per label of the sample, drawn by a seed.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.splits import DATA, FOLDERS, Split, banking77, few, nlupp
from local.cloud import LocalCloud
from local.demo import SAMPLE
from local.server import CloudError
from winnow.domain.dataset import Example
from winnow_cli.client import ApiError, Client

_FEW = 5


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench-selection", description=__doc__)
    parser.add_argument("data", nargs="?", type=Path, default=DATA, help="the folder with banking77 and nlupp_banking")
    data: Path = parser.parse_args().data
    try:
        with tempfile.TemporaryDirectory() as folder, LocalCloud(Path(folder), port=None) as cloud:
            cloud.deploy()
            settings = cloud.environment()
            client = Client(settings["WINNOW_URL"], settings["WINNOW_API_KEY"])
            for name, examples in _data_sets(data):
                _tell(client, name, examples)
    except (CloudError, ApiError, TimeoutError) as error:
        print(f"winnow: {error}", file=sys.stderr)
        return 1
    return 0


def _data_sets(folder: Path) -> Iterator[tuple[str, Sequence[Example]]]:
    rows = json.loads(SAMPLE.read_text(encoding="utf-8"))
    sample = Split([Example(row["text"], (row["label"],)) for row in rows], [], exclusive=True)
    yield "savings-few", few(sample, _FEW, seed=0).train
    for name, read in (("nlupp", nlupp), ("banking77", banking77)):
        if (folder / FOLDERS[name]).is_dir():
            yield name, read(folder / FOLDERS[name]).train
        else:
            print(f"{name}: skipped, because the data folder has no {FOLDERS[name]} (set DATA=…)")


def _tell(client: Client, name: str, examples: Sequence[Example]) -> None:
    rows = [json.dumps({"text": example.text, "labels": example.labels}, ensure_ascii=False) for example in examples]
    client.train(name, client.upload(f"{name}.jsonl", "\n".join(rows).encode()), recipe="auto")
    version = client.wait(name)["version"]
    if version["status"] != "ready":
        raise CloudError(f"the training has the status {version['status']}: {version['error']}")
    dataset, evaluation = version["dataset"], version["evaluation"]
    print(f"{name}: {dataset['examples']:,} examples of {dataset['labels']} labels, exclusive {dataset['exclusive']}")
    print(json.dumps(version["selection"], indent=1))
    held_out = f"{evaluation['examples']:,} held-out examples: accuracy {evaluation['accuracy']:.4f}, micro-F1 {evaluation['micro_f1']:.4f}"
    print(f"version {version['version']} is {version['recipe']}. On {held_out}\n", flush=True)


if __name__ == "__main__":
    sys.exit(main())
