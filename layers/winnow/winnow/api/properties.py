"""The properties of a model that requests can set."""

from __future__ import annotations

from typing import Any

from winnow.domain.clock import utc_now
from winnow.domain.prediction_log import LogSetting
from winnow.domain.schedule import check_schedule

_NAMES = ("retrain_after", "schedule", "tolerance", "log", "title", "note", "tags")


def model_properties(given: dict[str, Any]) -> dict[str, Any]:
    """Take a model's properties out of a request's fields. The result has only those that the request names. InvalidFieldError."""
    properties: dict[str, Any] = {name: given.pop(name) for name in _NAMES if name in given}
    # JSON Schema counts 3.0 as a whole number.
    if isinstance(properties.get("retrain_after"), float):
        properties["retrain_after"] = int(properties["retrain_after"])
    if properties.get("schedule") is not None:
        check_schedule(properties["schedule"], utc_now())
    if properties.get("log") is not None:
        properties["log"] = LogSetting(float(properties["log"]["share"]), int(properties["log"]["days"]))
    if "tags" in properties:
        properties["tags"] = tuple(dict.fromkeys(properties["tags"]))
    return properties
