"""A forgetting: some texts, or all of one subject, are removed from everything that Winnow keeps.

Nothing here holds a text or a subject. They are known by digests with a key of the forgetting, which is removed with them at its end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b
from typing import Any

from winnow.domain.history import Caller
from winnow.domain.normal_form import label_form, text_key

_DIGEST_BYTES = 16


class ForgettingStatus(StrEnum):
    """WORKING: it goes on by itself. WAITING: the same, and `waiting_for` says for what. DONE: a last look has found nothing more."""

    WORKING = "working"
    WAITING = "waiting"
    DONE = "done"


class ForgettingStage(StrEnum):
    """What comes next. FIND: look everywhere. REMOVE: remove what was found. FINISH: remove the digests, and end."""

    FIND = "find"
    REMOVE = "remove"
    FINISH = "finish"


class TraceKind(StrEnum):
    """Where something was found. VERSION: among the examples of a version."""

    UPLOAD = "upload"
    VERSION = "version"
    FEEDBACK = "feedback"
    LOG = "log"
    QUEUE = "queue"
    BATCH = "batch"
    EVALUATION = "evaluation"


@dataclass(slots=True)
class Forgotten:
    """What a forgetting is about, as digests. subject: None if only texts were named. texts: those that were named, or the subject's."""

    salt: str
    subject: str | None
    texts: set[str]

    @classmethod
    def of(cls, salt: str, subject: str | None, texts: Sequence[str]) -> Forgotten:
        """What a client names: a subject, or texts."""
        made = cls(salt, None, set())
        return cls(salt, None if subject is None else made.of_subject(subject), {made.of_text(text) for text in texts})

    def of_text(self, text: str) -> str:
        """The digest of a text. Texts that differ only in case or white space have the same."""
        return self._digest(f"text {text_key(text)}")

    def of_subject(self, subject: str) -> str:
        """The digest of a subject. Those that look the same have the same: systems write accents in two ways."""
        return self._digest(f"subject {label_form(subject)}")

    def is_subject(self, name: str) -> bool:
        """Whether a string is the subject that is to be forgotten."""
        return self.subject is not None and self.of_subject(name) == self.subject

    def has(self, text: str, subject: str | None = None) -> bool:
        """Whether an example is to be forgotten. Forgetting a subject leaves the same text of another subject, and takes it from nobody."""
        if self.subject is not None and subject is not None:
            return self.of_subject(subject) == self.subject
        return self.of_text(text) in self.texts

    def meets(self, text: str, subject: str | None = None) -> bool:
        """The same. From now on, a text of the subject is also one that lies somewhere without its subject."""
        found = self.has(text, subject)
        if found:
            self.texts.add(self.of_text(text))
        return found

    def _digest(self, of: str) -> str:
        return blake2b(of.encode("utf-8", "surrogatepass"), digest_size=_DIGEST_BYTES, key=bytes.fromhex(self.salt)).hexdigest()


@dataclass(frozen=True, slots=True)
class Trace:
    """A place with something to forget.

    key: of the S3 object; of a version, the prefix of its job; of a batch prediction, that of its intermediate files. texts: how many.
    uid: of the model, None for an upload. name: of the upload, feedback batch, queue, batch prediction or evaluation, and the day of a log.
    """

    kind: TraceKind
    key: str
    texts: int
    uid: str | None = None
    version: int | None = None
    name: str | None = None

    @classmethod
    def from_dict(cls, known: Mapping[str, Any]) -> Trace:
        return cls(**{**known, "kind": TraceKind(known["kind"])})


@dataclass(frozen=True, slots=True)
class Touched:
    """A place in the receipt. model_id: None if its model was deleted before. texts: how many were there to forget."""

    kind: TraceKind
    texts: int
    model_id: str | None = None
    version: int | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Forgetting:
    """A forgetting, as the registry knows it.

    forgetting: its id; ids sort by time. by: who asked. named: how many texts were named, None if it was a subject. round: how often it
    has looked everywhere. final_after: only a look that begins after this time can be the last one. waiting_for: sentences.
    touched: what was found so far. more: how many places it has no room for. not_done: what Winnow could not do, as sentences.
    lease_until: until then somebody works on it. salt, subject, texts: as in `Forgotten`; salt is None at the end.
    """

    forgetting: str
    status: ForgettingStatus
    stage: ForgettingStage
    round: int
    named: int | None
    created_at: str
    final_after: str
    by: Caller | None = None
    finished_at: str | None = None
    waiting_for: Sequence[str] = ()
    touched: Sequence[Mapping[str, Any]] = ()
    more: int = 0
    models: Sequence[Mapping[str, Any]] = ()
    not_done: Sequence[str] = ()
    lease_until: str | None = None
    salt: str | None = None
    subject: str | None = None
    texts: Sequence[str] = ()
    revision: int = 1
