"""Breaks the package at one point after the other, and says which mutants pass all tests: `make test-mutants` (docs/faults.md).

One pytest collects the tests of all mutants. Each mutant is a fork of it, which finds everything loaded, and runs its tests one by one.
"""

from __future__ import annotations

import argparse
import gc
import os
import re
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from tests.mutants import loading
from tests.mutants.killers import EQUIVALENT, KILLERS, Tests

# A mutant may run without end.
_MOST_SECONDS = 1200
_PASSED, _FAILED = 0, 1

Mutant = tuple[str, str]
"""The module and the name of the point."""


@dataclass(eq=False)
class Trials:
    """A plugin of pytest: in place of running all tests once, try to kill each mutant."""

    mutants: Sequence[Mutant]
    survivors: list[str] = field(default_factory=list)
    # The name of the first test that failed in this process.
    _failed: str = ""
    _items: Sequence[pytest.Item] = ()
    # What fails of these tests without a mutant. They run once without one, when they have killed their first.
    _without: dict[Tests, str] = field(default_factory=dict)

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        if session.testsfailed:
            raise session.Failed("not all tests could be collected")
        self._items = session.items
        # Once before the forks: what the first test loads, they needn't.
        self._run(session.items[:1])
        gc.freeze()
        self._try_all()
        return True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and not self._failed:
            self._failed = report.nodeid

    def _try_all(self) -> None:
        """Print a line for each mutant, and keep the names of those that survive."""
        counts: Counter[str] = Counter()
        began = time.monotonic()
        for mutant in self.mutants:
            name, since = " ".join(mutant), time.monotonic()
            if name in EQUIVALENT:
                counts["equivalent"] += 1
                print(f"equivalent {name}: {EQUIVALENT[name]}", flush=True)
                continue
            killed_by = self._killer(mutant)
            counts["killed" if killed_by else "survived"] += 1
            if not killed_by:
                self.survivors.append(name)
            print(f"{time.monotonic() - since:6.1f} s   {name}: {killed_by or 'SURVIVED'}", flush=True)
        print(f"{len(self.mutants)} mutants in {time.monotonic() - began:.0f} s: {dict(counts)}")
        print(*(f"survived: {name}" for name in self.survivors), sep="\n")

    def _killer(self, mutant: Mutant) -> str:
        """The first test that fails with the mutant. Empty if all pass."""
        for tests in KILLERS[mutant[0]]:
            failed = self._in_a_fork(tests, mutant)
            if failed:
                if tests not in self._without:
                    self._without[tests] = self._in_a_fork(tests, None)
                if self._without[tests]:
                    sys.exit(f"winnow: {self._without[tests]} fails without a mutant too: fix it first")
                return failed
        return ""

    def _in_a_fork(self, tests: Tests, mutant: Mutant | None) -> str:
        """Run these tests, with or without a mutant. Returns the name of the first that fails, empty if all pass."""
        chosen = [item for item in self._items if any(_is_of(item, each) for each in tests)]
        if not chosen:
            sys.exit(f"winnow: there is no test {tests}")
        with tempfile.TemporaryFile() as told, tempfile.TemporaryFile() as output:
            child = os.fork()
            if not child:
                self._be_the_child(chosen, mutant, told.fileno(), output.fileno())
            status = _end_of(child)
            for file in (told, output):
                file.seek(0)
            if status == _PASSED:
                return ""
            if status is None:
                return f"{chosen[0].nodeid} (no end within {_MOST_SECONDS} s)"
            if status == _FAILED:
                return told.read().decode()
            sys.exit(f"winnow: {tests} could not run with {mutant}:\n{output.read().decode()}")

    def _be_the_child(self, items: Sequence[pytest.Item], mutant: Mutant | None, told: int, output: int) -> None:
        status = 3
        try:
            os.dup2(output, 1)
            os.dup2(output, 2)
            if mutant:
                loading.become(*mutant)
            self._run(items)
            os.write(told, self._failed.encode())
            status = _FAILED if self._failed else _PASSED
        finally:
            sys.stdout.flush()
            os._exit(status)

    def _run(self, items: Sequence[pytest.Item]) -> None:
        """Run these tests until one fails."""
        for item, following in zip(items, [*items[1:], None], strict=True):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if self._failed:
                return


def _is_of(item: pytest.Item, tests: str) -> bool:
    file, _, pattern = tests.partition("::")
    path, _, name = item.nodeid.partition("::")
    return path == file and bool(re.search(pattern, name))


def _end_of(child: int) -> int | None:
    """The status of a process that has ended. None if it had to be killed."""
    end = time.monotonic() + _MOST_SECONDS
    while time.monotonic() < end:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.02)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="make test-mutants", description=__doc__)
    parser.add_argument("--only", default="", help="the mutants whose names have this text")
    parser.add_argument("--list", action="store_true", help="only list the names")
    asked = parser.parse_args(arguments)
    names = [(module, point.name) for module, found in loading.all_points().items() for point in found]
    chosen = [name for name in names if asked.only in " ".join(name)]
    if not chosen:
        sys.exit(f"winnow: no mutant has {asked.only!r} in its name: python -m tests.mutants --list shows all {len(names)}")
    if asked.list:
        print(*(" ".join(name) for name in chosen), sep="\n")
        return 0
    trials = Trials(chosen)
    files = {each.partition("::")[0]: None for module, _ in chosen for tests in KILLERS[module] for each in tests}
    options = ("-q", "-s", "--no-header", "--no-summary", "-p", "no:cacheprovider")
    ended = pytest.main([*options, *files], plugins=[trials])
    return int(ended) or min(len(trials.survivors), 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
