"""`best` as it was before it had stages, so that a benchmark can ask both in the same run.

Earlier releases wrote one file of weights (form 1): `linear` and one head over MiniLM's vectors, joined with equal weights if there are
many texts. Such files still answer. These are made from the parts of a version of `best`, which are fitted as both were then. Temperature,
thresholds and familiarity are those of its last stage: the answers differ a little from those of the earlier release, the work doesn't.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Mapping
from uuid import uuid4

import numpy as np

from benchmarks import contestants
from local.cloud import LocalCloud
from local.server import CREDENTIALS
from winnow.aws import clients, resources
from winnow.domain.job import Hyperparameters, TrainingJob, TrainingRequest
from winnow.domain.model import DESCRIPTION, VersionStatus

_RECIPE = "best"
_FORM = 1
# The weight of the sentences' logits with many texts of exclusive labels.
_SHARE = 0.5


def publish(cloud: LocalCloud, name: str, of: str) -> None:
    """Make a model of this name, with the parts of the live version of the model `of`, whose recipe is `best`."""
    os.environ.update({**CREDENTIALS, **contestants.ours(cloud, "Publish").environment})
    clients.forget_clients()
    model, jobs, candidates = resources.models().get(of), resources.jobs(), resources.candidates()
    version = resources.versions().get(model, model.live_version or 0)
    files = as_before(resources.artifacts().read(version.job, version.manifest_sha256 or ""))
    job = TrainingJob(name, uuid4().hex, 1, fence=1)
    jobs.create_model(job, TrainingRequest(name, None, Hyperparameters(), _RECIPE))
    for status in (VersionStatus.TRAINING, VersionStatus.EVALUATING):
        jobs.note(job, status, None)
    manifest = candidates.write(job, _RECIPE, files, {})
    candidates.take(job, _RECIPE)
    jobs.commit(job, None, manifest, len(json.loads(files[DESCRIPTION])["labels"]), live=True)


def as_before(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """An artifact of form 1, from one whose parts are the words, and the sentences of two encoders with MiniLM as the second."""
    told = json.loads(files[DESCRIPTION])
    kept = ("recipe", "language", "labels", "exclusive", "temperature", "thresholds", "least_familiarity", "score_weight", "encoder")
    parts = {"words": files["words.bin"], "sentence": files["sentence-2.bin"]}
    with io.BytesIO() as file:
        weights = {name: np.frombuffer(part, np.uint8) for name, part in parts.items()}
        np.savez(file, allow_pickle=False, share=np.array(_SHARE), **weights)
        return {DESCRIPTION: json.dumps({"form": _FORM, **{name: told[name] for name in kept}}).encode(), "weights.bin": file.getvalue()}
