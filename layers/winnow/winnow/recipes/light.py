"""The recipe "light": a weighted mean of the logits of "linear" and of "sentence" over the multilingual encoder, without onnxruntime."""

from __future__ import annotations

from winnow.recipes.mixture import Mixture, settings

__all__ = ["NAME", "Classifier", "settings"]

NAME = "light"


class Classifier(Mixture):
    """A Mixture that answers as a whole."""
