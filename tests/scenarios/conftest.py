"""Scenarios train often. Only those that look at how well a training learns, or at each of its steps, train at length."""

from __future__ import annotations

import pytest

from winnow.recipes import contrast
from winnow.training import folds

AT_LENGTH = {"test_believable_scores", "test_segments", "test_strangers"}


@pytest.fixture(autouse=True)
def _short_trainings(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Few steps of the projection for few examples, and no learning curve: together five sixths of the time of a training of `best`."""
    if request.path.stem not in AT_LENGTH:
        monkeypatch.setattr(contrast, "_STEPS", 4)
        monkeypatch.setattr(folds, "_SHARES_OF_CURVE", ())
