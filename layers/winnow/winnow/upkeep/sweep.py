"""The sweeper: on a schedule, it finishes what requests, trainings and batch predictions left unfinished."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import timedelta
from functools import cache, lru_cache

from winnow.aws import resources
from winnow.aws.log import logger
from winnow.batch import queue as batch_queue
from winnow.batch.requests import care_for_batch
from winnow.domain.batch import BatchJob
from winnow.domain.clock import now, utc_now
from winnow.domain.errors import DamagedRowError, JobSupersededError
from winnow.domain.keys import JobObject, feedback_batch_of_key, review_queue_of_key, version_of_label_list_key
from winnow.domain.model import ACTIVE, VersionStatus
from winnow.forgetting.requests import continue_forgetting
from winnow.registry.slots import Slots, Wanted
from winnow.registry.table import forgetting_of_mark
from winnow.storage import removal
from winnow.storage.checkpoints import CHECKPOINTS
from winnow.training import feedback, queue
from winnow.training.requests import care_for_training
from winnow.upkeep import drift
from winnow.versions import delete

# The least age of an orphan, and how often to look for orphans.
_ORPHAN_AGE = timedelta(days=1)
_EVERY = timedelta(days=1)


def sweep(seconds: float, *, hourly: bool) -> Counter[str]:
    """One round, within `seconds`; the next round does the rest. hourly: also do what is done once an hour.

    Returns the counts of what was done, by names of metrics.
    """
    done: Counter[str] = Counter()
    time_left = removal.time_left(seconds)

    def each[Name](names: Iterable[Name], care: Callable[[Name], Mapping[str, int]]) -> None:
        for name in names:
            if not next(time_left):
                return
            try:
                done.update(care(name))
            except JobSupersededError:
                # The row changed between our read and our write, so something else works on it.
                continue
            except DamagedRowError:
                # It is logged and counted already.
                continue
            except Exception:
                # One broken row must not stop the work on the others.
                logger.exception("passed over", extra={"row": str(name)})
                done["SweepFaults"] += 1

    pending = resources.pending_trainings()
    # If nothing trains, one read is enough: each read of an idle stack is billed 8,640 times a month.
    if pending.any():
        since = _slots(resources.slots())
        each(pending.wanted(), lambda wanted: _training(wanted, since.get(wanted.key)))
        each(pending.asked_to_retrain(), lambda name: {"RetrainingsStarted": 1} if feedback.retrain_if_due(name) else {})
        each(["waiting trainings"], lambda _: +Counter(WaitingTrainings=queue.start_waiting()))
    # The same for batches: the slots are read only if there is a batch.
    if batches := list(resources.batch_predictions().under_way(as_of_now=False)):
        has_slot = _slots(resources.batch_slots())
        each(batches, lambda job: _batch(job, has_slot.get(job.key)))
        each(["waiting batches"], lambda _: +Counter(WaitingBatches=batch_queue.start_waiting()))
    each(resources.upkeep().deletions(), lambda name: _deletion(name, time_left))
    if hourly:
        each(["drift"], lambda _: _drift())
        scheduled = resources.pending_trainings().scheduled(now())
        each(scheduled, lambda name: {"RetrainingsStarted": 1} if feedback.retrain_on_schedule(name) else {})
    each(["orphans"], lambda name: _orphans(name, time_left))
    return done


def _slots(slots: Slots) -> Mapping[str, str]:
    """Since when which job holds a slot. Removes the row if it is damaged: `start_waiting` makes a new one."""
    try:
        return slots.read().since
    except DamagedRowError:
        slots.remove()
        return {}


def _training(wanted: Wanted, since: str | None) -> Mapping[str, int]:
    care = care_for_training(wanted, since)
    return {care: 1} if care else {}


def _batch(job: BatchJob, since: str | None) -> Mapping[str, int]:
    care = care_for_batch(job, since)
    return {care: 1} if care else {}


def _deletion(name: str, time_left: Iterator[bool]) -> Mapping[str, int]:
    forgetting = forgetting_of_mark(name)
    if forgetting is not None:
        continue_forgetting(forgetting)
        return {}
    return {"DeletionsFinished": 1} if delete.finish_deletion(name, time_left) else {}


def _drift() -> Mapping[str, int]:
    if drift.is_needed():
        drift.start()
    return {}


def _orphans(name: str, time_left: Iterator[bool]) -> Mapping[str, int]:
    """Once a day: remove objects that are older than a day and that no row uses.

    If the bucket keeps old versions of objects, theirs stay for a while, in case the rows were wrong.
    """
    upkeep, objects = resources.upkeep(), resources.model_objects()
    if not upkeep.is_time_for(name, _EVERY):
        return {}
    before = utc_now() - _ORPHAN_AGE

    @cache
    def job(uid: str, version: int) -> tuple[int, VersionStatus] | None:
        try:
            return upkeep.job(uid, version)
        except DamagedRowError:
            # The version keeps all its objects until its row is repaired or deleted.
            return 0, VersionStatus.QUEUED

    # Keys come in order, so all keys of a model come together.
    feedback_of = lru_cache(maxsize=1)(upkeep.feedback_batches)
    queue_of = lru_cache(maxsize=1)(upkeep.review_queue)

    def is_orphan(key: str) -> bool:
        of_feedback = feedback_batch_of_key(key)
        if of_feedback is not None:
            uid, batch = of_feedback
            # The batch's row was never written, or the batch was taken back.
            return batch not in feedback_of(uid)
        of_review = review_queue_of_key(key)
        if of_review is not None:
            uid, queue = of_review
            # The queue's row was never written, has expired, or is of a newer queue.
            return queue != queue_of(uid)
        of_labels = version_of_label_list_key(key)
        if of_labels is not None:
            return job(*of_labels) is None
        made = JobObject.from_key(key)
        if made is None:
            return False
        known = job(made.uid, made.version)
        if known is None:
            # The version was never registered or was deleted. Its objects may go even if the deletion isn't finished.
            return True
        fence, status = known
        return made.fence < fence or (made.name.startswith(CHECKPOINTS) and status not in ACTIVE)

    removed = 0
    for page in objects.list():
        if not next(time_left):
            logger.warning("no time for all objects")
            break
        removed += objects.remove([stored for stored in page if stored.modified < before and is_orphan(stored.key)])
    return {"OrphansRemoved": removed} if removed else {}
