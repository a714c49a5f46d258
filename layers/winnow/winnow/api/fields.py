"""Checks a request against the contract. Each error is a sentence about the wrong field.

The package winnow_contract has a module for each call, made from openapi.yaml by layers/winnow/contract.py. Every `description` there
completes "NAME must be …". So it is the documentation in the contract and the sentence of the error.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any

from winnow.domain.errors import ConsoleFileNotFoundError, DocsFileNotFoundError, FigureNotFoundError, InvalidFieldError, WinnowError
from winnow_contract import MODULES

Schema = Mapping[str, Any]

# For these names in a path, a value that isn't in the list is an error 404 and not 422.
_NOT_FOUND: Mapping[str, Callable[[Sequence[str]], WinnowError]] = {
    "figure": FigureNotFoundError,
    "file": DocsFileNotFoundError,
    "asset": ConsoleFileNotFoundError,
}


class Mismatch(ValueError):  # noqa: N818 # a fault of the request, of which `Taken` makes the error
    """A value doesn't match its schema. The message begins with the place, such as data.examples[3].label."""

    @property
    def path(self) -> list[str]:
        """The names and list positions that lead to the value; empty for the fields as a whole."""
        return re.findall(r"[^.\[\]]+", str(self).partition(" ")[0])[1:]


class Taken:
    """The path, headers and fields that a call takes. call: such as "POST /models". source: "body", "query" or "body or query"."""

    def __init__(self, call: str) -> None:
        made = import_module(f"winnow_contract.{MODULES[call]}")
        self.source: str = made.SOURCE
        self._path: Mapping[str, Schema] = made.PATH
        self._headers: Mapping[str, Schema] = made.HEADERS
        self._fields: Schema = made.FIELDS
        self._validate: Callable[[dict[str, Any]], object] = made.validate

    def check_path(self, path: Mapping[str, str]) -> None:
        """Check the parameters of a path. InvalidFieldError for a malformed id or number; an error 404 for an unknown figure or file."""
        for name, schema in self._path.items():
            value = path[name]
            if name in _NOT_FOUND:
                if value not in schema["enum"]:
                    raise _NOT_FOUND[name](schema["enum"])
            else:
                _check_pattern(name, value, schema)

    def check_headers(self, get: Callable[[str], str | None]) -> None:
        """Check the headers that have a pattern. get: returns a header's value by its name in lower case."""
        for name, schema in self._headers.items():
            value = get(name.lower())
            if value is not None:
                _check_pattern(name, value, schema)

    def check_fields(self, given: dict[str, Any]) -> dict[str, Any]:
        """The fields, unchanged. InvalidFieldError has a sentence about the first wrong field."""
        try:
            self._validate(given)
        except Mismatch as error:
            raise _explained(error, self._fields, given) from error
        return given


def is_true(value: bool | str) -> bool:
    """Whether a field is true, as a boolean or as a string."""
    return str(value).lower() == "true"


def _check_pattern(name: str, value: str, schema: Schema) -> None:
    if not re.fullmatch(schema["pattern"], value):
        raise InvalidFieldError(f"{name} must be {schema['description']}.", field=name)


def _explained(error: Mismatch, schema: Schema, given: Mapping[str, Any]) -> InvalidFieldError:
    properties: Mapping[str, Any] = schema["properties"]
    # Fields that another field excludes, as `labels` does those of a data set. `else` may have such a condition too.
    other: Schema = schema
    while "if" in other:
        [sent] = other["if"]["required"]
        if error.path and error.path[0] in other["then"]["properties"] and sent in given:
            name = error.path[0]
            return InvalidFieldError(f"{name} can't be sent with {sent}: {other['then']['description']}.", field=name)
        other = other["else"]
    if error.path:
        field, wrong = _place(error.path, properties)
        return InvalidFieldError(f"{field} must be {wrong['description']}.", field=field)
    unknown = [name for name in given if name not in properties]
    if unknown:
        known = ", ".join(properties) or "none"
        return InvalidFieldError(
            f"Unknown fields: {', '.join(name[:100] for name in unknown[:10])}. Known are: {known}.", field=unknown[0][:100]
        )
    required = [*schema.get("required", []), *other.get("required", [])]
    missing = [name for name in required if name not in given]
    if missing:
        name = missing[0]
        return InvalidFieldError(f"{name} is missing: it must be {properties[name]['description']}.", field=name)
    return InvalidFieldError(f"{schema['description']}.")


def _place(path: Sequence[str], properties: Mapping[str, Any]) -> tuple[str, Schema]:
    """The name of the value at a path of names and list positions, such as examples[3].label, and its schema."""
    name, *steps = path
    field, schema = name, properties[name]
    for step in steps:
        if isinstance(schema.get("additionalProperties"), Mapping):
            # The client chose the names in it, so the sentence is about all of them.
            break
        inner = schema.get("items")
        if inner is None and step not in schema.get("properties", {}):
            # A name that the client chose, such as a label: the description is of the whole.
            break
        field, schema = (f"{field}.{step}", schema["properties"][step]) if inner is None else (f"{field}[{step}]", inner)
    return field, schema
