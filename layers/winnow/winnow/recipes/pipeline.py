"""A version as a pipeline that `spacy.load` opens (https://spacy.io/usage/saving-loading), for use without Winnow's API.

It needs our package beside spaCy, which registers the architectures (layers/winnow/pyproject.toml), and for the recipes sentence and best a
package winnow_encoder with the files of the encoder that the version was trained with; nothing else of ours.
"""

from __future__ import annotations

import io
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import spacy

from winnow.recipes import architectures, cnn

if TYPE_CHECKING:
    from spacy.language import Language

    from winnow.recipes.artifact import TrainedClassifier

# The weights are most of it, and hardly shrink.
_COMPRESSION = 1


def pipeline(trained: TrainedClassifier, about: Mapping[str, Any]) -> Language:
    """The classifier as a spaCy pipeline: `nlp(text).cats` are its calibrated scores. about: what meta.json says of the version.

    The threshold of each label is in meta.json too, under "winnow": spaCy has no place for them. An empty text, of which spaCy asks no
    model, has scores of 0; and texts with more than 64 characters in a run have other scores than ours where the recipe is cnn, since
    spaCy's tokenizer sees such a run whole.
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
    nlp.meta["winnow"] = {**about, "recipe": trained.recipe, "thresholds": dict(zip(trained.labels, trained.thresholds, strict=True))}
    return nlp


def archive(trained: TrainedClassifier, name: str, about: Mapping[str, Any]) -> bytes:
    """The pipeline as a gzipped tar archive of one folder, `name`."""
    with tempfile.TemporaryDirectory() as temporary, io.BytesIO() as file:
        folder = Path(temporary) / name
        pipeline(trained, about).to_disk(folder)
        with tarfile.open(fileobj=file, mode="w:gz", compresslevel=_COMPRESSION) as tar:
            tar.add(folder, name)
        return file.getvalue()
