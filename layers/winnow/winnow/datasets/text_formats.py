"""The formats of plain lines: fastText's, TREC's, and Rasa's nlu.yml.

Each reader yields the line where an example starts with its unchecked text and labels, or with the reason why it can't be read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from winnow.datasets.json_formats import NUL, Found, decoded, too_long
from winnow.datasets.json_records import Labelled
from winnow.datasets.labels import FASTTEXT_PREFIX
from winnow.datasets.row_problems import RowError
from winnow.datasets.unpacking import MOST_RECORD_BYTES, Lines

# Possessive (*+, ++), so the match keeps nothing to backtrack to, however many labels there are.
_LABELS = re.compile(rf"\s*+(?:{FASTTEXT_PREFIX}\S*+(?:\s++|$))*+")

# The six coarse classes of TREC's questions, with the fine one: https://cogcomp.seas.upenn.edu/Data/QA/QC/
_TREC = re.compile(r"(?:ABBR|DESC|ENTY|HUM|LOC|NUM):[a-z]+ ")
_TREC_LINE = re.compile(r"\s*([A-Z]+:[A-Za-z]+)\s+(\S.*)")

_RASA = re.compile(r"^nlu\s*:\s*$", re.MULTILINE)


class Recognised(NamedTuple):
    """A format of plain lines."""

    name: str
    read: Callable[[Lines], Iterator[Found]]


def recognised(sample: str, name: str) -> Recognised | None:
    """The format of a file with these first lines, if it is one of this module. name: the object's, in lower case."""
    if name.endswith((".yml", ".yaml")) or _RASA.search(sample):
        return Recognised("rasa-yaml", rasa)
    if name.endswith((".csv", ".tsv")):
        return None
    if sample.startswith(FASTTEXT_PREFIX):
        return Recognised("fasttext", fasttext)
    return Recognised("trec", trec) if _TREC.match(sample) else None


def fasttext(numbered: Lines) -> Iterator[Found]:
    """fastText: __label__a __label__b and then the text, one example per line.

    https://fasttext.cc/docs/en/supervised-tutorial.html
    """
    for number, line in _texts(numbered):
        yield number, line if isinstance(line, RowError) else _fasttext(line)


def _fasttext(line: str) -> Labelled | RowError:
    found = _LABELS.match(line)
    end = found.end() if found else 0
    labels = line[:end].split()
    if not labels:
        return RowError(f"does not begin with {FASTTEXT_PREFIX}: expected {FASTTEXT_PREFIX}a {FASTTEXT_PREFIX}b, then the text")
    return line[end:].rstrip(), labels


def trec(numbered: Lines) -> Iterator[Found]:
    """TREC: COARSE:fine and then the question, one per line. The label is both."""
    for number, line in _texts(numbered):
        if isinstance(line, RowError):
            yield number, line
        elif found := _TREC_LINE.match(line):
            yield number, (found[2].rstrip(), [found[1]])
        else:
            yield number, RowError("does not begin with a label: expected COARSE:fine, then the text")


def _texts(numbered: Lines) -> Iterator[tuple[int, str | RowError]]:
    """The lines that aren't blank."""
    for number, line in numbered:
        if line is None:
            yield number, too_long()
        elif line and not line.isspace():
            try:
                text = decoded(line)
            except RowError as error:
                yield number, error
            else:
                yield number, RowError(NUL) if "\0" in text else text


# --- Rasa ---

_SECTION = re.compile(r"(\w+)\s*:\s*(?:#.*)?$")
_ITEM = re.compile(r"(\s*)-\s+(\w+)\s*:\s*(.*?)\s*$")
_MEMBER = re.compile(r"\s+(\w+)\s*:\s*(.*?)\s*$")
_EXAMPLES = re.compile(r"(\s+)examples\s*:\s*(?:[|>][+-]?)?\s*$")
_TEXT = re.compile(r"(\s*)-\s+(?:text\s*:\s*)?(.*?)\s*$")
_BLOCK = re.compile(r"[|>][+-]?$")
# [Berlin](city), [Berlin]{"entity": "city"}, [Berlin][{"entity": "city"}, …]
_ENTITY = re.compile(r"\[([^\]]+)\](?:\([^)]*\)|\{[^}]*\}|\[\{[^\]]*\}\])")
_COMMENT = re.compile(r"\s+#.*$")
_SHAPE = 'expected "- intent: NAME", then "examples: |", then a line "- TEXT" for each text'


@dataclass(slots=True)
class _Place:
    """Where in the file a line is. label: the intent; None in a synonym, regex or lookup table. examples: how far "examples" is indented;
    None outside of it. block: whether the examples are one block ("|"). text: how far the "- text: |" is indented whose lines follow."""

    in_nlu: bool = False
    item: int | None = None
    label: str | None = None
    examples: int | None = None
    block: bool = False
    text: int | None = None
    line: int = 0
    parts: list[str] = field(default_factory=list)
    size: int = 0


def rasa(numbered: Lines) -> Iterator[Found]:
    """Rasa's nlu.yml: the intents with their examples, without the marks of entities. Only this one shape of YAML is read.

    https://rasa.com/docs/rasa/training-data-format
    """
    place = _Place()
    for number, line in _texts(numbered):
        if isinstance(line, RowError):
            yield number, line
        else:
            yield from _rasa(place, number, line.rstrip())
    yield from _ended(place)


def _rasa(place: _Place, number: int, line: str) -> Iterator[Found]:
    """The examples that end with this line."""
    indent = len(line) - len(line.lstrip())
    if place.text is not None and indent > place.text:
        place.size += len(line)
        if place.size <= MOST_RECORD_BYTES:
            place.parts.append(line.strip())
        return
    yield from _ended(place)
    if line.lstrip().startswith("#") or line in {"---", "..."}:
        return
    if not indent and not line.startswith("-"):
        section = _SECTION.match(line)
        place.in_nlu, place.item, place.examples = bool(section and section[1] == "nlu"), None, None
        return
    if not place.in_nlu:
        return
    if (item := _ITEM.match(line)) and (place.item is None or len(item[1]) == place.item):
        place.item, place.examples = len(item[1]), None
        place.label = _scalar(item[3]) if item[2] == "intent" else None
    elif begins := _EXAMPLES.match(line):
        place.examples, place.block = len(begins[1]), line.rstrip("+-").endswith(("|", ">"))
    elif place.examples is not None and indent >= place.examples:
        yield from _example(place, number, line)
    elif (member := _MEMBER.match(line)) and member[1] != "examples":
        place.examples = None
        if member[1] == "intent":
            place.label = _scalar(member[2])
    else:
        yield number, RowError(f"is not in the form of nlu.yml that is read: {_SHAPE}")


def _example(place: _Place, number: int, line: str) -> Iterator[Found]:
    if place.label is None:
        return
    found = _TEXT.match(line)
    if found is None:
        # Beside "text", an example of a list may have "metadata". In a block, each line is a text.
        if place.block:
            yield number, RowError(f"is not in the form of nlu.yml that is read: {_SHAPE}")
    elif place.block:
        yield number, (_without_entities(line.strip()[1:].strip()), [place.label])
    elif _BLOCK.match(found[2]):
        place.text, place.line = len(found[1]) + 2, number
    else:
        yield number, (_without_entities(_scalar(found[2])), [place.label])


def _ended(place: _Place) -> Iterator[Found]:
    """The text whose lines have ended, if there is one."""
    if place.text is not None:
        text = _without_entities("\n".join(place.parts).removeprefix("- "))
        yield place.line, too_long() if place.size > MOST_RECORD_BYTES else (text, [place.label])
        place.text, place.parts, place.size = None, [], 0


def _scalar(value: str) -> str:
    """A YAML string on one line."""
    if value[:1] in {'"', "'"} and value.endswith(value[0]) and len(value) > 1:
        return value[1:-1].replace(value[0] * 2, value[0]) if value[0] == "'" else value[1:-1].replace('\\"', '"')
    return _COMMENT.sub("", value)


def _without_entities(text: str) -> str:
    return _ENTITY.sub(r"\1", text)
