"""The sentence encoder: close to the float32 weights, independent of other texts, safe with odd texts. And remembered vectors."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import winnow_encoder
from numpy.typing import NDArray

from layers.encoder import upload
from tests.conftest import ROOT
from tests.support import minilm, tiny_encoder
from winnow.domain.errors import EncoderError
from winnow.recipes import encoder
from winnow.recipes.encoder import Encoder, Remembered

# Int8 weights rotate a vector slightly, and more for shorter texts.
LEAST_COSINE, LEAST_MEAN_COSINE = 0.995, 0.998

SENTENCES = [
    "I want to save for vacation!",
    "How deep do tulip bulbs go?",
    "My card was stolen, and somebody paid with it.",
    "What is the weather in Paris tomorrow, and do I need an umbrella if I go out late at night?",
    "THE QUICK BROWN FOX",
    "Ça va très bien, naïve café",
    "Zażółć gęślą jaźń",
    "İstanbul'da hava güzel",
    "Привет, как дела?",
    "今日はいい天気ですね",
    "no-reply@example.com 2024-01-31 $1,234.56",
    "line one\nline two\ttabbed",
    "I am so happy 🙂🎉",
]
ODD = ["", "?", "🙂", "\u200b", "(((((", "x" * 500, "a\u0301e\u0301"]
LONG = ["How deep do tulip bulbs go? " * 20 + "My card was stolen. " * 40, "a word of many " * 400]


@pytest.fixture(scope="module")
def installed() -> Encoder:
    found = encoder.installed()
    assert isinstance(found, Encoder)
    return found


@pytest.mark.slow
def test_its_vectors_are_nearly_those_of_the_float32_weights(installed: Encoder) -> None:
    texts = [*SENTENCES, *ODD, *LONG]
    vectors = installed.vectors(texts)
    cosines = (vectors * minilm.vectors(texts)).sum(axis=1)

    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    assert cosines.min() >= LEAST_COSINE, dict(zip(texts, cosines.tolist(), strict=True))
    assert cosines.mean() >= LEAST_MEAN_COSINE


def test_what_is_beyond_256_tokens_is_not_read(installed: Encoder) -> None:
    # 254 words, and a token at each end.
    full, longer, shorter = installed.vectors(["card " * 253 + "money", "card " * 253 + "money " + "rain " * 500, "card " * 253])

    assert np.array_equal(full, longer)
    assert not np.array_equal(full, shorter)


def test_a_text_has_the_same_vector_alone_and_among_others(installed: Encoder) -> None:
    texts = [*ODD, *SENTENCES]
    assert np.array_equal(installed.vectors(texts), np.vstack([installed.vectors([text]) for text in texts]))
    assert np.array_equal(installed.vectors(texts[::-1]), installed.vectors(texts)[::-1])


def test_the_layer_s_need_not_be_tried(installed: Encoder) -> None:
    assert installed.digest == encoder._KNOWN_TOGETHER


@pytest.mark.parametrize(("dynamic", "together"), [(False, True), (True, False)])
def test_another_has_the_same_vector_for_a_text_alone_and_among_others(tmp_path: Path, dynamic: bool, together: bool) -> None:
    # Includes words that a quantized table rounds to nothing, and the words that cause this.
    texts = ["how deep", "my card", "stolen ?", "tulip bulbs", "?", "how"]
    other = tiny(tmp_path, dynamic=dynamic)

    assert np.array_equal(other.vectors(texts), np.vstack([other.vectors([text]) for text in texts]))
    assert other.together == together


@pytest.mark.parametrize("pooling", ["mean", "cls"])
@pytest.mark.parametrize("text", ["\x01", "\u200b", ""])
def test_a_text_of_which_a_tokenizer_makes_nothing_has_a_vector_too(tmp_path: Path, text: str, pooling: str) -> None:
    other = tiny(tmp_path, pooling=pooling)
    assert other._windows_of(text, 1) == [[]]
    alone, among = other.vectors([text]), other.vectors(["my card", text, text, "how deep"])

    assert np.linalg.norm(alone) == pytest.approx(1, abs=1e-6)
    assert np.array_equal(among[1:3], np.vstack([alone, alone]))


def test_so_has_one_whose_tokens_mean_nothing_to_the_model(tmp_path: Path) -> None:
    # Like those for which its authors chose a vector of zeros.
    other = tiny(tmp_path)
    assert np.linalg.norm(other.vectors(["unknown"])) == pytest.approx(1, abs=1e-6)


def tiny(folder: Path, *, dynamic: bool = False, pooling: str = "mean") -> Encoder:
    tiny_encoder.put(folder, dynamic=dynamic)
    (folder / "encoder.json").write_bytes(upload.described(folder, "tiny", pooling, 16))
    return Encoder(folder)


def test_no_texts_have_no_vectors(installed: Encoder) -> None:
    assert installed.vectors([]).shape == (0, 384)


def test_a_lone_surrogate_is_as_a_question_mark(installed: Encoder) -> None:
    lone, replaced = installed.vectors(["half a \ud83d smile", "half a ? smile"])
    assert np.array_equal(lone, replaced)


@pytest.mark.parametrize("text", ["(" * 20_000, "🙂" * 20_000, "a" + "\u0301" * 20_000, "\u0000" * 20_000, "a" * 100_000, "ﷺ" * 20_000])
def test_a_text_made_to_be_slow_has_a_vector(installed: Encoder, text: str) -> None:
    assert np.linalg.norm(installed.vectors([text])) == pytest.approx(1, abs=1e-6)


_LOAD_LINEAR = """
import sys
from winnow.domain.dataset import Example
from winnow.domain.job import Hyperparameters
from winnow.recipes.artifact import TrainedClassifier
from winnow.training.fit import train
made = train("linear", [Example("a flat tyre", ("a",)), Example("tulip bulbs", ("b",))], Hyperparameters(n_iter=1), exclusive=True)
TrainedClassifier.from_files(made.to_files()).predict(["tulip bulbs"])
print(sorted({"onnxruntime", "tokenizers", "winnow_encoder"} & set(sys.modules)))
"""

_LOAD_ENCODER = """
import sys
from winnow.recipes import encoder
encoder.installed().vectors([])
print(sorted({"onnxruntime", "tokenizers"} & set(sys.modules)))
encoder.installed().vectors(["tulip bulbs"])
print(sorted({"onnxruntime", "tokenizers"} & set(sys.modules)))
"""


def told_by(program: str) -> list[str]:
    """The lines that a separate Python process prints."""
    environment = {"PYTHONPATH": str(ROOT / "layers" / "winnow")}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_a_recipe_that_needs_no_encoder_loads_none() -> None:
    assert told_by(_LOAD_LINEAR) == ["[]"]


def test_what_runs_it_is_loaded_when_the_first_text_comes() -> None:
    assert told_by(_LOAD_ENCODER) == ["[]", "['onnxruntime', 'tokenizers']"]


def test_a_deployment_without_it_says_how_to_get_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoder, "_PACKAGE", "winnow_encoder_that_is_not_there")
    encoder.installed.cache_clear()
    with pytest.raises(EncoderError, match="deploy it with the parameter Encoder=minilm"):
        encoder.installed()
    encoder.installed.cache_clear()


def test_its_digest_is_that_of_all_that_makes_a_vector(installed: Encoder, tmp_path: Path) -> None:
    described = (Path(str(winnow_encoder.__file__)).parent / "encoder.json").read_text()
    digests = [installed.digest]
    for name in ("model_sha256", "tokenizer_sha256", "most_tokens", "pooling"):
        (tmp_path / "encoder.json").write_text(json.dumps(json.loads(described) | {name: 7}, sort_keys=True, separators=(",", ":")))
        digests.append(Encoder(tmp_path).digest)

    assert len(set(digests)) == 5
    (tmp_path / "encoder.json").write_text(described)
    assert Encoder(tmp_path).digest == installed.digest


# --- remembered ---


class Counting:
    """An encoder that records what it encodes. A text's vector depends on its length and first character."""

    def __init__(self, digest: str = "one") -> None:
        self.name, self.digest = "counting", digest
        self.encoded: list[str] = []

    def vectors(self, texts: Sequence[str], windows: int = 1) -> NDArray[np.float32]:
        self.encoded += texts
        found = np.array([[len(text), ord(text[0])] for text in texts], np.float32).reshape(-1, 2)
        return found / np.linalg.norm(found, axis=1, keepdims=True)


TEXTS = [f"{chr(65 + number % 26)}{'x' * number}" for number in range(50)]


def exactly(texts: Sequence[str]) -> NDArray[np.float32]:
    """Rounded as remembered vectors are."""
    return Counting().vectors(texts).astype(np.float16).astype(np.float32)


def test_each_text_is_encoded_once_however_often_it_is_asked_for() -> None:
    counting = Counting()
    remembered = Remembered(counting, [*TEXTS, *TEXTS[::-1]])
    shares = [remembered.share, *(remembered.share for _ in remembered.encode())]

    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0.0, 1.0)
    for _ in range(3):
        assert np.array_equal(remembered.vectors(TEXTS[::-1]), exactly(TEXTS[::-1]))
    assert counting.encoded == TEXTS


def test_others_are_encoded_as_they_come_and_have_their_places() -> None:
    counting = Counting()
    remembered = Remembered(counting, TEXTS)
    for _ in remembered.encode():
        pass
    asked = ["new", TEXTS[3], "newer", TEXTS[0], "new"]

    assert np.array_equal(remembered.vectors(asked), exactly(asked))
    assert counting.encoded[len(TEXTS) :] == ["new", "newer", "new"]
    assert remembered.vectors([]).shape[0] == 0


@pytest.mark.parametrize("steps", [0, 1, 2, 10])
def test_put_down_and_taken_up_again_nothing_is_encoded_twice(steps: int) -> None:
    first, second = Counting(), Counting()
    remembered = Remembered(first, TEXTS)
    for _ in itertools.islice(remembered.encode(), steps):
        pass
    again = Remembered(second, TEXTS)
    again.resume(remembered.save())
    assert again.share == remembered.share
    for _ in again.encode():
        pass

    assert first.encoded + second.encoded == TEXTS
    assert np.array_equal(again.vectors(TEXTS), exactly(TEXTS))


def test_another_encoder_s_vectors_are_worth_nothing() -> None:
    remembered, other = Remembered(Counting("one"), TEXTS), Counting("two")
    for _ in remembered.encode():
        pass
    again = Remembered(other, TEXTS)
    again.resume(remembered.save())
    assert again.share == 0.0
    for _ in again.encode():
        pass

    assert other.encoded == TEXTS


def test_no_texts_are_all_remembered() -> None:
    remembered = Remembered(Counting(), [])
    assert list(remembered.encode()) == []
    assert remembered.share == 1.0
