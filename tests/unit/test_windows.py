"""Long texts: the windows of an encoder, the mean of their vectors, and classifiers that learn and answer with them, or with one."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from layers.encoder import upload
from tests.support import tiny_encoder
from winnow.datasets.long_texts import is_long
from winnow.domain.dataset import Example
from winnow.domain.job import Hyperparameters
from winnow.recipes import encoder, sentence
from winnow.recipes.artifact import TrainedClassifier, new_classifier
from winnow.recipes.encoder import Encoder, Encoding, Remembered
from winnow.recipes.mixture import Mixture
from winnow.recipes.windows import MOST_WINDOWS, mean_of, tokens_read, windows_of
from winnow.training.fit import Training

# What a window of the tiny encoder holds.
WINDOW = 4
WORDS = tiny_encoder.WORDS[1:]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    folder = tmp_path_factory.mktemp("tiny")
    tiny_encoder.put(folder, dynamic=False)
    (folder / "encoder.json").write_bytes(upload.described(folder, "tiny", "mean", WINDOW))
    return Encoder(folder)


def of_length_one(vector: NDArray[np.float32]) -> NDArray[np.float32]:
    return vector / np.linalg.norm(vector)


@pytest.mark.parametrize(
    ("tokens", "most", "starts"),
    [
        (0, 8, [0]),
        (1, 8, [0]),
        (4, 8, [0]),
        (5, 8, [0, 2]),
        (6, 8, [0, 2]),
        (7, 8, [0, 2, 4]),
        (18, 8, [0, 2, 4, 6, 8, 10, 12, 14]),
        (100, 8, [0, 2, 4, 6, 8, 10, 12, 14]),
        (100, 1, [0]),
    ],
)
def test_windows_are_half_over_each_other_and_end_with_the_text(tokens: int, most: int, starts: list[int]) -> None:
    text = list(range(tokens))
    assert windows_of(text, WINDOW, most) == [text[start : start + WINDOW] for start in starts]
    assert tokens_read(WINDOW, most) == (18 if most == 8 else 4)


@pytest.mark.parametrize("words", [1, 4, 5, 6, 7, 12])
def test_the_vector_of_a_text_is_the_mean_of_its_windows(tiny: Encoder, words: int) -> None:
    text = WORDS[:words]
    windows = tiny.vectors([" ".join(window) for window in windows_of(text, WINDOW, MOST_WINDOWS)])
    [found] = tiny.vectors([" ".join(text)], MOST_WINDOWS)
    assert np.allclose(found, of_length_one(windows.mean(axis=0)), atol=1e-6)
    assert (len(windows) == 1) == np.array_equal(found, tiny.vectors([" ".join(text)])[0])


def test_what_is_after_the_last_window_is_not_read(tiny: Encoder) -> None:
    whole = ["how", "deep"] * 9
    full, longer, shorter = tiny.vectors([" ".join(whole), " ".join([*whole, "card", "card"]), " ".join(whole[:-1])], MOST_WINDOWS)
    assert np.array_equal(full, longer)
    assert not np.array_equal(full, shorter)


def test_a_text_has_the_same_vector_alone_and_among_others(tiny: Encoder) -> None:
    texts = [" ".join(WORDS[:words]) for words in (12, 3, 1, 9, 12)] + [""]
    assert np.array_equal(tiny.vectors(texts, MOST_WINDOWS), np.vstack([tiny.vectors([text], MOST_WINDOWS) for text in texts]))


def test_windows_that_cancel_each_other_out_have_a_vector() -> None:
    up = np.array([[0.6, 0.8]], np.float32)
    assert np.linalg.norm(mean_of(np.concatenate([up, -up, up]), [2, 1])[0]) == pytest.approx(1)


@pytest.mark.parametrize("name", encoder.IN_LAYER)
def test_the_layer_s_read_them_too_and_a_shorter_text_as_before(name: str) -> None:
    installed = encoder.installed(name)
    short, full = "How deep do tulip bulbs go?", "card " * 254
    assert np.array_equal(installed.vectors([short, full], MOST_WINDOWS), installed.vectors([short, full]))
    # 300 words are two windows.
    words = ["card"] * 200 + ["rain"] * 100
    windows = installed.vectors([" ".join(words[:254]), " ".join(words[127:])])
    [found] = installed.vectors([" ".join(words)], MOST_WINDOWS)
    assert np.allclose(found, of_length_one(windows.mean(axis=0)), atol=5e-6)
    assert not np.allclose(found, installed.vectors([" ".join(words)])[0], atol=0.01)


def long_examples() -> list[Example]:
    """Their first four words say nothing."""
    ends = {"bank": "my card was stolen", "garden": "how deep do tulip bulbs"}
    return [Example(f"i want to go {end} {'for ' * number}", (label,)) for label, end in ends.items() for number in range(12)]


def trained(recipe: str, encoding: Encoding) -> TrainedClassifier:
    training = Training(recipe, long_examples(), Hyperparameters(n_iter=1), exclusive=True, encoders=[encoding])
    for _ in training.steps():
        pass
    return training.result()


def test_what_only_later_windows_say_is_learnt_and_answered(tiny: Encoder) -> None:
    classifier = trained("sentence", tiny)
    texts = ["i want to go bulbs tulip deep", "i want to go was my card"]
    assert [row[0].label for row in classifier.predict(texts)] == ["garden", "bank"]
    again = TrainedClassifier.from_files(classifier.to_files(), lambda _name, _digest: tiny)
    assert np.array_equal(again.scores(texts), classifier.scores(texts))
    # Remembered vectors of training texts are rounded; these are read again.
    assert classifier.choose([example.text for example in long_examples()]) == [set(example.labels) for example in long_examples()]


def without_windows(weights: bytes) -> bytes:
    """The weights as the releases before windows wrote them."""
    with np.load(io.BytesIO(weights)) as arrays:
        kept: Mapping[str, NDArray[Any]] = {name: array for name, array in arrays.items() if name != "windows"}
    if "sentence" in kept:
        kept = {**kept, "sentence": np.frombuffer(without_windows(kept["sentence"].tobytes()), np.uint8)}
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **kept)
    return file.getvalue()


@pytest.mark.parametrize("recipe", ["sentence", "best"])
def test_a_version_of_an_earlier_release_goes_on_reading_one_window(tiny: Encoder, recipe: str) -> None:
    made = trained(recipe, tiny)

    def restored(weights: bytes) -> sentence.Classifier | Mixture:
        new: sentence.Classifier | Mixture = new_classifier(recipe, made.labels, exclusive=True, language="en", encodings=[tiny])
        return new.from_bytes(weights)

    texts = ["i want to go", "i want to go bulbs tulip deep", "i want to go was my card", "how deep " * 20, ""]
    old = restored(without_windows(made.classifier.to_bytes()))
    head = (old.sentences[0] if isinstance(old, Mixture) else old).head
    logits = head.logits(tiny.vectors(texts))
    expected = old.mixed(old.words.logits(texts), logits) if isinstance(old, Mixture) else logits
    assert np.array_equal(old.logits(texts), expected)
    assert not np.array_equal(old.logits(texts), made.classifier.logits(texts))
    # Written again, it stays what it was.
    assert np.array_equal(restored(old.to_bytes()).logits(texts), expected)


def test_remembered_texts_were_read_in_windows(tiny: Encoder) -> None:
    texts = ["how deep do tulip bulbs go", "my card", "i want to save for my card"]
    remembered = Remembered(tiny, texts[:2])
    for _ in remembered.encode():
        pass
    assert np.allclose(remembered.vectors(texts), tiny.vectors(texts, MOST_WINDOWS), atol=1e-3)
    assert np.array_equal(remembered.vectors(texts, 1), tiny.vectors(texts))


def test_long_texts_are_encoded_a_few_at_a_time(tiny: Encoder) -> None:
    remembered = Remembered(tiny, [f"{number} {'deep ' * 300}" for number in range(16)])
    assert len(list(remembered.encode())) == 8


# --- the estimate ---


@pytest.mark.parametrize(
    ("text", "long"),
    [
        ("", False),
        ("card " * 180, False),
        ("I don't know why my new card wasn't accepted at the supermarket. " * 15, False),
        ("I don't know why my new card wasn't accepted at the supermarket. " * 20, True),
        ("今日はいい天気ですね。" * 20, False),
        ("今日はいい天気ですね。" * 30, True),
        ("?!" * 100, False),
        ("?!" * 130, True),
        ("a" * 20_000, True),
        ("\ud800" * 300, True),
    ],
    ids=range(10),
)
def test_long_texts_are_estimated(text: str, long: bool) -> None:
    assert is_long(text) == long


def test_the_estimate_is_near_what_the_encoder_reads() -> None:
    page = " ".join((Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8").split())
    minilm = encoder.installed()
    assert isinstance(minilm, Encoder)
    parts = [page[begin : begin + length] for begin in range(0, 2_000, 200) for length in (500, 700, 1_100, 1_500)]
    several = [len(minilm._windows_of(part, 2)) > 1 for part in parts]
    assert 0 < sum(several) < len(parts)
    assert sum(map(is_long, parts)) == pytest.approx(sum(several), abs=4)
