"""What the name of a label says, and what a label without examples is understood by."""

from __future__ import annotations

import pytest

from winnow.datasets.label_list import label_list, languages
from winnow.domain.label_names import LabelList, NamedLabel, as_words, says_nothing

MEANINGLESS = [
    *("L1", "B", "12", "!!", "C#", "a1b2c3", "id_12ab", "class 7", "class1", "label_b", "category-A", "Topic 3", "Code 0x1F"),
    *("deadbeef12", "3f2a1b9c-beef-4a1c-9c11-aaaaaaaaaaaa", "9f86d081884c7d659a2feaa0c55ad015"),
]
MEANINGFUL = [
    *("money", "HR", "IT", "class", "covid19", "card_arrival", "Q3 report", "401k withdrawal", "Type 2 diabetes", "vitamin C", "no"),
    *("Rechnung", "税", "5G网络", "ผ้า", "наука", "a la carte", "facade"),
]


@pytest.mark.parametrize("name", MEANINGLESS)
def test_a_code_says_nothing_without_a_description(name: str) -> None:
    assert says_nothing(name)
    assert NamedLabel(name).is_meaningless
    assert not NamedLabel(name, "Bread").is_meaningless
    # The code would only disturb the description.
    assert NamedLabel(name, "Bread").texts == ("Bread",)


@pytest.mark.parametrize("name", MEANINGFUL)
def test_a_word_says_something(name: str) -> None:
    assert not says_nothing(name)
    assert NamedLabel(name, "Bread").texts == (as_words(name), "Bread")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("card_arrival", "card arrival"),
        ("cardArrival", "card Arrival"),
        ("card/arrival", "card arrival"),
        ("Billing > Refunds", "Billing Refunds"),
        ("top-up", "top up"),
        ("PINChange", "PIN Change"),
        ("iPhone", "iPhone"),
        ("APIs", "APIs"),
        ("größeÄndern", "größe Ändern"),
        ("___", "___"),
    ],
)
def test_names_are_read_as_words(name: str, words: str) -> None:
    assert as_words(name) == words


def test_a_list_survives_its_bytes() -> None:
    labels = label_list([" a ", {"name": "cafe\u0301", "description": " b "}, {"name": "c", "description": "\u200b"}], 3)
    assert labels.labels == (NamedLabel("a"), NamedLabel("caf\u00e9", "b"), NamedLabel("c"))
    assert LabelList.from_bytes(labels.to_bytes()) == labels
    assert labels.sha256 != LabelList(labels.labels[::-1]).sha256


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["billing", "refund", "login problems"], ["en"]),
        (["Rechnung", "Kündigung", "Lieferung"], ["de"]),
        (["体育", "财经"], ["zh"]),
        # Too short to tell, and codes have no language.
        (["spam", "ham"], []),
        ([f"L{number}" for number in range(50)], []),
    ],
)
def test_the_languages_of_names(names: list[str], found: list[str]) -> None:
    assert list(languages(label_list(names, 100))) == found
