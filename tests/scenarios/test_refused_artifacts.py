"""An artifact that differs in one byte from what the training wrote is refused with a sentence and a metric, and never loaded."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from winnow.domain.dataset import Example
from winnow.domain.errors import ArtifactError
from winnow.domain.job import Hyperparameters
from winnow.domain.model import DESCRIPTION
from winnow.recipes.artifact import TrainedClassifier
from winnow.recipes.catalogue import COSTS
from winnow.training.fit import train

if TYPE_CHECKING:
    from tests.conftest import Answer, Json, Ready, Winnow

EXAMPLES = [Example("a flat tyre", ("a",)), Example("tulip bulbs", ("b",)), Example("roses", ("b",))]


def artifact(winnow: Winnow, number: int = 1) -> dict[str, bytes]:
    """The objects of a version's artifact."""
    return {key: body for key, body in winnow.objects().items() if f"/versions/{number}/" in key and "/artifact/" in key}


def put(winnow: Winnow, key: str, body: bytes) -> None:
    winnow.s3.put_object(Bucket=winnow.names["Models"], Key=key, Body=body)


def predict(winnow: Winnow) -> Answer:
    """Predict in a new execution environment: nothing is loaded, and /tmp is empty."""
    winnow.new_environment()
    return winnow.call("predict", "predict_post_text")


def counted(said: str) -> int:
    """How often the output contains the metric of refused artifacts."""
    lines = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    return sum(line.get("RefusedArtifacts", [0])[0] for line in lines)


def mutated(body: bytes, chance: random.Random) -> bytes:
    """The body with bytes changed, cut off, inserted, removed or repeated."""
    place, length = chance.randrange(len(body)), chance.choice([1, 2, 100, 10_000])
    match chance.randrange(5):
        case 0:
            return body[:place] + chance.randbytes(length) + body[place + length :]
        case 1:
            return body[:place]
        case 2:
            return body[:place] + chance.randbytes(length) + body[place:]
        case 3:
            return body[:place] + body[place + length :]
        case _:
            return body + body


@pytest.mark.parametrize("seed", range(10))
def test_no_mutation_is_loaded(ready: Ready, seed: int, capsys: pytest.CaptureFixture[str]) -> None:
    winnow, chance, mutations = ready("exclusive.json"), random.Random(seed), 0
    whole = artifact(winnow)
    assert len(whole) == 3
    while mutations < 30:
        key = chance.choice(sorted(whole))
        body = mutated(whole[key], chance)
        if body == whole[key]:
            continue
        put(winnow, key, body)
        # It still has the whole files of the last time.
        winnow.empty_tmp()
        refused = winnow.call("predict", "predict_post_text")
        put(winnow, key, whole[key])
        mutations += 1

        assert (refused.status, refused.body["type"]) == (500, "urn:winnow:problem:artifact")
        assert refused.body["detail"].endswith("has changed since its training: train it again.")
    assert counted(capsys.readouterr().out) == mutations
    # A refusal does no harm to the artifact.
    assert predict(winnow).status == 200


def test_another_model_s_artifact_is_refused(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    winnow.put_dataset("multilabel.jsonl")
    winnow.train(id="other")
    ours, foreign = (
        {key: body for key, body in winnow.objects().items() if "/artifact/" in key and key.startswith(f"models/{uid}/")}
        for uid in (uid_of(winnow, "tc-01"), uid_of(winnow, "other"))
    )
    manifests = [next(key for key in each if key.endswith("manifest.json")) for each in (ours, foreign)]
    put(winnow, manifests[0], foreign[manifests[1]])

    refused = predict(winnow)
    assert (refused.status, refused.body["type"]) == (500, "urn:winnow:problem:artifact")


def uid_of(winnow: Winnow, model_id: str) -> str:
    return str(winnow.table.get_item(Key={"pk": "MODELS", "sk": model_id})["Item"]["uid"])


def test_one_that_is_gone_is_told_by_its_name(ready: Ready, capsys: pytest.CaptureFixture[str]) -> None:
    winnow = ready("exclusive.json")
    key = next(key for key in artifact(winnow) if not key.endswith(".json"))
    winnow.s3.delete_object(Bucket=winnow.names["Models"], Key=key)

    refused = predict(winnow)
    assert (refused.status, refused.body["detail"]) == (
        500,
        "The file weights.bin of version 1 of model 'tc-01' is missing: train it again.",
    )
    assert counted(capsys.readouterr().out) == 1


def test_a_version_held_against_one_waits_for_a_client_s_word(ready: Ready, capsys: pytest.CaptureFixture[str]) -> None:
    winnow = ready("exclusive.json")
    key = next(key for key in artifact(winnow) if not key.endswith(".json"))
    put(winnow, key, b"weights")
    version = winnow.train(force_update=True, promote="if-better", recipe="linear")

    assert (version["status"], version["live"]) == ("ready", False)
    broken = "The file weights.bin of version 1 of model 'tc-01' has changed since its training: train it again."
    assert version["gate"]["reason"] == f"{broken} Promote it yourself if it should answer."
    assert counted(capsys.readouterr().out) == 1


# --- a right digest, but unreadable ---


def described(change: Callable[[Json], Any]) -> dict[str, bytes]:
    """An artifact whose description was changed."""
    files = train("linear", EXAMPLES, Hyperparameters(n_iter=1), exclusive=True).to_files()
    description = json.loads(files[DESCRIPTION])
    change(description)
    return files | {DESCRIPTION: json.dumps(description).encode()}


@pytest.mark.parametrize("recipe", ["oracle", "encoder", "../linear", "os", None, 7])
def test_a_recipe_that_is_none_is_not_looked_for(recipe: Any) -> None:
    with pytest.raises(ArtifactError, match="can't be read by this release"):
        TrainedClassifier.from_files(described(lambda about: about.update(recipe=recipe)))


def test_one_of_a_later_release_says_so() -> None:
    with pytest.raises(ArtifactError, match="have the form 3, but this release only reads 1 and 2"):
        TrainedClassifier.from_files(described(lambda about: about.update(form=3)))


def test_one_of_before_there_were_forms_is_read() -> None:
    def before(about: Json) -> None:
        for name in ("form", "encoder", "least_familiarity"):
            del about[name]

    assert TrainedClassifier.from_files(described(before)).labels == ("a", "b")


@pytest.mark.parametrize("recipe", COSTS)
@pytest.mark.parametrize("weights", [b"", b"PK", b"\x93NUMPY", b"\x80\x04cos\nsystem\n(S'true'\ntR.", bytes(1000)])
def test_weights_that_are_none_are_an_error_of_ours(recipe: str, weights: bytes) -> None:
    description = {
        "recipe": recipe,
        "language": "en",
        "labels": ["a", "b"],
        "exclusive": True,
        "temperature": 1.0,
        "thresholds": [0.5, 0.5],
    }
    with pytest.raises(ArtifactError):
        TrainedClassifier.from_files({DESCRIPTION: json.dumps(description).encode(), "weights.bin": weights})
