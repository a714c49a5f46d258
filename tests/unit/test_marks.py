"""Runs of combining marks are cut if they are longer than any language needs, so the time for words is linear in the text."""

from __future__ import annotations

import random
import re
import sys
import unicodedata

import pytest

from tests.support.hostile_texts import HOSTILE, of_scripts
from winnow.recipes.words import spans, words_of

LONGEST_RUN = 30
MARKS = [
    character
    for character in map(chr, range(sys.maxunicode + 1))
    if all(map(unicodedata.combining, unicodedata.normalize("NFKD", character)))
]
SLOW = {
    **HOSTILE,
    "nothing but marks": "\u0301\u0316" * 10_000,
    "marks of two": "a" + "\u0344\u0f73" * 9_999,
    "almost nothing but marks": ("a" + "\uff9e\u0301\u0316" * 10) * 645,
}


def words_uncut(text: str) -> list[str]:
    """The words without any cut."""
    return re.findall(r"\w{1,64}|[^\w\s]", unicodedata.normalize("NFKC", text).lower())


def with_marks(chance: random.Random, most: int) -> str:
    """Letters of all kinds, each followed by at most `most` marks."""
    letters = [*"aeΣİかﾊ각각ﬁ½ \u0915\u09c7\u09be", "\ufdfa", "🙂"]
    return "".join(chance.choice(letters) + "".join(chance.choices(MARKS, k=chance.randint(0, most))) for _ in range(chance.randint(1, 12)))


@pytest.mark.parametrize("name", SLOW)
def test_what_is_normalized_grows_with_the_text_and_never_holds_a_long_run(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text, given, longest = SLOW[name], 0, 0
    normalize, run = unicodedata.normalize, re.compile(f"[{''.join(map(re.escape, MARKS))}]+")

    def counted(form: str, part: str) -> str:
        nonlocal given, longest
        given += len(part)
        longest = max(longest, *map(len, run.findall(part)), 0)
        return normalize(form, part)  # type: ignore[arg-type]

    monkeypatch.setattr(unicodedata, "normalize", counted)
    assert words_of(text, scripts=True)
    assert (longest <= LONGEST_RUN, given <= 4 * len(text)) == (True, True), (longest, given)
    spans(text, scripts=True)
    assert (longest <= LONGEST_RUN + 1, given <= 100 * len(text)) == (True, True), (longest, given)


def test_where_at_most_thirty_are_in_a_row_words_are_what_they_were() -> None:
    chance = random.Random(0)
    for text in [*of_scripts().values(), *(with_marks(chance, LONGEST_RUN) for _ in range(2_000)), "".join(MARKS[:LONGEST_RUN])]:
        assert words_of(text, scripts=False) == words_uncut(text)


def test_of_a_longer_run_nothing_is_lost() -> None:
    # Each run of thirty is in its normal order.
    word, rest = words_of("x" + "\u0301" * 45 + "\u0316" * 45, scripts=True)[:2]
    assert word == "x" + "\u0301" * 30 + "\u0316" * 15 + "\u0301" * 15 + "\u0316" * 3
    assert rest == "\u0316"


@pytest.mark.parametrize("name", HOSTILE)
def test_its_words_are_found_where_they_stand(name: str) -> None:
    text = HOSTILE[name]
    found = spans(text, scripts=True)
    assert found is not None
    for word, (start, end) in zip(words_of(text, scripts=True), found, strict=True):
        read, stands = unicodedata.normalize("NFKC", word), unicodedata.normalize("NFKC", text[start:end]).lower()
        # Or the word is a piece of a longer run, or of one character that becomes several.
        assert read in stands or stands in read
