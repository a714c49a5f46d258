"""What clients can set of a model: the live version (to promote and to roll back are the same), its properties, and notes on versions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from winnow.aws import resources
from winnow.domain.conditions import Condition, VersionCondition, check_condition
from winnow.domain.errors import StaleError
from winnow.domain.model import Model
from winnow.domain.retrying import retry_on_conflict
from winnow.registry.versions import check_ready


def promote_version(model_id: str, number: int, condition: Condition | None) -> None:
    """Make a ready version live. Writes nothing if it is live already.

    condition: must hold for the model that is read, otherwise StaleError. The write fails if the model changed after that.
    ModelNotFoundError, VersionNotFoundError, VersionNotReadyError, BusyError.
    """
    models = resources.models()

    def try_to_promote() -> bool:
        model = _in_state(model_id, condition)
        version = resources.versions().get(model, number)
        check_ready(version)
        return model.live_version == number or models.promote(model, version, exactly=condition is not None)

    retry_on_conflict(try_to_promote, model_id)


def change_model(model_id: str, properties: Mapping[str, Any], condition: Condition | None) -> None:
    """Set properties of a model, such as `retrain_after`. Writes nothing if they have these values already.

    condition: as in `promote_version`. ModelNotFoundError, StaleError, BusyError.
    """
    models = resources.models()

    def try_to_change() -> bool:
        model = _in_state(model_id, condition)
        wanted = replace(model, **properties)
        return wanted == model or models.change(model, properties, exactly=condition is not None)

    retry_on_conflict(try_to_change, model_id)


def change_version(model_id: str, number: int, note: str | None, condition: VersionCondition | None) -> None:
    """Set a version's note. Writes nothing if it has this note already.

    condition: must hold for the version, otherwise StaleError. ModelNotFoundError, VersionNotFoundError, BusyError.
    """
    versions = resources.versions()

    def try_to_change() -> bool:
        model = resources.models().get(model_id)
        version = versions.get(model, number)
        if condition is not None and not condition(model, version):
            raise StaleError(model_id)
        return version.note == note or versions.change(model, version, note, exactly=condition is not None)

    retry_on_conflict(try_to_change, model_id)


def _in_state(model_id: str, condition: Condition | None) -> Model:
    """The model. StaleError if the condition doesn't hold."""
    model = resources.models().get(model_id)
    check_condition(condition, model_id, model)
    return model
