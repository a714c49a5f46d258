"""What a text goes through before any tokenizer sees it, in training and prediction alike."""

import re

LONGEST_RUN = 64
_LONG_RUN = re.compile(rf"\S{{{LONGEST_RUN}}}(?=\S)")


def break_long_runs(text: str) -> str:
    """The text with a space after every 64 characters that have none between them.

    spaCy's tokenizer takes time that grows with the square of such a run: 10,000 opening brackets take more than half a minute.
    """
    return _LONG_RUN.sub(r"\g<0> ", text)
