"""Registries broken on purpose: what the tests of faults have to find."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any

import pytest

from winnow.registry import Jobs
from winnow.registry import jobs as registry_jobs
from winnow.registry import table as rows
from winnow.storage import Storage


def no_condition(monkeypatch: pytest.MonkeyPatch) -> None:
    """A job's writes go through whatever became of its version."""
    guarded = registry_jobs._guarded

    def unguarded(*arguments: Any) -> Any:
        return replace(guarded(*arguments), condition="attribute_exists(#fence)", where={})

    monkeypatch.setattr(registry_jobs, "_guarded", unguarded)


def row_before_objects(monkeypatch: pytest.MonkeyPatch) -> None:
    """The version is committed, and its figures are written afterwards."""
    later: list[tuple[Any, ...]] = []
    commit, write_figure = Jobs.commit, Storage.write_figure

    def commit_first(*arguments: Any, **more: Any) -> None:
        commit(*arguments, **more)
        for each in later:
            write_figure(*each)
        later.clear()

    monkeypatch.setattr(Jobs, "commit", commit_first)
    monkeypatch.setattr(Storage, "write_figure", lambda *arguments: later.append(arguments))


def forgotten_deletion(monkeypatch: pytest.MonkeyPatch) -> None:
    """A deleted model's row goes, and no note stays of what is still to be removed."""
    transact = rows.transact
    monkeypatch.setattr(rows, "transact", lambda table, *writes: transact(table, *(writes[:1] if "delete" in _caller() else writes)))


def _caller() -> str:
    return sys._getframe(2).f_code.co_name
