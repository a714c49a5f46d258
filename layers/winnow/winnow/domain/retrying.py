"""Try again if another request changed a model between our read and our write."""

from __future__ import annotations

from collections.abc import Callable

from winnow.domain.errors import BusyError

TRIES = 5


def retry_on_conflict[Result](attempt: Callable[[], Result | None], model_id: str) -> Result:
    """Call `attempt`, which reads the model and then writes, until its result is true. BusyError after five calls.

    None or False means that the model changed between the read and the write.
    """
    for _ in range(TRIES):
        result = attempt()
        if result:
            return result
    raise BusyError(model_id)
