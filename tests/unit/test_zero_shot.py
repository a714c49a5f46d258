"""The recipe zero-shot: its artifact, and its pipeline for spacy.load."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import spacy

from winnow.domain.errors import EncoderError
from winnow.domain.label_names import NamedLabel
from winnow.recipes import encoder
from winnow.recipes.artifact import TrainedClassifier
from winnow.recipes.catalogue import LANGUAGES_OF_ENCODER, ZERO_SHOT
from winnow.recipes.multilingual import Multilingual
from winnow.recipes.pipeline import pipeline
from winnow.recipes.zero_shot import NEVER, TEMPERATURE, Classifier

LABELS = [NamedLabel("bread", "Dough and ovens"), NamedLabel("L2", "Plants and soil"), NamedLabel("bike_repair")]
TEXTS = ["The crust of my loaf is too hard", "Water the roses in the evening", "The chain fell off", "?"]


@cache
def made(*, exclusive: bool = True) -> TrainedClassifier:
    classifier = Classifier([label.name for label in LABELS], exclusive=exclusive, language="en").learn(LABELS)
    return TrainedClassifier(ZERO_SHOT, classifier, TEMPERATURE, (NEVER,) * len(LABELS))


@pytest.mark.parametrize("exclusive", [True, False])
def test_its_files_give_the_same_answers(exclusive: bool) -> None:
    trained = made(exclusive=exclusive)
    again = TrainedClassifier.from_files(trained.to_files())

    assert again.recipe == "zero-shot"
    assert again.encoder == trained.encoder is not None
    assert np.array_equal(again.scores(TEXTS), trained.scores(TEXTS))
    assert not any(scored.accepted for row in again.predict(TEXTS) for scored in row)
    assert [row[0].label for row in again.predict(TEXTS[:3])] == ["bread", "L2", "bike_repair"]


def test_its_files_need_their_encoder() -> None:
    def find(name: str, digest: str) -> encoder.Encoding:
        raise EncoderError(f"no {name}")

    with pytest.raises(EncoderError):
        TrainedClassifier.from_files(made().to_files(), find)


def test_the_order_of_the_list_changes_nothing() -> None:
    turned = Classifier(made().labels, exclusive=True, language="en").learn(LABELS[::-1])
    assert np.array_equal(turned.logits(TEXTS), made().classifier.logits(TEXTS))


def test_the_catalogue_knows_what_the_multilingual_encoder_speaks() -> None:
    found = encoder.installed(encoder.MULTILINGUAL)
    assert isinstance(found, Multilingual)
    assert LANGUAGES_OF_ENCODER[encoder.MULTILINGUAL] == {*found.languages}


@pytest.mark.slow
def test_its_pipeline_gives_the_same_scores(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("zero") / "pipeline"
    pipeline(made(), {"version": 1}).to_disk(folder)
    nlp = spacy.load(folder)
    piped = [[nlp(text).cats[label] for label in made().labels] for text in TEXTS]
    assert np.abs(np.array(piped) - made().scores(TEXTS)).max() < 1e-5
