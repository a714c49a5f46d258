"""The tool behind `make test-mutants` finds the points by itself, and makes mutants that break what they should."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from textwrap import dedent
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.mutants import loading, points
from tests.mutants.__main__ import Mutant, Trials
from tests.mutants.killers import EQUIVALENT, KILLERS

POINTS = loading.all_points()


def found(code: str) -> dict[str, points.Point]:
    tree = ast.parse(dedent(code))
    named = {point.name: point for point in points.find(tree, points.writers([tree]))}
    for point in named.values():
        object.__setattr__(point, "tree", tree)
    return named


def mutant(code: str, name: str) -> str:
    """The code of a mutant."""
    point: Any = found(code)[name]
    point.change()
    return ast.unparse(ast.fix_missing_locations(point.tree))


def test_each_clause_of_a_condition_is_a_point_and_always_holds_in_its_mutant() -> None:
    code = """
    def change(key, more):
        update(Update(key, condition=f"#uid = :uid AND {more}", where={}))
    """
    always = "attribute_exists(pk) OR attribute_not_exists(pk)"

    assert list(found(code)) == ["change: condition #uid = :uid", "change: condition {more}"]
    assert f"(#uid = :uid OR {always}) AND {{more}}" in mutant(code, "change: condition #uid = :uid")
    assert f"#uid = :uid AND ({{more}} OR {always})" in mutant(code, "change: condition {more}")


def test_what_only_looks_like_a_condition_is_none() -> None:
    code = '''
    def change(names):
        """The row, where #uid = :uid."""
        return "SET " + ", ".join(f"#{name} = :new_{name}" for name in names)
    '''

    assert not found(code)


def test_conditions_made_in_a_loop_are_left_out_one_by_one() -> None:
    code = 'WAITS = " AND ".join(f"#{mark} < :batch" for mark in ("taking", "taken"))'

    assert "for mark in ('taken',)" in mutant(code, "WAITS: condition for 'taking'")


def test_writes_are_made_in_the_other_order() -> None:
    code = """
    def first(s3, done):
        s3.put_object(Key="a")

    def both(s3, done):
        first(s3, done)
        done.append("between")
        s3.delete_object(Key="b")
    """
    done: list[str] = []

    class S3:
        def put_object(self, Key: str) -> None:  # noqa: N803
            done.append(f"put {Key}")

        def delete_object(self, Key: str) -> None:  # noqa: N803
            done.append(f"delete {Key}")

    late = loading.Late()
    space: dict[str, Any] = {points.LATER: late.write_later, points.MAKE_UP: late.make_up_for, points.FORGET: late.calls.clear}
    exec(mutant(code, "both: order first > delete_object"), space)  # noqa: S102
    space["both"](S3(), done)

    assert done == ["between", "delete b", "put a"]


def test_every_point_has_tests_and_every_equivalent_is_a_point() -> None:
    names = {f"{module} {point.name}" for module, found in POINTS.items() for point in found}

    assert {module for module, found in POINTS.items() if found} <= KILLERS.keys()
    assert EQUIVALENT.keys() <= names
    files = {argument for runs in KILLERS.values() for tests in runs for argument in tests if argument.endswith(".py")}
    assert [file for file in files if not (ROOT / file).exists()] == []


@pytest.mark.parametrize("module", [module for module, found in POINTS.items() if found])
def test_every_mutant_is_a_module_of_its_own(module: str) -> None:
    sources = {ast.unparse(loading.mutant(module, point.name)) for point in POINTS[module]}

    assert len(sources) == len(POINTS[module])
    assert ast.unparse(ast.parse(loading.sources()[module].read_text())) not in sources
    for source in sources:
        compile(source, module, "exec")


def test_conditions_and_writes_are_found_in_the_package() -> None:
    names = " ".join(f"{module} {point.name}" for module, found in POINTS.items() for point in found)

    assert "registry.slots Slots.give: condition #revision = :revision" in names
    assert "storage.bucket Bucket.put_once: once IfNoneMatch='*'" in names
    assert "storage.candidates Candidates.write: order put > put_once" in names


@pytest.mark.parametrize("without", ["", "test_that_is_broken"])
def test_what_kills_a_mutant_runs_once_without_one_and_must_pass(monkeypatch: pytest.MonkeyPatch, without: str) -> None:
    ran: list[Mutant | None] = []

    def run(_: Trials, __: object, mutant: Mutant | None) -> str:
        ran.append(mutant)
        return "test_that_kills" if mutant else without

    monkeypatch.setattr(Trials, "_in_a_fork", run)
    trials, one, another = Trials([]), ("registry.slots", "one"), ("registry.slots", "another")

    if without:
        with pytest.raises(SystemExit, match=f"{without} fails without a mutant"):
            trials._killer(one)
    else:
        assert [trials._killer(one), trials._killer(another)] == ["test_that_kills"] * 2
        assert ran == [one, None, another]


def test_a_mutant_is_killed_by_its_test() -> None:
    """Takes 5 s: two runs of pytest in forks."""
    ran = subprocess.run(
        [sys.executable, "-m", "tests.mutants", "--only", "registry.models Models.promote: condition #status"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )

    assert re.search(r"#status = :ready: tests/unit/test_write_conditions\.py::test_a_version_that_is_not_ready", ran.stdout)
    assert "{'killed': 1}" in ran.stdout
