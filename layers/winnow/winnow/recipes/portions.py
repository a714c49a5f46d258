"""Iterate in portions that are small enough for memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

_MOST_ITEMS = 256


def portions[Item](
    items: Iterable[Item], characters: Callable[[Item], int], most: int, most_items: int = _MOST_ITEMS
) -> Iterator[list[Item]]:
    """Lists of at most `most_items` items, in order. A list ends after the item that brings it to `most` characters."""
    together: list[Item] = []
    held = 0
    for item in items:
        if len(together) == most_items or held >= most:
            yield together
            together, held = [], 0
        together.append(item)
        held += characters(item)
    if together:
        yield together
