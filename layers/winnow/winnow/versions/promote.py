"""What clients set of a model: which version is live (promoting one, and rolling back, which is the same), and its properties."""

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
    """Make a ready version the live one. Nothing is written where it is that already.

    condition: asked of the model as it is looked at; the write is made in that state or not at all. StaleError where it doesn't hold.
    ModelNotFoundError, VersionNotFoundError, VersionNotReadyError.
    """
    models = resources.models()
    for _ in range(_TRIES):
        model = models.get(model_id)
        if condition is not None and not condition(model):
            raise StaleError(model_id)
        version = models.version(model, number)
        check_ready(version)
        # Others may change the model between the look and the write: then look again.
        if model.live_version == number or models.promote(model, version, exactly=condition is not None):
            return
    raise BusyError(model_id)


def change_model(model_id: str, properties: Mapping[str, Any], condition: Callable[[Model], bool] | None) -> None:
    """Set properties of a model: `retrain_after`, `tolerance`. Nothing is written where they are as wanted already.

    condition: as in `promote`. ModelNotFoundError, StaleError.
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
