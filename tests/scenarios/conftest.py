"""Scenarios train often. Only those that look at how well a training learns train at length."""

from __future__ import annotations

import pytest

from tests.support.short_trainings import shorten

AT_LENGTH = {"test_believable_scores", "test_strangers"}


@pytest.fixture(autouse=True)
def _short_trainings(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.path.stem not in AT_LENGTH:
        shorten(monkeypatch)
