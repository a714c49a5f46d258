"""`winnow export`: the folder answers as the service does."""

from __future__ import annotations

import hashlib
import importlib.util
import io
import json
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.cli.conftest import Server, Winnow, ends
from tests.support import artifacts
from tests.support.contract import ROOT
from tests.support.hostile_texts import HOSTILE
from winnow.domain.dataset import Example
from winnow.domain.job import Hyperparameters
from winnow.recipes import pipeline
from winnow.recipes.artifact import TrainedClassifier, new_classifier, recipe_of
from winnow.recipes.encoder import MULTILINGUAL, installed
from winnow_cli import exporting

BLANK = (
    "",
    "  ",
    "\u200b\u200d",
    "?!",
    "\x00",
    "🌹👩‍👩‍👧",
    "我想存钱去度假",
    "สวัสดีครับ ผม",
    "\ud800 alone",
    "ﬁ ﷺ İ ẞ",
    "e" + "\u0301" * 100,
)
LONG = ("I can't log in! 😀 请帮我 " * 1_000)[:20_000]
Serve = Callable[..., None]


@cache
def stored(recipe: str) -> TrainedClassifier:
    [*_, found] = [each for each in artifacts.stored() if each.recipe == recipe]
    return TrainedClassifier.from_files(found.files)


@cache
def of_sample(recipe: str, *, exclusive: bool) -> tuple[TrainedClassifier, tuple[str, ...]]:
    """A version trained on a part of the sample, and texts of the rest."""
    records = json.loads((ROOT / "local" / "sample" / "savings.json").read_text(encoding="utf-8"))
    examples = [Example(record["text"], (record["label"],) if exclusive else (record["label"], "any")) for record in records]
    labels = sorted({label for example in examples for label in example.labels})
    encodings = (installed(MULTILINGUAL),) if recipe == "light" else ()
    classifier = new_classifier(recipe, labels, exclusive=exclusive, language="en", encodings=encodings)
    learnt = [each for place, each in enumerate(examples) if place % 5]
    settings = recipe_of(recipe).settings(Hyperparameters(n_iter=2), len(learnt), len(labels), exclusive=exclusive)
    fitting = classifier.fitting(learnt, settings)
    for _ in fitting.begin():
        pass
    while fitting.epochs < 2:
        for _ in fitting.run_epoch():
            pass
    fitting.finish()
    # About what a training finds for these texts.
    trained = TrainedClassifier(recipe, classifier, 0.3 if exclusive else 1.0, (0.3,) * len(labels), 0.55 if exclusive else None)
    return TrainedClassifier.from_files(trained.to_files()), tuple(each.text for each in examples[::20])


@pytest.fixture
def serve(server: Server) -> Serve:
    """Lets the API have a version. body: if not the pipeline of the classifier; sha256: of the answer, if not the body's."""

    def serving(trained: TrainedClassifier, body: bytes | None = None, sha256: str | None = "", recipe: str | None = None) -> None:
        if body is None:
            body = pipeline.archive(trained, "tc-01-2", {"model_id": "tc-01", "version": 2})
        version = {"model_id": "tc-01", "version": 2, "status": "ready", "recipe": recipe or trained.recipe, "encoders": trained.encoders}
        link = {"url": server.url.removesuffix("/v1") + "/s3/pipeline", "bytes": len(body), "expires_at": "2026-03-02T09:35:00.000Z"}
        digest = hashlib.sha256(body).hexdigest() if sha256 == "" else sha256
        server.gives("GET /models/tc-01", (200, {"live_version": 2}))
        server.gives("GET /models/tc-01/versions/2", (200, version))
        server.gives("GET /models/tc-01/versions/2/artifact", (200, {"model_id": "tc-01", "version": 2, "sha256": digest, **link}))
        server.gives("GET /s3/pipeline", (200, body))

    return serving


def model_of(folder: Path) -> Any:
    """The Model of the folder's reader.py."""
    spec = importlib.util.spec_from_file_location("reader", folder / "reader.py")
    assert spec is not None
    assert spec.loader is not None
    reader = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(reader)
    return reader.Model(folder)


def largest_difference(folder: Path, trained: TrainedClassifier, texts: Sequence[str]) -> float:
    """Of a score. The accepted labels are the same.

    The service is asked about each text twice at once: for a single text numpy multiplies in another way, by which the service's own
    scores of `light` are rounded by up to 2e-5.
    """
    model, most = model_of(folder), 0.0
    for text in texts:
        scores, nearness = model.scores(text)
        judged = trained.judged([text, text])
        most = max(most, float(np.abs(scores - judged.scores[0]).max()))
        if judged.surplus is not None:
            assert trained.least_familiarity is not None
            surplus = nearness + trained.score_weight * scores.max() - trained.least_familiarity
            assert surplus == pytest.approx(float(judged.surplus[0]), abs=1e-5), text[:40]
        expected = {each.label: each.accepted for each in trained.labels_of(judged)[0][0]}
        assert {label: accepted for label, _, accepted in model.answered(scores, nearness)} == expected, text[:40]
    return most


def test_linear_answers_as_the_service_does(server: Server, serve: Serve, winnow: Winnow, tmp_path: Path) -> None:
    serve(stored("linear"))
    folder = tmp_path / "out"

    done = winnow("export", "tc-01", "--output", str(folder), "--json")

    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    assert told["folder"] == str(folder)
    assert told["files"] == {path.name: path.stat().st_size for path in folder.iterdir()}
    assert set(told["files"]) == {"export.json", "model.onnx", "reader.py"}
    assert largest_difference(folder, stored("linear"), [*artifacts.TEXTS, *BLANK, LONG]) < 1e-5
    # The key is for the API, not for S3.
    [headers] = [headers for _, path, headers, _ in server.asked if path.startswith("/s3")]
    assert not {name for name in headers if name.lower() == "x-api-key"}
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_the_reader_is_a_command_too(serve: Serve, winnow: Winnow, tmp_path: Path) -> None:
    serve(stored("linear"))
    assert winnow("export", "tc-01", "--output", str(tmp_path / "out")).returncode == 0

    text = "How deep do tulip bulbs go?"
    command = [sys.executable, str(tmp_path / "out" / "reader.py"), text]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout

    first, *_ = told.splitlines()
    best = stored("linear").predict([text], 1)[0][0]
    assert first.split() == [f"{best.score:.6f}", best.label] or abs(float(first.split()[0]) - best.score) < 1e-5


@pytest.mark.slow
@pytest.mark.parametrize("exclusive", [True, False])
@pytest.mark.parametrize("recipe", ["linear", "light"])
def test_versions_of_the_sample_answer_its_test_texts_and_hostile_texts_as_the_service_does(
    serve: Serve, winnow: Winnow, tmp_path: Path, recipe: str, exclusive: bool
) -> None:
    trained, texts = of_sample(recipe, exclusive=exclusive)
    serve(trained)

    done = winnow("export", "tc-01", "--output", str(tmp_path / "out"))

    assert done.returncode == 0, done.stderr
    assert ("tokenizer.bin" in {path.name for path in (tmp_path / "out").iterdir()}) == (recipe == "light")
    # Texts are read alike whether labels exclude each other or not, so the hostile ones, which take long, are asked once.
    hostile = HOSTILE.values() if exclusive else ()
    assert largest_difference(tmp_path / "out", trained, [*texts, *artifacts.TEXTS, *BLANK, LONG, *hostile]) < 1e-5


@pytest.mark.slow
def test_a_version_with_many_examples_has_a_network_and_answers_the_same(
    serve: Serve, winnow: Winnow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("winnow.recipes.sentence.MOST_OF_A_KERNEL", 10)
    of_sample.cache_clear()
    trained, texts = of_sample("light", exclusive=True)
    of_sample.cache_clear()
    assert type(trained.classifier.sentences[0].head).__name__ == "MaxoutHead"  # type: ignore[union-attr]
    serve(trained)

    assert winnow("export", "tc-01", "--output", str(tmp_path / "out")).returncode == 0

    assert largest_difference(tmp_path / "out", trained, [*texts, *BLANK]) < 1e-5


def test_other_recipes_are_refused_with_the_ones_that_can_be_exported(server: Server, serve: Serve, winnow: Winnow, tmp_path: Path) -> None:
    serve(stored("linear"), recipe="best")
    ends(winnow("export", "tc-01", "--output", str(tmp_path / "out")), 1, "recipe best", "linear and light", "--recipe light")
    assert not [call for call in server.calls() if "artifact" in call]


def test_nothing_is_overwritten(server: Server, serve: Serve, winnow: Winnow, tmp_path: Path) -> None:
    serve(stored("linear"))
    (tmp_path / "out").mkdir()
    ends(winnow("export", "tc-01", "--output", str(tmp_path / "out")), 2, "exists")
    ends(winnow("export", "tc-01", "--output", str(tmp_path / "absent" / "out")), 2, "Can't write")
    ends(winnow("export", "tc-01", "--format", "spacy"), 2, "onnx")


def archive(*members: tuple[str, bytes]) -> bytes:
    with io.BytesIO() as file:
        with tarfile.open(fileobj=file, mode="w:gz") as tar:
            for name, body in members:
                member = tarfile.TarInfo(name)
                member.size = len(body)
                tar.addfile(member, io.BytesIO(body))
        return file.getvalue()


def broken() -> Iterator[tuple[str, bytes]]:
    whole = pipeline.archive(stored("linear"), "tc-01-2", {})
    with tarfile.open(fileobj=io.BytesIO(whole)) as tar:
        files = {member.name: tar.extractfile(member).read() for member in tar if member.isreg()}  # type: ignore[union-attr]
    model = "tc-01-2/textcat/model"
    yield "cut", whole[: len(whole) // 2]
    yield "no archive", b"<html>sign in</html>"
    yield "empty", archive()
    yield "without its model", archive(*((name, body) for name, body in files.items() if name != model))
    yield "a pickle in place of the weights", archive(*(files | {model: b"\x80\x04\x8c\x02os\x8c\x06system\x93."}).items())


@pytest.mark.parametrize("form", ["cut", "no archive", "empty", "without its model", "a pickle in place of the weights"])
def test_a_broken_archive_leaves_a_sentence_and_nothing_else(serve: Serve, winnow: Winnow, tmp_path: Path, form: str) -> None:
    # From a deployment of an earlier release, which says no digest.
    serve(stored("linear"), dict(broken())[form], sha256=None)
    ends(winnow("export", "tc-01", "--output", str(tmp_path / "out")), 1, "not a version that Winnow wrote")
    assert list(tmp_path.iterdir()) == []


def test_a_download_with_another_digest_is_refused(serve: Serve, winnow: Winnow, tmp_path: Path) -> None:
    serve(stored("linear"), sha256="0" * 64)
    ends(winnow("export", "tc-01", "--output", str(tmp_path / "out")), 1, "damaged", "000000000000")
    assert list(tmp_path.iterdir()) == []


def test_without_the_encoder_or_with_another_one_it_says_what_is_needed(
    serve: Serve, winnow: Winnow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained = stored("light")
    serve(trained)
    export = ("export", "tc-01", "--output", str(tmp_path / "out"))
    digest = trained.encoders[-1]["digest"][:12]
    with monkeypatch.context() as patch:
        patch.setattr(exporting, "find_spec", lambda _: None)
        ends(winnow(*export), 2, digest, "--encoder")
    other = tmp_path / "encoder"
    other.mkdir()
    ends(winnow(*export, "--encoder", str(other)), 2, "no sentence encoder of Winnow")
    (other / "model.bin").write_bytes(b"model")
    (other / "tokenizer.bin").write_bytes(b"tokenizer")
    about = {f"{name}_sha256": hashlib.sha256(name.encode()).hexdigest() for name in ("model", "tokenizer")}
    (other / "encoder.json").write_text(json.dumps(about | {"kind": "ngrams", "most_tokens": 256}))
    ends(winnow(*export, "--encoder", str(other)), 2, "another or a damaged sentence encoder", digest)


def test_without_the_extra_it_says_how_to_install_it(serve: Serve, winnow: Winnow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    serve(stored("linear"))
    monkeypatch.setitem(sys.modules, "msgpack", None)
    monkeypatch.delitem(sys.modules, "winnow_cli.pipeline_archive", raising=False)
    monkeypatch.delitem(sys.modules, "winnow_cli.onnx_graph", raising=False)
    monkeypatch.delattr("winnow_cli.pipeline_archive", raising=False)
    monkeypatch.delattr("winnow_cli.onnx_graph", raising=False)
    ends(winnow("export", "tc-01", "--output", str(tmp_path / "out")), 2, "winnow-cli[onnx]")
