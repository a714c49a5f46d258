"""The points of a module where a mutant differs from it, found in its syntax tree. Nothing lists them by hand.

A mutant is one of:

    condition   one clause of a condition of DynamoDB always holds. It still has its names and values, because DynamoDB refuses unused ones
    once        an object that must not exist yet is written all the same
    order       a write is made after the one that follows it
    reversed    a loop makes its writes from the last to the first
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

# What sends a write to AWS. `writers` finds the functions around it.
CALLS_OF_AWS = frozenset(
    (
        *("put_object", "delete_object", "delete_objects", "upload_part", "upload_part_copy", "complete_multipart_upload"),
        *("put_item", "update_item", "delete_item", "transact_write_items"),
    )
)
# LongObject has a method of this name, and so has every list.
_NO_WRITER = frozenset(("append",))
_CONDITION = re.compile(r"attribute_(not_)?exists\(|[\w}] (=|<|<=|>|>=) :|[\w}] IN \(")
_ALWAYS = "attribute_exists(pk) OR attribute_not_exists(pk)"
# How the code of a mutant calls what `loading.py` gives it.
LATER, MAKE_UP, FORGET = "__write_later__", "__make_up_for__", "__forget_writes__"

Change = Callable[[], None]
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Point:
    """A point. name: the function, the kind and what is changed, the same until the code changes there. change: makes the mutant."""

    name: str
    line: int
    change: Change


def find(tree: ast.Module, writes: frozenset[str]) -> list[Point]:
    """The points of a module. writes: the names of functions that write. The `change` of a point changes the tree, so use it once."""
    seen: Counter[str] = Counter()
    points = []
    for place, function in _places(tree):
        for what, line, change in (*_conditions(function), *_once(function), *_orders(function, writes)):
            name = f"{place}: {what}"
            seen[name] += 1
            points.append(Point(name if seen[name] == 1 else f"{name} ({seen[name]})", line, change))
    return points


def writers(trees: Iterable[ast.Module]) -> frozenset[str]:
    """The names of all functions that write, directly or by calling another."""
    calls = [(node.name, _calls(node)) for tree in trees for node in ast.walk(tree) if isinstance(node, Function)]
    found = set(CALLS_OF_AWS)
    while True:
        more = {name for name, called in calls if called & found} - found - _NO_WRITER
        if not more:
            return frozenset(found)
        found |= more


def _places(tree: ast.Module) -> Iterator[tuple[str, ast.AST]]:
    """Each function with its name, and each other statement of the module."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            yield from ((f"{node.name}.{it.name}", it) for it in node.body if isinstance(it, Function))
        elif isinstance(node, Function):
            yield node.name, node
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            yield node.targets[0].id, node


# --- conditions ---


def _conditions(place: ast.AST) -> Iterator[tuple[str, int, Change]]:
    passed_over = {id(part) for node in ast.walk(place) for part in _no_conditions(node)}
    for parent in ast.walk(place):
        for name, index, node in _children(parent):
            put = partial(_put, parent, name, index)
            if isinstance(node, ast.Call) and _callee(node) == "one_of":
                yield f"condition {ast.unparse(node)}", node.lineno, partial(put, _always_of_pair(node))
            elif isinstance(node, ast.Constant | ast.JoinedStr) and id(node) not in passed_over and not isinstance(parent, ast.JoinedStr):
                yield from _clauses(node, put)
            elif _is_condition(parent, name, node) and isinstance(node, ast.Name | ast.Attribute):
                yield f"condition {ast.unparse(node)}", node.lineno, partial(put, _text(["(", node, f" OR {_ALWAYS})"]))
        yield from _alternatives(parent)


def _no_conditions(node: ast.AST) -> Iterator[ast.AST]:
    """Texts that only look like conditions: docstrings, and the assignments of an update."""
    if isinstance(node, ast.Expr):
        yield node.value
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and ast.unparse(node.func) == "', '.join":
        yield from ast.walk(node)


def _is_condition(parent: ast.AST, name: str, node: ast.AST) -> bool:
    if isinstance(parent, ast.keyword):
        return parent.arg == "condition"
    if isinstance(parent, ast.Dict) and name == "values":
        keys = [key.value for key, value in zip(parent.keys, parent.values, strict=True) if value is node and isinstance(key, ast.Constant)]
        return keys == ["ConditionExpression"]
    # `condition=A if … else B`
    return isinstance(parent, ast.IfExp) and name in {"body", "orelse"} and isinstance(node, ast.Name) and node.id == "active"


def _clauses(node: ast.Constant | ast.JoinedStr, put: Callable[[ast.AST], None]) -> Iterator[tuple[str, int, Change]]:
    values = node.values if isinstance(node, ast.JoinedStr) else [node]
    parts = [value.value if isinstance(value, ast.Constant) else value for value in values]
    flat = "".join(part if isinstance(part, str) else f"\0{place}\0" for place, part in enumerate(parts))
    if not _CONDITION.search(flat):
        return
    clauses = flat.split(" AND ")
    for number, clause in enumerate(clauses):
        changed = " AND ".join([*clauses[:number], f"({clause} OR {_ALWAYS})", *clauses[number + 1 :]])
        rebuilt = [parts[int(piece)] if place % 2 else piece for place, piece in enumerate(changed.split("\0"))]
        shown = re.sub("\0(\\d+)\0", lambda found: f"{{{ast.unparse(parts[int(found[1])].value)}}}", clause)  # type: ignore[union-attr]
        yield f"condition {shown}", node.lineno, partial(put, _text(rebuilt))


def _alternatives(node: ast.AST) -> Iterator[tuple[str, int, Change]]:
    """Conditions that are made in a loop over names: each of them is left out."""
    if not (isinstance(node, ast.Call) and ast.unparse(node.func) == "' AND '.join" and isinstance(node.args[0], ast.GeneratorExp)):
        return
    names = node.args[0].generators[0].iter
    elements = names.elts if isinstance(names, ast.Tuple | ast.List) else []
    for element in elements:
        yield f"condition for {ast.unparse(element)}", element.lineno, partial(elements.remove, element)


def _text(parts: Iterable[object]) -> ast.JoinedStr:
    values = [
        ast.Constant(part)
        if isinstance(part, str)
        else part
        if isinstance(part, ast.FormattedValue)
        else ast.FormattedValue(part, conversion=-1)  # type: ignore[arg-type]
        for part in parts
    ]
    return ast.JoinedStr(values)  # type: ignore[arg-type]


def _always_of_pair(call: ast.Call) -> ast.AST:
    """one_of(…) gives a condition and its values."""
    made = ast.parse(f"(lambda condition, where: (f'({{condition}} OR {_ALWAYS})', where))()", mode="eval").body
    assert isinstance(made, ast.Call)
    made.args = [ast.Starred(call, ast.Load())]
    return made


def _once(place: ast.AST) -> Iterator[tuple[str, int, Change]]:
    for node in ast.walk(place):
        if isinstance(node, ast.Call):
            for keyword in node.keywords:
                if keyword.arg == "IfNoneMatch":
                    yield f"once {ast.unparse(keyword)}", node.lineno, partial(node.keywords.remove, keyword)


# --- orders of writes ---


def _orders(place: ast.AST, writes: frozenset[str]) -> Iterator[tuple[str, int, Change]]:
    for node in ast.walk(place):
        if isinstance(node, ast.For) and _calls(node) & writes:
            yield f"reversed {ast.unparse(node.target)}", node.lineno, partial(_reverse, node)
        for block in (getattr(node, name, None) for name in ("body", "orelse", "finalbody")):
            if isinstance(block, list):
                yield from _of_block(block, writes)


def _of_block(block: list[ast.stmt], writes: frozenset[str]) -> Iterator[tuple[str, int, Change]]:
    of_writes = [statement for statement in block if not isinstance(statement, Function | ast.ClassDef) and _calls(statement) & writes]
    for first, second in pairwise(of_writes):
        # A write whose answer is used can't come later, and after a return there is no second.
        if _unused(first, writes) and not any(isinstance(node, ast.Return | ast.Raise) for node in ast.walk(first)):
            names = [min(_calls(statement) & writes) for statement in (first, second)]
            yield f"order {' > '.join(names)}", first.lineno, partial(_swap, block, first, second, writes)


def _unused(statement: ast.stmt, writes: frozenset[str]) -> list[ast.Call]:
    """The writes in a statement whose answers nobody uses."""
    calls = (node.value for node in ast.walk(statement) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call))
    return [call for call in calls if _callee(call) in writes]


def _swap(block: list[ast.stmt], first: ast.stmt, second: ast.stmt, writes: frozenset[str]) -> None:
    """The writes of the first statement are made once the second has ended without an error."""
    for call in _unused(first, writes):
        call.args.insert(0, call.func)
        call.func = ast.Name(LATER, ast.Load())
    [around] = ast.parse(f"try: pass\nexcept BaseException:\n {FORGET}()\n raise\nfinally:\n {MAKE_UP}()").body
    assert isinstance(around, ast.Try)
    around.body = [second]
    block[block.index(second)] = around


def _reverse(loop: ast.For) -> None:
    made = ast.parse("reversed(list())", mode="eval").body
    assert isinstance(made, ast.Call)
    assert isinstance(made.args[0], ast.Call)
    made.args[0].args = [loop.iter]
    loop.iter = made


# --- the tree ---


def _calls(node: ast.AST) -> set[str]:
    return {_callee(call) for call in ast.walk(node) if isinstance(call, ast.Call)}


def _callee(call: ast.Call) -> str:
    if ast.unparse(call.func).startswith("hashlib."):  # not the bucket's method of the same name
        return ""
    return call.func.attr if isinstance(call.func, ast.Attribute) else call.func.id if isinstance(call.func, ast.Name) else ""


def _children(parent: ast.AST) -> Iterator[tuple[str, int | None, ast.AST]]:
    for name, value in ast.iter_fields(parent):
        if isinstance(value, list):
            yield from ((name, index, each) for index, each in enumerate(value) if isinstance(each, ast.AST))
        elif isinstance(value, ast.AST):
            yield name, None, value


def _put(parent: ast.AST, name: str, index: int | None, node: ast.AST) -> None:
    if index is None:
        setattr(parent, name, node)
    else:
        getattr(parent, name)[index] = node
