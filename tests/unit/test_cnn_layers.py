"""Our layers of the recipe "cnn" give the same numbers as those of spaCy and thinc."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import spacy
from spacy.tokens import Doc
from spacy.util import registry
from thinc.api import Model, NumpyOps, fix_random_seed

from winnow.recipes.cnn_layers import Ops

TEXTS = ["my card is lost, my card!", "", "is my card lost?", "it isn't mine", "my card is lost, my card!"]
_EMBED = {
    "@architectures": "spacy.MultiHashEmbed.v2",
    "width": 8,
    "attrs": ["NORM", "PREFIX", "SUFFIX", "SHAPE"],
    "rows": [50, 10, 25, 25],
    "include_static_vectors": False,
}


@pytest.fixture(scope="module")
def docs() -> list[Doc]:
    return list(spacy.blank("en").pipe(TEXTS))


def made(config: dict[str, Any], docs: list[Doc]) -> Model[list[Doc], Any]:
    model: Model[list[Doc], Any] = registry.resolve({"model": config})["model"]
    fix_random_seed(0)
    model.initialize(docs)
    return model


def test_tokens_embedded_once_have_the_vectors_of_tokens_embedded_each(docs: list[Doc]) -> None:
    each, once = (made(config, docs) for config in (_EMBED, {"@architectures": "winnow.EmbedOnce.v1", "embed": _EMBED}))

    for expected, found in zip(each.predict(docs), once.predict(docs), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-6)


def test_it_learns_as_its_layers_do_and_takes_their_weights(docs: list[Doc]) -> None:
    each, once = (made(config, docs) for config in (_EMBED, {"@architectures": "winnow.EmbedOnce.v1", "embed": _EMBED}))
    for model in (each, once):
        vectors, backprop = model(docs, is_train=True)
        backprop([np.ones_like(of_doc) for of_doc in vectors])
    mixing = [next(node for node in model.walk() if node.name == "maxout") for model in (each, once)]
    expected, found = (np.asarray(node.get_grad("W")) for node in mixing)

    np.testing.assert_array_equal(found, expected)
    assert np.abs(found).max() > 0
    assert once.from_bytes(each.to_bytes()).to_bytes() == each.to_bytes()


def test_the_greatest_piece_and_where_its_gradient_goes_are_those_of_thinc() -> None:
    pieces = np.random.default_rng(0).normal(size=(7, 5, 3)).astype(np.float32)
    pieces[0] = 1
    gradient = np.random.default_rng(1).normal(size=(7, 5)).astype(np.float32)
    ours, theirs = Ops(), NumpyOps()
    best, kept = ours.maxout(pieces)
    expected, which = theirs.maxout(pieces)

    np.testing.assert_array_equal(best, expected)
    np.testing.assert_array_equal(ours.backprop_maxout(gradient, kept, 3), theirs.backprop_maxout(gradient, which, 3))
