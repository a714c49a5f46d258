"""Makes the package winnow_contract, what functions need of openapi.yaml: python -m layers.winnow.contract FOLDER

FOLDER is where the package goes: the layer's python/, or layers/winnow for tests and tools. It has the roles of every call, and for each
call a module of what the call takes, with the code that checks it. So no function reads YAML or compiles a schema. Files that are already
as they should be stay untouched.
"""

import os
import re
import shutil
import sys
import tempfile
from pathlib import Path
from pprint import pformat
from typing import Any

import fastjsonschema
import yaml

PACKAGE = "winnow_contract"
CONTRACT = Path(__file__).parents[2] / "openapi.yaml"
METHODS = ("get", "put", "post", "delete", "patch")
ROLES = ("predict", "admin")

_MADE = "Made out of openapi.yaml by layers/winnow/contract.py: change the contract instead."
# fastjsonschema's exceptions bring all of fastjsonschema with them.
_ITS_ERRORS = "from fastjsonschema import JsonSchemaValueException, JsonSchemaValuesException\n"
_OUR_ERRORS = "from winnow.api.fields import Mismatch as JsonSchemaValueException\n\nJsonSchemaValuesException = JsonSchemaValueException\n"


class ContractError(Exception):
    """The contract lacks what the functions need; the message is a sentence that says what."""


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit("usage: python -m layers.winnow.contract FOLDER")
    try:
        write(Path(sys.argv[1]))
    except ContractError as error:
        sys.exit(f"winnow layer: {error}")


def write(folder: Path) -> None:
    """Bring FOLDER/winnow_contract up to date. Several processes may do so at once. ContractError."""
    package = folder / PACKAGE
    package.mkdir(parents=True, exist_ok=True)
    files = sources(read(CONTRACT))
    for name, source in files.items():
        _write(package / name, source)
    for other in package.glob("*.py"):
        if other.name not in files:
            other.unlink(missing_ok=True)


def read(contract: Path) -> Any:
    """A YAML file. libyaml reads it in a tenth of the time, where it is there."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(contract.read_text(encoding="utf-8"), loader)  # noqa: S506 # both are safe loaders


def sources(contract: Any) -> dict[str, str]:
    """The text of each file of the package, by its name. ContractError."""
    roles, modules, files = {}, {}, {}
    for path, item in contract["paths"].items():
        for method in METHODS:
            if method not in item:
                continue
            call, operation = f"{method.upper()} {path}", item[method]
            roles[call] = _roles(call, operation)
            modules[call] = _snake_case(operation["operationId"])
            parameters = [*item.get("parameters", []), *operation.get("parameters", [])]
            files[f"{modules[call]}.py"] = _module(call, _resolved(parameters, contract), _resolved(operation.get("requestBody"), contract))
    files["__init__.py"] = (
        f'"""What the contract says of each call. {_MADE}"""\n\n'
        "# The roles whose keys may make the call. None: it needs no key.\n"
        f"ROLES: dict[str, tuple[str, ...]] = {_literal(roles)}\n\n"
        "# The module of what the call takes.\n"
        f"MODULES: dict[str, str] = {_literal(modules)}\n"
    )
    return files


def _roles(call: str, operation: dict[str, Any]) -> tuple[str, ...]:
    roles = tuple(operation.get("x-winnow-roles", []))
    if not set(roles) <= set(ROLES):
        raise ContractError(f"x-winnow-roles of {call} are {', '.join(roles)}: they must be among {', '.join(ROLES)}.")
    # Only open calls have a `security` of their own: [], or [{}, {ApiKey: []}] if a key is of use.
    if bool(roles) == ("security" in operation):
        raise ContractError(f"{call} needs x-winnow-roles, or `security: []` where it needs no key, and not both.")
    return roles


def _module(call: str, parameters: list[dict[str, Any]], body: dict[str, Any] | None) -> str:
    """What a call takes: the parameters of its path, those headers that have a pattern, and its fields, by whichever way they come."""
    named = {place: {it["name"]: it["schema"] for it in parameters if it["in"] == place} for place in ("path", "query", "header")}
    required = [it["name"] for it in parameters if it["in"] == "query" and it.get("required")]
    of_query = {"type": "object", "additionalProperties": False, "required": required, "properties": named["query"]}
    fields: dict[str, Any] = of_query if body is None else body["content"]["application/json"]["schema"]
    # A POST without fields may have an empty object as its body.
    ways = {"body": body is not None or call.startswith("POST "), "query": bool(named["query"])}
    source = " or ".join(way for way, open_ in ways.items() if open_) or "query"
    headers = {name: schema for name, schema in named["header"].items() if "pattern" in schema}
    for name, schema in (named["path"] | headers | fields["properties"]).items():
        _check_description(f"{call}: {name}", schema)
    for name, schema in named["path"].items():
        if not schema.keys() & {"pattern", "enum"}:
            raise ContractError(f"{call}: {name} needs a pattern or an enum.")
    return (
        f'"""{call}. {_MADE}"""\n\n'
        f'SOURCE = "{source}"\n'
        f"PATH = {_literal(named['path'])}\n"
        f"HEADERS = {_literal(headers)}\n"
        f"FIELDS = {_literal(fields)}\n\n"
        f"{_check_of(fields)}\n"
    )


def _check_description(place: str, schema: dict[str, Any]) -> None:
    """A description completes the sentence "NAME must be …" of an error."""
    if "description" not in schema:
        raise ContractError(f"{place} needs a description: what it must be.")
    if "items" in schema:
        _check_description(f"{place}[]", schema["items"])
    for name, inner in schema.get("properties", {}).items():
        _check_description(f"{place}.{name}", inner)


def _check_of(fields: dict[str, Any]) -> str:
    """The code of `validate`, which raises Mismatch. Its first word is the name of what is wrong, such as data.examples[3].label."""
    code: str = fastjsonschema.compile_to_code(fields, use_default=False, detailed_exceptions=False)
    if _ITS_ERRORS not in code:
        raise ContractError("fastjsonschema makes code that begins otherwise: look at _ITS_ERRORS.")
    return code.replace(_ITS_ERRORS, _OUR_ERRORS).strip()


def _resolved(node: Any, contract: Any) -> Any:
    """With each $ref replaced by what it points at."""
    if isinstance(node, list):
        return [_resolved(member, contract) for member in node]
    if not isinstance(node, dict):
        return node
    if "$ref" not in node:
        return {name: _resolved(member, contract) for name, member in node.items()}
    reference = node["$ref"]
    if len(node) > 1 or not reference.startswith("#/"):
        raise ContractError(f"A $ref to {reference} in what a call takes must stand alone, and lead to a place in the same file.")
    target = contract
    for name in reference.removeprefix("#/").split("/"):
        target = target[name.replace("~1", "/").replace("~0", "~")]
    return _resolved(target, contract)


def _snake_case(name: str) -> str:
    return re.sub(r"(?=[A-Z])", "_", name).lower()


def _literal(value: Any) -> str:
    return pformat(value, width=120, sort_dicts=False)


def _write(file: Path, text: str) -> None:
    """Write a file as a whole, unless it has this text already."""
    if file.is_file() and file.read_text(encoding="utf-8") == text:
        return
    handle, made = tempfile.mkstemp(dir=file.parent)
    with os.fdopen(handle, "w", encoding="utf-8") as new:
        new.write(text)
    shutil.copymode(CONTRACT, made)
    Path(made).replace(file)


if __name__ == "__main__":
    main()
