"""Vectors that are computed once for the tests of a module."""

from __future__ import annotations

from collections.abc import Iterable

from winnow.domain.dataset import Example
from winnow.recipes import encoder
from winnow.recipes.encoder import Remembered


def encoded(examples: Iterable[Example], texts: Iterable[str] = ()) -> Remembered:
    """The installed encoder, with the vectors of these examples and texts already computed."""
    remembered = Remembered(encoder.installed(), [*texts, *(example.text for example in examples)])
    for _ in remembered.encode():
        pass
    return remembered
