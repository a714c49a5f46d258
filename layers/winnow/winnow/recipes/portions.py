"""Many things in portions, each small enough to be in memory with all that is made of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

_MOST_ITEMS = 256


def portions[Item](items: Iterable[Item], characters: Callable[[Item], int], most: int) -> Iterator[list[Item]]:
    """The items in their order, in lists of at most 256. A list ends with the item by which it comes to so many characters."""
    together: list[Item] = []
    held = 0
    for item in items:
        if len(together) == _MOST_ITEMS or held >= most:
            yield together
            together, held = [], 0
        together.append(item)
        held += characters(item)
    if together:
        yield together
