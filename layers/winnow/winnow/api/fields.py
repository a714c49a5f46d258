"""Checking what a request brings against the contract, with a sentence for each thing that can be wrong.

The package winnow_contract has a module for each call, made out of openapi.yaml (layers/winnow/contract.py). Every `description` in it
completes "NAME must be …": it is the documentation in the contract and the error's sentence at once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any

from winnow.domain.errors import DocsFileNotFoundError, FigureNotFoundError, InvalidFieldError, WinnowError
from winnow_contract import MODULES

Schema = Mapping[str, Any]

# A name that is none of those listed isn't there, rather than wrong.
_NOT_FOUND: Mapping[str, Callable[[Sequence[str]], WinnowError]] = {"figure": FigureNotFoundError, "file": DocsFileNotFoundError}


class Mismatch(ValueError):  # noqa: N818 # a fault of the request, of which `Taken` makes the error
    """What was given isn't as a schema says. The message begins with the place, such as data.examples[3].label."""

    @property
    def path(self) -> list[str]:
        """The names and places in lists that lead there; empty for the fields as a whole."""
        return re.findall(r"[^.\[\]]+", str(self).partition(" ")[0])[1:]


class Taken:
    """What a call takes, such as "POST /models". source: "body", "query" or "body or query", by which its fields come."""

    def __init__(self, call: str) -> None:
        made = import_module(f"winnow_contract.{MODULES[call]}")
        self.source: str = made.SOURCE
        self._path: Mapping[str, Schema] = made.PATH
        self._headers: Mapping[str, Schema] = made.HEADERS
        self._fields: Schema = made.FIELDS
        self._validate: Callable[[dict[str, Any]], object] = made.validate

    def check_path(self, path: Mapping[str, str]) -> None:
        """Check the names in a path: InvalidFieldError for what no id or number can be, FigureNotFoundError and DocsFileNotFoundError
        for what is none of the figures, and none of the page's files."""
        for name, value in path.items():
            schema = self._path[name]
            if name in _NOT_FOUND:
                if value not in schema["enum"]:
                    raise _NOT_FOUND[name](schema["enum"])
            else:
                _check_pattern(name, value, schema)

    def check_headers(self, get: Callable[[str], str | None]) -> None:
        """Check those headers that must look a certain way. get: a header's value by its name in lower case."""
        for name, schema in self._headers.items():
            value = get(name.lower())
            if value is not None:
                _check_pattern(name, value, schema)

    def check_fields(self, given: dict[str, Any]) -> dict[str, Any]:
        """The fields as they are given. InvalidFieldError with a sentence about the first that is wrong."""
        try:
            self._validate(given)
        except Mismatch as error:
            raise _explained(error, self._fields, given) from error
        return given


def is_true(value: bool | str) -> bool:
    """Of a field that is true or false, also as a string."""
    return str(value).lower() == "true"


def _check_pattern(name: str, value: str, schema: Schema) -> None:
    if not re.fullmatch(schema["pattern"], value):
        raise InvalidFieldError(f"{name} must be {schema['description']}.", field=name)


def _explained(error: Mismatch, schema: Schema, given: Mapping[str, Any]) -> InvalidFieldError:
    properties: Mapping[str, Any] = schema["properties"]
    if error.path:
        field, wrong = _place(error.path, properties)
        return InvalidFieldError(f"{field} must be {wrong['description']}.", field=field)
    unknown = [name for name in given if name not in properties]
    if unknown:
        known = ", ".join(properties) or "none"
        return InvalidFieldError(
            f"Unknown fields: {', '.join(name[:100] for name in unknown[:10])}. Known are: {known}.", field=unknown[0][:100]
        )
    missing = [name for name in schema.get("required", []) if name not in given]
    if missing:
        name = missing[0]
        return InvalidFieldError(f"{name} is missing: it must be {properties[name]['description']}.", field=name)
    return InvalidFieldError(f"{schema['description']}.")


def _place(path: Sequence[str], properties: Mapping[str, Any]) -> tuple[str, Schema]:
    """What a path of names and places in lists leads to, such as examples[3].label, and its schema."""
    name, *steps = path
    field, schema = name, properties[name]
    for step in steps:
        inner = schema.get("items")
        field, schema = (f"{field}.{step}", schema["properties"][step]) if inner is None else (f"{field}[{step}]", inner)
    return field, schema
