"""Vectors that are made once for the tests of a module."""

from __future__ import annotations

from collections.abc import Iterable

from winnow.domain.dataset import Example
from winnow.recipes import encoder
from winnow.recipes.encoder import Remembered


def encoded(examples: Iterable[Example], texts: Iterable[str] = ()) -> Remembered:
    """The encoder as installed, for which the texts of the examples and these have their vectors already."""
    remembered = Remembered(encoder.installed(), [*texts, *(example.text for example in examples)])
    for _ in remembered.encode():
        pass
    return remembered
