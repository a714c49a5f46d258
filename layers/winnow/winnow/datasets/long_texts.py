"""Which texts are longer than a sentence encoder's window of 256 tokens: an estimate, without the encoder. Standard library only."""

from __future__ import annotations

import string

# Two of the window's 256 tokens mark its ends.
_WINDOW = 254
# A token has a character or more, and hardly any text has more than so many for each of its tokens.
_MOST_PER_TOKEN = 16
# How many tokens there are for each word, letter and punctuation mark: fitted to texts in English, Markdown and Python. And for each
# Chinese character or kana.
_OF_WORD, _OF_LETTER, _OF_PUNCTUATION, _OF_EAST_ASIAN = 0.55, 0.12, 1.2, 1.0
_PUNCTUATION, _SPACE, _BEYOND_ASCII = string.punctuation.encode(), string.whitespace.encode(), bytes(range(0x80, 0x100))
# The first UTF-8 byte of U+3000 to U+9FFF.
_EAST_ASIAN = bytes(range(0xE3, 0xEA))


def is_long(text: str) -> bool:
    """Whether the text probably has more tokens than a window."""
    if not _WINDOW < len(text) <= _WINDOW * _MOST_PER_TOKEN:
        return len(text) > _WINDOW
    return _tokens(text.encode("utf-8", "replace")) > _WINDOW


def _tokens(text: bytes) -> float:
    # bytes.translate counts 20 times as fast as a regular expression.
    punctuation, space, beyond_ascii, east_asian = (
        len(text) - len(text.translate(None, some)) for some in (_PUNCTUATION, _SPACE, _BEYOND_ASCII, _EAST_ASIAN)
    )
    letters = len(text) - punctuation - space - beyond_ascii
    return _OF_WORD * len(text.split()) + _OF_LETTER * letters + _OF_PUNCTUATION * punctuation + _OF_EAST_ASIAN * east_asian
