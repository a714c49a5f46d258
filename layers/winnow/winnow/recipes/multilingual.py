"""The sentence encoder for sixteen languages: Google's universal-sentence-encoder-multilingual 3, on numpy alone.

https://tfhub.dev/google/universal-sentence-encoder-multilingual/3 (Apache-2.0). It is never trained: a classifier keeps the digest.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from winnow.recipes.mapped_arrays import MappedArrays
from winnow.recipes.ngram_network import DIMENSIONS, MOST_PIECES, NgramNetwork
from winnow.recipes.portions import portions
from winnow.recipes.text import without_surrogates
from winnow.recipes.unigram import Unigram
from winnow.recipes.windows import mean_of

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


class Multilingual:
    """An Encoding (recipes.encoder) whose files are in a folder. They are opened for the first text.

    description: encoder.json, with the name, most_tokens (of a window), and the SHA-256 of model.bin and tokenizer.bin. Its SHA-256 is the
    encoder's digest.
    """

    def __init__(self, folder: Path, description: bytes) -> None:
        self._folder = folder
        about = json.loads(description)
        self.digest = hashlib.sha256(description).hexdigest()
        self.name: str = about["name"]
        self.languages: tuple[str, ...] = tuple(about["languages"])
        self._most_tokens: int = about["most_tokens"]

    def vectors(self, texts: Sequence[str], windows: int = 1) -> NDArray[np.float32]:
        """Of shape (texts, 512), each of length 1: what the network gives, less the mean over texts of fourteen languages.

        A text's vector doesn't depend on its neighbours, but for the rounding of float32 sums, which BLAS adds in another order.
        """
        read = [self._tokenizer.windows_of(without_surrogates(text), windows) for text in texts]
        found = self._encoded([window for of_text in read for window in of_text]) - self._mean
        found /= np.sqrt(np.einsum("ij,ij->i", found, found))[:, None]
        return mean_of(found, [len(of_text) for of_text in read])

    def uncentred(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """What the network gives for the first window of each text, of shape (texts, 512), each of length 1."""
        return self._encoded([self._tokenizer.tokens_of(without_surrogates(text)) for text in texts])

    def _encoded(self, tokens: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """What the network gives for each window."""
        found = np.empty((len(tokens), DIMENSIONS), np.float32)
        begin = 0
        # The weights come from memory once for all tokens that are read together. A group may have one window more than this.
        for group in portions(tokens, len, MOST_PIECES - self._most_tokens):
            found[begin : begin + len(group)] = self._network.vectors(group)
            begin += len(group)
        return found

    @cached_property
    def _arrays(self) -> MappedArrays:
        return MappedArrays(self._folder / "model.bin")

    @cached_property
    def _network(self) -> NgramNetwork:
        return NgramNetwork(self._arrays)

    @cached_property
    def _mean(self) -> NDArray[np.float32]:
        return self._arrays.matrix("mean")

    @cached_property
    def _tokenizer(self) -> Unigram:
        return Unigram(MappedArrays(self._folder / "tokenizer.bin"), self._most_tokens)
