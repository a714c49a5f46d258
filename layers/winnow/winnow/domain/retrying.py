"""Trying again when another request changed a model between our look at it and our write."""

from __future__ import annotations

from collections.abc import Callable

from winnow.domain.errors import BusyError

TRIES = 5


def retry_on_conflict[Result](attempt: Callable[[], Result | None], model_id: str) -> Result:
    """Call `attempt`, which looks at the model and then writes, until it returns something true. BusyError after five calls.

    None or False means that the model changed between the look and the write.
    """
    for _ in range(TRIES):
        result = attempt()
        if result:
            return result
    raise BusyError(model_id)
