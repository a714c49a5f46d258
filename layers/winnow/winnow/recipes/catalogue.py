"""The recipes that there are, what each costs, and which are tried.

This module needs neither spaCy nor numpy: the API and the workflow's first task have no spaCy layer.
"""

from collections.abc import Mapping

from winnow.domain.errors import EncoderError

COSTS: Mapping[str, int] = {"linear": 1, "cnn": 2, "sentence": 2, "best": 2}
"""Each recipe with its class of cost, the cheapest first."""

AUTO = "auto"
"""In the place of a recipe: several are tried, and the best becomes the version."""

RECIPES = (AUTO, *COSTS)
"""What a client may name, the default first."""

OF_ENCODER = ("sentence", "best")
"""Those that need a sentence encoder."""


def candidates(recipe: str, *, has_encoder: bool) -> tuple[str, ...]:
    """The recipes to try where a client named this one, the cheapest first. has_encoder: whether the deployment has a sentence encoder.

    EncoderError where it has none, and the recipe needs one.
    """
    if recipe in OF_ENCODER and not has_encoder:
        raise EncoderError("This deployment has no sentence encoder: deploy it with the parameter Encoder=minilm, or name another recipe.")
    if recipe != AUTO:
        return (recipe,)
    return ("linear", "best") if has_encoder else ("linear",)
