"""The typed results of the Python client, made from openapi.yaml: python -m tests.support.client_results writes them.

A test holds client/winnow_client/results.py against the contract.
"""

from __future__ import annotations

import keyword
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.support.contract import ROOT, document

PAGE = ROOT / "client" / "winnow_client" / "results.py"
_HEAD = '''"""What the API answers, as dataclasses. Made from openapi.yaml by `python -m tests.support.client_results`: don't edit it.

Times are ISO 8601 in UTC, as the API writes them. Fields that an answer may lack are None then.
"""

from __future__ import annotations

from dataclasses import dataclass

from winnow_client.answers import Result
'''
_WIDTH = 128
_PLAIN = {"string": "str", "integer": "int", "number": "float", "boolean": "bool"}
# Schemas of answers that the client gives in another form, and words of the contract that are no Python.
_LEFT_OUT = {"Problem"}


class _Writer:
    """Collects the classes that answers need, in the order in which they are needed."""

    def __init__(self) -> None:
        self.classes: dict[str, str] = {}
        self.bases: dict[str, list[str]] = {}

    def type_of(self, schema: Mapping[str, Any], name: str) -> str:
        """The Python type of a schema. name: for a class, if the schema has none of its own."""
        if set(schema) - {"description"} == {"$ref"}:
            return self.type_of(_target(schema["$ref"]), schema["$ref"].rpartition("/")[2])
        variants = [each for each in schema.get("oneOf", schema.get("anyOf", ())) if each.get("type") != "null"]
        if variants and len(variants) < len(schema.get("oneOf", schema.get("anyOf", ()))):
            return _or_none(self.type_of(_one(variants), name))
        if variants:
            return self.type_of(_one(variants), name)
        if "enum" in schema or "const" in schema:
            values = schema.get("enum", [schema.get("const")])
            names = {type(value).__name__ for value in values if value is not None}
            return ("str" if len(names) != 1 else names.pop()) + (" | None" if None in values else "")
        properties, required = _properties(schema)
        if properties:
            self._write(name, schema, properties, required)
            return _or_none(name) if "null" in _types(schema) else name
        kinds = [each for each in _types(schema) if each != "null"]
        found = " | ".join(self._of_kind(kind, schema, name) for kind in kinds) or "Any"
        return f"{found} | None" if "null" in _types(schema) else found

    def _of_kind(self, kind: str, schema: Mapping[str, Any], name: str) -> str:
        if kind == "array":
            return f"list[{self.type_of(schema.get('items', {}), _singular(name))}]"
        if kind == "object":
            values = schema.get("additionalProperties")
            return f"dict[str, {self.type_of(values, _singular(name)) if isinstance(values, dict) else 'Any'}]"
        return _PLAIN[kind]

    def _write(self, name: str, schema: Mapping[str, Any], properties: Mapping[str, Any], required: set[str]) -> None:
        if name in self.classes:
            return
        self.classes[name] = ""
        inherited, needed = _properties({"allOf": _whole(schema)})
        self.bases[name] = [self.type_of(each, "") for each in _whole(schema)]
        lines = ["@dataclass(frozen=True, kw_only=True)", f"class {name}({', '.join(self.bases[name]) or 'Result'}):"]
        lines += [*_docstring(schema.get("description") or f"`{name}` of the contract"), ""]
        for each, its in properties.items():
            if inherited.get(each) == its and (each in needed) == (each in required):
                continue
            kind = self.type_of(its, name + _camel(each))
            attribute = f"{each}_" if keyword.iskeyword(each) else each
            lines.append(f"    {attribute}: {kind}" if each in required else f"    {attribute}: {_or_none(kind)} = None")
            if "description" in its:
                lines += _docstring(its["description"])
        self.classes[name] = "\n".join(lines)


def results() -> str:
    """The module's text."""
    writer = _Writer()
    for schema in _answers():
        writer.type_of(schema, "Answer")
    order: dict[str, None] = {}

    def place(name: str) -> None:
        for base in writer.bases[name]:
            place(base)
        order.setdefault(name)

    for name in sorted(writer.classes):
        place(name)
    written = "\n\n\n".join(writer.classes[name] for name in order if name not in _LEFT_OUT)
    return f"{_HEAD}\n\n{written}\n"


def _answers() -> Iterator[Mapping[str, Any]]:
    for item in document()["paths"].values():
        for method, operation in item.items():
            if method == "parameters":
                continue
            for status, answer in operation["responses"].items():
                schema = answer.get("content", {}).get("application/json", {}).get("schema", {})
                if status < "300":
                    yield from (each for each in (schema, *schema.get("oneOf", ())) if "$ref" in each)


def _whole(schema: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The references of a schema to those that it has as a whole, and adds fields to."""
    found = [{"$ref": schema["$ref"]}] if "$ref" in schema else []
    found += [each for each in schema.get("allOf", ()) if set(each) == {"$ref"}]
    return [each for each in found if _properties(each)[0]]


def _properties(schema: Mapping[str, Any]) -> tuple[dict[str, Any], set[str]]:
    """All fields of a schema, also of those that it refers to, and the names of those that every answer has."""
    properties: dict[str, Any] = {}
    required: set[str] = set()
    for each in ([_target(schema["$ref"])] if "$ref" in schema else []) + schema.get("allOf", []):
        more, needed = _properties(each)
        properties |= more
        required |= needed
    # What only narrows a field, or forbids it, says nothing about its type.
    own = {
        name: it for name, it in schema.get("properties", {}).items() if isinstance(it, dict) and (name not in properties or len(it) > 1)
    }
    return properties | own, required | set(schema.get("required", ()))


def _one(variants: list[Mapping[str, Any]]) -> Mapping[str, Any]:
    """One schema for several. Of objects, it has the fields of all of them."""
    if len(variants) == 1:
        return variants[0]
    found = [_properties(each) for each in variants]
    merged: dict[str, Any] = {}
    for properties, _ in found:
        merged = properties | merged
    everywhere = set.intersection(*(needed for _, needed in found))
    said = next((it["description"] for it in map(_resolved, variants) if "description" in it), None)
    return {"properties": merged, "required": sorted(everywhere), "description": said}


def _resolved(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    return _target(schema["$ref"]) if "$ref" in schema else schema


def _target(reference: str) -> dict[str, Any]:
    found: Any = document()
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    assert isinstance(found, dict)
    return found


def _types(schema: Mapping[str, Any]) -> list[str]:
    kind = schema.get("type", [])
    return [kind] if isinstance(kind, str) else kind


def _or_none(kind: str) -> str:
    return kind if kind.endswith("| None") or kind == "Any" else f"{kind} | None"


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in re.split("[_-]", name))


def _singular(name: str) -> str:
    return (
        re.sub("(?<=[sxh])es$|(?<!s)s$", "", name) if not name.endswith(("Batches", "Days")) else name[: -2 if name.endswith("es") else -1]
    )


def _docstring(described: str) -> list[str]:
    """The description as a docstring. Its words are not changed, but for the sign that Python reads."""
    text = " ".join(described.split()).replace("\\", "\\\\").replace('"""', "'''")
    text = text if text.endswith((".", "!", "`")) else f"{text}."
    if len(text) <= _WIDTH:
        return [f'    """{text}{" " if text.endswith(chr(34)) else ""}"""']
    return ['    """', *textwrap.wrap(text, _WIDTH, initial_indent="    ", subsequent_indent="    "), '    """']


def formatted() -> str:
    """The module's text, as ruff formats it."""
    ruff = Path(sys.executable).with_name("ruff")
    command = [str(ruff), "format", "--stdin-filename", str(PAGE), "-"]
    return subprocess.run(command, input=results(), capture_output=True, text=True, check=True, cwd=ROOT, encoding="utf-8").stdout


if __name__ == "__main__":
    PAGE.write_text(formatted(), encoding="utf-8")
