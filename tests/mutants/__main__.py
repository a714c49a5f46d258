"""Breaks the package at one point after the other, and says which mutants pass all tests: `make test-mutants` (docs/faults.md).

One process runs one after the other. Each mutant is a fork of it, which has the packages of others loaded already.
"""

from __future__ import annotations

import argparse
import gc
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from tests.mutants import loading
from tests.mutants.killers import EQUIVALENT, KILLERS, Tests

# None of them may import the package, whose modules each fork imports anew.
_BEFORE_FORKING = (
    *("aws_lambda_powertools.logging", "aws_lambda_powertools.metrics", "boto3", "hypothesis", "spacy"),
    *("moto.dynamodb.models", "moto.events.models", "moto.s3.models", "moto.stepfunctions.models"),
)
# A mutant may run without end.
_MOST_SECONDS = 1200
_OPTIONS = ("-x", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", "--no-header")
_SURVIVED, _KILLED = 0, 1


@dataclass(frozen=True)
class Found:
    """What became of a mutant. killed_by: the test that failed, None if there is none."""

    killed_by: str | None
    seconds: float


class _Failure:
    """A plugin of pytest that keeps the name of the first test that fails."""

    def __init__(self, told: int) -> None:
        self._told = told

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            os.write(self._told, report.nodeid.encode())


def run(tests: Tests, mutant: tuple[str, str] | None) -> str | None:
    """Run these tests, with a mutant of a module or without. Returns the name of the first test that fails, None if all pass."""
    told, tell = os.pipe()
    with tempfile.TemporaryFile() as output:
        child = os.fork()
        if not child:
            _be_the_child(tests, mutant, tell, output.fileno())
        os.close(tell)
        status = _end_of(child)
        name = os.read(told, 4096).decode()
        os.close(told)
        if status == _SURVIVED:
            return None
        if status is None:
            return f"{tests[0]} (no end within {_MOST_SECONDS} s)"
        if name:
            return name
        output.seek(0)
        sys.exit(f"winnow: pytest {' '.join(tests)} could not run:\n{output.read().decode()}")


def _be_the_child(tests: Tests, mutant: tuple[str, str] | None, tell: int, output: int) -> None:
    status = 3
    try:
        os.dup2(output, 1)
        os.dup2(output, 2)
        if mutant:
            loading.load_from_now_on(*mutant)
        status = int(pytest.main([*_OPTIONS, *tests], plugins=[_Failure(tell)]))
    finally:
        os._exit(status)


def _end_of(child: int) -> int | None:
    """The status of a process that has ended. None if it had to be killed."""
    end = time.monotonic() + _MOST_SECONDS
    while time.monotonic() < end:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.05)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


def try_to_kill(module: str, point: str, sound: dict[Tests, bool]) -> Found:
    """Run a module's tests with a mutant of it, until one fails. sound: the tests that passed without any mutant, so far."""
    began = time.monotonic()
    for tests in KILLERS[module]:
        killed_by = run(tests, (module, point))
        if killed_by and not sound.setdefault(tests, run(tests, None) is None):
            sys.exit(f"winnow: {killed_by} fails without a mutant: mend it first")
        if killed_by:
            return Found(killed_by, time.monotonic() - began)
    return Found(None, time.monotonic() - began)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="make test-mutants", description=__doc__)
    parser.add_argument("--only", default="", help="the mutants whose names have this text")
    parser.add_argument("--list", action="store_true", help="only list the names")
    asked = parser.parse_args(arguments)
    names = [(module, point.name) for module, points in loading.all_points().items() for point in points]
    chosen = [(module, name) for module, name in names if asked.only in f"{module} {name}"]
    if not chosen:
        sys.exit(f"winnow: no mutant has {asked.only!r} in its name: --list shows all {len(names)}")
    if asked.list:
        print(*(f"{module} {name}" for module, name in chosen), sep="\n")
        return 0
    for package in _BEFORE_FORKING:
        __import__(package)
    # The forks share these objects, and need not look through them.
    gc.freeze()
    return _report(chosen)


def _report(chosen: Sequence[tuple[str, str]]) -> int:
    """Try all mutants and print a line for each. Returns the number of survivors."""
    sound: dict[Tests, bool] = {}
    counts: Counter[str] = Counter()
    survivors = []
    began = time.monotonic()
    for module, name in chosen:
        full = f"{module} {name}"
        if full in EQUIVALENT:
            counts["equivalent"] += 1
            print(f"equivalent  {full}: {EQUIVALENT[full]}", flush=True)
            continue
        found = try_to_kill(module, name, sound)
        if found.killed_by is None:
            survivors.append(full)
        counts["killed" if found.killed_by else "survived"] += 1
        print(f"{found.seconds:6.1f} s  {full}: {found.killed_by or 'SURVIVED'}", flush=True)
    print(f"{len(chosen)} mutants in {time.monotonic() - began:.0f} s: {dict(counts)}")
    print(*(f"survived: {full}" for full in survivors), sep="\n")
    return min(len(survivors), 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
