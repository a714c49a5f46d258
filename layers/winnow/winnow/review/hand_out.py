"""Hand out the next texts of a review queue. Each is handed out to one reviewer at a time, and leaves the queue by feedback."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from winnow.aws import resources
from winnow.domain.clock import now, sorts_before, time_of_id, timestamp, utc_now
from winnow.domain.dataset import example_id
from winnow.domain.errors import ArtifactError
from winnow.domain.feedback import FeedbackBatch
from winnow.domain.model import Model
from winnow.domain.prediction_log import PredictionId, has_expired
from winnow.domain.retrying import retry_on_conflict
from winnow.domain.review import ReviewItem, ReviewQueue, ReviewTexts, flat

# How long a text that was handed out is for this reviewer alone.
LEASE = timedelta(minutes=10)
# Clocks of Lambdas differ, so a batch with a somewhat earlier id may have come after the queue was made.
_CLOCKS_DIFFER = timedelta(minutes=1)
# No batch comes so long after the time in its id: a request takes at most half a minute.
_SETTLED = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class HandedOut:
    """The next items for one reviewer, until a time. left: the items without feedback. out: those of them that are handed out now."""

    queue: ReviewQueue
    texts: ReviewTexts
    items: Sequence[ReviewItem]
    until: str
    left: int
    out: int

    def as_dict(self) -> dict[str, Any]:
        """As the API shows it."""
        return {
            "queue": self.queue.queue,
            "version": self.queue.version,
            "exclusive": self.queue.exclusive,
            "items": [item.as_dict() for item in self.items],
            "handed_out_until": self.until,
            "left": self.left,
            "handed_out": self.out,
            "groups": [group.as_dict() for group in self.texts.groups],
            "created_at": self.queue.created_at,
        }


def hand_out(model_id: str, limit: int) -> HandedOut:
    """Hand out the next `limit` texts, which nobody else gets for ten minutes. Fewer, or none, if the rest is answered or handed out.

    ModelNotFoundError; ReviewQueueNotFoundError; ArtifactError if the queue's object is missing or changed; BusyError.
    """
    return retry_on_conflict(lambda: _try_to_hand_out(model_id, limit), model_id)


def _try_to_hand_out(model_id: str, limit: int) -> HandedOut | None:
    """None if another request has changed the queue meanwhile."""
    model = resources.models().get(model_id)
    queue = resources.review_queues().get(model)
    try:
        texts = resources.review_objects().read(model.uid, queue)
    except ArtifactError:
        if resources.review_queues().get(model).queue != queue.queue:
            return None
        raise
    read = _with_feedback(model, queue, frozenset(item.item for item in texts.items))
    answered, leases, until = flat(read.answered), queue.out(now()), timestamp(utc_now() + LEASE)
    left = [item for item in texts.items if item.item not in answered and not _is_gone(item)]
    elsewhere = flat(leases)
    items = list(islice(_with_texts(model, (item for item in left if item.item not in elsewhere)), limit))
    if items:
        leases[until] = [*leases.get(until, ()), *(item.item for item in items)]
    if items or read.answered != queue.answered:
        changed = resources.review_queues().note(model, queue, leases, read.answered, read.read_through)
        if not changed:
            return None
    out = flat(leases)
    return HandedOut(queue, texts, items, until, len(left), sum(item.item in out for item in left))


def _is_gone(item: ReviewItem) -> bool:
    """Whether the text was in the prediction log and is too old now."""
    return item.prediction_id is not None and has_expired(item.prediction_id, utc_now())


def _with_texts(model: Model, items: Iterable[ReviewItem]) -> Iterator[ReviewItem]:
    """The items with the texts that are in the prediction log, without those that the log has lost."""
    known: dict[str, str] = {}
    for item in items:
        if item.prediction_id is None:
            yield item
            continue
        of = PredictionId.read(item.prediction_id)
        if of is not None and item.prediction_id not in known:
            known |= {each.prediction_id: each.text for each in resources.prediction_log().read(model.uid, of)}
        if item.prediction_id in known:
            yield replace(item, text=known[item.prediction_id])


def _with_feedback(model: Model, queue: ReviewQueue, items: frozenset[str]) -> ReviewQueue:
    """The queue with the answers of all feedback since it was made. The objects of batches that were read before aren't read again.

    A batch counts as long as its row is there. If one that had counted was taken back, all others are read again: an item that it had
    may be in another one too.
    """
    since = sorts_before(timestamp(datetime.fromisoformat(queue.created_at) - _CLOCKS_DIFFER))
    batches = list(resources.feedback_batches().since(model, since))
    if not {batch.batch for batch in batches}.issuperset(queue.answered):
        queue = replace(queue, answered={}, read_through="")
    answered = dict(queue.answered)
    for batch in batches:
        if batch.batch not in answered and batch.batch > queue.read_through:
            # Only what is new in a batch is kept, so the row has no more of them than the queue has items.
            found = _answers(model, batch, items).difference(flat(answered))
            answered |= {batch.batch: sorted(found)} if found else {}
    settled = [batch.batch for batch in batches if time_of_id(batch.batch) < utc_now() - _SETTLED]
    return replace(queue, answered=answered, read_through=max([queue.read_through, *settled]))


def _answers(model: Model, batch: FeedbackBatch, items: frozenset[str]) -> frozenset[str]:
    """The items that a batch has labels for."""
    try:
        lines = resources.feedback_objects().read(model.uid, batch)
    except ArtifactError:
        # It was taken back just now, or is damaged.
        return frozenset()
    return items.intersection(example_id(model.uid, line.example.text) for line in lines)
