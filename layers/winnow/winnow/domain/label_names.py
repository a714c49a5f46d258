"""Labels that a client names and describes instead of sending examples, and what a name says. Standard library only."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any

# What stands between the words of a name.
_BETWEEN = re.compile(r"[\s_\-/\\|>.:]+")
# camelCase, but neither "iPhone" nor "APIs".
_HUMPS = re.compile(r"(?<=[a-zß-öø-ÿ]{2})(?=[A-ZÀ-ÖØ-Þ])|(?<=[A-Z]{2})(?=[A-Z][a-z]{2})")
_LETTERS = re.compile(r"[^\W\d_]+")
# The first letter, by its code, of the scripts in which one character may be a word: Thai and those after it.
_WORDS_OF_ONE_LETTER = "\u0e00"
# So many letters together mean something beside digits, as in "covid19", and so many alone, as in "HR".
_BESIDE_DIGITS, _ALONE = 3, 2
# Words that only say what a code is: "class 7", "label_b".
_GENERIC = frozenset({"label", "class", "category", "tag", "topic", "type", "group", "cluster", "code", "intent", "id", "nr", "no"})


@dataclass(frozen=True, slots=True)
class NamedLabel:
    """A label without examples. description: what it means, in a sentence or two; empty if the client gave none."""

    name: str
    description: str = ""

    @property
    def is_meaningless(self) -> bool:
        """Whether neither its name nor a description says what it means."""
        return not self.description and says_nothing(self.name)

    @property
    def texts(self) -> tuple[str, ...]:
        """What to understand the label by: its name and its description. A name that says nothing is left out beside a description."""
        if not self.description:
            return (as_words(self.name),)
        return (self.description,) if says_nothing(self.name) else (as_words(self.name), self.description)


@dataclass(frozen=True, slots=True)
class LabelList:
    """The labels of a request, in its order."""

    labels: tuple[NamedLabel, ...]

    def to_bytes(self) -> bytes:
        return json.dumps([[label.name, label.description] for label in self.labels], ensure_ascii=False).encode()

    @classmethod
    def from_bytes(cls, body: bytes) -> LabelList:
        """What `to_bytes` returned."""
        return cls(tuple(NamedLabel(name, description) for name, description in json.loads(body)))

    @property
    def sha256(self) -> str:
        """The digest of `to_bytes`."""
        return hashlib.sha256(self.to_bytes()).hexdigest()

    def as_dict(self) -> dict[str, Any]:
        """The list as the registry keeps it: names and descriptions are in S3, because a row holds at most 400 KB."""
        return {"sha256": self.sha256, "labels": len(self.labels)}


def as_words(name: str) -> str:
    """A name with single spaces between its words: "card_arrival", "cardArrival" and "card/arrival" are "card arrival"."""
    return " ".join(_HUMPS.sub(" ", _BETWEEN.sub(" ", name)).split()) or name


def says_nothing(name: str) -> bool:
    """Whether a name is only a code, such as "L1", "class 7", "B" or a hash, so that nobody can know what it means."""
    words: list[str] = []
    for word in as_words(name).split():
        needed = _BESIDE_DIGITS if any(map(str.isdigit, word)) else _ALONE
        words += [found for found in _LETTERS.findall(word) if len(found) >= needed or found >= _WORDS_OF_ONE_LETTER]
    whole = " ".join(words)
    is_code = any(map(str.isdigit, name)) or whole != as_words(name)
    return not words or _is_hash(name) or (is_code and all(word.casefold() in _GENERIC for word in words))


def _is_hash(name: str) -> bool:
    """Whether a name is at least eight hexadecimal digits, with decimal ones among them, as in a UUID."""
    plain = re.sub(r"[\s_\-]", "", name).casefold()
    return re.fullmatch(r"(?=.*[0-9])[0-9a-f]{8,}", plain) is not None
