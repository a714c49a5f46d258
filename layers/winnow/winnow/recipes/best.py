"""The recipe "best": a cascade of "linear", of "light", and of the mean with the sentences of the deployment's own encoder.

Each text is answered by the first stage that is sure of it (recipes.artifact).
"""

from __future__ import annotations

from winnow.recipes.mixture import Mixture, settings

__all__ = ["NAME", "Classifier", "settings"]

NAME = "best"


class Classifier(Mixture):
    """A Mixture whose stages answer."""

    cascade = True
