"""The forms in which texts and labels are compared: two spellings that look the same to a reader are the same."""

from __future__ import annotations

import re
import unicodedata

# Characters without width: zero-width space, non-joiner and joiner, word joiner, byte order mark, soft hyphen.
_WITHOUT_WIDTH = re.compile("[\u200b-\u200d\u2060\ufeff\u00ad]")


def without_width(text: str) -> str:
    """The text without characters that have no width. They are no white space for Python, but nobody sees them."""
    return text if text.isascii() else _WITHOUT_WIDTH.sub("", text)


def is_blank(text: str) -> bool:
    """Whether the text has only white space and characters without width."""
    return not text or text.isspace() or not without_width(text).strip()


def label_form(label: str) -> str:
    """The label in Unicode's normal form NFC, without white space around it (https://www.unicode.org/reports/tr15/)."""
    label = label.strip()
    return label if label.isascii() else unicodedata.normalize("NFC", without_width(label)).strip()


def text_key(text: str) -> str:
    """The same string for texts that differ only in case, white space, characters without width, or Unicode's normal form (NFKC)."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", without_width(text))
    return " ".join(text.split()).casefold()
