"""The languages of a data set, found from a sample of its texts. Standard library, and the n-grams of the package `eld`.

Most scripts have one language, or one in practice. For Latin, Cyrillic, Arabic and Devanagari, the byte n-grams of the Efficient Language
Detector decide (https://github.com/nitotm/efficient-language-detector-py, 60 languages, Apache-2.0), by its scoring. Only its data is
loaded: its code needs `regex`, a compiled package, and our layer is pure Python.
"""

from __future__ import annotations

import heapq
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any
from zlib import crc32

SAMPLE = 500
"""The most texts that the languages are found from."""

_MOST_CHARACTERS = 300
# A text is of another language than most texts only if its score there is higher by this factor: short texts are easily mistaken.
_CLEARLY = 1.15
# A language with a smaller share of the texts is a mistake, or doesn't matter.
_LEAST_SHARE = 0.02
# Among kana and Chinese characters, this share of kana makes a text Japanese.
_KANA_IN_JAPANESE = 0.1
# A Chinese character stands for more than a letter.
_LETTERS_OF_CHINESE = 3

_KANA, _HAN = "ja", "zh"
# The scripts of one language, in practice.
_OF_ONE_LANGUAGE = {
    _KANA: "\u3041-\u30ff\uff66-\uff9f",
    _HAN: "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff",
    "ko": "\u1100-\u11ff\u3130-\u318f\uac00-\ud7a3",
    "th": "\u0e01-\u0e5b",
    "lo": "\u0e80-\u0eff",
    "km": "\u1780-\u17ff",
    "my": "\u1000-\u109f",
    "el": "\u0370-\u03ff\u1f00-\u1fff",
    "he": "\u0590-\u05ff",
    "hy": "\u0530-\u058f",
    "ka": "\u10a0-\u10ff",
    "am": "\u1200-\u139f",
    "bn": "\u0980-\u09ff",
    "pa": "\u0a00-\u0a7f",
    "gu": "\u0a80-\u0aff",
    "or": "\u0b00-\u0b7f",
    "ta": "\u0b80-\u0bff",
    "te": "\u0c00-\u0c7f",
    "kn": "\u0c80-\u0cff",
    "ml": "\u0d00-\u0d7f",
    "si": "\u0d80-\u0dff",
    "bo": "\u0f00-\u0fff",
}
_SCRIPTS = re.compile("|".join(f"(?P<{language}>[{letters}])" for language, letters in _OF_ONE_LANGUAGE.items()))
_NO_LETTERS = re.compile(r"[\W\d_]+")
_ADDRESS = re.compile(r"\S*(?:://|www\.|@)\S*")

type Scores = Mapping[str, float]
"""How much a text looks like each language."""


class Sample:
    """Keeps a fixed number of distinct texts, the same whatever their order, and only their first characters."""

    def __init__(self) -> None:
        self._kept: list[tuple[int, str]] = []
        self._hashes: set[int] = set()

    def add(self, text: str) -> None:
        # Negative, because the smallest of a heap is its first, and the largest hash must go.
        hashed = -crc32(text.encode("utf-8", "surrogatepass"))
        if hashed in self._hashes or (len(self._kept) == SAMPLE and hashed < self._kept[0][0]):
            return
        self._hashes.add(hashed)
        if len(self._kept) < SAMPLE:
            heapq.heappush(self._kept, (hashed, text[:_MOST_CHARACTERS]))
        else:
            gone, _ = heapq.heapreplace(self._kept, (hashed, text[:_MOST_CHARACTERS]))
            self._hashes.remove(gone)

    def __len__(self) -> int:
        return len(self._kept)

    def languages(self) -> dict[str, float]:
        """The languages of the kept texts, with their shares."""
        return languages_of(text for _, text in self._kept)


def languages_of(texts: Iterable[str]) -> dict[str, float]:
    """The languages (ISO 639-1) with their shares of the texts that have letters, 0 to 1, the most frequent first.

    Languages with less than 2 % are left out, so that the shares may add up to less than 1. A text counts for its most probable language.
    """
    scored = [scores for text in texts if (scores := _scores(text))]
    if not scored:
        return {}
    main = Counter(max(scores, key=scores.__getitem__) for scores in scored).most_common(1)[0][0]
    counts = Counter(_language(scores, main) for scores in scored)
    if main not in _OF_ONE_LANGUAGE:
        # A single text that n-grams find in another language is rather a mistake. Its script would be certain.
        for language in [each for each, count in counts.items() if count == 1 and each not in {main, *_OF_ONE_LANGUAGE}]:
            counts[main] += counts.pop(language)
    shares = [
        (language, round(count / len(scored), 4)) for language, count in sorted(counts.items(), key=lambda found: (-found[1], found[0]))
    ]
    return {language: share for language, share in shares if share >= _LEAST_SHARE}


def as_dicts(languages: Mapping[str, float]) -> list[dict[str, Any]]:
    """The languages as the API shows them."""
    return [{"language": language, "share": share} for language, share in languages.items()]


def _language(scores: Scores, main: str) -> str:
    best = max(scores, key=scores.__getitem__)
    return best if scores[best] > _CLEARLY * scores.get(main, 0.0) else main


def _scores(text: str) -> Scores:
    """Empty if the text has no letters."""
    text = text[:_MOST_CHARACTERS]
    by_script: Counter[str] = Counter() if text.isascii() else Counter(found.lastgroup or "" for found in _SCRIPTS.finditer(text))
    letters = _NO_LETTERS.sub(" ", _ADDRESS.sub(" ", text)).strip()
    if not by_script:
        return _by_ngrams(letters)
    if by_script[_KANA] >= _KANA_IN_JAPANESE * (by_script[_KANA] + by_script[_HAN]):
        by_script[_KANA] += by_script.pop(_HAN, 0)
    language, count = by_script.most_common(1)[0]
    others = sum(map(str.isalpha, text)) - sum(by_script.values())
    return {language: 1.0} if count * (_LETTERS_OF_CHINESE if language in {_KANA, _HAN} else 1) >= others else _by_ngrams(letters)


def _by_ngrams(letters: str) -> Scores:
    """The detector's scores, from words with single spaces between."""
    ngrams, languages = _data()
    found: dict[str, float] = {}
    for ngram, frequency in _ngrams(letters.lower().encode("utf-8", "replace").split(b" ")).items():
        known = ngrams.get(ngram)
        if known is None:
            continue
        weight = _weight(len(known))
        for number, usual in known.items():
            language = languages[number]
            alike = min(usual, frequency) / max(usual, frequency)
            found[language] = found.get(language, 0.0) + alike * weight + 2
    return found


def _weight(languages: int) -> float:
    """The weight of an n-gram that so many languages have. These numbers, and those below, are the detector's own."""
    if languages == 1:
        return 27
    return (16 - languages) / 2 + 1 if languages < 16 else 1


def _ngrams(words: Sequence[bytes]) -> dict[bytes, float]:
    """Every third n-gram of four bytes of each word, and its last one, with their frequencies. A space marks the word's ends."""
    counts: Counter[bytes] = Counter()
    for word in filter(None, words):
        length = min(len(word), 70)
        starts = range(0, length - 4, 3)
        counts.update((b"" if start else b" ") + word[start : start + 4] for start in starts)
        counts[(b"" if starts else b" ") + word[max(0, length - 4) :] + b" "] += 1
    total = counts.total()
    return {ngram: count / total * 13_200 for ngram, count in counts.items()}


@cache
def _data() -> tuple[Mapping[bytes, Mapping[int, float]], Mapping[int, str]]:
    """For each n-gram the frequency in each language that has it, by the language's number; and the languages' codes. It takes 0.3 s."""
    found = find_spec("eld")
    if found is None or not found.submodule_search_locations:
        raise ModuleNotFoundError("The package eld is missing: install requirements/winnow-layer.txt.", name="eld")
    file = Path(next(iter(found.submodule_search_locations)), "resources", "ngrams", "ngramsM60.py")
    spec = spec_from_file_location("eld_ngrams", file)
    if spec is None or spec.loader is None:
        raise ImportError(f"The package eld has no {file}.", name="eld")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.ngrams_data["ngrams"], module.ngrams_data["languages"]
