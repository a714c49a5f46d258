"""Builds and reads the double-array trie of darts-clone (https://github.com/s-yata/darts-clone), with nothing but the standard library.

A unit is 32 bits: the label (bits 0 to 7), whether a key ends here (bit 8), and the distance to the children (bits 10 to 30). A child's
place is the node's place ^ distance ^ label. The child with label 0 is a key's value, with bit 31 set. winnow.recipes.unigram walks such
tries.
"""

from array import array
from collections.abc import Iterator, Sequence
from itertools import groupby

_BLOCK = 256
# Older blocks are nearly full: looking for room in them would take most of the time.
_OPEN_BLOCKS = 16
_HAS_VALUE, _VALUE = 1 << 8, 1 << 31
_MOST_UNITS = 1 << 21


def build(keys: Sequence[tuple[bytes, int]]) -> "array[int]":
    """The units of a trie. keys: sorted, each with its value; without zero bytes, and none twice."""
    units = _Units()
    nodes = [(0, len(keys), 0, 0)]
    while nodes:
        begin, end, depth, place = nodes.pop()
        children = list(_children(keys, begin, end, depth))
        base = units.room_for([label for label, _, _ in children])
        units.connect(place, base, has_value=children[0][0] == 0)
        for label, first, last in children:
            if label == 0:
                units.units[base] = keys[first][1] | _VALUE
            else:
                units.units[base ^ label] = label
                nodes.append((first, last, depth + 1, base ^ label))
    return units.units


def _children(keys: Sequence[tuple[bytes, int]], begin: int, end: int, depth: int) -> Iterator[tuple[int, int, int]]:
    """The labels after a prefix of this length, and the places of their keys. 0: the prefix is a key."""
    for label, places in groupby(range(begin, end), lambda place: keys[place][0][depth] if depth < len(keys[place][0]) else 0):
        first, *others = places
        yield label, first, others[-1] + 1 if others else first + 1


class _Units:
    """The units, and which of them are free. An unused unit looks like a value, so no walk enters it."""

    def __init__(self) -> None:
        self.units = array("I")
        # With the base 0, a zero byte would lead back to the root.
        self._bases = {0}
        # A dict is a set in the order of insertion: the lowest places come first.
        self._free: dict[int, None] = {}
        self._grow()
        self.units[0] = 0
        del self._free[0]

    def room_for(self, labels: Sequence[int]) -> int:
        """A base that no other node has, with free places for all labels. They are taken."""
        while True:
            for place in self._free:
                base = place ^ labels[0]
                if base not in self._bases and all(base ^ label in self._free for label in labels):
                    self._bases.add(base)
                    for label in labels:
                        del self._free[base ^ label]
                    return base
            self._grow()

    def connect(self, place: int, base: int, *, has_value: bool) -> None:
        self.units[place] |= (place ^ base) << 10 | (_HAS_VALUE if has_value else 0)

    def _grow(self) -> None:
        size = len(self.units)
        if size + _BLOCK > _MOST_UNITS:
            message = "the keys need a trie of more than 2,097,152 units"
            raise ValueError(message)
        self.units.extend([_VALUE] * _BLOCK)
        self._free.update(dict.fromkeys(range(size, size + _BLOCK)))
        for place in range(size - _OPEN_BLOCKS * _BLOCK, size - (_OPEN_BLOCKS - 1) * _BLOCK):
            self._free.pop(place, None)


def later_characters(units: Sequence[int]) -> set[str]:
    """The characters that keys, which are UTF-8, have behind their first one."""
    found, seen = set[str](), set[int]()
    nodes = [node for _, node in _characters(units, _children_of(units, 0))]
    while nodes:
        node = nodes.pop()
        if node not in seen:
            seen.add(node)
            for character, after in _characters(units, node):
                found.add(character)
                nodes.append(after)
    return found


def _characters(units: Sequence[int], node: int) -> Iterator[tuple[str, int]]:
    """The characters that can follow, each with the base of what follows it."""
    begun = [(b"", node)]
    while begun:
        prefix, base = begun.pop()
        for label in range(0x80, 0xC0) if prefix else range(1, 0xF5):
            place = base ^ label
            if units[place] & (_VALUE | 0xFF) == label:
                content, after = prefix + bytes([label]), _children_of(units, place)
                if len(content) == _length(content[0]):
                    yield content.decode(), after
                else:
                    begun.append((content, after))


def _children_of(units: Sequence[int], place: int) -> int:
    unit = units[place]
    return place ^ (unit >> 10) << ((unit & 0x200) >> 6)


def _length(first: int) -> int:
    """The bytes of the character that begins with this byte."""
    return 1 if first < 0x80 else 2 if first < 0xE0 else 3 if first < 0xF0 else 4
