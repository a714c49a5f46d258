"""A version as a pipeline that `spacy.load` opens (https://spacy.io/usage/saving-loading), for use without Winnow's API.

It needs spaCy and our package, which registers the architectures (layers/winnow/pyproject.toml). The recipes with encoders also need a
package winnow_encoder with the files of the version's encoders.
"""

from __future__ import annotations

import io
import json
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import spacy

from winnow.domain.model import DESCRIPTION
from winnow.recipes import architectures, cnn

if TYPE_CHECKING:
    from spacy.language import Language

    from winnow.recipes.artifact import TrainedClassifier

# Most of it is weights, which hardly compress.
_COMPRESSION = 1


def pipeline(trained: TrainedClassifier, about: Mapping[str, Any]) -> Language:
    """The classifier as a spaCy pipeline: `nlp(text).cats` has its calibrated scores, of a cascade those of its last stage.

    about: the version's facts for meta.json.

    meta.json also has the labels' thresholds and the lowest familiarity, under "winnow", because spaCy has no place for them. Scores
    differ from ours in two cases: an empty text has scores of 0, because spaCy doesn't pass it to the model; and with cnn, spaCy's
    tokenizer doesn't split runs of more than 64 characters.
    """
    nlp = spacy.blank(trained.classifier.language)
    classifier, kind = trained.classifier, "textcat" if trained.exclusive else "textcat_multilabel"
    if isinstance(classifier, cnn.Classifier):
        config, weights = classifier.spacy_model(trained.temperature)
        textcat: Any = nlp.add_pipe(kind, config={"model": config})
        textcat.model.from_bytes(weights)
    else:
        textcat = nlp.add_pipe(kind, config={"model": architectures.config_of(classifier, trained.temperature)})
        architectures.give(textcat.model, classifier)
    textcat.cfg["labels"] = trained.labels
    nlp.meta["winnow"] = {
        **about,
        "recipe": trained.recipe,
        "thresholds": dict(zip(trained.labels, trained.thresholds, strict=True)),
        "least_familiarity": trained.least_familiarity,
        "score_weight": trained.score_weight,
    }
    return nlp


def archive(trained: TrainedClassifier, name: str, about: Mapping[str, Any]) -> bytes:
    """The pipeline as a gzipped tar archive with one folder, `name`, and in it the artifact's description, for an import elsewhere."""
    with tempfile.TemporaryDirectory() as temporary, io.BytesIO() as file:
        folder = Path(temporary) / name
        pipeline(trained, about).to_disk(folder)
        (folder / DESCRIPTION).write_text(json.dumps(trained.description, ensure_ascii=False), encoding="utf-8")
        with tarfile.open(fileobj=file, mode="w:gz", compresslevel=_COMPRESSION) as tar:
            tar.add(folder, name)
        return file.getvalue()
