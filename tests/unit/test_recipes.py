"""The recipes and their artifacts: reproducible, the same after loading, calibrated, and safe with odd texts."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import spacy

from tests.conftest import ROOT, load_dataset
from winnow.domain.dataset import Example
from winnow.domain.job import Hyperparameters
from winnow.recipes import cnn
from winnow.recipes.artifact import Classifier, TrainedClassifier, recipe_of
from winnow.recipes.catalogue import COSTS
from winnow.training import fit

LABELS = ("baking", "cycling", "gardening")
TEXTS = ["How deep do tulip bulbs go?", "a flat tyre", "?", "🙂", "x" * 500]
SETTINGS = {
    "linear": Hyperparameters(n_iter=2, learn_rate=2.0, batch_size=1),
    "cnn": Hyperparameters(n_iter=2, dropout=0.2),
    "sentence": Hyperparameters(n_iter=1),
    "light": Hyperparameters(n_iter=2, learn_rate=2.0, batch_size=1),
    "best": Hyperparameters(n_iter=2, learn_rate=2.0, batch_size=1),
}
# A kernel is solved in one pass, so sentence has no epochs with so few examples (test_maxout.py tests it with many).
IN_EPOCHS = [recipe for recipe in COSTS if recipe != "sentence"]


def examples() -> list[Example]:
    return [Example(record["text"], (record["label"],)) for record in load_dataset("exclusive.json")]


def trained(recipe: str, *, exclusive: bool = True, language: str = "en") -> Classifier:
    classifier: Classifier = recipe_of(recipe).Classifier(LABELS, exclusive=exclusive, language=language)
    fitting = classifier.fitting(examples(), SETTINGS[recipe])
    for _ in fitting.begin():
        pass
    while fitting.epochs < (SETTINGS[recipe].n_iter or 0):
        for _ in fitting.run_epoch():
            pass
    fitting.finish()
    return classifier


@pytest.fixture(scope="module", params=COSTS)
def recipe(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def classifier(recipe: str) -> Classifier:
    return trained(recipe)


def test_the_same_seed_gives_the_same_logits(recipe: str, classifier: Classifier) -> None:
    assert np.array_equal(trained(recipe).logits(TEXTS), classifier.logits(TEXTS))


def test_logits_are_the_same_after_bytes(recipe: str, classifier: Classifier) -> None:
    again = recipe_of(recipe).Classifier(LABELS, exclusive=True, language="en").from_bytes(classifier.to_bytes())

    assert np.array_equal(again.logits(TEXTS), classifier.logits(TEXTS))


def test_a_text_has_the_same_logits_alone_and_among_others(classifier: Classifier) -> None:
    together = classifier.logits(TEXTS * 60)

    assert together.shape == (300, 3)
    assert together.dtype == np.float32
    assert np.allclose(together[:5], np.vstack([classifier.logits([text]) for text in TEXTS]), atol=1e-4)
    assert np.allclose(together[295:], together[:5], atol=1e-4)


@pytest.mark.parametrize("text", ["(" * 10_000, "a" * 20_000, "\u0301" * 10_000, "🙂" * 10_000, "\u200b"])
def test_a_text_made_to_be_slow_is_classified(classifier: Classifier, text: str) -> None:
    assert np.isfinite(classifier.logits([text])).all()


def test_no_texts_give_no_logits(classifier: Classifier) -> None:
    assert classifier.logits([]).shape == (0, 3)


def test_the_vocabulary_grows_to_its_bound_with_what_is_asked_and_no_further(monkeypatch: pytest.MonkeyPatch) -> None:
    classifier = trained("cnn")
    assert isinstance(classifier, cnn.Classifier)
    strings = classifier.nlp.vocab.strings
    begun = len(strings)
    monkeypatch.setattr(cnn, "_KEPT_STRINGS", begun - len(spacy.blank("en").vocab.strings) + 50)
    classifier.logits([" ".join(f"long{number}" for number in range(200))])
    assert len(strings) == begun

    for number in range(50):
        classifier.logits([f"word{number} unseen{number}"])
    full = len(strings)
    classifier.logits([f"word{number} unseen{number}" for number in range(50, 100)])

    assert begun + 50 <= full < begun + 60
    assert len(strings) == full
    assert full == len(set(strings))


def test_a_vocabulary_begins_anew_before_many_words_that_were_new_have_made_it_large(monkeypatch: pytest.MonkeyPatch) -> None:
    classifier = trained("cnn")
    assert isinstance(classifier, cnn.Classifier)
    first, expected = classifier.nlp.vocab, classifier.logits(TEXTS)
    own = len(spacy.blank("en").vocab)
    monkeypatch.setattr(cnn, "_MOST_WORDS", len(first) - own + 50)
    classifier.logits([f"word{number} unseen{number}" for number in range(50)])
    found = classifier.logits(TEXTS)

    assert classifier.nlp.vocab is not first
    assert len(classifier.nlp.vocab) < own + cnn._MOST_WORDS
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("language", ["en", *(pytest.param(language, marks=pytest.mark.slow) for language in ("nl", "id"))])
def test_a_vocabulary_has_as_much_room_for_words_whatever_its_language_brings(language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    classifier = trained("cnn", language=language)
    assert isinstance(classifier, cnn.Classifier)
    first = classifier.nlp.vocab
    begun = len(first.strings)
    classifier.logits(["a wordneverseen"])
    assert len(first.strings) > begun

    own = len(spacy.blank(language).vocab)
    monkeypatch.setattr(cnn, "_MOST_WORDS", len(first) - own + 10)
    classifier.logits([f"unseen{number}" for number in range(9)])
    classifier.logits(TEXTS[:1])
    assert classifier.nlp.vocab is first
    classifier.logits([f"another{number}" for number in range(9)])
    classifier.logits(TEXTS[:1])
    assert classifier.nlp.vocab is not first


# A process that loads more and more classifiers of a language. It compares its growth with what each classifier reports.
_GROWTH = """
import sys
from pathlib import Path
from winnow.domain.dataset import Example
from winnow.domain.job import Hyperparameters
from winnow.recipes import cnn

labels = [str(number) for number in range(77)]

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

def untrained():
    return cnn.Classifier(labels, exclusive=True, language=sys.argv[1])

def made():
    classifier = untrained().from_bytes(weights)
    classifier.logits(["a text"])
    return classifier

first = untrained()
list(first.fitting([Example("a text", (label,)) for label in labels], Hyperparameters()).begin())
weights = first.to_bytes()
held = [made(), made()]
before = resident()
held += [made() for _ in range(4)]
print((resident() - before) / 4, held[0].nbytes)
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="only Linux tells what a process holds so")
@pytest.mark.parametrize("language", ["en", *(pytest.param(language, marks=pytest.mark.slow) for language in ("nl", "ms", "id"))])
def test_cnn_says_what_it_holds_whatever_its_language_brings(language: str) -> None:
    environment = {"PYTHONPATH": str(ROOT / "layers" / "winnow"), "OPENBLAS_NUM_THREADS": "1"}
    told = subprocess.run([sys.executable, "-c", _GROWTH, language], env=environment, capture_output=True, text=True, check=True)
    grown, says = map(float, told.stdout.split())
    assert 0.8 < says / grown < 1.4, (grown, says)


@pytest.mark.parametrize("recipe", IN_EPOCHS, scope="function")
def test_the_settings_are_filled_in_and_what_the_client_chose_stays(recipe: str) -> None:
    filled = fit.settings_for(recipe, Hyperparameters(), 100, 3, exclusive=True)
    assert None not in (filled.n_iter, filled.dropout, filled.batch_size, filled.learn_rate)
    chosen = Hyperparameters(n_iter=2, dropout=0.3, batch_size=7, learn_rate=0.01, seed=4)
    assert fit.settings_for(recipe, chosen, 100, 3, exclusive=True) == chosen


@pytest.mark.slow
def test_another_seed_gives_another_classifier(recipe: str) -> None:
    one, other = (fit.train(recipe, examples(), Hyperparameters(n_iter=2, seed=seed), exclusive=True) for seed in (0, 1))
    # sentence has a closed form: only its folds, and so its thresholds, depend on the seed.
    assert one.to_files() != other.to_files()


@pytest.mark.parametrize("batch", [1, 4])
def test_linear_learns_in_batches_and_with_dropout(batch: int) -> None:
    chosen = Hyperparameters(n_iter=20, batch_size=batch, dropout=0.2)
    made = fit.train("linear", examples(), chosen, exclusive=True)
    texts = [example.text for example in examples()]
    assert made.choose(texts) == [set(example.labels) for example in examples()]


@pytest.mark.parametrize("exclusive", [True, False])
def test_an_artifact_answers_as_what_it_was_made_of(recipe: str, exclusive: bool) -> None:
    made = TrainedClassifier(recipe, trained(recipe, exclusive=exclusive), 1.5, thresholds=(0.2, 0.3, 0.4))

    again = TrainedClassifier.from_files(made.to_files())

    assert (again.recipe, again.labels, again.temperature, again.thresholds) == (recipe, made.labels, 1.5, made.thresholds)
    assert again.predict(TEXTS) == made.predict(TEXTS)
    assert again.choose(TEXTS) == made.choose(TEXTS)
    assert again.exclusive == exclusive
    assert np.allclose(made.scores(TEXTS).sum(axis=1), 1, atol=1e-5) == exclusive


def test_an_artifact_is_data_and_nothing_else(recipe: str, classifier: Classifier) -> None:
    files = TrainedClassifier(recipe, classifier, 1.0, thresholds=(0.5,) * 3).to_files()

    weights = {"words.bin", "sentence.bin"} if recipe in {"light", "best"} else {"weights.bin"}
    assert set(files) == {"classifier.json", *weights}
    assert json.loads(files["classifier.json"])["labels"] == list(LABELS)


@pytest.mark.parametrize(("exclusive", "accepted"), [(True, [True, False, False]), (False, [True, True, True])])
def test_what_is_accepted_reaches_its_threshold(recipe: str, exclusive: bool, accepted: list[bool]) -> None:
    made = TrainedClassifier(recipe, trained(recipe, exclusive=exclusive), 1.0, thresholds=(0.0, 0.0, 0.0))
    assert [label.accepted for label in made.predict(TEXTS)[0]] == accepted

    strict = TrainedClassifier(recipe, made.classifier, 1.0, thresholds=(1.1, 1.1, 1.1))
    assert not any(label.accepted for label in strict.predict(TEXTS)[0])
    # An exclusive classifier still chooses. A multilabel one may choose nothing.
    assert len(strict.choose(TEXTS)[0]) == int(exclusive)


@pytest.mark.parametrize("language", ["xx", "ru", "he"])
def test_another_language_can_be_started_from(language: str) -> None:
    assert cnn.Classifier(LABELS, exclusive=True, language=language).labels == LABELS


@pytest.mark.parametrize("recipe", IN_EPOCHS, scope="function")
def test_fewer_examples_get_more_epochs(recipe: str) -> None:
    settings = [fit.settings_for(recipe, Hyperparameters(), texts, 3, exclusive=True) for texts in (0, 36, 7_000, 1_000_000)]
    epochs = [each.n_iter or 0 for each in settings]

    assert epochs == sorted(epochs, reverse=True)
    assert epochs[0] > epochs[-1] >= 1


def test_cnn_s_sigmoids_have_the_gradient_of_the_true_cross_entropy() -> None:
    sigmoids, logits, truth, step = cnn.independent_sigmoids(), np.array([[-3.0, 0.5]]), np.array([[1.0, 0.0]]), 1e-5
    scores, backprop = sigmoids(logits, is_train=True)

    def loss(at: np.ndarray) -> float:
        given = sigmoids.predict(at)
        return float(-(truth * np.log(given) + (1 - truth) * np.log(1 - given)).sum())

    measured = [(loss(logits + step * unit) - loss(logits - step * unit)) / (2 * step) for unit in np.eye(2)]
    assert np.allclose(backprop(scores - truth), measured, atol=1e-4)
