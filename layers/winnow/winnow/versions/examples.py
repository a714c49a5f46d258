"""Pages of a version's examples. A page takes bounded time and memory, however many examples there are."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import batched
from typing import TYPE_CHECKING, Any

from winnow.api.paging import fitting
from winnow.domain.errors import InvalidFieldError
from winnow.domain.normal_form import text_key
from winnow.evaluation.example_index import Sort
from winnow.training.learnt_examples import index_of, lines_of

if TYPE_CHECKING:
    from winnow.domain.model import Version
    from winnow.evaluation.example_index import ExampleIndex, Wanted

# The most blocks of texts that a page reads, each about 64 KB, and how many of them are in memory at once.
MOST_BLOCKS, _BLOCKS_AT_ONCE = 256, 64
# Far more examples than so many blocks have.
_MOST_PLACES = 1_000_000


@dataclass(frozen=True, slots=True)
class Page:
    """A page of examples, as JSON values. matching: how many the index finds, whatever their texts. next: where the next page begins."""

    examples: Sequence[dict[str, Any]]
    matching: int
    next: int | None


def page(version: Version, wanted: Wanted, contains: str | None, begin: int, limit: int) -> Page:
    """At most `limit` of the wanted examples, from the place `begin` of their list. contains: what their texts have, None for any text.

    A page with `contains` may have less than there is, and still have a next one: each page looks at so many texts only.
    ExamplesNotFoundError; InvalidFieldError for an unknown label or fold, or if nobody may see the texts; ArtifactError.
    """
    index = index_of(version)
    _check(version, index, wanted, contains)
    found = index.found(wanted)
    places: list[int] = found[begin : begin + _MOST_PLACES].tolist()
    if not version.hyperparameters["keep_texts"]:
        shown, looked_at = [index.facts(place) for place in places[:limit]], limit
    else:
        key = None if contains is None else text_key(contains)
        looked_at = _within_blocks(index, places if key else places[:limit])
        rising = wanted.sort is Sort.ROW
        shown, looked_at = _shown(
            index, places, _texts(version, index, places[:looked_at], key, limit if rising else None), limit, looked_at
        )
    end = begin + looked_at
    return Page(shown, len(found), end if end < len(found) else None)


def _check(version: Version, index: ExampleIndex, wanted: Wanted, contains: str | None) -> None:
    for field, label in (("label", wanted.label), ("predicted", wanted.predicted)):
        if label is not None and label not in index.labels:
            raise InvalidFieldError(
                f"{field} must be one of the labels that the version knows, and {label!r} is none of them.", field=field
            )
    if contains is None:
        return
    if not version.hyperparameters["keep_texts"]:
        raise InvalidFieldError(
            "contains can't be sent for this version, because it was trained with keep_texts false: nobody may see its texts.",
            field="contains",
        )
    if not text_key(contains):
        raise InvalidFieldError("contains must have a character that is no white space.", field="contains")


def _within_blocks(index: ExampleIndex, places: Sequence[int]) -> int:
    """How many of the places, from the first, are in at most MOST_BLOCKS blocks."""
    seen: set[int] = set()
    for count, block in enumerate(index.blocks_of(places)):
        seen.add(block)
        if len(seen) > MOST_BLOCKS:
            return count
    return len(places)


def _texts(version: Version, index: ExampleIndex, places: Sequence[int], key: str | None, enough: int | None) -> dict[int, str]:
    """The texts of those places whose texts have the key. enough: stop when there are more; only for rising places."""
    found: dict[int, str] = {}
    may_have = _quick_look(key or "")
    for own in _portions(index, places):
        for place, line in lines_of(version, index, own):
            if key is not None and not may_have(line):
                continue
            text: str = json.loads(line)["text"]
            if key is None or key in text_key(text):
                found[place] = text
        if enough is not None and len(found) > enough:
            break
    return found


def _quick_look(key: str) -> Callable[[bytes], bool]:
    """Whether a record, as JSON, may have a text with the key. It takes a tenth of the time of a real look."""
    # JSON writes other characters differently.
    plain = key.isascii() and key.isprintable() and not {'"', "\\"} & set(key)
    words = [word.encode() for word in key.split()] if plain else []

    def may_have(line: bytes) -> bool:
        if not line.isascii():
            return True
        lower = line.lower()
        return all(word in lower for word in words)

    return may_have


def _portions(index: ExampleIndex, places: Sequence[int]) -> Iterator[list[int]]:
    """The places, block after block, those of some blocks at a time."""
    members: dict[int, list[int]] = {}
    for place, block in zip(places, index.blocks_of(places), strict=True):
        members.setdefault(block, []).append(place)
    for blocks in batched(sorted(members), _BLOCKS_AT_ONCE, strict=False):
        yield [place for block in blocks for place in members[block]]


def _shown(
    index: ExampleIndex, places: Sequence[int], texts: dict[int, str], limit: int, looked_at: int
) -> tuple[list[dict[str, Any]], int]:
    """The page's examples, and how many of the places the page has dealt with."""
    matching = [place for place in places[:looked_at] if place in texts]
    shown = fitting({**index.facts(place), "text": texts[place]} for place in matching[:limit])
    if len(shown) == len(matching):
        return shown, looked_at
    return shown, places.index(matching[len(shown)])
