"""The preparation of a text for the tokenizer."""

from __future__ import annotations

import re
from itertools import product

import pytest
from spacy.lang.id.examples import sentences
from spacy.util import compile_prefix_regex, get_lang_class

from winnow.recipes import cnn
from winnow.recipes.languages import LANGUAGES
from winnow.recipes.text import LONGEST_RUN, break_long_runs


@pytest.mark.parametrize(
    "text", ["", "I want to save for vacation!", "  two  spaces\n", "a" * LONGEST_RUN, "漢字🙂", f"{'a' * 64} {'b' * 64}"]
)
def test_ordinary_text_is_unchanged(text: str) -> None:
    assert break_long_runs(text) == text


@pytest.mark.parametrize(("text", "runs"), [("(" * 10_000, 157), ("a" * 65, 2), ("🙂" * 129, 3), (f"see {'x' * 100} there", 4)])
def test_a_long_run_is_broken_and_nothing_lost(text: str, runs: int) -> None:
    broken = break_long_runs(text)

    assert max(len(run) for run in broken.split()) <= LONGEST_RUN
    assert len(broken.split()) == runs
    assert broken.replace(" ", "") == text.replace(" ", "")


@pytest.mark.parametrize("language", LANGUAGES)
def test_prefixes_are_tried_only_where_a_word_begins(language: str) -> None:
    """All but one at most: `re` then has no list of them at the top, because they all share the beginning."""
    pattern = compile_prefix_regex(cnn.language_class(language).Defaults.prefixes or ()).pattern
    [(kind, branches), *_] = re._parser.parse(pattern)
    assert str(kind) == "AT" or len(branches[1]) <= 2


@pytest.mark.parametrize("language", ["en", *(pytest.param(each, marks=pytest.mark.slow) for each in ("id", "ms"))])
def test_tokens_are_spacy_s(language: str) -> None:
    ours, theirs = cnn.language_class(language)(), get_lang_class(language)()
    pieces = ("a", "-", "_", "'", ".", "<a", "<a b>", "</a>", "<b/>", "<", "Rp", "IDR", "1", "/", "—", "(", "-nya", "USD5")
    texts = [*sentences, *("".join(each) * 3 for each in product(pieces, pieces, pieces[:6]))]
    assert [[token.text for token in ours(text)] for text in texts] == [[token.text for token in theirs(text)] for text in texts]
