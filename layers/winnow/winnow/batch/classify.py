"""The middle task of a batch prediction: classify the texts of one shard. The task can be repeated."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from winnow.aws import resources
from winnow.batch.result_table import encoded, record
from winnow.domain.answer import as_dicts
from winnow.domain.batch import BatchJob, BatchPrediction, Shard
from winnow.domain.job import TrainingJob
from winnow.prediction.loading import load
from winnow.prediction.policy import LeastScores
from winnow.recipes.artifact import TrainedClassifier
from winnow.recipes.portions import portions
from winnow.registry.versions import check_ready

if TYPE_CHECKING:
    from winnow.recipes.least_scores import Least

# The texts that are classified together, and their characters: all of their scores are in memory at the same time. Of many texts, more that
# come to the last stage of `best` have the same length, and so are encoded together.
_TOGETHER, _MOST_CHARACTERS = 1_000, 200_000
# Writing to the registry is how the task notices that the batch was cancelled.
_SECONDS_BETWEEN_NOTES = 60.0

type _Line = dict[str, Any]


class Classifying:
    """Classifies shards. It keeps the last version in memory, because the next shard is probably of the same batch."""

    def __init__(self) -> None:
        self._kept: tuple[tuple[str, int], TrainedClassifier] | None = None
        self._least_scores = LeastScores()

    def classify(self, job: BatchJob, shard: Shard) -> None:
        """Write the result of each line of the shard: the text's best labels, or an error.

        JobSupersededError if the batch has ended; VersionNotFoundError, ArtifactError or EncoderError if its version can't answer.
        """
        batches, objects = resources.batch_predictions(), resources.batch_objects()
        batch = batches.note(job)
        trained = self._trained(job, batch.version)
        noted = time.monotonic()
        least = None
        if batch.policy is not None:
            least = self._least_scores.of(job.model_id, job.uid, batch.policy, batch.version, trained.labels)
        with objects.labelled(job, shard) as written:
            for lines in portions(objects.read_shard(job, shard), lambda line: len(line.get("text", "")), _MOST_CHARACTERS, _TOGETHER):
                written.write(_labelled(trained, least, lines, batch))
                if time.monotonic() - noted >= _SECONDS_BETWEEN_NOTES:
                    batches.note(job)
                    noted = time.monotonic()

    def _trained(self, job: BatchJob, number: int) -> TrainedClassifier:
        # Read for each shard, so that a deleted version classifies no more. Finding a version needs no fence.
        version = resources.versions().of_job(TrainingJob(job.model_id, job.uid, number, fence=0))
        check_ready(version)
        key = (job.uid, number)
        if self._kept is None or self._kept[0] != key:
            # Drop the old version first, so that two are never in memory at the same time.
            self._kept = None
            self._kept = key, load(resources.artifacts(), version.job, version.manifest_sha256)
        return self._kept[1]


def _labelled(trained: TrainedClassifier, least: Least | None, lines: list[_Line], batch: BatchPrediction) -> bytes:
    """The results of the lines, in their order. least: the lowest accepted scores of the policy, if there is one."""
    texts = [line["text"] for line in lines if "text" in line]
    predictions = iter(trained.predict_by_stage(texts, batch.n_top, least) if texts else [])
    found = [(line, next(predictions) if "text" in line else None) for line in lines]
    answers = [(line, None if answer is None else as_dicts(answer[0]), None if answer is None else answer[1]) for line, answer in found]
    if batch.delimiter is None:
        return b"".join(json.dumps(_answer(*answer, batch.policy), ensure_ascii=False).encode() + b"\n" for answer in answers)
    # The object is split, so the batch knows the number of its errors.
    errors = bool(batch.errors)
    return encoded(
        (record(line["cells"], labels or [], batch.n_top, line.get("error"), errors=errors) for line, labels, _ in answers), batch.delimiter
    )


def _answer(line: _Line, labels: list[_Line] | None, stage: str | None, policy: int | None) -> _Line:
    answer = {name: value for name, value in line.items() if name != "text"} | ({} if stage is None else {"stage": stage})
    governed = {} if policy is None else {"policy": policy}
    return answer if labels is None else answer | governed | {"labels": labels}
