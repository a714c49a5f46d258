"""The recipes, the cost of each, and the candidates to try.

Without spaCy and numpy: the API and the workflow's first task don't have the spaCy layer.
"""

from collections.abc import Mapping, Sequence

from winnow.domain.errors import EncoderError

COSTS: Mapping[str, int] = {"linear": 1, "light": 2, "cnn": 2, "sentence": 2, "best": 2}
"""The cost class of each recipe, the cheapest first."""

AUTO = "auto"
"""The choice that tries several recipes and uses the best."""

ZERO_SHOT = "zero-shot"
"""The recipe without examples: it knows labels by their names. It is never compared with the others, so it has no cost."""

RECIPES = (AUTO, *COSTS, ZERO_SHOT)
"""The names that a client may use, the default first."""

FORMS = (WHOLE, IN_PARTS) = (1, 2)
"""The forms of an artifact's files that this release reads: one file of weights, or one for each part, and stages. A new one comes when
earlier releases couldn't read the files."""

OF_ENCODER = ("sentence", "light", "best", ZERO_SHOT)
"""The recipes that need a sentence encoder."""

LANGUAGES_OF_ENCODER: Mapping[str, frozenset[str]] = {
    "minilm": frozenset({"en"}),
    "use-multilingual": frozenset({"ar", "de", "en", "es", "fr", "it", "ja", "ko", "nl", "pl", "pt", "ru", "th", "tr", "zh"}),
}
"""The languages that the layer's encoders speak, by the value of the parameter Encoder."""

_MOST_CROSS_VALIDATED: Mapping[str, int] = {"linear": 2_000, "light": 2_000, "cnn": 500, "sentence": 2_000, "best": 2_000}


def most_cross_validated(recipes: Sequence[str]) -> int:
    """Up to this number of examples, trainings with these recipes are measured by cross-validation: each recipe is fitted some more times.

    Above it, a part of the examples is held out instead. cnn takes the longest to fit.
    """
    return min(_MOST_CROSS_VALIDATED[recipe] for recipe in recipes)


def candidates(recipe: str, *, has_encoder: bool) -> tuple[str, ...]:
    """The recipes to try for the name in the request, the cheapest first. has_encoder: whether the deployment has a sentence encoder.

    auto tries two recipes, linear and best, or only linear without an encoder. Raises EncoderError if the recipe needs an encoder and there
    is none.
    """
    if recipe in OF_ENCODER and not has_encoder:
        raise EncoderError(
            "This deployment has no sentence encoder: deploy it with the parameter Encoder=minilm, or choose another recipe."
        )
    if recipe != AUTO:
        return (recipe,)
    return ("linear", "best") if has_encoder else ("linear",)
