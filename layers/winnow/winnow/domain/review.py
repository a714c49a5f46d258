"""The review queue of a model: texts without labels that people should label next, and what became of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from winnow.domain.answer import ScoredLabel, as_dicts


@dataclass(frozen=True, slots=True)
class ReviewItem:
    """A text of the queue. item: its example id in this model.

    Of a file: line and id, where it came from and the client's name for it. Of a prediction log: prediction_id. The queue's object has no
    text of these, so that a text goes when the log removes it. labels: the best of the version's answer. uncertainty: 0 (sure) to 1. group:
    the number of its candidate label, None if it belongs to none.
    """

    item: str
    text: str | None
    line: int | None
    id: str | int | None
    prediction_id: str | None
    labels: Sequence[ScoredLabel]
    uncertainty: float
    group: int | None

    def as_dict(self) -> dict[str, Any]:
        """The item as the API shows it and its object keeps it."""
        return {
            "item": self.item,
            "text": self.text,
            "line": self.line,
            "id": self.id,
            "prediction_id": self.prediction_id,
            "labels": as_dicts(self.labels),
            "uncertainty": self.uncertainty,
            "group": self.group,
        }

    @classmethod
    def of(cls, known: Mapping[str, Any]) -> ReviewItem:
        """What `as_dict` gave."""
        labels = [ScoredLabel(each["label"], each["score"], each["accepted"]) for each in known["labels"]]
        return cls(
            item=known["item"],
            text=known["text"],
            line=known["line"],
            id=known["id"],
            # Queues of earlier releases have none.
            prediction_id=known.get("prediction_id"),
            labels=labels,
            uncertainty=known["uncertainty"],
            group=known["group"],
        )


@dataclass(frozen=True, slots=True)
class CandidateLabel:
    """A group of similar texts that no label was accepted for. words: its commonest ones by contrast to the rest. texts: their number."""

    group: int
    words: Sequence[str]
    texts: int

    def as_dict(self) -> dict[str, Any]:
        return {"group": self.group, "words": list(self.words), "texts": self.texts}

    @classmethod
    def of(cls, known: Mapping[str, Any]) -> CandidateLabel:
        return cls(known["group"], known["words"], known["texts"])


@dataclass(frozen=True, slots=True)
class ReviewTexts:
    """What the object of a queue has: its items in the order in which they are handed out, and its candidate labels."""

    items: Sequence[ReviewItem]
    groups: Sequence[CandidateLabel]


@dataclass(frozen=True, slots=True)
class ReviewQueue:
    """The record of a model's queue. queue: its id. sha256: the digest of its object. version: the version that judged the texts.

    texts: the number of its items. expires: the time after which it is gone, in seconds since 1970. leases: the items that are handed out,
    by the time until which they are. answered: items with feedback, by the first feedback batch that has them. read_through: feedback
    batches up to this one were read.
    """

    queue: str
    sha256: str
    version: int
    exclusive: bool
    texts: int
    created_at: str
    expires: int
    leases: Mapping[str, Sequence[str]]
    answered: Mapping[str, Sequence[str]]
    read_through: str = ""
    revision: int = 0

    def out(self, now: str) -> dict[str, Sequence[str]]:
        """The leases that hold at this time."""
        return {until: items for until, items in self.leases.items() if until > now}


def flat(items_by: Mapping[str, Iterable[str]]) -> frozenset[str]:
    """The items of leases or of answers."""
    return frozenset(item for items in items_by.values() for item in items)
