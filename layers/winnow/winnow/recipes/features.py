"""From a text to sparse features: hashed words and pairs of words, and hashed character n-grams of each word. numpy only.

It splits words itself, so that no answer depends on spaCy's tokenizer, and its time grows only with the length of the text.
Hashing: Weinberger et al. 2009, arXiv 0902.2206; character n-grams within words: Bojanowski et al. 2017, arXiv 1607.04606.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

BITS = 18
# Two families of features, each hashed into 2 ** BITS places of its own.
SPACE = 2 << BITS

_MASK = (1 << BITS) - 1
_LONGEST_NGRAM = 5
# Characters against words: found on folds of training sets.
_CHARACTERS_WEIGH = np.float32(1.4)
_CACHED_WORDS = 50_000
# A run of word characters, in pieces of 64 where it is longer, or any other single character that is no white space.
_WORD = re.compile(r"\w{1,64}|[^\w\s]")

type Features = tuple[NDArray[np.int32], NDArray[np.float32]]


def features(text: str, shortest: int) -> Features:
    """The places of a text's features, ascending, and their values, both of shape (n,).

    shortest: the length of the shortest character n-grams. Within each family values are 1 + ln(count), scaled to a length of 1.
    """
    words = _WORD.findall(unicodedata.normalize("NFKC", text).lower())
    if not words:
        return np.empty(0, np.int32), np.empty(0, np.float32)
    told = [_word(word) for word in words] + [_word(f"{left} {right}") for left, right in pairwise(words)]
    word_places, word_values = _counted(np.array(told, np.int32))
    places, values = _counted(np.concatenate([_ngrams(word, shortest) for word in words]))
    return np.concatenate([word_places, places]), np.concatenate([word_values, values * _CHARACTERS_WEIGH])


def _counted(places: NDArray[np.int32]) -> Features:
    distinct, counts = np.unique(places, return_counts=True)
    values = (1 + np.log(counts)).astype(np.float32)
    return distinct, values / np.float32(np.sqrt(values @ values))


@lru_cache(_CACHED_WORDS)
def _word(word: str) -> int:
    return crc32(word.encode("utf-8", "surrogatepass")) & _MASK


@lru_cache(_CACHED_WORDS)
def _ngrams(word: str, shortest: int) -> NDArray[np.int32]:
    """The places of the word's character n-grams, its two ends marked by spaces."""
    marked = f" {word} "
    ngrams = (marked[start : start + length] for length in range(shortest, _LONGEST_NGRAM + 1) for start in range(len(marked) - length + 1))
    found = [(crc32(ngram.encode("utf-8", "surrogatepass"), 1) & _MASK) | (1 << BITS) for ngram in ngrams]
    return np.array(found, np.int32)
