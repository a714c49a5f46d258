"""Turns one module of the package into a mutant, in this process. The files stay as they are."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

from tests.mutants import points
from tests.mutants.points import Point

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "layers" / "winnow" / "winnow"
FOLDERS = ("registry", "storage")


def sources() -> dict[str, Path]:
    """The modules that have mutants, by names such as registry.slots."""
    return {f"{folder}.{path.stem}": path for folder in FOLDERS for path in sorted((PACKAGE / folder).glob("*.py"))}


@cache
def _writers() -> frozenset[str]:
    return points.writers(ast.parse(path.read_text()) for path in sources().values())


def _found(module: str) -> tuple[ast.Module, list[Point]]:
    """The module's tree, and the points in it."""
    tree = ast.parse(sources()[module].read_text())
    return tree, points.find(tree, _writers())


def all_points() -> dict[str, list[Point]]:
    """The points of each module."""
    return {module: _found(module)[1] for module in sources()}


def mutant(module: str, point: str) -> ast.Module:
    """The module's tree with the change of one point."""
    tree, there = _found(module)
    [found] = [each for each in there if each.name == point]
    found.change()
    return ast.fix_missing_locations(tree)


def become(module: str, point: str) -> None:
    """Turn the loaded module into the mutant, in this process for good. Its functions stay the same objects, and get other code."""
    loaded = import_module(f"winnow.{module}")
    late = Late()
    vars(builtins).update({points.LATER: late.write_later, points.MAKE_UP: late.make_up_for, points.FORGET: late.calls.clear})
    code = compile(mutant(module, point), str(sources()[module]), "exec")
    codes = {each.co_qualname: each for each in _codes(code)}
    for function in _functions(loaded):
        function.__code__ = codes[function.__qualname__]
    again: dict[str, Any] = {"__name__": loaded.__name__}
    exec(code, again)  # noqa: S102
    # Conditions that are made once.
    vars(loaded).update({name: value for name, value in again.items() if isinstance(value, str)})


def _codes(code: CodeType) -> Iterator[CodeType]:
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield each
            yield from _codes(each)


def _functions(loaded: ModuleType) -> Iterator[FunctionType]:
    """The functions that the module has in its text, in classes too."""
    for owner in (loaded, *(each for each in vars(loaded).values() if isinstance(each, type))):
        for value in vars(owner).values():
            function = getattr(value, "__func__", None) or getattr(value, "fget", None) or value
            # A dataclass has functions from elsewhere too.
            if isinstance(function, FunctionType) and function.__code__.co_filename == loaded.__file__:
                yield function


class Late:
    """Writes that are made later."""

    def __init__(self) -> None:
        self.calls: list[tuple[Callable[..., object], tuple[Any, ...], Mapping[str, Any]]] = []

    def write_later(self, write: Callable[..., object], *given: Any, **more: Any) -> None:
        self.calls.append((write, given, more))

    def make_up_for(self) -> None:
        late = list(self.calls)
        self.calls.clear()
        for write, given, more in late:
            write(*given, **more)
