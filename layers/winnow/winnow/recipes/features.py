"""From a text to sparse features: hashed words, pairs of words, and character n-grams of each word. numpy only.

Hashing: Weinberger et al. 2009, arXiv 0902.2206. Character n-grams within words: Bojanowski et al. 2017, arXiv 1607.04606.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, NamedTuple
from zlib import crc32

import numpy as np

from winnow.recipes.portions import portions
from winnow.recipes.words import is_unspaced, words_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

BITS = 18
# Two families of features, each hashed into its own 2 ** BITS places.
SPACE = 2 << BITS

_MASK = (1 << BITS) - 1
_LONGEST_NGRAM = 5
# The weights of words and of characters, found on folds of training sets.
_FAMILIES_WEIGH = np.array([1, 1.4], np.float32)
# Remembered words, for each reading: 4 MB.
_MOST_WORDS = 10_000
_SILENT = "CMPZ"
_NO_NGRAMS = np.empty(0, np.int32)
# The characters read at once: one array for all texts takes a third of the time of one per text, but must stay small.
_MOST_CHARACTERS = 100_000


class Reading(NamedTuple):
    """How texts become features. It stays with a classifier: features of another reading mean nothing to it.

    shortest: the length of the shortest character n-grams of a word. scripts: whether combining marks and scripts without spaces have their
    rules (words.words_of). In such a script the n-grams are of runs of its characters, from one up.
    """

    shortest: int = 3
    scripts: bool = True


type Features = tuple[NDArray[np.int32], NDArray[np.float32]]
"""The places of a text's features, ascending, and their values, both of shape (n,)."""


@dataclass(frozen=True, slots=True)
class Bags:
    """The features of several texts, in sequence. texts: their number. of: the text's number for each feature, of shape (n,)."""

    texts: int
    of: NDArray[np.int64]
    places: NDArray[np.int32]
    values: NDArray[np.float32]

    def each(self) -> list[Features]:
        """The features of each text."""
        if self.texts == 1:
            return [(self.places, self.values)]
        ends = np.searchsorted(self.of, np.arange(self.texts + 1)).tolist()
        return [(self.places[start:end], self.values[start:end]) for start, end in pairwise(ends)]


def read(texts: Sequence[str], reading: Reading) -> Iterator[Bags]:
    """The features of texts, in parts. A text's features don't depend on its neighbours.

    Values are 1 + ln(count), and each family is scaled to a length of 1.
    """
    for together in portions(texts, len, _MOST_CHARACTERS):
        yield bags([words_of(text, scripts=reading.scripts) for text in together], reading)


def features(text: str, reading: Reading) -> Features:
    """The features of one text, as `read` gives them."""
    return bags([words_of(text, scripts=reading.scripts)], reading).each()[0]


def bags(texts: Sequence[Sequence[str]], reading: Reading) -> Bags:
    """The features of texts given as words, as `read` gives them."""
    remembered = _words(reading)
    known = [remembered.of(text) for text in texts]
    words = [word for text in known for word in text]
    pairs = [_pairs(text) for text in known]
    told = [word.place for word in words]
    for of_text in pairs:
        told += of_text
    keys = np.concatenate([np.array(told, np.int32), *[word.ngrams for word in words]])
    if len(texts) > 1:
        # A single text needs no text numbers.
        number = np.arange(len(texts), dtype=np.int64)
        of_words, of_pairs = number.repeat([len(text) for text in known]), number.repeat([len(text) for text in pairs])
        of_ngrams = of_words.repeat([len(word.ngrams) for word in words])
        keys = keys + np.concatenate([of_words, of_pairs, of_ngrams]) * SPACE
    keys, counts = _counted(keys)
    values = 1 + np.log(counts)
    # Each text has two families, with separate places.
    family = keys >> BITS
    values /= np.sqrt(np.bincount(family, values * values))[family]
    values *= _FAMILIES_WEIGH.take(family & 1)
    return Bags(len(texts), family >> 1, (keys & (SPACE - 1)).astype(np.int32), values.astype(np.float32))


def known_share(found: Bags, known: NDArray[np.bool_]) -> NDArray[np.float32]:
    """The share of each text's features that are known, by their squared values, of shape (texts,). 0 for a text without features.

    known: for each feature, of shape (n,).
    """
    mass = (found.values * found.values).astype(np.float64)
    total, of_known = (np.bincount(found.of, each, found.texts) for each in (mass, mass * known))
    return np.divide(of_known, total, out=np.zeros(found.texts), where=total > 0).astype(np.float32)


def without_words(texts: Sequence[str]) -> NDArray[np.bool_]:
    """Whether each text has only punctuation, white space and invisible characters, of shape (texts,). Such features say nothing."""
    return np.array([all(unicodedata.category(each)[0] in _SILENT for each in text) for text in texts], np.bool_)


def _counted[Key: np.signedinteger](keys: NDArray[Key]) -> tuple[NDArray[Key], NDArray[np.intp]]:
    """Each key once, ascending, with its count. (np.unique does the same, but its overhead would be most of the time here.)"""
    keys.sort()
    is_first = np.empty(len(keys), np.bool_)
    is_first[:1] = True
    np.not_equal(keys[1:], keys[:-1], out=is_first[1:])
    [first] = is_first.nonzero()
    counts = np.empty_like(first)
    np.subtract(first[1:], first[:-1], out=counts[:-1])
    counts[-1:] = len(keys) - first[-1:]
    return keys[first], counts


@dataclass(frozen=True, slots=True)
class Sources:
    """The word behind each feature, all of shape (n,).

    places: with repeats. words: the word's number. parts: 1, or the word's share if the feature is of several words.
    """

    places: NDArray[np.int32]
    words: NDArray[np.intp]
    parts: NDArray[np.float64]


def sources(words: Sequence[str], reading: Reading) -> Sources:
    """Each feature with the word that it comes from. A pair, or an n-gram of a run, appears once for each of its words."""
    if not words:
        return Sources(np.empty(0, np.int32), np.empty(0, np.intp), np.empty(0))
    known, numbers = _words(reading).of(words), np.arange(len(words))
    pairs = np.array(_pairs(known), np.int32)
    of_ngrams = [_of_ngrams(words, known, run) for run in _runs(known)]
    return Sources(
        np.concatenate([np.array([word.place for word in known], np.int32), pairs, pairs, *(each.places for each in of_ngrams)]),
        np.concatenate([numbers, numbers[:-1], numbers[1:], *(each.words for each in of_ngrams)]),
        np.concatenate([np.ones(len(words)), np.full(2 * len(pairs), 0.5), *(each.parts for each in of_ngrams)]),
    )


class _Word(NamedTuple):
    """The features of one word: its place, its n-grams' places, its bytes, and their checksum including a following space.

    in_run: whether it is a character of a script without spaces. Then the first word of a run has the n-grams of the run.
    """

    place: int
    ngrams: NDArray[np.int32]
    encoded: bytes
    begun: int
    in_run: bool


class _Words(dict[str, _Word]):
    """A cache of words. When it is full it is cleared, and frequent words soon return. Pairs are not cached: most occur once.

    (An lru_cache needs a quarter more memory.)
    """

    def __init__(self, reading: Reading) -> None:
        super().__init__()
        self._reading = reading
        # Until the first one comes, texts aren't searched for runs.
        self._has_runs = False

    def __missing__(self, word: str) -> _Word:
        if len(self) >= _MOST_WORDS:
            self.clear()
        encoded = word.encode("utf-8", "surrogatepass")
        in_run = self._reading.scripts and is_unspaced(word)
        self._has_runs |= in_run
        ngrams = _NO_NGRAMS if in_run else _ngrams(word, self._reading.shortest)
        made = self[word] = _Word(crc32(encoded) & _MASK, ngrams, encoded, crc32(encoded + b" "), in_run)
        return made

    def of(self, text: Sequence[str]) -> list[_Word]:
        """The features of a text's words."""
        found = list(map(self.__getitem__, text))
        if self._has_runs and any(word.in_run for word in found):
            for run in _runs(found):
                if found[run.start].in_run:
                    found[run.start] = found[run.start]._replace(ngrams=_ngrams("".join(text[run.start : run.stop]), 1))
        return found


@cache
def _words(reading: Reading) -> _Words:
    return _Words(reading)


def _runs(words: Sequence[_Word]) -> Iterator[range]:
    """The numbers of the words, those of each run of a script without spaces together, all others alone."""
    for in_run, numbers in groupby(range(len(words)), lambda number: words[number].in_run):
        together = list(numbers)
        yield from [range(together[0], together[-1] + 1)] if in_run else (range(number, number + 1) for number in together)


def _pairs(words: Sequence[_Word]) -> list[int]:
    """The places of neighbouring pairs: the checksum of both words with a space between."""
    return [crc32(right.encoded, left.begun) & _MASK for left, right in pairwise(words)]


def _ngrams(run: str, shortest: int) -> NDArray[np.int32]:
    """The places of the character n-grams of a word, or of a run of words."""
    marked = f" {run} "
    found = [
        (crc32(marked[start:end].encode("utf-8", "surrogatepass"), 1) & _MASK) | (1 << BITS) for start, end in _parts(len(run), shortest)
    ]
    return np.array(found, np.int32)


def _parts(length: int, shortest: int) -> Iterator[tuple[int, int]]:
    """The start and end of each n-gram of so many characters, with a space at both ends. No n-gram is a space alone."""
    for size in range(shortest, _LONGEST_NGRAM + 1):
        bare = size == 1
        for start in range(bare, length + 3 - size - bare):
            yield start, start + size


def _of_ngrams(words: Sequence[str], known: Sequence[_Word], run: range) -> Sources:
    """The n-grams of a run, once for each of their words. An n-gram's part of a word is the share of the word's characters in it."""
    first = known[run.start]
    if not first.in_run:
        return Sources(first.ngrams, np.full(len(first.ngrams), run.start), np.ones(len(first.ngrams)))
    of_character = [number for number in run for _ in words[number]]
    places, numbers, parts = [], [], []
    for place, (start, end) in zip(first.ngrams.tolist(), _parts(len(of_character), 1), strict=True):
        within = of_character[max(0, start - 1) : end - 1]
        places += [place] * len(within)
        numbers += within
        parts += [1 / len(within)] * len(within)
    return Sources(np.array(places, np.int32), np.array(numbers, np.intp), np.array(parts))
