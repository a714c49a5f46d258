"""Words of all scripts: marks stay in their word, and each character of a script without spaces is a word with n-grams over its run."""

from __future__ import annotations

import io
import unicodedata
from itertools import pairwise

import numpy as np
import pytest

from winnow.domain.dataset import Example
from winnow.domain.job import Hyperparameters
from winnow.recipes.artifact import TrainedClassifier
from winnow.recipes.features import Reading, bags, features, sources
from winnow.recipes.few import names_as_texts
from winnow.recipes.sparse_linear import SparseLinear
from winnow.recipes.words import is_unspaced, spans, words_of
from winnow.training.fit import train

# A text of each script, and its words.
SCRIPTS = {
    "English": ("The boiler's cold!", ["the", "boiler", "'", "s", "cold", "!"]),
    "quotes": ("Costs \u201c5 €\u201d \u2013 café", ["costs", "\u201c", "5", "€", "\u201d", "\u2013", "café"]),
    "German": ("Die Straße ist naß", ["die", "straße", "ist", "naß"]),
    "Russian": ("Й горячий чай", ["й", "горячий", "чай"]),
    "Hindi": ("रेडिएटर ठंडा है।", ["रेडिएटर", "ठंडा", "है", "।"]),
    "Tamil": ("தண்ணீர் வரவில்லை", ["தண்ணீர்", "வரவில்லை"]),
    "Bengali": ("বিদ্যুৎ নেই", ["বিদ্যুৎ", "নেই"]),
    "Arabic with vowel signs": ("كِتَابٌ جَدِيدٌ", ["كِتَابٌ", "جَدِيدٌ"]),
    "Hebrew with points": ("שָׁלוֹם עולם", ["שָׁלוֹם", "עולם"]),
    "Vietnamese": ("Nước nóng", ["nước", "nóng"]),
    "Korean": ("라디에이터가 차갑다", ["라디에이터가", "차갑다"]),
    "Chinese": ("暖气\uff0ciPhone手机", ["暖", "气", ",", "iphone", "手", "机"]),
    "Japanese": ("ボイラー・音が々", ["ボ", "イ", "ラ", "ー", "・", "音", "が", "々"]),
    "halfwidth kana": ("ﾊﾟﾝ", ["パ", "ン"]),
    "Thai": ("น้ำร้อน 5", ["น้ํ", "า", "ร้", "อ", "น", "5"]),
    "Lao": ("ນ້ຳ", ["ນ້ໍ", "າ"]),
    "Khmer": ("ទឹក", ["ទឹ", "ក"]),
    "Burmese": ("ရေပူ", ["ရေ", "ပူ"]),
    "emoji": ("❤️ 1️⃣", ["❤", "\ufe0f", "1\ufe0f\u20e3"]),
    "a mark alone": ("\u0301 a", ["\u0301", "a"]),
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_words_of_each_script(name: str) -> None:
    text, words = SCRIPTS[name]
    assert words_of(text, scripts=True) == [unicodedata.normalize("NFKC", word) for word in words]


@pytest.mark.parametrize("name", SCRIPTS)
def test_each_word_is_found_where_it_stands(name: str) -> None:
    text, _ = SCRIPTS[name]
    found = spans(text, scripts=True)
    assert found is not None
    stand = [unicodedata.normalize("NFKC", text[start:end]).lower() for start, end in found]
    for word, standing in zip(words_of(text, scripts=True), stand, strict=True):
        # A Thai or Lao vowel that NFKC takes apart stands in the text as one character.
        assert word in standing or standing.startswith(word[:1]) or word in "าາ"


def test_earlier_classifiers_keep_their_words() -> None:
    assert words_of("暖气\uff0c手机", scripts=False) == ["暖气", ",", "手机"]
    assert words_of("ठंडा", scripts=False) == ["ठ", "\u0902", "ड", "\u093e"]


def test_where_no_script_has_rules_nothing_changes() -> None:
    for text in ("The boiler's cold!", "Die Straße ist naß", "“5 €” \u2013 café", "a" * 300):
        assert words_of(text, scripts=True) == words_of(text, scripts=False)
        old, new = (features(text, Reading(3, scripts)) for scripts in (False, True))
        assert all(np.array_equal(*pair) for pair in zip(old, new, strict=True))


def test_a_long_word_is_cut_after_64_characters_and_a_long_run_is_not() -> None:
    assert [len(word) for word in words_of("क" * 100, scripts=True)] == [64, 36]
    assert words_of("字" * 100, scripts=True) == ["字"] * 100


def test_a_run_has_ngrams_from_one_character_up() -> None:
    short, long = (set(features(text, Reading())[0].tolist()) for text in ("手", "手机卡"))
    # As a word, as an n-gram, and as the first character of a run.
    assert len(long & short) == 3
    # Words 3, pairs 2, and n-grams of 1 to 5 among 5 characters, of which two are spaces.
    assert len(long) == 3 + 2 + 3 + 4 + 3 + 2 + 1


def test_characters_apart_have_no_common_ngrams_unless_only_a_space_is_between() -> None:
    joined, spaced, cut = (set(features(text, Reading())[0].tolist()) for text in ("手机", "手 机", "手,机"))
    assert joined == spaced
    assert joined - cut


def test_every_feature_comes_from_its_words_in_equal_parts() -> None:
    for text, _ in SCRIPTS.values():
        words = words_of(text, scripts=True)
        found, told = bags([words], Reading()), sources(words, Reading())
        assert set(told.places.tolist()) == set(found.places.tolist())
        occurrences = 2 * len(words) - 1 + sum(len(run) for run in _ngrams_of(words))
        assert told.parts.sum() == pytest.approx(occurrences)


def _ngrams_of(words: list[str]) -> list[list[str]]:
    """The n-grams, as texts, of each word and each run."""
    runs = [""]
    for before, word in pairwise(["", *words]):
        if not (is_unspaced(word) and before and is_unspaced(before)):
            runs.append("")
        runs[-1] += word
    made = []
    for run in runs[1:]:
        marked, shortest = f" {run} ", 1 if is_unspaced(run[:1]) else 3
        ngrams = [marked[start : start + size] for size in range(shortest, 6) for start in range(len(marked) - size + 1)]
        made.append([ngram for ngram in ngrams if ngram != " "])
    return made


CHINESE = [("暖气整天都是凉的", "heat"), ("家里很冷暖气没开", "heat"), ("自来水是黄色的", "water"), ("厨房的水管漏水", "water")] * 3
HINDI = [("रेडिएटर ठंडा है", "heat"), ("हीटर बंद है", "heat"), ("पानी नहीं आ रहा", "water"), ("नल टपक रहा है", "water")] * 3


@pytest.mark.parametrize(("rows", "text"), [(CHINESE, "暖气凉了, ok?"), (HINDI, "रेडिएटर से पानी")], ids=["Chinese", "Hindi"])
def test_an_explanation_adds_up_and_names_characters_or_whole_words(rows: list[tuple[str, str]], text: str) -> None:
    classifier = train("linear", [Example(said, (label,)) for said, label in rows], Hyperparameters(), exclusive=True)
    told = classifier.explain(text, "heat")
    assert told.bias is not None
    [logits] = classifier.judged([text]).logits
    assert told.bias + sum(word.contribution for word in told.words) == pytest.approx(
        float(logits[classifier.labels.index("heat")]), abs=1e-5
    )
    assert [text[word.start : word.end] for word in told.words] == words_of(text, scripts=True)
    # The first word, or character, was learnt with this label only.
    assert told.words[0].contribution > 0


def test_the_artifact_says_how_it_reads_and_an_older_one_reads_as_before() -> None:
    classifier = train("linear", [Example(said, (label,)) for said, label in CHINESE], Hyperparameters(), exclusive=True)
    again = TrainedClassifier.from_files(classifier.to_files())
    assert again.predict(["暖气"]) == classifier.predict(["暖气"])

    layer = SparseLinear(2, Reading(2, scripts=False), exclusive=True)
    layer.learn(["暖气 冷"], np.array([[1, -1]], np.float32))
    layer.descend(1.0)
    # As an older release wrote it: without the third number.
    written = dict(np.load(io.BytesIO(layer.to_bytes())))
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **{**written, "form": written["form"][:2]})
    older = SparseLinear.from_bytes(file.getvalue())
    assert older.reading == Reading(2, scripts=False)
    assert np.array_equal(older.logits(["暖气"]), layer.logits(["暖气"]))
    assert np.array_equal(SparseLinear.from_bytes(layer.to_bytes()).logits(["暖气"]), layer.logits(["暖气"]))


def test_a_label_s_name_is_a_text_of_it_if_it_has_letters() -> None:
    assert names_as_texts(["card_lost", "7", "手机"]) == (["card lost", "手机"], [0, 2])
    classifier = train("linear", [Example(said, (str(len(label)),)) for said, label in CHINESE], Hyperparameters(), exclusive=True)
    assert classifier.judged(["4 5"]).logits.shape == (1, 2)
