"""Checking a request's fields against a JSON Schema, with a sentence for each thing that can be wrong.

Every property's `description` completes "NAME must be …": it is the documentation in the contract and the error's sentence at once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import fastjsonschema

from winnow.api import docs_files
from winnow.domain.errors import DocsFileNotFoundError, FigureNotFoundError, InvalidFieldError
from winnow.domain.model import FIGURES

Schema = Mapping[str, Any]

NONE: Schema = {"type": "object", "additionalProperties": False, "properties": {}}
MODEL_ID = {
    "type": "string",
    "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$",
    "description": "1 to 64 letters, digits, dots, dashes or underscores, the first a letter or digit",
}
VERSION = {"type": "string", "pattern": "^[1-9][0-9]{0,5}$", "description": "a whole number from 1 to 999999"}
BATCH = {
    "type": "string",
    "pattern": "^[0-9]{8}T[0-9]{9}-[0-9a-f]{8}$",
    "description": "the id of a batch, as the call that made it gave it",
}
FIGURE = {"enum": list(FIGURES), "description": f"one of {', '.join(FIGURES)}"}
FILE = {"enum": list(docs_files.FILES), "description": f"one of {', '.join(docs_files.FILES)}"}
REPORT_ID = {"type": "string", "pattern": "^[0-9a-f]{32}$", "description": "32 hexadecimal digits, as the answer to the dry run gave them"}
DATASET = {
    "type": "string",
    "pattern": "^[0-9a-f]{32}-[A-Za-z0-9][A-Za-z0-9._-]{0,127}$",
    "description": "the name of an upload, as POST /datasets and GET /datasets give it",
}
# What is none of these isn't there, rather than wrong.
_LISTED = {"figure": (FIGURES, FigureNotFoundError), "file": (docs_files.FILES, DocsFileNotFoundError)}
_PATH = {"name": DATASET, "model_id": MODEL_ID, "version": VERSION, "report_id": REPORT_ID, "batch": BATCH}


def checker(schema: Schema) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """A function that returns the fields it is given, or raises InvalidFieldError with a sentence about the first that is wrong."""
    validate = fastjsonschema.compile(dict(schema), use_default=False)

    def check(given: dict[str, Any]) -> dict[str, Any]:
        try:
            validate(given)
        except fastjsonschema.JsonSchemaValueException as error:
            raise _explained(error, schema, given) from error
        return given

    return check


def is_true(value: bool | str) -> bool:
    """Of a field that is true or false, also as a string."""
    return str(value).lower() == "true"


def check_path(path: Mapping[str, str]) -> None:
    """Check the names in a path: InvalidFieldError for what no id or number can be, FigureNotFoundError and DocsFileNotFoundError for
    what is none of the figures, and none of the page's files."""
    for name, value in path.items():
        if name in _LISTED:
            listed, error = _LISTED[name]
            if value not in listed:
                raise error(listed)
        elif not re.fullmatch(_PATH[name]["pattern"], value):
            raise InvalidFieldError(f"{name} must be {_PATH[name]['description']}.", field=name)


def _explained(error: fastjsonschema.JsonSchemaValueException, schema: Schema, given: Mapping[str, Any]) -> InvalidFieldError:
    properties: Mapping[str, Any] = schema["properties"]
    if len(error.path) > 1:
        field, wrong = _place([str(step) for step in error.path[1:]], properties)
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
