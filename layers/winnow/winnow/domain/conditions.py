"""The condition that a request puts on the model that it changes (the header If-Match)."""

from __future__ import annotations

from collections.abc import Callable

from winnow.domain.errors import StaleError
from winnow.domain.model import Model, Version

# False for None: there is no model of this id.
Condition = Callable[[Model | None], bool]
VersionCondition = Callable[[Model, Version], bool]


def check_condition(condition: Condition | None, model_id: str, model: Model | None) -> None:
    """StaleError if the condition doesn't hold. condition: None if the request has none."""
    if condition is not None and not condition(model):
        raise StaleError(model_id, exists=model is not None)
