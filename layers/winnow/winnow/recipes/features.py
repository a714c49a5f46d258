"""From a text to sparse features: hashed words, pairs of words, and character n-grams of each word. numpy only.

It splits words itself: answers don't depend on spaCy's tokenizer, and the time is linear in the length of the text. Hashing: Weinberger et
al. 2009, arXiv 0902.2206. Character n-grams within words: Bojanowski et al. 2017, arXiv 1607.04606.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple
from zlib import crc32

import numpy as np

from winnow.domain.normal_form import FORM, compatible, cuts, without_width
from winnow.recipes.portions import portions

if TYPE_CHECKING:
    from numpy.typing import NDArray

BITS = 18
# Two families of features, each hashed into its own 2 ** BITS places.
SPACE = 2 << BITS

_MASK = (1 << BITS) - 1
_LONGEST_NGRAM = 5
# The weights of words and of characters, found on folds of training sets.
_FAMILIES_WEIGH = np.array([1, 1.4], np.float32)
# Remembered words, for each length of n-grams: 4 MB.
_MOST_WORDS = 10_000
# A run of word characters, cut into pieces of 64, or any other single character except white space.
_SILENT = "CMPZ"
_WORD = re.compile(r"\w{1,64}|[^\w\s]")

# The characters read at once: one array for all texts takes a third of the time of one per text, but must stay small.
_MOST_CHARACTERS = 100_000

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


def read(texts: Sequence[str], shortest: int) -> Iterator[Bags]:
    """The features of texts, in parts. A text's features don't depend on its neighbours.

    shortest: the length of the shortest character n-grams. Values are 1 + ln(count), and each family is scaled to a length of 1.
    """
    for together in portions(texts, len, _MOST_CHARACTERS):
        yield bags([words_of(text) for text in together], shortest)


def features(text: str, shortest: int) -> Features:
    """The features of one text, as `read` gives them."""
    return bags([words_of(text)], shortest).each()[0]


def words_of(text: str) -> list[str]:
    """A text's words, in order, in Unicode's normal form and in lower case."""
    return _WORD.findall(_normal(text))


def bags(texts: Sequence[Sequence[str]], shortest: int) -> Bags:
    """The features of texts given as words, as `read` gives them."""
    remembered = _words(shortest)
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

    places: with repeats. words: the word's number. parts: 1, or a half if the feature is a pair of words.
    """

    places: NDArray[np.int32]
    words: NDArray[np.intp]
    parts: NDArray[np.float64]


def sources(words: Sequence[str], shortest: int) -> Sources:
    """Each feature with the word that it comes from. A pair appears once for each of its two words."""
    if not words:
        return Sources(np.empty(0, np.int32), np.empty(0, np.intp), np.empty(0))
    known, numbers = _words(shortest).of(words), np.arange(len(words))
    pairs = np.array(_pairs(known), np.int32)
    of_ngrams = np.repeat(numbers, [len(word.ngrams) for word in known])
    return Sources(
        np.concatenate([np.array([word.place for word in known], np.int32), pairs, pairs, *(word.ngrams for word in known)]),
        np.concatenate([numbers, numbers[:-1], numbers[1:], of_ngrams]),
        np.concatenate([np.ones(len(words)), np.full(2 * len(pairs), 0.5), np.ones(len(of_ngrams))]),
    )


def spans(text: str) -> list[tuple[int, int]] | None:
    """The start and end of the words of `words_of` in the text. None if they can't be determined."""
    origins: list[tuple[int, int]] = []
    for start, end in _pieces(text, set(cuts(text))):
        origins += [(start, end)] * len(_normal(text[start:end]))
    normal = _normal(text)
    if len(origins) != len(normal):
        return None
    return [(origins[found.start()][0], origins[found.end() - 1][1]) for found in _WORD.finditer(normal)]


def _pieces(text: str, ends: Container[int]) -> Iterator[tuple[int, int]]:
    """The text in pieces that can be normalised separately: a character with the characters that may join it."""
    start = 0
    for place in range(1, len(text)):
        if place in ends or not _joins(text[start:place], text[place]):
            yield start, place
            start = place
    if text:
        yield start, len(text)


def _joins(before: str, after: str) -> bool:
    if after.isascii():
        return False
    if unicodedata.combining(after):
        return True
    apart = unicodedata.normalize(FORM, before) + unicodedata.normalize(FORM, after)
    return unicodedata.normalize(FORM, before + after) != apart


def _normal(text: str) -> str:
    # Characters without width would cut a word in two.
    return compatible(without_width(text)).lower()


class _Word(NamedTuple):
    """The features of one word: its place, its n-grams' places, its bytes, and their checksum including a following space."""

    place: int
    ngrams: NDArray[np.int32]
    encoded: bytes
    begun: int


class _Words(dict[str, _Word]):
    """A cache of words. When it is full it is cleared, and frequent words soon return. Pairs are not cached: most occur once.

    (An lru_cache needs a quarter more memory.)
    """

    def __init__(self, shortest: int) -> None:
        super().__init__()
        self._shortest = shortest

    def __missing__(self, word: str) -> _Word:
        if len(self) >= _MOST_WORDS:
            self.clear()
        encoded = word.encode("utf-8", "surrogatepass")
        made = self[word] = _Word(crc32(encoded) & _MASK, _ngrams(word, self._shortest), encoded, crc32(encoded + b" "))
        return made

    def of(self, text: Sequence[str]) -> list[_Word]:
        """The features of a text's words."""
        return list(map(self.__getitem__, text))


@cache
def _words(shortest: int) -> _Words:
    return _Words(shortest)


def _pairs(words: Sequence[_Word]) -> list[int]:
    """The places of neighbouring pairs: the checksum of both words with a space between."""
    return [crc32(right.encoded, left.begun) & _MASK for left, right in pairwise(words)]


def _ngrams(word: str, shortest: int) -> NDArray[np.int32]:
    """The places of the word's character n-grams. Spaces mark its two ends."""
    marked = f" {word} "
    ngrams = (marked[start : start + length] for length in range(shortest, _LONGEST_NGRAM + 1) for start in range(len(marked) - length + 1))
    found = [(crc32(ngram.encode("utf-8", "surrogatepass"), 1) & _MASK) | (1 << BITS) for ngram in ngrams]
    return np.array(found, np.int32)
