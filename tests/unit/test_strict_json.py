"""JSON from strangers."""

from __future__ import annotations

from typing import Any

import pytest

from winnow.domain import strict_json
from winnow.domain.errors import UnreadableError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("null", None),
        (' {"a": [1, 2.5, -3e2, true, "b"]} ', {"a": [1, 2.5, -300.0, True, "b"]}),
        ('{"a": {"x": 1}, "b": {"x": 2}}', {"a": {"x": 1}, "b": {"x": 2}}),
        ('"caf\\u00e9 \\ud83d\\ude42"', "café 🙂"),
        ('"\\\\ud800"', "\\ud800"),
        ('"NaN"', "NaN"),
        ("[" * 100 + "]" * 100, None),
    ],
)
def test_proper_json_is_read(text: str, value: Any) -> None:
    read = strict_json.loads(text)

    assert value is None or read == value


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", ", column 1"),
        ('{\n "a": 1,\n "b" 2}', "line 3 column 6"),
        ("[1] [2]", "Extra data"),
        ("NaN", "NaN"),
        ("[Infinity]", "Infinity"),
        ("[-Infinity]", "-Infinity"),
        ('{"a": 1, "b": 2, "a": 1}', "the key 'a' appears twice"),
        ('[{"x": {"b": 1, "b": 2}}]', "the key 'b' appears twice"),
        ('{"a": 1, "\\u0061": 2}', "the key 'a' appears twice"),
        ("[" * 100_000, "nested too deeply"),
        ("[" * 100_000 + "]" * 100_000, "nested too deeply"),
        ('{"a":' * 100_000 + "1" + "}" * 100_000, "nested too deeply"),
        ('"\\ud800"', "surrogate"),
        ('{"\\udc00": 1}', "surrogate"),
        ("9" * 5000, "not JSON"),
        ('"\t"', "control character"),
    ],
)
def test_what_would_break_something_later_is_refused(text: str, said: str) -> None:
    with pytest.raises(UnreadableError) as refused:
        strict_json.loads(text)

    assert said in refused.value.sentence


def test_the_sentence_begins_with_what_was_read_and_stays_short() -> None:
    with pytest.raises(UnreadableError) as refused:
        strict_json.loads(f'{{"{"k" * 5000}": 1, "{"k" * 5000}": 2}}', what="Line 7")

    assert refused.value.sentence.startswith("Line 7 is not JSON")
    assert len(refused.value.sentence) < 300
