"""Begin a forgetting, have it worked on, and its receipt."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING

from winnow.aws import clients, resources
from winnow.aws.log import logged_only
from winnow.domain.clock import now, sortable_id
from winnow.domain.errors import ForgettingNotFoundError
from winnow.domain.forgetting import ForgettingStatus, Forgotten
from winnow.domain.history import calling
from winnow.domain.retrying import retry_on_conflict

if TYPE_CHECKING:
    from winnow.domain.job import IdempotencyKey

_SALT_BYTES = 32


def start_forgetting(subject: str | None, texts: Sequence[str], key: IdempotencyKey | None = None) -> str:
    """Register a forgetting of a subject or of texts, and have the function FORGET_FUNCTION begin. Returns its id.

    A known key gets its earlier forgetting. IdempotencyKeyReusedError; BusyError. If it can't begin now, the sweeper begins it.
    """
    forgotten = Forgotten.of(secrets.token_hex(_SALT_BYTES), subject, texts)
    named = None if subject is not None else len(forgotten.texts)

    def try_to_register() -> tuple[str, bool] | None:
        before = None if key is None else resources.answered_requests().find(key)
        if before is not None:
            return str(before["forgetting"]), False
        made = sortable_id()
        return (made, True) if resources.forgettings().create(made, forgotten, named, calling.get(), key) else None

    forgetting, new = retry_on_conflict(try_to_register, "forget")
    if new:
        with logged_only("not started"):
            _start(forgetting)
    return forgetting


def continue_forgetting(forgetting: str) -> None:
    """Have a forgetting worked on that has a mark, unless somebody does. For the sweeper."""
    try:
        found = resources.forgettings().get(forgetting)
    except ForgettingNotFoundError:
        found = None
    if found is None or found.status is ForgettingStatus.DONE:
        resources.forgettings().forget_mark(forgetting)
    elif found.lease_until is None or found.lease_until <= now():
        _start(forgetting)


def _start(forgetting: str) -> None:
    event = json.dumps({"forgetting": forgetting}).encode()
    clients.lambda_().invoke(FunctionName=clients.setting("FORGET_FUNCTION"), InvocationType="Event", Payload=event)
