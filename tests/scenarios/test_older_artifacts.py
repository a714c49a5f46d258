"""Artifacts from older locks still give the same answers (docs/upgrades.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from packaging.version import Version

from tests.support.artifacts import PACKAGES, TEXTS, StoredArtifact, present, stored
from winnow.domain.job import TrainingJob
from winnow.recipes.artifact import TrainedClassifier
from winnow.recipes.catalogue import COSTS
from winnow.storage.bucket import Bucket
from winnow.storage.candidates import Candidates

if TYPE_CHECKING:
    from tests.conftest import Ready, Winnow

# For scores: another numpy or processor may add in another order. float32 has seven digits, and an answer rounds to six.
TOLERANCE = 1e-5
# If MiniLM itself reads the texts: processors round its int8 products differently. use-multilingual has none.
TOLERANCE_OF_MINILM = 0.05

STORED = list(stored())
each = pytest.mark.parametrize("artifact", STORED, ids=[artifact.name for artifact in STORED])


# No older lock has light.
@pytest.mark.parametrize("recipe", [recipe for recipe in COSTS if recipe != "light"])
def test_there_is_one_of_an_older_lock(recipe: str) -> None:
    now = present()
    locks = [artifact.made_by for artifact in STORED if artifact.recipe == recipe]
    assert any(all(Version(then[package]) < Version(now[package]) for package in PACKAGES) for then in locks), (locks, now)


@each
def test_it_gives_the_scores_that_it_gave(artifact: StoredArtifact) -> None:
    trained = TrainedClassifier.from_files(artifact.files, artifact.find)
    scores = trained.scores(TEXTS)

    assert trained.recipe == artifact.recipe
    assert scores.shape == artifact.scores.shape
    assert np.abs(scores - artifact.scores).max() < TOLERANCE


@pytest.mark.parametrize("artifact", [artifact for artifact in STORED if artifact.has_stages], ids=lambda artifact: artifact.name)
def test_each_of_its_stages_answers(artifact: StoredArtifact) -> None:
    trained = TrainedClassifier.from_files(artifact.files, artifact.find)

    assert {stage for _, stage in trained.predict_by_stage(TEXTS)} == {"linear", "light", "best"}


@each
def test_a_live_version_of_it_answers(artifact: StoredArtifact, ready: Ready) -> None:
    winnow = ready("exclusive.json")
    make_live(winnow, artifact)
    winnow.parameters["Encoder"] = "minilm"
    answer = winnow.call("predict", "predict_post_texts", body={"model_id": "tc-01", "texts": TEXTS, "n_top": 1000})

    assert answer.status == 200
    assert all(("stage" in prediction) == artifact.has_stages for prediction in answer.body["predictions"])
    labels = sorted(scored["label"] for scored in answer.body["predictions"][0]["labels"])
    found = [{scored["label"]: scored["score"] for scored in row["labels"]} for row in answer.body["predictions"]]
    scores = np.array([[row[label] for label in labels] for row in found])
    assert np.abs(scores - artifact.scores).max() < (TOLERANCE_OF_MINILM if "all-MiniLM-L6-v2" in artifact.vectors else TOLERANCE)


def make_live(winnow: Winnow, artifact: StoredArtifact) -> None:
    """Give tc-01's live version this artifact, as if its training had made it."""
    [row] = [item for item in winnow.table.scan()["Items"] if "manifest_sha256" in item]
    for key in winnow.objects():
        winnow.s3.delete_object(Bucket=winnow.names["Models"], Key=key)
    candidates, job = Candidates(Bucket(winnow.s3, winnow.names["Models"])), TrainingJob.from_event(row)
    row["manifest_sha256"] = candidates.write(job, artifact.recipe, artifact.files, {})
    candidates.take(job, artifact.recipe)
    winnow.table.put_item(Item=row)
