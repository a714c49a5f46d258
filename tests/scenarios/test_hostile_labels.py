"""Any label goes the whole way: report, training, evaluation, figures, prediction, explanation, batch, feedback, and spaCy's archive.

Each recipe is trained once, about ten seconds for cnn.
"""

from __future__ import annotations

import csv
import io
import json
import tarfile
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest
import spacy

from tests.support import batches, feedback
from tests.support.hostile_labels import HOSTILE_LABELS
from winnow.domain.model import FIGURES
from winnow.recipes.catalogue import COSTS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Json, Winnow

LABELS = sorted(HOSTILE_LABELS.values())
PLAIN = [f"label {number:02}" for number in range(len(LABELS))]
TEXTS = [f"word{number} number{number} first" for number in range(len(LABELS))]


def records(labels: list[str], *, exclusive: bool = True) -> list[Json]:
    """Four texts of each label, which only its own words tell from those of other labels."""
    return [
        {"text": f"word{number} number{number} {more}", **({"label": label} if exclusive else {"labels": [label, labels[number - 1]]})}
        for number, label in enumerate(labels)
        for more in ("first", "second", "third", "fourth")
    ]


def trained(winnow: Winnow, labels: list[str], recipe: str, *, exclusive: bool = True) -> Json:
    winnow.parameters["Encoder"] = "minilm"
    winnow.put_dataset(records(labels, exclusive=exclusive))
    version = winnow.train(recipe=recipe, exclusive=exclusive, n_iter=3, force_update=True)
    assert version["status"] == "ready", version["error"]
    return version


def scores(winnow: Winnow) -> list[dict[str, float]]:
    answer = winnow.call("predict", "predict_post_texts", body={"model_id": "tc-01", "texts": TEXTS, "n_top": 1000})
    assert answer.status == 200, answer.body
    return [{label["label"]: label["score"] for label in row["labels"]} for row in answer.body["predictions"]]


@pytest.mark.parametrize("exclusive", [True, False])
def test_cnn_learns_the_same_whatever_labels_are_called(winnow: Winnow, exclusive: bool) -> None:
    trained(winnow, PLAIN, "cnn", exclusive=exclusive)
    plain = scores(winnow)
    trained(winnow, LABELS, "cnn", exclusive=exclusive)

    called = dict(zip(LABELS, PLAIN, strict=True))
    assert [{called[label]: score for label, score in row.items()} for row in scores(winnow)] == plain


@pytest.mark.parametrize("recipe", COSTS)
def test_they_go_the_whole_way(winnow: Winnow, recipe: str, tmp_path: Path) -> None:
    version = trained(winnow, LABELS, recipe)
    assert version["dataset"]["labels"] == len(LABELS)
    asked = {"model_id": "tc-01", "version": "1"}

    report = winnow.call("get_report", path=asked).body["report"]
    assert {each["label"] for each in report["labels"]} == set(LABELS)
    evaluation = winnow.call("get_evaluation", path=asked).body
    assert evaluation["per_label"].keys() == set(LABELS)
    for figure in FIGURES:
        drawn = winnow.call("get_figure", path={**asked, "figure": figure}).body
        tags = {each.tag.rpartition("}")[2] for each in ElementTree.fromstring(drawn).iter()}  # noqa: S314
        assert tags <= {"svg", "title", "desc", "rect", "text", "polyline", "circle"}
    assert winnow.call("get_suspects", path=asked).status == 200

    found = scores(winnow)
    assert all(row.keys() == set(LABELS) for row in found)
    explained = winnow.call("predict", "predict_post_texts", body={"model_id": "tc-01", "texts": TEXTS[:1], "explain": True})
    assert explained.body["predictions"][0]["explanation"]["label"] in LABELS

    nlp = spacy.load(archive(winnow, asked, tmp_path))
    for text, row in zip(TEXTS, found, strict=True):
        # A pipeline of best answers as its last stage.
        assert nlp(text).cats.keys() == row.keys()
        assert recipe == "best" or nlp(text).cats == pytest.approx(row, abs=1e-4)
    assert nlp.meta["winnow"]["thresholds"].keys() == set(LABELS)


def archive(winnow: Winnow, asked: Json, folder: Path) -> Path:
    assert winnow.call("get_artifact", path=asked).status == 200
    [body] = [body for key, body in winnow.objects().items() if key.endswith(".tar.gz")]
    with tarfile.open(fileobj=io.BytesIO(body)) as tar:
        tar.extractall(folder, filter="data")
        return folder / tar.getnames()[0]


def test_they_come_back_in_batches_and_from_feedback(winnow: Winnow) -> None:
    trained(winnow, LABELS, "linear")
    expected = [max(row, key=row.__getitem__) for row in scores(winnow)]

    batches.put(winnow, [{"text": text} for text in TEXTS])
    lines = batches.saved(winnow, batches.done(winnow)).decode().split("\n")[:-1]
    assert [json.loads(line)["labels"][0]["label"] for line in lines] == expected
    batches.put(winnow, "\n".join(["text", *TEXTS]).encode(), "texts.csv")
    table = batches.saved(winnow, batches.done(winnow, object="texts.csv")).decode()
    assert [record["label"] for record in csv.DictReader(io.StringIO(table, newline=""))] == expected

    examples = [{"text": f"again {text}", "label": label} for text, label in zip(TEXTS, LABELS, strict=True)]
    assert feedback.add(winnow, examples, retrain="now").status == 201
    winnow.run_workflow(winnow.started_job())
    assert winnow.version()["status"] == "ready"
    assert all(row.keys() == set(LABELS) for row in scores(winnow))
    assert winnow.call("compare_versions").status == 200
