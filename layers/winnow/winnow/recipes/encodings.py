"""The sentence encoders that a recipe learns from."""

from __future__ import annotations

from collections.abc import Set
from typing import TYPE_CHECKING

from winnow.recipes import encoder
from winnow.recipes.catalogue import LANGUAGES_OF_ENCODER, OF_ENCODER
from winnow.recipes.encoder import MULTILINGUAL

if TYPE_CHECKING:
    from winnow.recipes.encoder import Encoding


def of_recipe(recipe: str, main: Encoding, language: str, spoken: Set[str] | None) -> tuple[Encoding, ...]:
    """The encoders for a training with the recipe, the cheaper one first. Empty if the recipe needs none.

    main: the deployment's encoder for trainings. language: of most texts, such as "en". spoken: the languages of `main`, None if nobody
    said them.

    "light" has the multilingual encoder, "sentence" the main one, and "best" has both. It has only the multilingual one if only that speaks
    the language: an encoder that doesn't would make the answers worse. Raises EncoderError if the layer has no multilingual encoder.
    """
    if recipe not in OF_ENCODER:
        return ()
    if recipe == "sentence":
        return (main,)
    light = encoder.installed(MULTILINGUAL)
    only_light = spoken is not None and language not in spoken and language in LANGUAGES_OF_ENCODER[MULTILINGUAL]
    if recipe == "light" or main.digest == light.digest or only_light:
        return (light,)
    return (light, main)
