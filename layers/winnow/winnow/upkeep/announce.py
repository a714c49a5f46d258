"""Events on the account's event bus when a training or a batch prediction has ended, and when a model has drifted or has another policy:
docs/events.md."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from itertools import batched
from typing import Any

from winnow.aws import clients, resources
from winnow.domain.batch import BatchPrediction, BatchStatus
from winnow.domain.drift import DriftDay
from winnow.domain.keys import result_key
from winnow.domain.model import Version
from winnow.domain.policy import Aim, Policy

SOURCE = "winnow"
DETAIL_TYPE = "Winnow Training Ended"
DRIFTED = "Winnow Model Drifted"
BATCH_ENDED = "Winnow Batch Ended"
POLICY_CHANGED = "Winnow Policy Changed"
# https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
_MOST_ENTRIES = 10
# The most labels of a day, and the most thresholds of a policy, that an event tells of.
_MOST_LABELS = 10
_MOST_THRESHOLDS = 50

Entry = dict[str, str]


def announce(entries: Iterable[Entry]) -> None:
    """Put the events on the bus. RuntimeError if the bus refused one; then announce all of them again."""
    for some in batched(entries, _MOST_ENTRIES, strict=False):
        answer = clients.events().put_events(Entries=list(some))  # type: ignore[arg-type]
        if answer["FailedEntryCount"]:
            codes = sorted({entry["ErrorCode"] for entry in answer["Entries"] if "ErrorCode" in entry})
            raise RuntimeError(f"the event bus refused {answer['FailedEntryCount']} events: {', '.join(codes)}")


def of_version(version: Version) -> Entry:
    """The event of a version that has ended."""
    model = resources.models().find(version.job.model_id)
    return _entry(
        DETAIL_TYPE,
        {
            "model_id": version.job.model_id,
            "version": version.job.version,
            "status": version.status,
            "live": model is not None and model.uid == version.job.uid and model.live_version == version.job.version,
            "evaluation": version.evaluation,
            "gate": None if version.gate is None else asdict(version.gate),
            "error": version.error,
            "finished_at": version.finished_at,
        },
    )


def of_batch(batch: BatchPrediction) -> Entry:
    """The event of a batch prediction that has ended."""
    job, result = batch.job, None
    if batch.status is BatchStatus.READY:
        result = {"s3bucket": clients.setting("MODELS_BUCKET"), "object": result_key(job.uid, job.batch, batch.ending)}
    names = ("version", "status", "s3bucket", "object", "lines", "errors", "error", "warning", "policy", "created_at", "finished_at")
    told = {name: getattr(batch, name) for name in names}
    return _entry(BATCH_ENDED, {"model_id": job.model_id, "batch": job.batch, **told, "result": result})


def of_day(day: DriftDay) -> Entry:
    """The event of a day that has drifted."""
    names = ("model_id", "day", "version", "texts", "psi", "p_labels", "p_scores", "reason")
    told = {name: getattr(day, name) for name in names}
    return _entry(DRIFTED, {**told, "labels": [asdict(each) for each in day.labels[:_MOST_LABELS]]})


def of_policy(model_id: str, policy: Policy) -> Entry:
    """The event of a model's next policy, or of its end."""
    applied = policy.applied
    return _entry(
        POLICY_CHANGED,
        {
            "model_id": model_id,
            "revision": policy.revision,
            "changed_at": policy.created_at,
            "policy": None if policy.aim is None else _told(policy.aim),
            "applied": None if applied is None else {"version": applied.version, "threshold": applied.threshold, "reason": applied.reason},
        },
    )


def _told(aim: Aim) -> dict[str, Any]:
    """An aim, with so few thresholds that the event is small."""
    named = None if aim.thresholds is None else sorted(aim.thresholds.items())
    listed = None if named is None else dict(named[:_MOST_THRESHOLDS])
    more = 0 if named is None else len(named[_MOST_THRESHOLDS:])
    return {**aim.as_dict(), "thresholds": listed, "more_thresholds": more}


def _entry(detail_type: str, detail: Mapping[str, object]) -> Entry:
    return {"Source": SOURCE, "DetailType": detail_type, "Detail": json.dumps(detail)}
