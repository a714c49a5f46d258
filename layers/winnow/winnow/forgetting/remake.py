"""Withdraw the versions that learnt what is to be forgotten. The live one is made again without it first."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from winnow.aws import resources
from winnow.domain.feedback import TakenFeedback
from winnow.domain.job import TrainingJob
from winnow.domain.model import VersionStatus
from winnow.forgetting.find import every_version
from winnow.training import queue
from winnow.training.feedback import request_on
from winnow.versions.delete import remove_version

if TYPE_CHECKING:
    from winnow.domain.model import Model, Version

# A training may fail, or be cancelled, for a reason that is over by the next time.
_ATTEMPTS = 2
# More changes of other callers at the same time are not expected.
_TRIES = 1_000


def settle(forgetting: str, model: Model, numbers: Collection[int], time_left: Iterator[bool]) -> str | None:
    """Withdraw the versions with these numbers. Returns what it must wait for, None if none of them is left.

    While a version of the model is in training, nothing changes. If the live version can't be made again, it is withdrawn all the same.
    """
    for _ in range(_TRIES):
        found = resources.models().find(model.model_id)
        if found is None or found.uid != model.uid:
            return None
        model = found
        if model.training_version is not None:
            return f"version {model.training_version} of model {model.model_id!r}, which is in training"
        versions = list(every_version(model))
        touched = [version for version in versions if version.job.version in numbers]
        if not touched:
            return None
        if not next(time_left):
            break
        live = next((version for version in touched if version.job.version == model.live_version), None)
        if live is not None:
            _replace(forgetting, model, live, [each for each in versions if each.job.version not in numbers])
        else:
            # The oldest one.
            _withdraw(model, touched[-1], time_left)
    return f"model {model.model_id!r}, whose versions there was no time to withdraw"


def _withdraw(model: Model, version: Version, time_left: Iterator[bool]) -> None:
    """Delete a version, as a client would. If the model changes meanwhile, nothing happens."""
    deletion = resources.versions().delete(model, version)
    if deletion is not None:
        # What there is no time for, the sweeper removes.
        remove_version(deletion, version.job.version, time_left)


def _replace(forgetting: str, model: Model, live: Version, others: Sequence[Version]) -> None:
    """The next step until another version is live, or none. others: the versions without what is to be forgotten."""
    # One that is older than the live version was made from another one: with it, the newer examples would be lost.
    made = [version for version in others if version.forgetting == forgetting and version.job.version > live.job.version]
    ready = next((version for version in made if version.status is VersionStatus.READY), None)
    if ready is not None:
        # A client promoted another one meanwhile.
        resources.models().promote(model, ready, exactly=False)
    elif len(made) < _ATTEMPTS:
        job = TrainingJob(model.model_id, model.uid, model.latest_version + 1, fence=1)
        # Pending feedback stays pending: nobody has measured it, and this version goes live as it is.
        taken = model.feedback.taken
        request = replace(
            request_on(model, live, taken.through),
            promote=live.promote,
            feedback=TakenFeedback(live.job.version, taken.through, taken.through, taken.examples),
            forgetting=forgetting,
        )
        if resources.jobs().create_version(model, job, request):
            queue.try_to_start_waiting()
    else:
        resources.versions().take_down(model, live)


def outcome(forgetting: str, model: Model, numbers: Collection[int]) -> Mapping[str, Any]:
    """What became of a model, for the receipt."""
    versions = list(every_version(model))
    there = {version.job.version for version in versions}
    made = [version for version in versions if version.forgetting == forgetting]
    ready = next((version for version in made if version.status is VersionStatus.READY), None)
    lost = [] if ready is None else list(ready.dataset.get("lost_labels", []))
    return {
        "model_id": model.model_id,
        "made": None if ready is None else ready.job.version,
        "withdrawn": sorted(set(numbers) - there),
        "lost_labels": lost,
        "problem": _problem(model, made) if ready is None and made else None,
    }


def _problem(model: Model, made: Sequence[Version]) -> str:
    why = next((version.error for version in made if version.error), "its training was cancelled")
    answers = (
        "No version answers any more: train one on other examples with POST /models and force_update, or promote another one."
        if model.live_version is None
        else f"Version {model.live_version} is live."
    )
    return f"The live version could not be made again ({why}), so it was withdrawn all the same. {answers}"
