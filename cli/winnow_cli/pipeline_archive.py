"""Reads a downloaded version, a pipeline for spaCy (GET …/artifact), without spaCy: as data, and never by running what it says."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Mapping
from configparser import ConfigParser
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgpack

from winnow_cli.failures import CommandError

# More than any version has.
_MOST_BYTES = 2_000_000_000
_ARCHITECTURES = {"winnow.Linear.v1": "linear", "winnow.Light.v1": "light"}


@dataclass(frozen=True, slots=True)
class Pipeline:
    """What a version answers with. weights: a numpy archive. about: what the version says about itself, with its thresholds."""

    recipe: str
    labels: tuple[str, ...]
    exclusive: bool
    temperature: float
    weights: bytes
    about: Mapping[str, Any]


def read(path: Path) -> Pipeline:
    """The pipeline in a gzipped tar archive. Raises CommandError if it is none, or of a recipe that only Winnow can run."""
    try:
        files = _members(path)
        config = ConfigParser(interpolation=None)
        config.read_string(files["config.cfg"].decode())
        model = config["components.textcat.model" if "components.textcat" in config else "components.textcat_multilabel.model"]
        recipe = _ARCHITECTURES.get(json.loads(model["@architectures"]))
        about = json.loads(files["meta.json"])["winnow"]
        if recipe is None:
            raise CommandError(
                f"A version of the recipe {about['recipe']} can't become ONNX: only those of linear and light can."
                " Train one: winnow train FILE --recipe light"
            )
        folder = "textcat" if "textcat/model" in files else "textcat_multilabel"
        # Without hooks, msgpack makes only numbers, texts, bytes, lists and dicts.
        [attributes] = msgpack.unpackb(files[f"{folder}/model"], strict_map_key=False)["attrs"]
        weights = attributes["linear" if recipe == "linear" else "classifier"]
        labels = tuple(json.loads(files[f"{folder}/cfg"])["labels"])
        return Pipeline(recipe, labels, json.loads(model["exclusive_classes"]), float(model["temperature"]), weights, about)
    except (tarfile.TarError, EOFError, OSError, ValueError, KeyError, TypeError, msgpack.UnpackException) as error:
        raise CommandError(f"{path} is not a version that Winnow wrote ({type(error).__name__}): download it again.") from error


def _members(path: Path) -> dict[str, bytes]:
    """The files that are needed, by their names without the folder. Nothing is written to the disk."""
    wanted = {"config.cfg", "meta.json", *(f"{kind}/{name}" for kind in ("textcat", "textcat_multilabel") for name in ("cfg", "model"))}
    found: dict[str, bytes] = {}
    with tarfile.open(path, "r:gz") as archive:
        for member in archive:
            name = member.name.partition("/")[2]
            if name in wanted and member.isreg():
                if member.size > _MOST_BYTES:
                    raise ValueError(name)
                file = archive.extractfile(member)
                found[name] = file.read() if file else b""
    return found
