"""Deployments without a version's sentence encoder, or with another one: calls are refused with a sentence and never get a score."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.conftest import Json, load_dataset
from tests.support.feedback import add, labelled
from winnow.recipes import encoder
from winnow.versions import compare as comparing

if TYPE_CHECKING:
    from tests.conftest import Answer, Winnow
    from winnow.domain.model import Version

NONE = "This deployment has no sentence encoder: deploy it with the parameter Encoder=minilm, or choose another recipe."
NEEDING = ["sentence", "light", "best"]


class Another:
    """Another sentence encoder."""

    name, digest = "another-encoder", "0b7e2c41d9f3" + "0" * 52

    def vectors(self, texts: Sequence[str], windows: int = 1) -> NDArray[np.float32]:
        """The same vector for every text."""
        return np.full((len(texts), 384), 384**-0.5, np.float32)


@pytest.fixture
def deployed(winnow: Winnow) -> Winnow:
    """A deployment with an encoder and a data set."""
    winnow.parameters["Encoder"] = "minilm"
    winnow.put_dataset()
    return winnow


def with_another(monkeypatch: pytest.MonkeyPatch) -> None:
    another = Another()
    monkeypatch.setattr(encoder, "installed", lambda *_: another)


def without_any(winnow: Winnow, monkeypatch: pytest.MonkeyPatch) -> None:
    winnow.parameters["Encoder"] = "none"
    # As without its layer.
    monkeypatch.setattr(encoder, "_PACKAGE", "winnow_encoder_left_out")
    monkeypatch.setattr(encoder, "installed", encoder.installed.__wrapped__)


def predict(winnow: Winnow) -> Answer:
    """Predict in a new execution environment, as after a deployment."""
    winnow.new_environment()
    return winnow.call("predict", "predict_post_text")


def compare(winnow: Winnow, version: int, to: int) -> Answer:
    return winnow.call("compare_versions", path={"model_id": "tc-01", "version": str(version)}, query={"to": str(to)})


def update(winnow: Winnow, **fields: Any) -> Json:
    return winnow.train(force_update=True, **fields)


# --- without an encoder ---


@pytest.mark.parametrize("recipe", NEEDING)
def test_a_recipe_that_needs_one_is_refused_by_name(winnow: Winnow, recipe: str) -> None:
    winnow.put_dataset()
    refused = winnow.create(recipe=recipe)

    assert (refused.status, refused.body["field"], refused.body["detail"]) == (422, "recipe", NONE)
    assert refused.body["type"] == "urn:winnow:problem:invalid-field"
    assert winnow.executions() == []
    assert winnow.call("list_models").body["models"] == []
    assert winnow.create(recipe=recipe, dry_run=True).status == 422


@pytest.mark.parametrize("recipe", ["auto", "linear", "cnn", None])
def test_every_other_recipe_is_taken(winnow: Winnow, recipe: str | None) -> None:
    winnow.put_dataset()
    assert winnow.create(recipe=recipe).status == 202


@pytest.mark.parametrize("recipe", NEEDING)
def test_a_version_answers_and_once_the_encoder_is_gone_it_is_refused(
    deployed: Winnow, recipe: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = deployed.train(recipe=recipe)
    assert (version["status"], version["recipe"]) == ("ready", recipe)
    assert predict(deployed).status == 200

    without_any(deployed, monkeypatch)

    refused = predict(deployed)
    assert (refused.status, refused.body["type"]) == (409, "urn:winnow:problem:no-such-encoder")
    assert "deploy it with the parameter Encoder=minilm" in refused.body["detail"]
    # Recipes without an encoder still work.
    assert update(deployed, recipe="linear")["status"] == "ready"
    assert predict(deployed).body["version"] == 2


def test_a_retraining_fails_with_the_sentence_where_the_encoder_is_gone(deployed: Winnow, monkeypatch: pytest.MonkeyPatch) -> None:
    deployed.train(recipe="sentence")
    without_any(deployed, monkeypatch)

    assert add(deployed, labelled(6), retrain="now").body["retrain"] == "started"
    with pytest.raises(Exception, match="no sentence encoder"):
        deployed.run_task("prepare", deployed.started_job())

    version = deployed.version()
    assert (version["version"], version["status"], version["recipe"], version["error"]) == (2, "failed", "sentence", NONE)
    assert deployed.model()["waiting_examples"] == 6


def test_a_retraining_chooses_among_what_is_left_where_the_recipe_was_left_open(deployed: Winnow, monkeypatch: pytest.MonkeyPatch) -> None:
    deployed.train()
    without_any(deployed, monkeypatch)
    add(deployed, labelled(6), retrain="now")
    deployed.run_workflow(deployed.started_job())

    version = deployed.version()
    assert (version["version"], version["status"], version["recipe"]) == (2, "ready", "linear")


# --- with another encoder ---


@pytest.mark.parametrize("recipe", NEEDING)
def test_a_version_of_another_encoder_gives_no_score(deployed: Winnow, recipe: str, monkeypatch: pytest.MonkeyPatch) -> None:
    lacking = deployed.train(recipe=recipe)["encoders"][0]
    with_another(monkeypatch)

    refused = predict(deployed)
    assert (refused.status, refused.body["type"]) == (409, "urn:winnow:problem:no-such-encoder")
    assert refused.body["detail"] == (
        f"This version was trained with the sentence encoder {lacking['name']} ({lacking['digest'][:12]}), but the deployment has"
        " another-encoder (0b7e2c41d9f3): deploy with that encoder, or train the version again."
    )
    assert set(refused.body) == {"type", "title", "status", "detail"}


def test_it_is_compared_with_nothing(deployed: Winnow, monkeypatch: pytest.MonkeyPatch) -> None:
    deployed.train(recipe="sentence")
    update(deployed, recipe="linear")
    assert compare(deployed, 1, 2).status == 200
    with_another(monkeypatch)

    for version, to in ((1, 2), (2, 1)):
        refused = compare(deployed, version, to)
        assert (refused.status, refused.body["type"]) == (409, "urn:winnow:problem:no-such-encoder")
    assert predict(deployed).body["version"] == 2


def test_trained_again_it_answers_by_the_new_one(deployed: Winnow, monkeypatch: pytest.MonkeyPatch) -> None:
    deployed.train(recipe="sentence")
    with_another(monkeypatch)
    assert update(deployed, recipe="sentence")["status"] == "ready"
    assert predict(deployed).body["version"] == 2


@pytest.mark.parametrize("promote", ["if-better", "auto"])
def test_a_version_held_against_one_of_another_encoder_waits_for_a_client_s_word(
    deployed: Winnow, promote: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployed.train(recipe="sentence")
    with_another(monkeypatch)
    deployed.put_dataset(load_dataset("exclusive.json")[:30])
    version = update(deployed, recipe="linear", promote=promote)

    assert version["status"] == "ready"
    assert version["live"] == (promote == "auto")
    if promote == "if-better":
        assert version["gate"]["passed"] is False
        assert "trained with the sentence encoder all-MiniLM-L6-v2" in version["gate"]["reason"]
        assert version["gate"]["reason"].endswith("Promote it yourself if it should answer.")


# --- time ---


@pytest.mark.parametrize(("recipe", "most"), [("linear", 5_000), ("sentence", 1_000)])
def test_fewer_examples_are_compared_where_they_have_to_be_encoded(
    deployed: Winnow, monkeypatch: pytest.MonkeyPatch, recipe: str, most: int
) -> None:
    deployed.train(recipe="linear")
    update(deployed, recipe=recipe)
    asked: list[int | None] = []
    given = comparing.compare_versions

    def compared(before: Version, after: Version, at_most: int | None) -> Json:
        asked.append(at_most)
        return given(before, after, at_most)

    monkeypatch.setattr(comparing, "compare_versions", compared)
    assert compare(deployed, 1, 2).status == 200
    assert asked == [most]
