"""Explanations: words' contributions add up to the logit, and each has the word's place in the text."""

from __future__ import annotations

import random
import unicodedata

import numpy as np
import pytest

from tests.conftest import load_dataset
from winnow.domain.dataset import Example
from winnow.domain.job import Hyperparameters
from winnow.recipes import features
from winnow.recipes.artifact import TrainedClassifier
from winnow.recipes.words import spans, words_of
from winnow.training.fit import train

EXAMPLES = {
    True: [Example(record["text"], (record["label"],)) for record in load_dataset("exclusive.json")],
    False: [Example(record["text"], tuple(record["labels"])) for record in load_dataset("multilabel.jsonl")],
}
ODD = [
    "",
    "  ",
    "?",
    "🙂 🙂",
    "İstanbul ﬁne Straße",
    "ΟΔΟΣ Σ",
    "각",
    "a" * 300,
    "tulip tulip tulip",
    "e\u0301te\u0301 №5 ½",
    "\ud800 tulip",
]


@pytest.fixture(scope="module", params=[True, False], ids=["exclusive", "multilabel"])
def classifier(request: pytest.FixtureRequest) -> TrainedClassifier:
    return train("linear", EXAMPLES[request.param], Hyperparameters(n_iter=3), exclusive=request.param)


def random_texts(count: int) -> list[str]:
    """Texts of learnt and other words, and of characters that Unicode's normal form or lower case changes."""
    chance = random.Random(0)
    words = [word for example in EXAMPLES[True] + EXAMPLES[False] for word in example.text.split()]
    odd = ["ﬁ", "İ", "e\u0301", "½", "🙂", "ǅ", "\u1100\u1161\u11a8", "Å", "x" * 70, "Σ", "..."]
    return [" ".join(chance.choices(words + odd, k=chance.randint(1, 30))) for _ in range(count)]


def test_contributions_and_bias_add_up_to_the_logit(classifier: TrainedClassifier) -> None:
    texts = [*ODD, *random_texts(300)]
    judged = classifier.judged(texts)
    for text, logits in zip(texts, judged.logits, strict=True):
        for number in {int(logits.argmax()), 0}:
            told = classifier.explain(text, classifier.labels[number])
            assert told.bias is not None
            assert told.bias + sum(word.contribution for word in told.words) == pytest.approx(told.logit, abs=1e-9)
            assert told.logit == pytest.approx(float(logits[number]), abs=1e-5)
            assert [word.word for word in told.words] == words_of(text, scripts=True)


def test_from_the_logit_to_the_score_it_is_the_temperature() -> None:
    classifier = train("linear", EXAMPLES[False], Hyperparameters(n_iter=3), exclusive=False)
    for text in random_texts(20):
        [labels] = classifier.predict([text])
        told = classifier.explain(text, labels[0].label)
        assert 1 / (1 + np.exp(-told.logit / told.temperature)) == pytest.approx(labels[0].score, abs=2e-6)


def test_what_was_brought_by_several_words_is_shared_as_often_as_they_brought_it(
    classifier: TrainedClassifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    # All features share one place in each family, so a word counts as often as it has features.
    features._words.cache_clear()
    monkeypatch.setattr(features, "_MASK", 0)
    try:
        collided = train("linear", EXAMPLES[True], Hyperparameters(n_iter=1), exclusive=True)
        told = collided.explain("tulip tulip rose", collided.labels[0])
    finally:
        features._words.cache_clear()
    assert told.bias is not None
    first, second, third = (word.contribution for word in told.words)
    # The middle word is in two pairs.
    assert abs(second) > abs(first) > abs(third)
    assert told.bias + first + second + third == pytest.approx(told.logit)


def test_a_word_the_model_learnt_tells_more_than_one_it_never_saw() -> None:
    classifier = train("linear", EXAMPLES[True], Hyperparameters(n_iter=8), exclusive=True)
    text = "xqzvw bread"
    told = classifier.explain(text, classifier.predict([text])[0][0].label)
    strange, known = (word.contribution for word in told.words)
    assert known > strange


def test_a_word_is_found_where_it_stands_in_the_text() -> None:
    assert spans("How deep?", scripts=True) == [(0, 3), (4, 8), (8, 9)]
    for text in [*ODD, *random_texts(300)]:
        found = spans(text, scripts=True)
        assert found is not None, text
        for word, (start, end) in zip(words_of(text, scripts=True), found, strict=True):
            read, stands = _normal(word), _normal(text[start:end])
            # Or the word is a piece of a longer run, or of one character that becomes several.
            assert read in stands or stands in read


def _normal(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()
