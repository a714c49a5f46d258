"""The architecture winnow.Linear.v1 in a spaCy pipeline, and the same scores without spaCy."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import spacy
from spacy.training import Example as SpacyExample
from thinc.api import Adam

import winnow.recipes.architectures  # registers the architecture  # noqa: F401
from tests.conftest import load_dataset
from winnow.recipes import sparse_linear
from winnow.recipes.descent import Descent, LinearFitting
from winnow.recipes.features import SPACE, Bags, Features, Reading, features, read
from winnow.recipes.sparse_linear import SparseLinear

LAYER = Path(__file__).parents[2] / "layers" / "winnow"
LABELS = ("baking", "cycling", "gardening")
TEXTS = ["How deep do tulip bulbs go?", "a flat tyre", "?", "", "(((( 🙂 x", "İstanbul ﬁne Straße", "a" * 300]
RECORDS = load_dataset("exclusive.json")


def pipeline(name: str = "textcat") -> tuple[spacy.language.Language, list[SpacyExample]]:
    nlp = spacy.blank("en")
    model = {"@architectures": "winnow.Linear.v1", "exclusive_classes": name == "textcat", "shortest": 2}
    nlp.add_pipe(name, config={"model": model})
    pairs = [
        SpacyExample.from_dict(nlp.make_doc(record["text"]), {"cats": {label: float(label == record["label"]) for label in LABELS}})
        for record in RECORDS
    ]
    return nlp, pairs


def updated(name: str = "textcat") -> spacy.language.Language:
    nlp, pairs = pipeline(name)
    optimizer = nlp.initialize(lambda: pairs, sgd=Adam(1.0))
    for _ in range(10):
        for pair in pairs:
            nlp.update([pair], sgd=optimizer)
    return nlp


@pytest.mark.parametrize("name", ["textcat", "textcat_multilabel"])
def test_nlp_update_trains_it(name: str) -> None:
    nlp = updated(name)
    for record in RECORDS:
        cats = nlp(record["text"]).cats
        assert max(cats, key=lambda label: cats[label]) == record["label"]


def test_a_pipeline_is_the_same_after_bytes_and_after_disk(tmp_path: Path) -> None:
    nlp = updated()
    again = pipeline()[0].from_bytes(nlp.to_bytes())
    nlp.to_disk(tmp_path / "pipeline")
    from_disk = spacy.load(tmp_path / "pipeline")
    for text in TEXTS:
        assert again(text).cats == from_disk(text).cats == nlp(text).cats


def test_it_goes_on_learning_after_loading() -> None:
    nlp = pipeline()[0].from_bytes(updated().to_bytes())
    pair = SpacyExample.from_dict(nlp.make_doc("zebra crossings"), {"cats": dict.fromkeys(LABELS, 0.0) | {"cycling": 1.0}})
    before = nlp("zebra crossings").cats["cycling"]
    for _ in range(5):
        nlp.update([pair], sgd=Adam(1.0))
    assert nlp("zebra crossings").cats["cycling"] > before


_WITHOUT_SPACY = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"spacy", "thinc", "srsly", "pydantic"}:
            raise ImportError(name)
sys.meta_path.insert(0, Refuse())
import json, pathlib
from winnow.recipes.sparse_linear import SparseLinear
linear = SparseLinear.from_bytes(pathlib.Path(sys.argv[1]).read_bytes())
print(json.dumps(linear.activated(linear.logits(json.loads(sys.stdin.read()))).tolist()))
"""


@pytest.mark.parametrize("name", ["textcat", "textcat_multilabel"])
def test_numpy_alone_gives_the_pipeline_s_scores(name: str, tmp_path: Path) -> None:
    nlp = updated(name)
    linear: SparseLinear = nlp.get_pipe(name).model.attrs["linear"]  # type: ignore[attr-defined]
    (tmp_path / "weights").write_bytes(linear.to_bytes())
    # Without the empty text, which spaCy's text categorizer doesn't pass to the model.
    texts = [*filter(None, TEXTS), *(record["text"] for record in RECORDS)]
    command = [sys.executable, "-c", _WITHOUT_SPACY, str(tmp_path / "weights")]
    done = subprocess.run(command, input=json.dumps(texts), env={"PYTHONPATH": str(LAYER)}, capture_output=True, text=True, check=True)
    alone = np.array(json.loads(done.stdout))

    piped = np.array([[nlp(text).cats[label] for label in LABELS] for text in texts])
    assert alone.shape == piped.shape
    assert np.abs(alone - piped).max() < 1e-6


def test_only_rows_that_were_trained_are_kept() -> None:
    linear = SparseLinear(3, Reading(2), exclusive=True)
    truth = np.eye(3, dtype=np.bool_)[[LABELS.index(record["label"]) for record in RECORDS]]
    how = Descent(epochs=1, rate=1.0, batch=1, dropout=0.0, smoothing=0.0, averaged=0, seed=0)
    fitting = LinearFitting(linear, [record["text"] for record in RECORDS], truth, how, [])
    assert [*fitting.begin(), *fitting.run_epoch()]
    places = {place for record in RECORDS for place in features(record["text"], Reading(2))[0].tolist()}

    assert len(linear.to_bytes()) < len(places) * 4 * (3 + 2) + 3_000
    assert len(places) < SPACE


def test_of_too_many_features_those_of_the_most_texts_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sparse_linear, "_MOST_WEIGHTS", 3 * 200)
    linear = SparseLinear(3, Reading(2), exclusive=True)
    linear.begin([*read([record["text"] for record in RECORDS], Reading(2))])
    counted = Counter(place for record in RECORDS for place in features(record["text"], Reading(2))[0].tolist())
    fewest = sorted(counted.values(), reverse=True)[199]

    assert linear.weights.shape == (200, 3)
    kept = {place for place in counted if linear.weighed(Bags(1, np.zeros(1, np.int64), *one(place))).places.size}
    assert {place for place, texts in counted.items() if texts > fewest} <= kept
    assert all(counted[place] >= fewest for place in kept)


def one(place: int) -> Features:
    return np.array([place], np.int32), np.ones(1, np.float32)


def test_a_text_has_the_same_features_whatever_its_neighbours() -> None:
    texts = [*TEXTS, *(record["text"] for record in RECORDS), "word " * 4_000, *("🙂 " * 4_000 for _ in range(30)), "last"]
    alone = [features(text, Reading()) for text in texts]
    together = [each for part in read(texts, Reading()) for each in part.each()]
    assert len(together) == len(texts)
    assert len([*read(texts, Reading())]) > 1
    for (places, values), (among, their_values) in zip(alone, together, strict=True):
        assert np.array_equal(places, among)
        assert np.array_equal(values, their_values)


def test_the_loss_falls_and_its_gradient_is_that_of_the_true_cross_entropy() -> None:
    linear = SparseLinear(2, Reading(2), exclusive=True)
    linear.learn(["a b"], np.zeros((1, 2), np.float32))
    linear.descend(1.0)
    logits = np.array([0.3, -0.2], np.float32)
    step, target = 1e-3, np.array([1.0, 0.0], np.float32)

    def loss(at: Any) -> float:
        return float(-np.log(linear.activated(np.asarray(at, np.float64))[0]))

    measured = [(loss(logits + step * unit) - loss(logits - step * unit)) / (2 * step) for unit in np.eye(2)]
    assert np.allclose(linear.activated(logits) - target, measured, atol=1e-3)


def test_long_words_and_case_and_width_do_not_matter() -> None:
    assert [part.tolist() for part in features("\uff22\uff21\uff2e\uff2b Card", Reading())] == [
        part.tolist() for part in features("bank card", Reading())
    ]
    assert features(" \n\t", Reading())[0].size == 0
    assert (features("w" * 20_000, Reading())[0] < SPACE).all()
