"""A smaller space of features for tests that train or save often: a training resets each of its places, and each checkpoint has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from winnow.recipes import features, sparse_linear

if TYPE_CHECKING:
    import pytest

_BITS = 12


def shrink(monkeypatch: pytest.MonkeyPatch) -> None:
    """4,096 places per family of features instead of 262,144. The caller clears features._words afterwards: it remembers places."""
    for module, name, value in ((features, "BITS", _BITS), (features, "_MASK", (1 << _BITS) - 1), (features, "SPACE", 2 << _BITS)):
        monkeypatch.setattr(module, name, value)
    monkeypatch.setattr(sparse_linear, "SPACE", features.SPACE)
    features._words.cache_clear()
