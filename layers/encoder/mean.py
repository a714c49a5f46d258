"""Makes use_multilingual_mean.json, which use-multilingual subtracts from its vectors.

PYTHONPATH=layers/winnow python -m layers.encoder.mean

The texts are the example sentences of spaCy (MIT) in the encoder's languages, all but Thai, for which spaCy has none. Each language counts
the same. It is the same for all deployments and never changes: it is a part of the encoder.
"""

import json
from importlib import import_module
from typing import cast

import numpy as np
from numpy.typing import NDArray

from layers.encoder.use_multilingual import LANGUAGES, MEAN
from winnow.recipes import encoder
from winnow.recipes.multilingual import Multilingual

_DIGITS = 6


def mean() -> NDArray[np.float32]:
    """Of shape (512,): the mean of the languages' mean vectors."""
    multilingual = cast("Multilingual", encoder.installed(encoder.MULTILINGUAL))
    languages = [language for language in LANGUAGES if language != "th"]
    sentences = [import_module(f"spacy.lang.{language}.examples").sentences for language in languages]
    means: NDArray[np.float32] = np.array([multilingual.uncentred(each).mean(axis=0) for each in sentences])
    return means.mean(axis=0)


if __name__ == "__main__":
    MEAN.write_text(json.dumps([round(float(number), _DIGITS) for number in mean()]) + "\n", encoding="utf-8")
