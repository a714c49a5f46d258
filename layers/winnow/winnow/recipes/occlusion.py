"""Why a text has a label, for any recipe: what happens to the label's logit without each word. numpy only.

Occlusion: Zeiler and Fergus 2014, arXiv 1311.2901; of words: Li et al. 2016, arXiv 1612.08220.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from winnow.domain.answer import ExplainedWord
from winnow.recipes.words import compatible_lower, spans

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST_WORDS = 100
"""The words of a text that are left out, one at a time: the first ones."""

# The tokens of all variants of a text together: up to 9 seconds with MiniLM, and about twice that for a text that was made to be slow. So
# fewer words of a long text are left out.
_MOST_TOKENS = 20_000
# An estimate of a variant's tokens: at least one for each word, and one for every four bytes. An encoder reads at most eight windows of a
# text (recipes.windows). Windows overlap, so most tokens are read twice.
_BYTES_OF_TOKEN, _WINDOW, _MOST_READ = 4, 254, 8 * 254
_RUN = re.compile(r"\S+")


def explained(logits: Callable[[Sequence[str]], NDArray[np.float32]], text: str, label: int) -> tuple[float, list[ExplainedWord], int]:
    """The label's logit, what each of the first words adds to it, and how many further words there are.

    What a word adds is the logit less the logit of the text without it. logits: from texts to shape (texts, labels). label: its number.
    """
    places = _places(text)
    tried = places[: _affordable(text, len(places))]
    of_label = logits([text, *(_without(text, *place) for place in tried)])[:, label].tolist()
    whole, *others = of_label
    words = [
        ExplainedWord(compatible_lower(text[start:end]), whole - other, start, end)
        for (start, end), other in zip(tried, others, strict=True)
    ]
    return whole, words, len(places) - len(tried)


def _places(text: str) -> list[tuple[int, int]]:
    """The start and end of each word. In scripts without spaces, each character is a word."""
    found = spans(text, scripts=True)
    if found is None:
        found = [run.span() for run in _RUN.finditer(text)]
    # A character may stand for several words, as one half does.
    return list(dict.fromkeys(found))


def _affordable(text: str, words: int) -> int:
    """How many words may be left out of a text with so many."""
    tokens = max(words, len(text.encode("utf-8", "replace")) // _BYTES_OF_TOKEN)
    read = tokens if tokens <= _WINDOW else min(2 * tokens - _WINDOW, _MOST_READ)
    return min(words, MOST_WORDS, _MOST_TOKENS // max(1, read))


def _without(text: str, start: int, end: int) -> str:
    """The text without a word, and without a second space where the word was. cnn reads no empty text, so that one is a space."""
    before, after = text[:start], text[end:]
    doubled = after[:1].isspace() and (not before or before[-1].isspace())
    return before + (after[1:] if doubled else after) or " "
