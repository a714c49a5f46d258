"""Prepare a text for any tokenizer, in training and in prediction."""

import re

LONGEST_RUN = 64
_LONG_RUN = re.compile(rf"\S{{{LONGEST_RUN}}}(?=\S)")


def break_long_runs(text: str) -> str:
    """The text with a space after every 64 characters without white space.

    spaCy's tokenizer takes quadratic time on such a run: 10,000 opening brackets take more than half a minute.
    """
    return _LONG_RUN.sub(r"\g<0> ", text)


def without_surrogates(text: str) -> str:
    """The text with a question mark for each lone surrogate, which tokenizers refuse."""
    return text.encode("utf-8", "replace").decode()
