"""A classifier from a pipeline (recipes.pipeline) of another deployment.

Its bytes come from a client. They are read as data: no pickle, no function by its name, and of cnn only numbers, which go into a model
that our own code has made. What comes from here is written again by our own code.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from srsly import msgpack

from winnow.domain.dataset import Example
from winnow.domain.errors import DatasetError, EncoderError
from winnow.domain.model import DESCRIPTION
from winnow.recipes import arrays
from winnow.recipes.artifact import WEIGHTS, TrainedClassifier, file_of, recipe_of
from winnow.recipes.catalogue import IN_PARTS
from winnow.recipes.features import SPACE
from winnow.recipes.mixture import WORDS, parts_in
from winnow.recipes.windows import MOST_WINDOWS

if TYPE_CHECKING:
    from winnow.recipes.encoder import Find

# A text, a run of characters, another script, and no words.
_PROBES = ("Does it read?", "(" * 100, "今日はいい天気ですね", "?")
_DROPOUT = "dropout_rate"


def imported(about: Mapping[str, Any], model: bytes, find: Find) -> TrainedClassifier:
    """The classifier. about: the artifact's description, checked. model: the bytes of the pipeline's text categorizer.

    DatasetError if they aren't what a training of this release, or of an earlier one, has written; EncoderError if a sentence encoder is
    not available.
    """
    try:
        packed = _read(model)
        files = _files(about, packed, model)
        trained = TrainedClassifier.from_files({DESCRIPTION: json.dumps(about).encode(), **files}, find)
        _check_answers(trained)
    except EncoderError:
        raise
    except Exception as error:
        raise DatasetError(
            f"This release can't read the artifact's weights ({type(error).__name__}): download it again, or train here."
        ) from error
    return trained


def _read(packed: bytes) -> Any:
    """What msgpack has packed: only numbers, texts, bytes, lists and dicts. With a hook of ours, srsly makes no arrays of them."""
    return msgpack.unpackb(packed, object_pairs_hook=dict, raw=False, strict_map_key=False)


def _files(about: Mapping[str, Any], packed: Mapping[str, Any], model: bytes) -> dict[str, bytes]:
    """The files of the artifact, beside its description. Raises an error if an array isn't as a training writes it."""
    if about["recipe"] == "cnn":
        return {WEIGHTS: _weights_of_cnn(about, packed, model)}
    [attributes] = packed["attrs"]
    if about["form"] == IN_PARTS:
        files = parts_in(attributes["classifier"])
    elif about["recipe"] == "linear":
        files = {WORDS: attributes["linear"]}
    else:
        files = {"": attributes["classifier"]}
    for name, body in files.items():
        _check_arrays(arrays.read(body), len(about["labels"]) if name == WORDS else None)
    return {file_of(name) if about["form"] == IN_PARTS else WEIGHTS: body for name, body in files.items()}


def _check_arrays(found: Mapping[str, Any], labels: int | None) -> None:
    """Raise ValueError for numbers that aren't finite, or places outside. labels: the number of them, for the features of words."""
    for array in found.values():
        _require(array.dtype.kind in "biuU" or (array.dtype.kind == "f" and bool(np.isfinite(array).all())))
    _require("windows" not in found or 1 <= int(found["windows"]) <= MOST_WINDOWS)
    if labels is not None:
        rows, places = len(found["places"]), found["places"]
        _require(found["weights"].shape == (rows, labels) and found["idf"].shape == (rows,) and found["bias"].shape == (labels,))
        _require(all(found[name].dtype == np.float32 for name in ("weights", "idf", "bias")) and places.dtype == np.int32)
        _require(not rows or (places[0] >= 0 and places[-1] < SPACE and bool((np.diff(places) > 0).all())))


def _weights_of_cnn(about: Mapping[str, Any], packed: Mapping[str, Any], model: bytes) -> bytes:
    """The weights as the artifact has them, if the model differs from a new one of our own in its numbers alone.

    thinc would also take other dimensions and settings from the bytes, with which its own code would read beyond arrays.
    """
    cnn, labels = recipe_of("cnn"), about["labels"]
    classifier = cnn.Classifier(labels, exclusive=about["exclusive"], language=about["language"])
    classifier.initialize([Example(_PROBES[0], (labels[0],))])
    ours = _read(classifier.spacy_model(about["temperature"])[1])
    known = np.frombuffer(_read(packed["attrs"][0][cnn.KNOWN]), np.uint8)
    _require(len(known) == SPACE // 8)
    _require(packed.keys() == ours.keys() and all(packed[name] == ours[name] for name in ("nodes", "shims")))
    for theirs, own in zip(packed["attrs"], ours["attrs"], strict=True):
        _require(theirs.keys() == own.keys())
        _require(all(value == own[name] for name, value in theirs.items() if name not in {cnn.KNOWN, _DROPOUT}))
        rate = _read(theirs.get(_DROPOUT, own.get(_DROPOUT, b"\0")))
        _require(isinstance(rate, (int, float)) and 0 <= rate < 1)
    for theirs, own in zip(packed["params"], ours["params"], strict=True):
        _require(theirs.keys() == own.keys() and all(_is_like(value, own[name]) for name, value in theirs.items()))
    weights: bytes = classifier.from_pipeline(model, known).to_bytes()
    return weights


def _is_like(theirs: Any, own: Any) -> bool:
    """Whether both are arrays of the same form, as msgpack has them, and the numbers are finite."""
    if own is None or theirs is None:
        return own is theirs
    form = ({**theirs, b"data": b""}, {**own, b"data": b""})
    numbers = np.frombuffer(theirs[b"data"], np.float32)
    return form[0] == form[1] and len(theirs[b"data"]) == len(own[b"data"]) and bool(np.isfinite(numbers).all())


def _check_answers(trained: TrainedClassifier) -> None:
    """Raise ValueError if it doesn't answer a text with a number for each label."""
    logits, nearness = trained.classifier.judged(_PROBES)
    _require(logits.shape == (len(_PROBES), len(trained.labels)) and nearness.shape == (len(_PROBES),))
    _require(bool(np.isfinite(logits).all() and np.isfinite(trained.scores(_PROBES)).all()))


def _require(right: bool) -> None:
    if not right:
        message = "not as a training writes it"
        raise ValueError(message)
