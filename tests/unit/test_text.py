"""The preparation of a text for the tokenizer."""

from __future__ import annotations

import pytest

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
