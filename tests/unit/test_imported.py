"""A classifier from a pipeline of another deployment: the same artifact again, and nothing that a training didn't write."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from srsly import msgpack

from tests.unit.test_pipeline import RECIPES, trained
from winnow.domain.errors import DatasetError
from winnow.recipes.artifact import TrainedClassifier
from winnow.recipes.encoder import find_installed
from winnow.recipes.imported import imported
from winnow.recipes.pipeline import pipeline
from winnow.recipes.stages import EarlyStage


def parts(recipe: str, *, exclusive: bool = True) -> tuple[TrainedClassifier, dict[str, Any], bytes]:
    """A published classifier, with its description and its pipeline's model."""
    made = trained(recipe, exclusive=exclusive)
    early = (EarlyStage(1.5, made.thresholds, None),) * 2 if recipe == "best" else ()
    published = TrainedClassifier.from_files(replace(made, early=early).to_files())
    textcat: Any = pipeline(published, {}).get_pipe("textcat" if exclusive else "textcat_multilabel")
    about = json.loads(json.dumps(published.description))
    encoders = about.get("encoders", [about["encoder"]] if about["encoder"] else [])
    return published, {**about, "encoders": encoders, "nbytes": 0}, textcat.model.to_bytes()


@pytest.mark.parametrize("exclusive", [True, False])
@pytest.mark.parametrize("recipe", RECIPES)
def test_the_artifact_is_the_same_bit_for_bit(recipe: str, exclusive: bool) -> None:
    published, about, model = parts(recipe, exclusive=exclusive)
    assert imported(about, model, find_installed).to_files() == published.to_files()


def refused(about: dict[str, Any], model: bytes) -> None:
    with pytest.raises(DatasetError, match="can't read the artifact's weights"):
        imported(about, model, find_installed)


def with_arrays(model: bytes, **arrays: Any) -> bytes:
    """The model of linear with other arrays."""
    packed = msgpack.unpackb(model, raw=False, strict_map_key=False)
    with np.load(io.BytesIO(packed["attrs"][0]["linear"])) as own, io.BytesIO() as file:
        np.savez(file, **{**own, **{name: change(own[name]) for name, change in arrays.items()}})
        packed["attrs"][0]["linear"] = file.getvalue()
    return bytes(msgpack.packb(packed, use_bin_type=True))


@pytest.mark.parametrize(
    "arrays",
    [
        {"places": lambda places: places + 10_000_000},
        {"places": lambda places: places - 10_000_000},
        {"places": lambda places: places[::-1]},
        {"weights": lambda weights: weights[:-1]},
        {"weights": lambda weights: weights.astype(object)},
        {"weights": lambda weights: weights * np.float32("nan")},
        {"weights": lambda weights: weights[:, :1]},
        {"bias": lambda bias: bias[:1]},
        {"idf": lambda idf: idf[:-1]},
        {"idf": lambda idf: idf.astype(np.float64)},
    ],
)
def test_arrays_that_no_training_writes_are_refused(arrays: dict[str, Any]) -> None:
    _, about, model = parts("linear")
    assert imported(about, with_arrays(model, bias=lambda bias: bias), find_installed)
    refused(about, with_arrays(model, **arrays))


def test_a_packed_archive_is_refused_before_it_is_unpacked() -> None:
    _, about, model = parts("linear")
    packed = msgpack.unpackb(model, raw=False, strict_map_key=False)
    with io.BytesIO() as file:
        np.savez_compressed(file, weights=np.zeros(10_000_000))
        packed["attrs"][0]["linear"] = file.getvalue()
    refused(about, bytes(msgpack.packb(packed, use_bin_type=True)))


def _other(packed: dict[str, Any], what: str) -> None:
    node = next(number for number, params in enumerate(packed["params"]) if params.get("E") is not None)
    match what:
        case "a setting":
            packed["attrs"][node]["seed"] = msgpack.packb(7)
        case "a new setting":
            packed["attrs"][node]["more"] = msgpack.packb(7)
        case "a dimension":
            packed["nodes"][node]["dims"]["nV"] = 10_000_000
        case "a reference":
            packed["nodes"][0]["refs"]["tok2vec"] = 0
        case "fewer rows":
            packed["params"][node]["E"] = packed["params"][node]["E"][:10]
        case "no weights":
            packed["params"][node]["E"] = None
        case "no number":
            packed["params"][node]["E"] = packed["params"][node]["E"] * np.float32("inf")
        case "a shim":
            packed["shims"][node] = [b"shim"]
        case "fewer known features":
            packed["attrs"][0]["known"] = msgpack.packb(bytes(8), use_bin_type=True)


@pytest.mark.slow
@pytest.mark.parametrize(
    "what",
    [
        *("a setting", "a new setting", "a dimension", "a reference", "fewer rows", "no weights", "no number", "a shim"),
        "fewer known features",
    ],
)
def test_a_cnn_differs_from_our_own_in_its_numbers_alone(what: str) -> None:
    _, about, model = parts("cnn")
    packed = msgpack.unpackb(model, raw=False, strict_map_key=False)
    _other(packed, what)
    refused(about, bytes(msgpack.packb(packed, use_bin_type=True)))
