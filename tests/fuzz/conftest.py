"""A local cloud only for the fuzz test, with models and few trainings at once."""

from __future__ import annotations

import gzip
import json
import random
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.cloud import LocalCloud
from tests.e2e.conftest import SAMPLE, Deployed, deployed
from tests.fuzz.known import CHANGED, KEPT, Known
from tests.support.built import build_local
from winnow.domain.access import Role
from winnow.training.dry_run import MOST_BYTES_AT_ONCE

MULTILABEL = Path(__file__).parents[1] / "data" / "multilabel.jsonl"
# The lines of the object that batch predictions classify.
TEXTS = 20
# The number of uploads for the run to delete.
UPLOADS = 20


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    build_local()
    with LocalCloud(tmp_path_factory.mktemp("cloud"), port=None) as cloud:
        # One training at a time and no encoder, so that trainings leave time for requests. Only the machine throttles them.
        most = dict.fromkeys(("ClassifyRequestsPerSecond", "RequestsPerSecond", "AdminRequestsPerSecond"), "10000")
        cloud.deploy({"MostTrainings": "1", "BatchConcurrency": "1", "Encoder": "none", **most})
        yield deployed(cloud)


@pytest.fixture(scope="module")
def keys(api: Deployed) -> dict[str, str | None]:
    """A key for each role."""
    return {str(role): api.cloud.keys().add(f"fuzz-{role}", role) for role in Role}


@pytest.fixture(scope="module")
def known(api: Deployed) -> Known:
    """Trained models of each kind with two versions each, uploads, a batch prediction, and the report of a dry run."""
    client = api.client
    small = b"\n".join(json.dumps(example).encode() for example in json.loads(SAMPLE.read_text())[::10])
    exclusive, multilabel = client.upload("savings.jsonl", small), client.upload("multilabel.jsonl", MULTILABEL.read_bytes())
    datasets = {**dict.fromkeys((*KEPT, *CHANGED), exclusive), KEPT[1]: multilabel}
    texts = client.upload("texts.jsonl", b"\n".join(small.splitlines()[:TEXTS]))
    # Texts that no model knows.
    backwards = [" ".join(reversed(json.loads(line)["text"].split())) for line in small.splitlines()[:TEXTS]]
    unlabelled = client.upload("unlabelled.jsonl", "\n".join(json.dumps({"text": text}) for text in backwards).encode())
    learnt, asked, new = (each["training_object"] for each in (exclusive, texts, unlabelled))
    found = Known(exclusive["s3bucket"], learnt, asked, new, small, [_large_dry_run(api)])
    for again in (False, True):
        for model_id, dataset in datasets.items():
            client.train(model_id, dataset, recipe="linear", n_iter=5, force_update=again, promote="if-better" if again else "auto")
        for model_id in datasets:
            version = client.wait(model_id)["version"]
            assert version["status"] == "ready", version["error"]
            found.tell(version["version"], "version", model_id)
    for model_id in CHANGED:
        # Only a model with a log says anything about drift, and a short run may switch on none before it asks.
        client.call("PATCH", f"/models/{model_id}", {"log": {"share": 0.5, "days": 7}})
    body = {"s3bucket": texts["s3bucket"], "object": texts["training_object"]}
    for model_id in KEPT:
        found.tell((model_id, client.call("POST", f"/models/{model_id}/batches", body)["batch"]), "batches")
    for number in range(UPLOADS):
        found.tell(client.upload(f"{number}.jsonl", small)["training_object"].removeprefix("uploads/"), "name")
    return found


def _large_dry_run(api: Deployed) -> str:
    """The id of a report on a data set that is too large for an immediate report."""
    draws = random.Random(0)
    rows = [
        json.dumps({"text": "".join(draws.choices(string.ascii_lowercase, k=100)) * 190, "label": str(number % 2)})
        for number in range(MOST_BYTES_AT_ONCE // 19_000 + 100)
    ]
    dataset = api.client.upload("large.jsonl.gz", gzip.compress("\n".join(rows).encode()))
    report_id: str = api.client.call("POST", "/models", {"id": "large", **dataset, "dry_run": True})["report_id"]
    return report_id
