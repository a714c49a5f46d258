"""A version as a spaCy pipeline: spacy.load opens it where our package is installed, and it gives the same scores."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tarfile
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import ROOT, load_dataset
from winnow.domain.dataset import Example
from winnow.domain.job import Hyperparameters
from winnow.recipes.artifact import TrainedClassifier
from winnow.recipes.catalogue import COSTS
from winnow.recipes.pipeline import archive, pipeline
from winnow.training.fit import train

TEXTS = ["How deep do tulip bulbs go?", "a flat tyre", "?", "🙂 İstanbul", "bake a cake, then ride"]
# Tolerances of scores. Recipes with vectors keep them in float16.
AS_NEAR = {"linear": 1e-6, "cnn": 1e-5, "sentence": 1e-5, "light": 1e-5, "best": 1e-5}
EXAMPLES = {
    True: [Example(record["text"], (record["label"],)) for record in load_dataset("exclusive.json")],
    False: [Example(record["text"], tuple(record["labels"])) for record in load_dataset("multilabel.jsonl")],
}


@cache
def trained(recipe: str, *, exclusive: bool) -> TrainedClassifier:
    # A pipeline answers as the last stage does.
    return replace(train(recipe, EXAMPLES[exclusive], Hyperparameters(n_iter=3), exclusive=exclusive), early=())


# All but those of the cheapest recipe take long.
RECIPES = [recipe if recipe == "linear" else pytest.param(recipe, marks=pytest.mark.slow) for recipe in COSTS]


@pytest.mark.parametrize("exclusive", [True, False])
@pytest.mark.parametrize("recipe", RECIPES)
def test_it_gives_the_calibrated_scores(recipe: str, exclusive: bool) -> None:
    made = trained(recipe, exclusive=exclusive)
    assert made.temperature != 1.0
    nlp = pipeline(made, {"version": 3})

    piped = [[nlp(text).cats[label] for label in made.labels] for text in TEXTS]
    assert np.abs(np.array(piped) - made.scores(TEXTS)).max() < AS_NEAR[recipe]
    assert nlp.meta["winnow"]["thresholds"] == dict(zip(made.labels, made.thresholds, strict=True))


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with our package, installed beside spaCy as a user would."""
    folder = tmp_path_factory.mktemp("site")
    # Without an index: uv builds with its own back end.
    install = [ROOT / ".tools" / "uv" / "bin" / "uv", "pip", "install", "-q", "--offline", "--no-deps", "--python", sys.executable]
    subprocess.run([*map(str, install), "--target", str(folder), str(ROOT / "layers" / "winnow")], check=True)
    return folder


_OPEN = """
import json, sys
import spacy
nlp = spacy.load(sys.argv[1])
texts = json.loads(sys.stdin.read())
assert "boto3" not in sys.modules and "aws_lambda_powertools" not in sys.modules
print(json.dumps({"cats": [nlp(text).cats for text in texts], "about": nlp.meta["winnow"]}))
"""


@pytest.mark.parametrize("exclusive", [True, False])
@pytest.mark.parametrize("recipe", RECIPES)
def test_spacy_load_opens_it_with_our_package_installed(recipe: str, exclusive: bool, installed: Path, tmp_path: Path) -> None:
    made = trained(recipe, exclusive=exclusive)
    with tarfile.open(fileobj=io.BytesIO(archive(made, "tc-01-2", {"model_id": "tc-01", "version": 2}))) as tar:
        tar.extractall(tmp_path, filter="data")

    command = [sys.executable, "-c", _OPEN, str(tmp_path / "tc-01-2")]
    environment = {"PYTHONPATH": str(installed)}
    done = subprocess.run(command, input=json.dumps(TEXTS), env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    piped = np.array([[cats[label] for label in made.labels] for cats in told["cats"]])
    assert np.abs(piped - made.scores(TEXTS)).max() < AS_NEAR[recipe]
    assert (told["about"]["model_id"], told["about"]["version"], told["about"]["recipe"]) == ("tc-01", 2, recipe)
