"""A shard of a batch prediction without a workflow, so that a benchmark can call the function ClassifyShard at will."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import Any

from benchmarks import contestants
from local.cloud import LocalCloud
from local.server import CREDENTIALS
from winnow.aws import clients, resources
from winnow.batch.split_join import split
from winnow.domain.batch import BatchJob, BatchPrediction, BatchStatus
from winnow.domain.clock import now, sortable_id
from winnow_cli.client import Client

_N_TOP = 5  # the default of POST /prediction


def event(cloud: LocalCloud, model_id: str, texts: Sequence[str]) -> dict[str, Any]:
    """The event of the batch's first shard, which has at most 10,000 texts. Registers and splits the batch, whose status stays running."""
    deployed = cloud.environment()
    client = Client(deployed["WINNOW_URL"], deployed["WINNOW_API_KEY"])
    uploaded = client.upload("texts.jsonl", "\n".join(json.dumps({"text": text}) for text in texts).encode())
    os.environ.update({**CREDENTIALS, **contestants.ours(cloud, "SplitBatch").environment})
    clients.forget_clients()
    model = resources.models().get(model_id)
    if model.live_version is None:
        message = f"no version of {model_id} is live"
        raise ValueError(message)
    job = BatchJob(model_id, model.uid, sortable_id())
    where = (uploaded["s3bucket"], uploaded["training_object"])
    batch = BatchPrediction(job, model.live_version, _N_TOP, *where, BatchStatus.QUEUED, now())
    resources.batch_predictions().create(model, batch, days=1)
    manifest = split(job)["manifest"]
    shards = json.loads(cloud.client("s3").get_object(Bucket=manifest["bucket"], Key=manifest["key"])["Body"].read())
    return {"batch": job.as_event(), "shard": shards[0]["shard"]}
