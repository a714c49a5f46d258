"""The forms in which texts and labels are compared: two spellings that look the same to a reader are the same."""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise
from typing import Final

FORM: Final = "NFKC"
# The longest run of characters that only join the one before: the limit of UAX #15's Stream-Safe Text Format, far above what any language
# needs.
_MOST_MARKS = 30
# Characters without width: zero-width space, non-joiner and joiner, word joiner, byte order mark, soft hyphen.
_WIDTHLESS = "\u200b-\u200d\u2060\ufeff\u00ad"
_WITHOUT_WIDTH = re.compile(f"[{_WIDTHLESS}]")
_AROUND = re.compile(rf"\A[\s{_WIDTHLESS}]+|[\s{_WIDTHLESS}]+\Z")


def without_width(text: str) -> str:
    """The text without characters that have no width. They are no white space for Python, but nobody sees them."""
    return text if text.isascii() else _WITHOUT_WIDTH.sub("", text)


def is_blank(text: str) -> bool:
    """Whether the text has only white space and characters without width."""
    return not text or text.isspace() or not without_width(text).strip()


def label_form(label: str) -> str:
    """The label in Unicode's normal form NFC, without white space around it (https://www.unicode.org/reports/tr15/).

    Characters without width stay inside it: some scripts and emoji need them.
    """
    label = label.strip()
    return label if label.isascii() else unicodedata.normalize("NFC", _AROUND.sub("", label))


def text_key(text: str) -> str:
    """The same string for texts that differ only in case, white space, characters without width, or Unicode's normal form (NFKC)."""
    if not text.isascii():
        text = compatible(without_width(text))
    return " ".join(text.split()).casefold()


def compatible(text: str) -> str:
    """The text in Unicode's normal form NFKC. If `cuts` finds any, each part is normalised separately.

    Python sorts marks by insertion, which takes quadratic time in a long run of marks. The Stream-Safe Text Format inserts U+034F at a cut.
    This function inserts nothing, because it would be read as a word, and drops nothing.
    """
    places = cuts(text)
    if not places:
        return unicodedata.normalize(FORM, text)
    return "".join(unicodedata.normalize(FORM, text[start:end]) for start, end in pairwise([0, *places, len(text)]))


def cuts(text: str) -> list[int]:
    """The places where runs of more than 30 marks are cut: before the 31st, the 61st, and so on.

    It looks at one character of 31, and at the characters around it if that is a mark.
    """
    places: list[int] = []
    if text.isascii():
        return places
    start = 0
    while (end := start + _MOST_MARKS) < len(text):
        place = end
        while place >= start and _is_mark(text[place]):
            place -= 1
        if place < start:
            places.append(end)
            start = end
        else:
            start = place + 1
    return places


def _is_mark(character: str) -> bool:
    """Whether the character only joins the one before it. Some of these, such as U+FF9E, have no combining class of their own."""
    return bool(unicodedata.combining(unicodedata.normalize("NFKD", character)[0]))
