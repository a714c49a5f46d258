"""The properties of a model that requests set."""

from __future__ import annotations

from typing import Any


def model_properties(given: dict[str, Any]) -> dict[str, Any]:
    """Take a model's own properties out of a request's fields. Those that it doesn't name aren't among them."""
    properties: dict[str, Any] = {name: given.pop(name) for name in ("retrain_after", "tolerance") if name in given}
    if isinstance(properties.get("retrain_after"), float):
        # JSON Schema takes 3.0 for a whole number.
        properties["retrain_after"] = int(properties["retrain_after"])
    return properties
