"""Measure a ready version on another labelled file."""

from __future__ import annotations

from typing import Any

from winnow.aws import resources
from winnow.domain.dataset import DatasetReference
from winnow.domain.errors import DatasetError, VersionNotFoundError
from winnow.domain.model import Version
from winnow.domain.normal_form import text_key
from winnow.prediction.loading import load
from winnow.training.calibrate import answers_of
from winnow.training.measure import dial_of_answers, report_of
from winnow.training.read_dataset import read_test_set

# The most examples that are answered. The most accurate recipe answers them in half of the function's time.
MOST_EXAMPLES = 20_000
_MEASURED_BY = "test-object"

Shown = dict[str, Any]


def make_evaluation(event: Shown) -> None:
    """Make the evaluation that `start_evaluation` asked for. Nothing happens if the version was deleted meanwhile."""
    try:
        version = resources.versions().of_life(event["model_id"], event["uid"], event["version"])
    except VersionNotFoundError:
        return
    record = {"file": event["file"], "started_at": event["started_at"]}
    evaluations, job = resources.file_evaluations(), version.job
    before = evaluations.find(job, event["evaluation"])
    if before is not None and before["status"] != "running":
        # Lambda repeats a call sometimes, and a policy may be set from the evaluation by now.
        return
    try:
        found, dial = _measure(version, DatasetReference.of(event["file"]), keep_texts=event["keep_texts"])
    except DatasetError as error:
        evaluations.write(job, event["evaluation"], {**record, "status": "failed", "error": error.sentence})
    else:
        evaluations.write(job, event["evaluation"], {**record, "status": "ready", **found}, dial)


def _measure(version: Version, file: DatasetReference, *, keep_texts: bool) -> tuple[Shown, bytes]:
    """What the evaluation found, and its dial. DatasetError if the file can't measure the version."""
    trained = load(resources.artifacts(), version.job, version.manifest_sha256)
    read = read_test_set(file, trained.labels, exclusive=trained.exclusive)
    learnt = {text_key(example.text) for example in resources.frozen_examples().read(version, "train")}
    fresh = [example for example in read.examples if text_key(example.text) not in learnt]
    if not fresh:
        raise DatasetError("The version has learnt every text of the file: send texts that it doesn't know.")
    if len(fresh) > MOST_EXAMPLES:
        raise DatasetError(f"The file has {len(fresh):,} examples, and an evaluation takes at most {MOST_EXAMPLES:,}: send fewer.")
    answers = answers_of(trained, fresh)
    sentence = f"The version answered the {len(fresh):,} examples of the file that it had not learnt."
    report = {"measured_by": _MEASURED_BY, "measured_how": sentence, **report_of(trained, answers, keep_texts=keep_texts)}
    learnt_texts = len(read.examples) - len(fresh)
    return {"report": report, "learnt": learnt_texts, **read.pinned()}, dial_of_answers(trained, answers, _MEASURED_BY).to_bytes()
