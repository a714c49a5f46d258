"""From a text to its words, and the places of the words in the text. Standard library only.

It splits words itself: answers don't depend on spaCy's tokenizer, and the time is linear in the length of the text. In the scripts that
write no space between words, each character is a word.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container, Iterator
from functools import cache

from winnow.domain.normal_form import FORM, compatible, cuts, without_width

# A run of word characters, cut into pieces of 64, or any other single character except white space.
_WORD = re.compile(r"\w{1,64}|[^\w\s]")
# No text without these has a combining mark within a word, or a script without spaces: Latin texts with typographic quotes need no more
# than _WORD. Texts are in NFKC, where accents are part of their letter.
_BEYOND_LATIN = re.compile("[\u0300-\u1dff\u20d0-\u20ff\u2de0-\ud7ff\uf900-\uffff\U00010000-\U0010ffff]")
# Marks are in these parts of Unicode (general categories Mn, Mc and Me).
_PARTS_WITH_MARKS = range(0x300, 0x1F000), range(0xE0100, 0xE01F0)
# Scripts that write no space between words: Thai, Lao, Burmese, Khmer, and their smaller relatives.
_SOUTH_EAST_ASIAN = "\u0e01-\u0e4e\u0e80-\u0ece\u0edc-\u0edf\u1000-\u103f\u1050-\u108f\u109a-\u109f\u1780-\u17dd\u1950-\u19df\u1a20-\u1a7f"
# Bopomofo, kana, Chinese characters with their radicals and numerals.
_EAST_ASIAN = (
    "\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3031-\u3035\u3038-\u303c\u3041-\u312f\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uf900-\ufaff\U0001aff0-\U0001b16f\U00020000-\U0003ffff"
)
_UNSPACED = re.compile(f"(?=\\w)[{_SOUTH_EAST_ASIAN}{_EAST_ASIAN}]")


def words_of(text: str, *, scripts: bool) -> list[str]:
    """A text's words, in order, in Unicode's normal form and in lower case.

    scripts: whether combining marks stay in their word, and each character of a script without spaces is a word. Classifiers that were
    trained before the release with these rules don't have them: their words are the runs between spaces, cut at each combining mark.
    """
    normal = compatible_lower(text)
    return _pattern(normal, scripts=scripts).findall(normal)


def is_unspaced(word: str) -> bool:
    """Whether a word of `words_of` is a character of a script without spaces."""
    return not word.isascii() and _UNSPACED.match(word) is not None


def spans(text: str, *, scripts: bool) -> list[tuple[int, int]] | None:
    """The start and end of the words of `words_of` in the text. None if they can't be determined."""
    origins: list[tuple[int, int]] = []
    for start, end in _pieces(text, set(cuts(text))):
        origins += [(start, end)] * len(compatible_lower(text[start:end]))
    normal = compatible_lower(text)
    if len(origins) != len(normal):
        return None
    found = _pattern(normal, scripts=scripts).finditer(normal)
    return [(origins[word.start()][0], origins[word.end() - 1][1]) for word in found]


def _pattern(normal: str, *, scripts: bool) -> re.Pattern[str]:
    """The pattern of the words of a text. Plain texts don't pay for the rules of other scripts."""
    if not scripts or normal.isascii() or not _BEYOND_LATIN.search(normal):
        return _WORD
    return _word_with_marks()


@cache
def _word_with_marks() -> re.Pattern[str]:
    """The pattern of words in all scripts. Python's \\w has no marks, and `re` has no class for them. It takes 12 ms to make."""
    marks = "".join(each for part in _PARTS_WITH_MARKS for each in map(chr, part) if unicodedata.category(each)[0] == "M")
    unspaced = f"[{_SOUTH_EAST_ASIAN}{_EAST_ASIAN}]"
    # A word begins with a letter or digit: a mark without one is a word by itself, as the one that makes a sign an emoji.
    spaced = rf"(?!{unspaced})\w(?:[{marks}]|(?!{unspaced})\w){{0,63}}"
    return re.compile(rf"(?={unspaced})\w[{marks}]{{0,30}}|{spaced}|[^\w\s]")


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


def compatible_lower(text: str) -> str:
    """The text in Unicode's normal form and in lower case, without characters that have no width: they would cut a word in two."""
    return compatible(without_width(text)).lower()
