"""A model's history: who did what when. It says which things were touched, and has no texts and no labels."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from winnow.domain.clock import time_of_id, timestamp


class Deed(StrEnum):
    """What was done. GO_LIVE: a training ended and made its version live. ROLL_BACK: an older version than the live one was promoted."""

    TRAIN = "train"
    GO_LIVE = "go-live"
    PROMOTE = "promote"
    ROLL_BACK = "roll-back"
    CANCEL = "cancel"
    DELETE_VERSION = "delete-version"
    DELETE_MODEL = "delete-model"
    ADD_EXAMPLES = "add-examples"
    TAKE_BACK_EXAMPLES = "take-back-examples"
    CHANGE_MODEL = "change-model"
    CHANGE_VERSION = "change-version"
    CHANGE_POLICY = "change-policy"


class CallerKind(StrEnum):
    """KEY: an API key. IAM: a principal, where IAM decides who may call. WINNOW: Winnow by itself, such as the sweeper."""

    KEY = "key"
    IAM = "iam"
    WINNOW = "winnow"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who does something. name: the key's, or the principal's ARN. key_id: the key's id in API Gateway; the key itself is never kept.

    call: such as "POST /models"; None if Winnow does it by itself.
    """

    kind: CallerKind
    name: str | None = None
    key_id: str | None = None
    call: str | None = None


WINNOW = Caller(CallerKind.WINNOW)

# Who calls, while a request is answered. Otherwise Winnow works by itself. None: nobody knows, as with `sam local`.
# Not an argument, because every function between a handler and the registry would only pass it on.
calling: ContextVar[Caller | None] = ContextVar("calling", default=WINNOW)


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of a model's history. entry_id: sorts by time.

    by: None if nobody knows. version: that the deed was about, if any. before: the version that was live until then.
    batch, examples: of feedback. settings: the new values of what was set. Texts (title, note, tags) are None there.
    """

    entry_id: str
    deed: Deed
    by: Caller | None
    version: int | None = None
    before: int | None = None
    batch: str | None = None
    examples: int | None = None
    settings: Mapping[str, Any] | None = None

    @property
    def at(self) -> str:
        """The time of the deed."""
        return timestamp(time_of_id(self.entry_id))


def without_texts(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings, with the values of numbers alone."""
    return {name: value if isinstance(value, int | float) else None for name, value in settings.items()}
