"""Loads one module of the package as a mutant, in this process. The files stay as they are."""

from __future__ import annotations

import ast
import builtins
import sys
from collections.abc import Callable, Mapping
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_loader
from pathlib import Path
from types import CodeType
from typing import Any

from tests.mutants import points
from tests.mutants.points import Point

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "layers" / "winnow" / "winnow"
FOLDERS = ("registry", "storage")


def sources() -> dict[str, Path]:
    """The modules that have mutants, by names such as registry.slots."""
    return {f"{folder}.{path.stem}": path for folder in FOLDERS for path in sorted((PACKAGE / folder).glob("*.py"))}


def all_points() -> dict[str, list[Point]]:
    """The points of each module."""
    trees = {name: ast.parse(path.read_text()) for name, path in sources().items()}
    writes = points.writers(trees.values())
    return {name: points.find(tree, writes) for name, tree in trees.items()}


def mutant(module: str, point: str) -> ast.Module:
    """The module's tree with the change of one point."""
    trees = {name: ast.parse(path.read_text()) for name, path in sources().items()}
    [found] = [each for each in points.find(trees[module], points.writers(trees.values())) if each.name == point]
    found.change()
    return ast.fix_missing_locations(trees[module])


def load_from_now_on(module: str, point: str) -> None:
    """The next import of the module gets the mutant."""
    sys.meta_path.insert(0, _Finder(f"winnow.{module}", sources()[module], mutant(module, point)))
    late = Late()
    vars(builtins).update({points.LATER: late.write_later, points.MAKE_UP: late.make_up_for, points.FORGET: late.calls.clear})


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


class _Finder(MetaPathFinder):
    def __init__(self, name: str, path: Path, tree: ast.Module) -> None:
        self._name, self._path, self._tree = name, path, tree

    def find_spec(self, fullname: str, path: object, target: object = None) -> ModuleSpec | None:
        if fullname != self._name:
            return None
        return spec_from_loader(fullname, _Loader(fullname, str(self._path), self._tree), origin=str(self._path))


class _Loader(SourceFileLoader):
    def __init__(self, fullname: str, path: str, tree: ast.Module) -> None:
        super().__init__(fullname, path)
        self._tree = tree

    def get_code(self, fullname: str) -> CodeType:
        return compile(self._tree, self.path, "exec")
