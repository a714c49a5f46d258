"""Slow, large and odd texts, each as long as a text may be."""

from __future__ import annotations

import sys
import unicodedata
from itertools import islice

from winnow.domain.dataset import MAX_TEXT_CHARACTERS


def _full(piece: str) -> str:
    """The piece, repeated to the longest allowed text."""
    return (piece * (MAX_TEXT_CHARACTERS // len(piece) + 1))[:MAX_TEXT_CHARACTERS]


HOSTILE = {
    "opening brackets": _full("("),
    "emoji": _full("🙂"),
    "families of emoji": _full("👨‍👩‍👧‍👦"),
    "flags": _full("🇫🇷"),
    "combining marks": "a" + _full("\u0301")[1:],
    "stacked marks": _full("a" + "\u0301\u0323\u0489" * 20),
    "marks out of their order": "a" + "\u0301" * 9_999 + "\u0316" * 10_000,
    "marks without a class of their own": "a" + "\u0301" * 9_999 + "\uff9e" * 10_000,
    "what NFKC makes eighteen of": _full("ﷺ"),
    "NULs": "a" + _full("\0")[1:],
    "other controls": "a" + _full("\x01\x1b\x7f\x85")[1:],
    "right to left": _full("שלום עולם مرحبا بالعالم "),
    "overrides of direction": _full("\u202eabc\u202d \u2067x\u2069"),
    "zero width": "a" + _full("\u200b\u200d\ufeff")[1:],
    "one word": _full("a"),
    "dots": _full("."),
    "dotted": _full("a."),
    "apostrophes": _full("a'"),
    "hyphens": _full("a-"),
    "emoticons": _full("_-"),
    "an address": "http://" + _full("a/")[7:],
    "a number": _full("1"),
    "numbers": _full("1,"),
    "Han without a space": _full("漢字仮名交じり文"),
    "Thai without a space": _full("สวัสดีชาวโลก"),
    "words that are all new": _full(" ".join(f"w{number:x}q" for number in range(10_000))),
    "white space": "a" + _full(" \t\n\u2003")[1:],
    "markup": _full("<script>alert('x')</script>"),
    "templates": _full("{{7*7}}${jndi:ldap://x}%s%n"),
    "noncharacters": "a" + _full("\ufffe\uffff\U0010ffff")[1:],
    "private use": "a" + _full("\ue000\U000f0000")[1:],
    "one letter": "a",
    "one mark": "\u0301a",
}
"""Each must get an answer."""


def of_scripts(letters: int = 40) -> dict[str, str]:
    """A text in each script that Unicode has letters of, by the first word of their names."""
    found: dict[str, list[str]] = {}
    for point in range(sys.maxunicode):
        if unicodedata.category(chr(point)) in {"Lo", "Ll"}:
            found.setdefault(unicodedata.name(chr(point), "?").partition(" ")[0], []).append(chr(point))
    of_many = ((script, "".join(islice(letters_, letters))) for script, letters_ in found.items() if len(letters_) >= 8)
    return {script: " ".join(text[start : start + 5] for start in range(0, len(text), 5)) for script, text in of_many}
