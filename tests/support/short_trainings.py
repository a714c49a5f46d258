"""Shorter trainings, for tests that train often and don't look at how well a training learns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from winnow.recipes import contrast
from winnow.training import folds

if TYPE_CHECKING:
    import pytest


def shorten(monkeypatch: pytest.MonkeyPatch, shares_of_curve: Sequence[float] = ()) -> None:
    """Few steps of the projection for few examples, and a learning curve of these shares: five sixths of the time of training `best`."""
    monkeypatch.setattr(contrast, "_STEPS", 4)
    monkeypatch.setattr(folds, "_SHARES_OF_CURVE", shares_of_curve)
