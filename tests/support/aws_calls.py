"""The calls to AWS that the code of each function can make, read from the source of its app.py and of the package.

python -m tests.support.aws_calls prints them.

Every reference to a function or method counts, also one that is only passed on. The types of objects come from the annotations, which
mypy checks. A method that can call AWS and is taken from an object of unknown type is a fault. Recipes are imported by names that are
computed; they stand below the folder aws and can't call it (tests/contract/test_template.py).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from io import BytesIO
from pathlib import Path

import botocore.session
from botocore import xform_name

from tests.support.contract import ROOT, functions

LAYER = ROOT / "layers" / "winnow"
# The objects of boto3, as the type stubs name them.
STUBS = {"S3Client": "s3", "SFNClient": "stepfunctions", "EventBridgeClient": "events", "Table": "dynamodb"}
# TransactWriteItems has no permission of its own: each of its items needs the permission of the same write alone.
IN_TRANSACTIONS = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem"}

# The permissions that a call needs, where they have another name than the call.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
_ACTIONS = {
    "HeadObject": {"s3:GetObject"},
    "ListObjectsV2": {"s3:ListBucket"},
    "ListObjectVersions": {"s3:ListBucketVersions"},
    # With an S3 version and without.
    "DeleteObject": {"s3:DeleteObject", "s3:DeleteObjectVersion"},
    "DeleteObjects": {"s3:DeleteObject", "s3:DeleteObjectVersion"},
    "CreateMultipartUpload": {"s3:PutObject"},
    "UploadPart": {"s3:PutObject"},
    "UploadPartCopy": {"s3:PutObject", "s3:GetObject"},
    "CopyObject": {"s3:PutObject", "s3:GetObject"},
    "CompleteMultipartUpload": {"s3:PutObject"},
    "Invoke": {"lambda:InvokeFunction"},
    # API Gateway names its permissions by the HTTP method (https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-control-access-using-iam-policies-to-create-and-manage-apis.html).
    "GetUsage": {"apigateway:GET"},
}


@dataclass(frozen=True, order=True, slots=True)
class AwsCall:
    """A call of boto3. operation: as in AWS's API. where: the function or method that makes it."""

    service: str
    operation: str
    where: str


@dataclass(frozen=True, slots=True)
class Boto:
    """An object of boto3."""

    service: str


@dataclass(eq=False, slots=True)
class Code:
    """A function, a method, or a class with what is called without a name: its __init__ and so on."""

    module: Module
    node: ast.FunctionDef | ast.ClassDef
    owner: Code | None = None
    methods: dict[str, Code] = field(default_factory=dict)
    fields: dict[str, ast.expr] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.owner or self.module.name}.{self.node.name}"


@dataclass(eq=False, slots=True)
class Module:
    """names: the full names of what is imported. top: what runs on import."""

    name: str
    names: dict[str, str] = field(default_factory=dict)
    own: dict[str, Code] = field(default_factory=dict)
    values: dict[str, ast.expr] = field(default_factory=dict)
    top: list[ast.stmt] = field(default_factory=list)


type Type = Code | Boto
type Scope = dict[str, set[Type]]


def _module(name: str, file: Path) -> Module:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    made = Module(name)
    for node in ast.walk(tree):
        match node:
            case ast.Import():
                made.names |= {alias.asname or alias.name: alias.name for alias in node.names}
            case ast.ImportFrom(module=str(origin)):
                made.names |= {alias.asname or alias.name: f"{origin}.{alias.name}" for alias in node.names}
    for statement in tree.body:
        match statement:
            case ast.FunctionDef() | ast.ClassDef():
                made.own[statement.name] = _code(made, statement)
            case ast.Assign(targets=[ast.Name(value)]) | ast.AnnAssign(target=ast.Name(value)) if statement.value is not None:
                made.values[value] = statement.value
                made.top.append(statement)
            case _:
                made.top.append(statement)
    return made


def _code(module: Module, node: ast.FunctionDef | ast.ClassDef, owner: Code | None = None) -> Code:
    made = Code(module, node, owner)
    if isinstance(node, ast.ClassDef):
        for statement in node.body:
            match statement:
                case ast.FunctionDef():
                    made.methods[statement.name] = _code(module, statement, made)
                case ast.AnnAssign(target=ast.Name(name)):
                    made.fields[name] = statement.annotation
    return made


def actions_of(service: str, operation: str) -> set[str]:
    """The permissions that a call needs."""
    return _ACTIONS.get(operation, {f"{'states' if service == 'stepfunctions' else service}:{operation}"})


_SCOPES: dict[Code, Scope] = {}


@cache
def operations(service: str) -> dict[str, str]:
    """The operations of a service by boto3's names for them."""
    model = botocore.session.get_session().get_service_model(service)
    found = {xform_name(name): name for name in model.operation_names}
    if service == "dynamodb":
        # It is made of single writes, which have permissions of their own.
        del found["transact_write_items"]
        return found | {"batch_writer": "BatchWriteItem"}
    return found


@cache
def package() -> dict[str, Module]:
    files = {".".join(file.relative_to(LAYER).with_suffix("").parts): file for file in sorted((LAYER / "winnow").rglob("*.py"))}
    return {name: _module(name, file) for name, file in files.items()}


@dataclass(slots=True)
class Reached:
    """What a function does when it runs, or a module when it is imported. others: what it refers to. shapes: of the methods that it takes
    from objects of a protocol. untyped: the places where it takes a method from an object of unknown type, by the method's name."""

    others: set[Code | Module] = field(default_factory=set)
    calls: set[AwsCall] = field(default_factory=set)
    shapes: set[tuple[str, ...]] = field(default_factory=set)
    untyped: list[tuple[str, str]] = field(default_factory=list)


@cache
def reach(name: str) -> Reached:
    """What the function with this logical id can do."""
    return reach_of(ROOT / functions()[name]["CodeUri"] / "app.py")


def reach_of(file: Path) -> Reached:
    """What an app.py can do."""
    app = _module("app", file)
    whole = Reached(others={app, *app.own.values()})
    waiting = list(whole.others)
    while waiting:
        done = _directly(waiting.pop())
        whole.calls |= done.calls
        whole.shapes |= done.shapes
        whole.untyped += done.untyped
        methods = {method for each in whole.others | done.others if isinstance(each, Code) for method in each.methods.values()}
        found = done.others | {method for method in methods if _shape(method) in whole.shapes} - whole.others
        waiting += found - whole.others
        whole.others |= found
    return whole


def _shape(method: Code) -> tuple[str, ...]:
    """A method's name and those of its arguments: whatever has the same may stand for a protocol."""
    assert isinstance(method.node, ast.FunctionDef)
    return (method.node.name, *(argument.arg for argument in method.node.args.args))


@cache
def _directly(found: Code | Module) -> Reached:
    done = Reached()
    match found:
        case Module():
            for statement in found.top:
                _walk(statement, found, {}, found.name, done)
        case Code(node=ast.ClassDef() as node):
            done.others |= {found.module, *(method for name, method in found.methods.items() if name.startswith("__"))}
            for each in (*node.bases, *node.decorator_list):
                _walk(each, found.module, {}, str(found), done)
        case Code():
            done.others.add(found.module)
            _walk(found.node, found.module, _scope(found), str(found), done)
    return done


def _walk(node: ast.AST, module: Module, scope: Scope, where: str, done: Reached) -> None:
    for each in ast.walk(node):
        match each:
            case ast.Name(name, ast.Load()) if name not in scope:
                done.others |= {found for found in [_named(module, name)] if found is not None}
            case ast.Attribute(of, name):
                done.others |= {found for found in [_named(module, ast.unparse(each))] if found is not None}
                if not isinstance(_named(module, ast.unparse(of)), Module) and not _is_foreign(of, module, scope):
                    _take(name, _types(of, module, scope), f"{where}: {ast.unparse(each)}", done)
            case ast.Call(ast.Attribute(of, "get_paginator" | "generate_presigned_url"), [ast.Constant(str(operation)), *_]):
                _note(_types(of, module, scope), operation, where, done)
            case ast.Dict(keys) if module.name == "winnow.registry.table":
                kinds = {str(key.value) for key in keys if isinstance(key, ast.Constant)} & IN_TRANSACTIONS.keys()
                done.calls |= {AwsCall("dynamodb", IN_TRANSACTIONS[kind], where) for kind in kinds}


def _is_foreign(of: ast.expr, module: Module, scope: Scope) -> bool:
    """Whether this is a module or class that others wrote, such as hashlib. boto3's objects are told by their types."""
    return isinstance(of, ast.Name) and of.id not in scope and of.id in module.names and _full(module.names[of.id]) is None


def _take(name: str, types: set[Type], place: str, done: Reached) -> None:
    """A method or a field is taken from an object of one of these types."""
    _note(types, name, place.partition(":")[0], done)
    for each in types:
        if isinstance(each, Code):
            done.others |= set(_methods(each, name))
            if "Protocol" in map(ast.unparse, getattr(each.node, "bases", [])) and name in each.methods:
                done.shapes.add(_shape(each.methods[name]))
    if not types:
        done.untyped.append((name, place))


def _note(types: set[Type], operation: str, where: str, done: Reached) -> None:
    for each in types:
        if isinstance(each, Boto) and operation in operations(each.service):
            done.calls.add(AwsCall(each.service, operations(each.service)[operation], where))


# --- names and types ---


def _methods(owner: Code, name: str) -> Iterator[Code]:
    if name in owner.methods:
        yield owner.methods[name]
        return
    assert isinstance(owner.node, ast.ClassDef)
    for base in owner.node.bases:
        found = _named(owner.module, ast.unparse(base))
        if isinstance(found, Code):
            yield from _methods(found, name)


def _named(module: Module, name: str) -> Code | Module | None:
    """What a name, with dots or without, stands for in a module, if it is ours."""
    first, _, rest = name.partition(".")
    found: Code | Module | None = module.own.get(first)
    if found is None and first in module.names:
        found = _full(module.names[first])
    return _named(found, rest) if rest and isinstance(found, Module) else None if rest else found


def _full(name: str) -> Code | Module | None:
    if name in package():
        return package()[name]
    module, _, last = name.rpartition(".")
    return _named(package()[module], last) if module in package() else None


def _annotated(annotation: ast.expr | None, module: Module) -> set[Type]:
    """Every class that an annotation mentions: `Iterator[Model] | None` is a Model."""
    types: set[Type] = set()
    for node in ast.walk(annotation) if annotation is not None else ():
        match node:
            case ast.Constant(str(text)) if text.isidentifier():
                types |= _annotated(ast.Name(text, ast.Load()), module)
            case ast.Name(name) if name in STUBS:
                types.add(Boto(STUBS[name]))
            case ast.Name() | ast.Attribute():
                found = _named(module, ast.unparse(node))
                if isinstance(found, Code) and isinstance(found.node, ast.ClassDef):
                    types.add(found)
    return types


def _scope(code: Code) -> Scope:
    """The types of the names in a function, those of the functions inside it too."""
    if code in _SCOPES:
        return _SCOPES[code]
    # Kept before it is whole, because an __init__ may ask for its own.
    scope: Scope = _SCOPES.setdefault(code, {})
    functions_inside = [node for node in ast.walk(code.node) if isinstance(node, ast.FunctionDef | ast.Lambda)]
    for function in functions_inside:
        arguments = (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)
        for argument in arguments:
            scope[argument.arg] = scope.get(argument.arg, set()) | _annotated(argument.annotation, code.module)
        if isinstance(function, ast.FunctionDef) and function is not code.node:
            scope[function.name] = _annotated(function.returns, code.module)
    if code.owner is not None:
        scope["self"] = scope["cls"] = {code.owner}
    before = -1
    # A loop may use a name above the line that gives it its type.
    while before != (before := sum(map(len, scope.values()))):
        for node in ast.walk(code.node):
            _bind(node, code.module, scope)
    return scope


def _bind(node: ast.AST, module: Module, scope: Scope) -> None:
    match node:
        case ast.Assign([target], value):
            pairs: list[tuple[ast.expr, ast.expr]] = [(target, value)]
        case ast.NamedExpr(target, value) | ast.comprehension(target, value) | ast.For(target, value):
            pairs = [(target, value)]
        case ast.AnnAssign(ast.Name(name), annotation) | ast.ExceptHandler(annotation, str(name)):
            scope[name] = scope.get(name, set()) | _annotated(annotation, module)
            return
        case ast.With(items):
            pairs = [(item.optional_vars, item.context_expr) for item in items if item.optional_vars is not None]
        case _:
            return
    for target, value in pairs:
        match target, value:
            case ast.Tuple(targets), ast.Tuple(values) if len(targets) == len(values):
                several = list(zip(targets, values, strict=True))
            case _:
                several = [(target, value)]
        for each, given in several:
            names = [name.id for name in ast.walk(each) if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)]
            for name in names:
                scope[name] = scope.get(name, set()) | _types(given, module, scope)


def _types(node: ast.expr, module: Module, scope: Scope) -> set[Type]:
    """The classes of ours and the objects of boto3 that an expression may be or contain."""
    types: set[Type]
    match node:
        case ast.Name(name) if name in scope:
            types = scope[name]
        case ast.Name(name) if name in module.values:
            types = _types(module.values[name], module, {})
        case ast.Name() | ast.Attribute() if (found := _named(module, ast.unparse(node))) is not None:
            types = {found} if isinstance(found, Code) and isinstance(found.node, ast.ClassDef) else set()
        case ast.Name():
            types = set()
        case ast.Attribute(of, name):
            types = _of_attribute(_types(of, module, scope), name)
        case ast.Call(ast.Attribute(ast.Name("boto3"), "client" | "resource"), [ast.Constant(str(service)), *_]):
            types = {Boto(service)}
        case ast.Call(function, arguments):
            types = _of_call(function, [*arguments, *(each.value for each in node.keywords)], module, scope)
        case _:
            inner = (each for each in ast.iter_child_nodes(node) if isinstance(each, ast.expr))
            types = set[Type]().union(*(_types(each, module, scope) for each in inner))
    return types


def _of_attribute(owners: set[Type], name: str) -> set[Type]:
    types: set[Type] = set()
    for owner in owners:
        if isinstance(owner, Boto):
            types |= {owner} if name in {"meta", "client"} else set()
            continue
        types |= _annotated(owner.fields.get(name), owner.module)
        for method in _methods(owner, name):
            types |= _annotated(getattr(method.node, "returns", None), method.module)
        types |= _set_by_init(owner, name)
    return types


def _set_by_init(owner: Code, name: str) -> set[Type]:
    init = owner.methods.get("__init__")
    types: set[Type] = set()
    for node in ast.walk(init.node) if init is not None else ():
        match node:
            case ast.AnnAssign(ast.Attribute(ast.Name("self"), attribute), annotation) if attribute == name:
                types |= _annotated(annotation, owner.module)
            case ast.Assign([ast.Attribute(ast.Name("self"), attribute)], value) if attribute == name and init is not None:
                types |= _types(value, owner.module, _scope(init))
            case ast.Assign([ast.Tuple(targets)], ast.Tuple(values)) if init is not None:
                for target, value in zip(targets, values, strict=True):
                    if isinstance(target, ast.Attribute) and target.attr == name:
                        types |= _types(value, owner.module, _scope(init))
    return types


def _of_call(function: ast.expr, arguments: list[ast.expr], module: Module, scope: Scope) -> set[Type]:
    found = _named(module, ast.unparse(function)) if isinstance(function, ast.Name | ast.Attribute) else None
    if isinstance(found, Code) and not (isinstance(function, ast.Name) and function.id in scope):
        return _result(found)
    match function:
        case ast.Attribute(of, name):
            owners = _types(of, module, scope)
            if any(isinstance(owner, Boto) for owner in owners):
                return set()
            methods = [method for owner in owners if isinstance(owner, Code) for method in _methods(owner, name)]
            if methods:
                return set[Type]().union(*map(_result, methods))
            if owners:
                # Of a collection of ours, such as a dictionary's `items`.
                return owners | _of_attribute(owners, name)
        case ast.Name(name) if name in scope:
            return scope[name]
    # What isn't ours hands on what it is given: `next`, `sorted`, `cache`.
    return set[Type]().union(*(_types(each, module, scope) for each in arguments))


def _result(code: Code) -> set[Type]:
    if isinstance(code.node, ast.ClassDef):
        return {code}
    types = _annotated(code.node.returns, code.module)
    match code.node:
        case ast.FunctionDef(returns=ast.Name("Self")) if code.owner is not None:
            types.add(code.owner)
        case ast.FunctionDef(returns=ast.Name("Any"), body=[ast.Return(ast.Call() as made)]):
            # A client without type stubs.
            types |= _types(made, code.module, {}) if ast.unparse(made.func) == "boto3.client" else set()
    return types


def untyped(name: str) -> set[str]:
    """The places where the function takes a method of the name of one that calls AWS from an object of unknown type. Methods that
    Python's own objects have too, such as a dictionary's `get`, don't count."""
    own = {method for kind in (dict, list, str, bytes, BytesIO, Path) for method in dir(kind)}
    return {place for method, place in reach(name).untyped if method in _calling_methods() - own}


@cache
def _calling_methods() -> frozenset[str]:
    """The names of the methods that call AWS."""
    places = [call.where.split(".") for name in functions() for call in reach(name).calls]
    return frozenset(place[-1] for place in places if place[-2][:1].isupper())


if __name__ == "__main__":
    for function in functions():
        print(function)
        for call in sorted(reach(function).calls):
            print(f"    {call.service}.{call.operation}  {call.where}")
        for place in sorted(untyped(function)):
            print(f"    ?  {place}")
