"""Explanations by leaving words out: the planted word counts most, the work is bounded, and the places are those of the text."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from layers.encoder import upload
from tests.support import tiny_encoder
from winnow.domain.dataset import Example
from winnow.domain.job import Hyperparameters
from winnow.recipes import occlusion
from winnow.recipes.artifact import TrainedClassifier
from winnow.recipes.encoder import Encoder
from winnow.training.fit import Training, train


class Counted:
    """Logits that are counts: of "good", of all characters, of Chinese "款"."""

    def __init__(self) -> None:
        self.calls: list[Sequence[str]] = []

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.calls.append(texts)
        return np.array([[text.lower().count("good"), len(text), text.count("款")] for text in texts], np.float32).reshape(-1, 3)


def contributions(text: str, label: int) -> dict[str, float]:
    return {word.word: word.contribution for word in occlusion.explained(Counted(), text, label)[1]}


def test_a_word_adds_what_the_logit_loses_without_it() -> None:
    logits = Counted()
    logit, words, untried = occlusion.explained(logits, "Not  GOOD, good enough", 0)

    assert (logit, untried) == (2.0, 0)
    assert [(word.word, word.contribution) for word in words] == [("not", 0), ("good", 1), (",", 0), ("good", 1), ("enough", 0)]
    assert [(word.start, word.end) for word in words] == [(0, 3), (5, 9), (9, 10), (11, 15), (16, 22)]
    # All in one call, and no space too many.
    assert logits.calls == [
        [
            "Not  GOOD, good enough",
            " GOOD, good enough",
            "Not  , good enough",
            "Not  GOOD good enough",
            "Not  GOOD, enough",
            "Not  GOOD, good ",
        ]
    ]


def test_each_character_of_a_script_without_spaces_is_a_word() -> None:
    assert contributions("我要退款 now", 2) == {"我": 0, "要": 0, "退": 0, "款": 1, "now": 0}


@pytest.mark.parametrize(
    ("text", "words"), [("", []), ("  ", []), ("good", ["good"]), ("½ cup", ["1\u20442", "cup"]), ("\ud800", ["\ud800"])]
)
def test_short_and_odd_texts(text: str, words: list[str]) -> None:
    logit, found, untried = occlusion.explained(Counted(), text, 1)
    assert ([word.word for word in found], untried) == (words, 0)
    assert logit == len(text)
    assert all(text[word.start : word.end] for word in found)


@pytest.mark.parametrize(
    ("text", "fewest", "most"),
    [
        ("good " * 100, 100, 100),
        ("good " * 150, 100, 100),
        ("good " * 300, 35, 60),
        ("good " * 4_000, 9, 11),
        ("?" * 600, 20, 25),
        ("款" * 600, 20, 25),
        ("x" * 20_000, 9, 11),
    ],
)
def test_of_a_long_text_the_first_words_are_tried(text: str, fewest: int, most: int) -> None:
    logits = Counted()
    _, words, untried = occlusion.explained(logits, text, 0)
    assert fewest <= len(words) <= most
    assert [word.start for word in words] == sorted(word.start or 0 for word in words)
    assert len(words) + untried == len(occlusion._places(text))
    assert len(logits.calls[0]) == 1 + len(words)


# --- classifiers ---

# The tiny encoder gives these words the longest vectors.
ENDS = {"bank": "stolen", "garden": "card"}


def examples(*, exclusive: bool) -> list[Example]:
    fillings = ["i want to save", "how do i go", "tulip bulbs go", "how deep", "save i do", "i want to go"]
    found = [Example(f"{filling} {word}", (label,)) for label, word in ENDS.items() for filling in fillings * 2]
    return found if exclusive else [*found, *(Example(f"{filling} stolen card", ("bank", "garden")) for filling in fillings)]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    folder = tmp_path_factory.mktemp("tiny")
    tiny_encoder.put(folder, dynamic=False)
    (folder / "encoder.json").write_bytes(upload.described(folder, "tiny", "mean", 16))
    return Encoder(folder)


def trained(recipe: str, tiny: Encoder, *, exclusive: bool = True) -> TrainedClassifier:
    training = Training(recipe, examples(exclusive=exclusive), Hyperparameters(n_iter=3), exclusive=exclusive, encoders=[tiny])
    for _ in training.steps():
        pass
    return training.result()


@pytest.mark.parametrize("recipe", ["sentence", "best"])
def test_the_planted_word_counts_most(recipe: str, tiny: Encoder) -> None:
    classifier = trained(recipe, tiny)
    for label, word in ENDS.items():
        text = f"how do i want {word} to go"
        [[first, *_]] = classifier.predict([text])
        told = classifier.explain(text, first.label)

        assert (first.label, told.label, told.method, told.bias, told.untried_words) == (label, label, "occlusion", None, 0)
        assert max(told.words, key=lambda each: each.contribution).word == word
        number = classifier.labels.index(label)
        whole, without = classifier.classifier.logits([text, "how do i want to go"])[:, number].tolist()
        assert told.logit == pytest.approx(whole, abs=1e-5)
        assert told.words[4].contribution == pytest.approx(whole - without, abs=1e-5)


def test_so_it_does_with_several_labels(tiny: Encoder) -> None:
    classifier = trained("best", tiny, exclusive=False)
    for label, word in ENDS.items():
        told = classifier.explain("how stolen card go", label)
        assert max(told.words, key=lambda each: each.contribution).word == word


def test_linear_stays_exact(tiny: Encoder) -> None:
    classifier = train("linear", examples(exclusive=True), Hyperparameters(n_iter=3), exclusive=True)
    told = classifier.explain("how do i want card to go", "garden")
    assert (told.method, told.untried_words) == ("exact", 0)
    assert told.bias is not None
    assert told.bias + sum(word.contribution for word in told.words) == pytest.approx(told.logit)
