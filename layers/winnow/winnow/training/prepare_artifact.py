"""The first step of a version that is imported: check the archive of a version of another deployment. Works without the spaCy layer.

The archive comes from a client, so nothing of it is run, and nothing is unpacked to the disk.
"""

from __future__ import annotations

import io
import json
import re
import tarfile
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from winnow.aws import resources
from winnow.datasets.row_problems import FileError
from winnow.datasets.split import FEWEST_LABELS
from winnow.datasets.unpacking import Unpacking
from winnow.domain import strict_json
from winnow.domain.dataset import MAX_LABEL_CHARACTERS, ArtifactReference, Ceilings
from winnow.domain.errors import DatasetError, EncoderError
from winnow.domain.job import Progress, Stage, TrainingJob
from winnow.domain.model import DESCRIPTION, Version, VersionStatus
from winnow.domain.normal_form import label_form
from winnow.recipes.catalogue import COSTS, FORMS, IN_PARTS, WHOLE, ZERO_SHOT
from winnow.recipes.languages import LANGUAGES
from winnow.storage.job_objects import Digests

NOT_MEASURED_HERE = (
    "The version was imported. Nothing was measured here, because its examples are not in its artifact: measure it on your own with"
    " POST /models/{model_id}/versions/{version}/evaluations."
)

# A pipeline has about twenty files and folders.
_MOST_MEMBERS = 1_000
_MOST_ENCODERS = 2
_MODELS = {"textcat/model", "textcat_multilabel/model"}
_MODEL = "model"
_DIGEST = re.compile("[0-9a-f]{64}")
_LONGEST_NAME = 100
# Of a number in the description. float32 has larger ones.
_LARGEST = 1e18
_OF_PARTS = {"light", "best"}


def prepare_artifact(job: TrainingJob, version: Version) -> str:
    """Check the archive, keep what Train needs of it, and freeze no examples. Returns the recipe.

    DatasetError if it can't be imported; EncoderError if it needs a sentence encoder, and the deployment has none.
    """
    if "examples" in version.dataset:
        return version.recipe
    jobs, ceilings = resources.jobs(), resources.ceilings()
    jobs.note(job, VersionStatus.TRAINING, Progress.of(Stage.PREPARING))
    reference = ArtifactReference(**version.dataset["artifact"])
    opened = resources.datasets().open(reference.s3bucket, reference.object)
    files = _files(_unpacked(opened.stream, reference, ceilings))
    about = _described(files[DESCRIPTION], ceilings.labels)
    if about["encoders"] and not resources.has_encoder():
        names = " and ".join(each["name"] for each in about["encoders"])
        raise EncoderError(f"The artifact needs the sentence encoder {names}, and this deployment has none: deploy it with Encoder=minilm.")
    resources.checkpoints().write(job, about["recipe"], io.BytesIO(json.dumps(about).encode() + b"\n" + files[_MODEL]))
    digests: Digests = {}
    for part in ("train", "test"):
        digests |= resources.frozen_examples().write(job, part, [])
    dataset = {
        **version.dataset,
        "sha256": reference.sha256,
        "etag": opened.etag,
        "version_id": opened.version_id,
        "examples": 0,
        "train_examples": 0,
        "test_examples": 0,
        "labels": len(about["labels"]),
        "exclusive": about["exclusive"],
        "warnings": 0,
    }
    known = {
        "recipe": about["recipe"],
        "hyperparameters": {**version.hyperparameters, "spacy_model": about["language"], "exclusive": about["exclusive"]},
        "warnings": [NOT_MEASURED_HERE.format(model_id=job.model_id, version=job.version)],
    }
    jobs.note(job, VersionStatus.TRAINING, Progress.of(Stage.TRAINING), dataset=dataset, digests=digests, **known)
    return str(about["recipe"])


def _unpacked(stream: Any, reference: ArtifactReference, ceilings: Ceilings) -> bytes:
    """The tar archive. DatasetError if it has another digest, is too large, or is broken."""
    unpacking = Unpacking(stream, ceilings, "The artifact")
    try:
        unpacked = b"".join(unpacking)
        unpacking.rest()
    except FileError as error:
        raise DatasetError(error.sentence) from error
    found = unpacking.sha256.hexdigest()
    if found != reference.sha256:
        raise DatasetError(
            f"The SHA-256 of s3://{reference.s3bucket}/{reference.object} is {found[:12]}…, but the request says {reference.sha256[:12]}…:"
            " download the artifact and upload it again."
        )
    return unpacked


def _files(unpacked: bytes) -> dict[str, bytes]:
    """The description and the model in a tar archive. DatasetError if it has anything but plain files in one folder."""
    found: dict[str, bytes] = {}
    names: set[str] = set()
    try:
        with tarfile.open(fileobj=io.BytesIO(unpacked), mode="r:") as archive:
            for member in archive:
                path = PurePosixPath(member.name)
                # A sparse file would be larger than the archive.
                plain = member.isdir() or (member.isfile() and not member.issparse())
                if not plain or path.is_absolute() or ".." in path.parts or member.name in names or len(names) == _MOST_MEMBERS:
                    raise _not_ours(f"{member.name[:_LONGEST_NAME]!r} is no plain file in its folder, or one too many")
                names.add(member.name)
                inner = "/".join(path.parts[1:])
                name = _MODEL if inner in _MODELS else inner
                if member.isfile() and name in {DESCRIPTION, _MODEL}:
                    if name in found:
                        raise _not_ours(f"it has two files {name}")
                    file = archive.extractfile(member)
                    found[name] = b"" if file is None else file.read()
    except (tarfile.TarError, ValueError, OverflowError, EOFError) as error:
        raise _not_ours("it is no tar.gz archive") from error
    if _MODEL not in found:
        raise _not_ours("it has no pipeline")
    if DESCRIPTION not in found:
        raise DatasetError(f"The archive has no {DESCRIPTION}: an earlier release trained the version. Train it again there first.")
    return found


def _not_ours(why: str) -> DatasetError:
    return DatasetError(f"The archive is not an artifact of Winnow: {why}. Download one with `winnow download`, or GET …/artifact.")


def _described(body: bytes, most_labels: int) -> dict[str, Any]:
    """The artifact's description, with everything in it checked. DatasetError."""
    try:
        about = strict_json.parse(body.decode())
    except (UnicodeDecodeError, strict_json.BrokenJsonError) as error:
        raise _not_ours(f"its {DESCRIPTION} is no JSON") from error
    if not isinstance(about, dict):
        raise _not_ours(f"its {DESCRIPTION} is no object")
    form, recipe = about.get("form"), about.get("recipe")
    if form not in FORMS or recipe not in (*COSTS, ZERO_SHOT):
        raise DatasetError(
            f"The artifact has the form {str(form)[:_LONGEST_NAME]} and the recipe {str(recipe)[:_LONGEST_NAME]}, which this release"
            " doesn't know: a later one made it. Upgrade this deployment, or train here."
        )
    labels: Any = about.get("labels")
    if not _are_labels(labels):
        raise _not_ours(f"its {DESCRIPTION} has wrong labels")
    if len(labels) > most_labels:
        raise DatasetError(f"The artifact has {len(labels):,} labels, and this deployment takes at most {most_labels:,} (MostLabels).")
    encoders: Any = about.get("encoders") if form == IN_PARTS else [each for each in [about.get("encoder")] if each is not None]
    early: Any = about.get("early", [])
    right = (
        (form == IN_PARTS) == (recipe in _OF_PARTS)
        and isinstance(about.get("exclusive"), bool)
        and about.get("language") in LANGUAGES
        and _is_stage(about, len(labels))
        and _is_number(about.get("score_weight"))
        and isinstance(encoders, list)
        and len(encoders) <= _MOST_ENCODERS
        and all(map(_is_encoder, encoders))
        and (form == WHOLE or _are_numbers(about.get("shares"), _MOST_ENCODERS))
        and isinstance(early, list)
        and len(early) in {0, len(encoders)}
        and all(isinstance(stage, dict) and _is_stage(stage, len(labels)) and _is_early(stage) for stage in early)
    )
    if not right:
        raise _not_ours(f"its {DESCRIPTION} is not as a training writes it")
    # The archive's word for how much memory it needs counts for nothing: Train writes its own.
    return {**about, "encoders": encoders, "nbytes": 0}


def _are_labels(labels: Any) -> bool:
    if not isinstance(labels, list) or len(labels) < FEWEST_LABELS or not all(isinstance(label, str) for label in labels):
        return False
    right = all(0 < len(label) <= MAX_LABEL_CHARACTERS and label == label_form(label) for label in labels)
    return right and len(set(labels)) == len(labels)


def _is_stage(stage: Mapping[str, Any], labels: int) -> bool:
    """Whether it has a temperature, a threshold of each label, and a lowest familiarity or none."""
    least: Any = stage.get("least_familiarity")
    temperature: Any = stage.get("temperature")
    if not _is_number(temperature) or temperature <= 0 or not (least is None or _is_number(least)):
        return False
    return _are_numbers(stage.get("thresholds"), labels)


def _is_early(stage: Mapping[str, Any]) -> bool:
    return all(stage.get(name, "") is None or _is_number(stage.get(name)) for name in ("floor", "margin"))


def _is_encoder(each: Any) -> bool:
    if not isinstance(each, dict) or each.keys() != {"name", "digest"} or not all(isinstance(value, str) for value in each.values()):
        return False
    return 0 < len(each["name"]) <= _LONGEST_NAME and _DIGEST.fullmatch(each["digest"]) is not None


def _are_numbers(values: Any, count: int) -> bool:
    return isinstance(values, list) and len(values) == count and all(map(_is_number, values))


def _is_number(value: Any) -> bool:
    # Python counts True as 1.
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < _LARGEST
