"""A JSON object that holds the list of examples, such as {"data": […]}, and what tools write beside the list."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

from winnow.datasets.json_records import Members, OfSubject, listed, mappings
from winnow.datasets.json_stream import JsonStream
from winnow.datasets.row_problems import FileError, Kind, RowError
from winnow.datasets.tool_formats import DIALOGFLOW, PAIRS, PLAIN, Dialect, dialect_of, labelled

Path = tuple[str, ...]

OBJECT = "json-object"
_NAMES = ("data", "examples", "rows", "items", "records", "results", "samples", "utterances")
_SPLITS = ("train", "val", "valid", "validation", "dev")
# Examples to test with, and CLINC150's texts of no intent.
_LEFT_OUT = ("test", "oos_train", "oos_val", "oos_test")
# In LUIS the names of the intents, in Dialogflow the intents with their phrases.
_INTENTS = ("intents",)
# Where a list of examples is, with the name of the format.
_LISTS: dict[Path, str] = {
    ("rasa_nlu_data", "common_examples"): "rasa-json",
    ("assets", "utterances"): "clu",
    **{(name,): OBJECT for name in (*_NAMES, *_SPLITS, *_LEFT_OUT)},
    _INTENTS: "dialogflow",
}
NAMES_OF_LABELS = ("label_names", "features")


def name_of(whole: Mapping[str, Any], members: Members) -> str | None:
    """The format of an object that holds a list of examples. None if the object is an example itself."""
    if members.has_both(whole):
        return None
    for path, name in _LISTS.items():
        if isinstance(found := _at(whole, path), list) and (not found or isinstance(found[0], Mapping | list)):
            return "clinc150" if name == OBJECT and found and isinstance(found[0], list) else name
    # A list under an unknown name is better called that than a record without a text.
    return OBJECT if dialect_of(whole) is PLAIN and any(mappings(value) for value in whole.values()) else None


def examples(stream: JsonStream, of: str, members: Members, whole: Mapping[str, Any] | None) -> Iterator[OfSubject | RowError]:
    """The examples of the object that begins here. whole: that object, unless it is too long to be parsed at once."""
    if whole is not None:
        for name in NAMES_OF_LABELS:
            _learn(name, whole.get(name), members)
    read: list[Path] = []
    others: list[str] = []
    for path in _places(stream, ()):
        if stream.next() != "[" or path not in _LISTS:
            others.append(path[-1])
            _beside(path, stream.value(), of, members, known=whole is not None, late=bool(read))
        elif path == _INTENTS:
            yield from _intents(stream, members, read)
        elif path[0] in _LEFT_OUT:
            yield from _left_out(stream, path[0])
        else:
            if read and not {read[-1][0], path[0]} <= {*_SPLITS}:
                raise FileError(f"{_capital(of)} holds two lists of examples ({listed(path[-1] for path in (*read, path))}): leave one.")
            read.append(path)
            yield from of_list(stream.elements(), members, pairs=path[0] in _SPLITS)
    stream.end("object")
    if not read:
        raise FileError(
            f"{_capital(of)} is an object without a list of examples under a known name ({', '.join(_NAMES)}): its members are"
            f' {listed(others) or "none"}. Call the list "data".'
        )


def of_list(elements: Iterator[Any], members: Members, *, pairs: bool = False) -> Iterator[OfSubject | RowError]:
    """The examples of a list. Its first element shows which tool wrote it. pairs: whether they may be ["text", "label"]."""
    for first in elements:
        dialect: Dialect = PAIRS if pairs and isinstance(first, list) else dialect_of(first)
        yield from labelled(chain([first], elements), dialect, members)


def _places(stream: JsonStream, path: Path) -> Iterator[Path]:
    """The members of an object, and those of objects in it that may hold the list. The caller reads the value of each."""
    for name in stream.members():
        here = (*path, name)
        if stream.next() == "{" and any(place[: len(here)] == here for place in _LISTS):
            yield from _places(stream, here)
        else:
            yield here


def _intents(stream: JsonStream, members: Members, read: list[Path]) -> Iterator[OfSubject | RowError]:
    for each in labelled(stream.elements(), DIALOGFLOW, members):
        if not read:
            read.append(_INTENTS)
        yield each


def _left_out(stream: JsonStream, name: str) -> Iterator[RowError]:
    for _ in stream.elements():
        yield RowError(f'is in the list "{name}" and is left out', Kind.SKIPPED_ROW)


def _beside(path: Path, value: Any, of: str, members: Members, *, known: bool, late: bool) -> None:
    if known or path[0] not in NAMES_OF_LABELS:
        return
    if late:
        raise FileError(f'{_capital(of)} has "{path[0]}" after the list of examples: put it before the list.')
    _learn(path[0], value, members)


def _learn(name: str, value: Any, members: Members) -> None:
    """Keep the names of labels: "label_names", or the ClassLabel types among Hugging Face's "features"."""
    if name == "label_names" and _are_names(value):
        members.label_names[""] = value
    for feature in mappings(value):
        kind = feature.get("type")
        # A list of labels has the type of its elements inside.
        if isinstance(kind, Mapping) and isinstance(kind.get("feature"), Mapping):
            kind = kind["feature"]
        if isinstance(kind, Mapping) and _are_names(kind.get("names")):
            members.label_names[str(feature.get("name"))] = kind["names"]


def _are_names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


def _at(whole: Any, path: Path) -> Any:
    for name in path:
        whole = whole.get(name) if isinstance(whole, Mapping) else None
    return whole


def _capital(of: str) -> str:
    return of[0].upper() + of[1:]
