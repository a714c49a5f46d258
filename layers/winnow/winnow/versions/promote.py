"""What clients can set of a model: the live version (to promote and to roll back are the same), and its properties."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from winnow.aws import resources
from winnow.domain.errors import BusyError, StaleError
from winnow.domain.model import Model
from winnow.registry.models import check_ready

_TRIES = 5


def promote_version(model_id: str, number: int, condition: Callable[[Model], bool] | None) -> None:
    """Make a ready version live. Writes nothing if it is live already.

    condition: must hold for the model that is read, otherwise StaleError. The write fails if the model changed after that.
    ModelNotFoundError, VersionNotFoundError, VersionNotReadyError, BusyError.
    """
    models = resources.models()
    for _ in range(_TRIES):
        model = models.get(model_id)
        if condition is not None and not condition(model):
            raise StaleError(model_id)
        version = models.version(model, number)
        check_ready(version)
        # Another request may change the model between our read and our write. Then read again.
        if model.live_version == number or models.promote(model, version, exactly=condition is not None):
            return
    raise BusyError(model_id)


def change_model(model_id: str, properties: Mapping[str, Any], condition: Callable[[Model], bool] | None) -> None:
    """Set properties of a model: `retrain_after`, `tolerance`. Writes nothing if they have these values already.

    condition: as in `promote_version`. ModelNotFoundError, StaleError, BusyError.
    """
    models = resources.models()
    for _ in range(_TRIES):
        model = models.get(model_id)
        if condition is not None and not condition(model):
            raise StaleError(model_id)
        wanted = replace(model, **properties)
        if wanted == model or models.change(model, properties, exactly=condition is not None):
            return
    raise BusyError(model_id)
