"""The recipe "cnn" and its artifact: reproducible, the same after loading, and safe with odd texts."""

from __future__ import annotations

import json
import pkgutil

import numpy as np
import pytest
import spacy.lang

from tests.conftest import load_dataset
from winnow.domain import Example
from winnow.recipes import cnn
from winnow.recipes.artifact import TrainedClassifier
from winnow.recipes.languages import LANGUAGES

LABELS = ("baking", "cycling", "gardening")
TEXTS = ["How deep do tulip bulbs go?", "a flat tyre", "?", "🙂", "x" * 500]


def trained(epochs: int = 2, *, exclusive: bool = True) -> cnn.Classifier:
    examples = [Example(record["text"], (record["label"],)) for record in load_dataset("exclusive.json")]
    classifier = cnn.Classifier("en", LABELS, exclusive=exclusive)
    classifier.train(examples, epochs, lambda epoch: None)
    return classifier


@pytest.fixture(scope="module")
def classifier() -> cnn.Classifier:
    return trained()


def test_the_same_seed_gives_the_same_scores(classifier: cnn.Classifier) -> None:
    assert np.array_equal(trained().scores(TEXTS), classifier.scores(TEXTS))


def test_scores_are_the_same_after_bytes(classifier: cnn.Classifier) -> None:
    again = cnn.Classifier("en", LABELS, exclusive=True).from_bytes(classifier.to_bytes())

    assert np.array_equal(again.scores(TEXTS), classifier.scores(TEXTS))


def test_a_text_scores_the_same_alone_and_among_others(classifier: cnn.Classifier) -> None:
    together = classifier.scores(TEXTS * 60)

    assert together.shape == (300, 3)
    assert np.allclose(together[:5], np.vstack([classifier.scores([text]) for text in TEXTS]), atol=1e-5)
    assert np.allclose(together[295:], together[:5], atol=1e-5)


def test_exclusive_scores_add_up_to_one(classifier: cnn.Classifier) -> None:
    assert np.allclose(classifier.scores(TEXTS).sum(axis=1), 1, atol=1e-5)


def test_multilabel_scores_are_each_from_0_to_1() -> None:
    scores = trained(exclusive=False).scores(TEXTS)

    assert ((scores >= 0) & (scores <= 1)).all()
    assert not np.allclose(scores.sum(axis=1), 1, atol=1e-3)


@pytest.mark.parametrize("text", ["(" * 10_000, "a" * 20_000, "\u0301" * 10_000, "🙂" * 10_000])
def test_a_text_made_to_be_slow_is_classified(classifier: cnn.Classifier, text: str) -> None:
    assert np.isfinite(classifier.scores([text])).all()


def test_no_texts_give_no_scores(classifier: cnn.Classifier) -> None:
    assert classifier.scores([]).shape == (0, 3)


def test_the_vocabulary_does_not_grow_with_what_is_asked(classifier: cnn.Classifier) -> None:
    vocabulary = classifier._nlp.vocab
    classifier.scores(["a first text"])
    words, strings = len(list(vocabulary)), len(vocabulary.strings)

    for number in range(50):
        classifier.scores([f"word{number} unseen{number}"])

    assert (len(list(vocabulary)), len(vocabulary.strings)) == (words, strings)


def test_epochs_are_told_of_one_by_one_and_can_end_the_training() -> None:
    told: list[cnn.Epoch] = []

    def second(epoch: cnn.Epoch) -> None:
        told.append(epoch)
        if epoch.number == 2:
            raise InterruptedError

    examples = [Example(f"{label} {number}", (label,)) for label in "ab" for number in range(4)]
    with pytest.raises(InterruptedError):
        cnn.Classifier("en", ("a", "b"), exclusive=True).train(examples, 5, second)

    assert [(epoch.number, epoch.of) for epoch in told] == [(1, 5), (2, 5)]
    assert told[1].loss < told[0].loss


@pytest.mark.parametrize("exclusive", [True, False])
def test_an_artifact_answers_as_what_it_was_made_of(exclusive: bool) -> None:
    made = TrainedClassifier(trained(1, exclusive=exclusive), "en", thresholds=(0.2, 0.3, 0.4))

    again = TrainedClassifier.from_files(made.to_files())

    assert (again.labels, again.language, again.thresholds) == (made.labels, made.language, made.thresholds)
    assert again.predict(TEXTS) == made.predict(TEXTS)
    assert again.choose(TEXTS) == made.choose(TEXTS)
    assert again.classifier.exclusive == exclusive


def test_an_artifact_is_data_and_nothing_else() -> None:
    files = TrainedClassifier(trained(1), "en", thresholds=(0.5,) * 3).to_files()

    assert set(files) == {"classifier.json", "weights.bin"}
    assert json.loads(files["classifier.json"])["labels"] == list(LABELS)


@pytest.mark.parametrize(("exclusive", "accepted"), [(True, [True, False, False]), (False, [True, True, True])])
def test_what_is_accepted_reaches_its_threshold(classifier: cnn.Classifier, exclusive: bool, accepted: list[bool]) -> None:
    made = TrainedClassifier(trained(1, exclusive=exclusive), "en", thresholds=(0.0, 0.0, 0.0))
    assert [label.accepted for label in made.predict(TEXTS)[0]] == accepted

    strict = TrainedClassifier(made.classifier, "en", thresholds=(1.1, 1.1, 1.1))
    assert not any(label.accepted for label in strict.predict(TEXTS)[0])
    # An exclusive classifier still chooses; a multilabel one may choose nothing.
    assert len(strict.choose(TEXTS)[0]) == int(exclusive)


def test_the_languages_offered_are_spacys_own_but_for_those_that_need_more() -> None:
    theirs = {module.name for module in pkgutil.iter_modules(spacy.lang.__path__) if module.ispkg}

    assert set(LANGUAGES) == theirs - {"ja", "ko", "th", "vi", "zh"}
    assert len(LANGUAGES) == len(set(LANGUAGES))


@pytest.mark.parametrize("language", ["xx", "ru", "he"])
def test_another_language_can_be_started_from(language: str) -> None:
    assert cnn.Classifier(language, LABELS, exclusive=True).labels == LABELS


def test_fewer_examples_get_more_epochs() -> None:
    epochs = [cnn.epochs_for(examples) for examples in (0, 36, 7_000, 10_000, 1_000_000)]

    assert epochs == sorted(epochs, reverse=True)
    assert epochs[0] > epochs[-1] >= 1
