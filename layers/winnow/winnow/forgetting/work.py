"""Work on a forgetting: look everywhere, remove what was found, and look again until a last look finds nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from winnow.aws import resources
from winnow.aws.log import logger
from winnow.domain.batch import ACTIVE_BATCH, BatchJob
from winnow.domain.clock import now, timestamp, utc_now
from winnow.domain.errors import BatchPredictionNotFoundError, VersionNotFoundError
from winnow.domain.forgetting import Forgetting, ForgettingStage, ForgettingStatus, Touched, Trace, TraceKind
from winnow.domain.history import WINNOW, calling
from winnow.domain.model import ACTIVE
from winnow.forgetting.find import every_model, is_upload, look_everywhere
from winnow.forgetting.remake import outcome, settle
from winnow.forgetting.remove import NO_TIME, remove
from winnow.registry.forgettings import LAST_WRITE
from winnow.storage import removal
from winnow.storage.forgetting_objects import Findings
from winnow.training.forgotten import forgotten_of

if TYPE_CHECKING:
    from winnow.domain.model import Model

# The most places that a receipt names, and the most sentences of each kind. A row holds at most 400 KB.
MOST_NAMED, _MOST_SENTENCES = 1_000, 50
_BEYOND = (
    "Your own buckets, and what clients have downloaded: Winnow never changes these.",
    "Recovery copies: the registry's point-in-time recovery, which has no texts, keeps this forgetting's digests for up to 35 days, and"
    " backups that you make of the buckets keep what they have.",
)


def work_on(forgetting: str, seconds: float, to_read: float) -> None:
    """Go on with a forgetting, within `seconds`. A file that is read then may take until `to_read` seconds from now. The sweeper has the
    rest done.

    Nothing happens if somebody works on it already. Each write can be repeated, so a crash anywhere loses nothing.
    JobSupersededError if it takes so long that somebody else goes on.
    """
    known = resources.forgettings().claim(forgetting)
    if known is None:
        return
    # The histories of models name who asked, and the forgetting.
    until = time.monotonic() + to_read
    token = calling.set(replace(known.by or WINNOW, call=f"POST /forget ({forgetting})"))
    try:
        _go_on(known, removal.time_left(seconds), until)
    finally:
        calling.reset(token)


def _go_on(known: Forgetting, time_left: Iterator[bool], until: float) -> None:
    while True:
        match known.stage:
            case ForgettingStage.FIND:
                known, more = _find(known, time_left, until)
            case ForgettingStage.REMOVE:
                known, more = _remove(known, time_left)
            case ForgettingStage.FINISH:
                _finish(known)
                logger.info("forgotten", extra={"forgetting": known.forgetting, "round": known.round})
                return
        if not more:
            resources.forgettings().release(known)
            facts = {"forgetting": known.forgetting, "status": known.status, "stage": known.stage, "round": known.round}
            logger.info("not done yet", extra=facts)
            return


def _find(known: Forgetting, time_left: Iterator[bool], until: float) -> tuple[Forgetting, bool]:
    """Look everywhere. Returns the forgetting as it is then, and whether there is more to do now."""
    registry, objects = resources.forgettings(), resources.forgetting_objects()
    if known.round > 1 and now() < known.final_after:
        waits = [f"the last look, after {known.final_after}: until then, what runs now may still write a text"]
        return registry.note(known, status=ForgettingStatus.WAITING, waiting_for=waits), False
    if known.round > 1 and (waits := _still_to_read(known)):
        return registry.note(known, status=ForgettingStatus.WAITING, waiting_for=waits[:_MOST_SENTENCES]), False
    forgotten = forgotten_of(known)
    findings = objects.read(known.forgetting)
    if findings is None or findings.round != known.round:
        findings = Findings(known.round, now(), len(forgotten.texts), [])
    look_everywhere(findings, forgotten, time_left, until)
    objects.write(known.forgetting, findings)
    if findings.after is not None:
        return registry.note(known, status=ForgettingStatus.WORKING, waiting_for=[]), False
    unread = [f"{key} can't be read, or not in time: remove it if it may have the texts." for key in findings.unread]
    told = {"status": ForgettingStatus.WORKING, "waiting_for": [], "not_done": _joined(known.not_done, unread)}
    if findings.traces:
        found = list(findings.traces.values())
        touched, more = _touched(known, found)
        told["not_done"] = _joined(told["not_done"], _in_clients_buckets(found))
        return registry.note(known, stage=ForgettingStage.REMOVE, touched=touched, more=more, **told), True
    if findings.began_at < known.final_after:
        return registry.note(known, round=known.round + 1, **told), True
    return registry.note(known, stage=ForgettingStage.FINISH, **told), True


def _still_to_read(known: Forgetting) -> list[str]:
    """The trainings and batch predictions that were asked for before, and that may still read a text from a client's own bucket."""
    found: list[str] = []
    for wanted in resources.pending_trainings().wanted():
        with suppress(VersionNotFoundError):
            version = resources.versions().of_life(wanted.model_id, wanted.uid, wanted.version)
            if version.created_at <= known.created_at and version.status in ACTIVE and "examples" not in version.dataset:
                found.append(f"version {wanted.version} of model {wanted.model_id!r}, which has not read its examples yet")
    for job in resources.batch_predictions().under_way():
        with suppress(BatchPredictionNotFoundError):
            batch = resources.batch_predictions().get(job)
            if batch.created_at <= known.created_at and batch.status in ACTIVE_BATCH:
                found.append(f"batch {job.batch} of model {job.model_id!r}, which is under way")
    return found


def _remove(known: Forgetting, time_left: Iterator[bool]) -> tuple[Forgetting, bool]:
    """Remove what was found. The same as in `_find`."""
    registry = resources.forgettings()
    findings = resources.forgetting_objects().read(known.forgetting)
    if findings is None or findings.round != known.round or findings.after is not None:
        # Somebody removed it.
        return registry.note(known, stage=ForgettingStage.FIND), True
    waits = _remove_each(known, findings, time_left)
    if findings.traces:
        # The next run begins with what is left.
        resources.forgetting_objects().write(known.forgetting, findings)
        told = {"waiting_for": list(dict.fromkeys(waits))[:_MOST_SENTENCES]}
        status = ForgettingStatus.WAITING if waits else ForgettingStatus.WORKING
        return registry.note(known, status=status, **told), False
    again = {"round": known.round + 1, "final_after": timestamp(utc_now() + LAST_WRITE)}
    return registry.note(known, stage=ForgettingStage.FIND, **again), True


def _remove_each(known: Forgetting, findings: Findings, time_left: Iterator[bool]) -> list[str]:
    """Remove what the traces are of, while there is time, and then the traces. Returns what the others must wait for."""
    forgotten, waits = forgotten_of(known), list[str]()
    models = {model.uid: model for model in every_model()}
    versions: dict[str, dict[str, int]] = {}
    for name, trace in list(findings.traces.items()):
        if not next(time_left):
            return waits
        model = models.get(trace.uid or "")
        if trace.kind is not TraceKind.VERSION:
            waiting = remove(trace, forgotten, model, time_left)
        elif _has_row(trace, model):
            versions.setdefault(str(trace.uid), {})[name] = trace.version or 0
            continue
        else:
            # Nothing reads these objects any more.
            removed = removal.remove_prefix(resources.object_versions().bucket, trace.key, time_left)
            waiting = None if removed else NO_TIME
        if waiting is None:
            del findings.traces[name]
        else:
            waits.append(waiting)
    for uid, numbers in versions.items():
        waiting = settle(known.forgetting, models[uid], set(numbers.values()), time_left)
        if waiting is None:
            for name in numbers:
                del findings.traces[name]
        else:
            waits.append(waiting)
    return waits


def _has_row(trace: Trace, model: Model | None) -> bool:
    """Whether the registry knows the job whose examples these are."""
    job = None if model is None else resources.upkeep().job(model.uid, trace.version or 0)
    # Objects of an earlier start of a training have a smaller fence.
    return job is not None and trace.key.endswith(f"/{job[0]}/")


def _finish(known: Forgetting) -> None:
    """Write the receipt, remove the digests, and end."""
    numbers: dict[str, set[int]] = {}
    for each in known.touched:
        if each["kind"] == TraceKind.VERSION and each["model_id"] is not None:
            numbers.setdefault(each["model_id"], set()).add(each["version"])
    found = (model for model_id in sorted(numbers) if (model := resources.models().find(model_id)) is not None)
    models = [outcome(known.forgetting, model, numbers[model.model_id]) for model in found]
    resources.forgetting_objects().remove(known.forgetting)
    resources.forgettings().finish(known, models=models, not_done=[*known.not_done, *_BEYOND])


def _in_clients_buckets(traces: Sequence[Trace]) -> list[str]:
    """The files in clients' own buckets that have something to forget, or may have."""
    models = {model.uid: model for model in every_model()}
    found: list[str] = []
    for trace in traces:
        model = models.get(trace.uid or "")
        if model is None:
            continue
        of = f"of model {model.model_id!r}"
        if trace.kind is TraceKind.VERSION:
            with suppress(VersionNotFoundError):
                dataset = resources.versions().get(model, trace.version or 0).dataset
                named = [dataset.get(name) for name in ("training_object", "test_object")]
                found += [_elsewhere(dataset["s3bucket"], name, f"version {trace.version} {of}") for name in named if name]
        elif trace.kind is TraceKind.BATCH:
            with suppress(BatchPredictionNotFoundError):
                batch = resources.batch_predictions().get(BatchJob(model.model_id, model.uid, str(trace.name)))
                found.append(_elsewhere(batch.s3bucket, batch.object, f"batch {trace.name} {of}"))
    return [sentence for sentence in found if sentence]


def _elsewhere(bucket: str, key: str, reader: str) -> str:
    """Empty if it is an upload."""
    if is_upload(bucket, key):
        return ""
    whose = "is not an upload" if bucket == resources.datasets().bucket else "is in a bucket of yours"
    return f"s3://{bucket}/{key}, which {reader} read, {whose}: remove the texts there, or they come back with it."


def _touched(known: Forgetting, traces: Sequence[Trace]) -> tuple[list[dict[str, Any]], int]:
    """The places of the receipt, with those that were found now; and how many more there are than it has room for."""
    model_ids = {model.uid: model.model_id for model in every_model()}
    places: dict[tuple[Any, ...], dict[str, Any]] = {_name(each): dict(each) for each in known.touched}
    for trace in traces:
        model_id = model_ids.get(trace.uid or "")
        name = trace.name if trace.kind is not TraceKind.VERSION else None
        place = {**asdict(Touched(trace.kind, 0, model_id, trace.version, name))}
        counted = places.setdefault(_name(place), place)
        # The requests of a day are one place. A version has its examples in several objects.
        counted["texts"] = counted["texts"] + trace.texts if trace.kind is TraceKind.LOG else max(counted["texts"], trace.texts)
    listed = list(places.values())
    return listed[:MOST_NAMED], max(known.more, len(listed) - MOST_NAMED)


def _name(place: Any) -> tuple[Any, ...]:
    return tuple(place[name] for name in ("kind", "model_id", "version", "name"))


def _joined(known: Sequence[str], more: Sequence[str]) -> list[str]:
    return list(dict.fromkeys([*known, *more]))[:_MOST_SENTENCES]
