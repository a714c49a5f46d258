"""The middle task of a batch prediction: classify the texts of one shard. Can be repeated."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

from winnow.aws import resources
from winnow.domain.answer import as_dicts
from winnow.domain.batch import BatchJob, Shard
from winnow.domain.job import TrainingJob
from winnow.prediction.loading import load
from winnow.recipes.artifact import TrainedClassifier
from winnow.recipes.portions import portions
from winnow.registry.versions import check_ready

# Of texts that are classified at once: what is made of them lies in memory together.
_MOST_CHARACTERS = 200_000
# A look whether the batch was cancelled.
_SECONDS_BETWEEN_NOTES = 60.0

type _Line = dict[str, Any]


class Classifying:
    """Classifies shards, and keeps the version that it did so with last: the next shard is likely to be of the same batch."""

    def __init__(self) -> None:
        self._kept: tuple[tuple[str, int], TrainedClassifier] | None = None

    def classify(self, job: BatchJob, shard: Shard) -> None:
        """Write what becomes of each line of the shard: its text's best labels, or its error.

        JobSupersededError where the batch has ended; VersionNotFoundError, ArtifactError, EncoderError where its version doesn't answer.
        """
        batches, objects = resources.batch_predictions(), resources.batch_objects()
        batch = batches.note(job)
        trained = self._trained(job, batch.version)
        noted = time.monotonic()
        with objects.labelled(job, shard) as written:
            for lines in portions(objects.read_shard(job, shard), lambda line: len(line.get("text", "")), _MOST_CHARACTERS):
                written.write(b"".join(_labelled(trained, lines, batch.n_top)))
                if time.monotonic() - noted >= _SECONDS_BETWEEN_NOTES:
                    batches.note(job)
                    noted = time.monotonic()

    def _trained(self, job: BatchJob, number: int) -> TrainedClassifier:
        # Asked for each shard: a version that was deleted meanwhile classifies no more. Under whatever fence it was made.
        version = resources.versions().of_job(TrainingJob(job.model_id, job.uid, number, fence=0))
        check_ready(version)
        key = (job.uid, number)
        if self._kept is None or self._kept[0] != key:
            # Two versions needn't be in memory at once.
            self._kept = None
            self._kept = key, load(resources.artifacts(), version.job, version.manifest_sha256)
        return self._kept[1]


def _labelled(trained: TrainedClassifier, lines: list[_Line], n_top: int) -> Iterator[bytes]:
    """What becomes of the lines, in their order."""
    texts = [line["text"] for line in lines if "text" in line]
    predictions = iter(trained.predict(texts, n_top) if texts else [])
    for line in lines:
        answer = {name: value for name, value in line.items() if name != "text"}
        if "text" in line:
            answer["labels"] = as_dicts(next(predictions))
        yield json.dumps(answer, ensure_ascii=False).encode() + b"\n"
