"""`winnow export`: a version as a folder with ONNX, and a reader of texts for it. Needs the extra winnow-cli[onnx]."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from winnow_cli.batches import download
from winnow_cli.client import Client
from winnow_cli.failures import CommandError, UsageError

if TYPE_CHECKING:
    from winnow_cli.pipeline_archive import Pipeline

EXPORTED = ("linear", "light")
"""The recipes that can become ONNX."""
_ENCODER = "use-multilingual"
# The windows of the encoder that reader.py and the graph know.
_KIND, _MOST_TOKENS = "ngrams", 256


def to_onnx(client: Client, model: str, version: Mapping[str, Any], folder: Path, encoder: Path | None) -> dict[str, Any]:
    """Download the version, check its digest, and write the folder in one step. Returns its files with their sizes.

    CommandError if the recipe can't become ONNX or the download isn't what the service wrote. UsageError if the extra, or the encoder, is
    missing, or the folder is there.
    """
    if version["recipe"] not in EXPORTED:
        raise CommandError(
            f"Version {version['version']} of {model} has the recipe {version['recipe']}, which can't become ONNX:"
            f" only {' and '.join(EXPORTED)} can. Train one: winnow train FILE --recipe light"
        )
    if folder.exists():
        raise UsageError(f"{folder} exists: remove it, or say another folder with --output.")
    try:
        from winnow_cli import onnx_graph, pipeline_archive  # noqa: PLC0415 # of the extra
    except ImportError as error:
        raise UsageError("An export needs winnow-cli[onnx]: install it (`pip install ./client './cli[onnx]'`).") from error
    needed = version["encoders"][-1] if version["encoders"] else None
    found = None if needed is None else _encoder(encoder, needed)
    try:
        with TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as temporary:
            made = Path(temporary) / "made"
            made.mkdir()
            pipeline = pipeline_archive.read(_downloaded(client, model, version["version"], Path(temporary) / "pipeline.tar.gz"))
            graph, reading = onnx_graph.model(pipeline, found)
            (made / "model.onnx").write_bytes(graph)
            about = _about(pipeline, model, version["version"], reading)
            (made / "export.json").write_text(json.dumps(about, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
            shutil.copyfile(Path(__file__).with_name("onnx_reader.py"), made / "reader.py")
            if found:
                shutil.copyfile(found / "tokenizer.bin", made / "tokenizer.bin")
                for name in ("LICENSE", "NOTICE"):
                    if (found.parent / name).is_file():
                        shutil.copyfile(found.parent / name, made / f"{name}.encoder")
            files = {path.name: path.stat().st_size for path in sorted(made.iterdir())}
            made.rename(folder)
    except OSError as error:
        if error.filename is None:
            raise
        raise UsageError(f"Can't write {folder}: {error.strerror}") from error
    return {"files": files}


def _downloaded(client: Client, model: str, version: int, path: Path) -> Path:
    """The version's archive, with the digest that the service says. Deployments of earlier releases say none."""
    link = client.call("GET", f"/models/{model}/versions/{version}/artifact")
    download(client, link["url"], path)
    expected = link.get("sha256")
    if expected is not None and hashlib.sha256(path.read_bytes()).hexdigest() != expected:
        raise CommandError(f"The download of version {version} of {model} is damaged (its SHA-256 is not {expected[:12]}…): try again.")
    return path


def _about(pipeline: Pipeline, model: str, version: int, reading: Mapping[str, Any]) -> dict[str, Any]:
    """export.json: what reader.py needs beside the graph."""
    about = pipeline.about
    return {
        "model_id": model,
        "version": version,
        "recipe": pipeline.recipe,
        "exclusive": pipeline.exclusive,
        "labels": pipeline.labels,
        "thresholds": [about["thresholds"][label] for label in pipeline.labels],
        # Versions of earlier releases don't say these two.
        "least_familiarity": about.get("least_familiarity"),
        "score_weight": about.get("score_weight", 0.0),
        **reading,
    }


def _encoder(given: Path | None, needed: Mapping[str, str]) -> Path:
    """The folder of the encoder with the digest that the version needs. UsageError if it isn't there, or is another one."""
    folder = given or _installed()
    named = f"the sentence encoder {needed['name']} ({needed['digest'][:12]})"
    if folder is None:
        raise UsageError(f"The version needs {named}: say its folder with --encoder (docs/exports.md says where it is).")
    try:
        described = (folder / "encoder.json").read_bytes()
        about = json.loads(described)
        parts = {name: (folder / f"{name}.bin").read_bytes() for name in ("model", "tokenizer")}
        right = hashlib.sha256(described).hexdigest() == needed["digest"] and all(
            hashlib.sha256(body).hexdigest() == about[f"{name}_sha256"] for name, body in parts.items()
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{folder} has no sentence encoder of Winnow ({type(error).__name__}): say its folder with --encoder.") from error
    if not right:
        raise UsageError(f"{folder} has another or a damaged sentence encoder. The version needs {named}: say its folder with --encoder.")
    if (about.get("kind"), about["most_tokens"]) != (_KIND, _MOST_TOKENS):
        raise CommandError(f"This command can't export {named}: install a newer one.")
    return folder


def _installed() -> Path | None:
    """The folder of the encoder in this environment, where `make env` puts it."""
    package = find_spec("winnow_encoder")
    if package is None or not package.submodule_search_locations:
        return None
    return Path(package.submodule_search_locations[0]) / _ENCODER
