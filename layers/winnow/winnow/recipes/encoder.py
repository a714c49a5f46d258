"""The frozen sentence encoder: from a text to a vector in which texts of like meaning lie close. The only importer of onnxruntime.

all-MiniLM-L6-v2 (https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2; Reimers and Gurevych 2019, arXiv 1908.10084; Wang et al.
2020, arXiv 2002.10957), its weights in int8. Nothing of it is ever trained: a classifier keeps the encoder's digest, not its weights.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, cached_property
from importlib.util import find_spec
from itertools import batched
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from winnow.domain.errors import EncoderError

if TYPE_CHECKING:
    from numpy.typing import NDArray

# The files of an encoder: encoder.json describes the other two. Those of the layer are made by layers/encoder/assemble.py.
ABOUT, MODEL, TOKENIZER = "encoder.json", "model.onnx", "tokenizer.json"
_PACKAGE = "winnow_encoder"
# By which it is found out whether texts may go through an encoder together; and the digest of the layer's, of which tests have found it.
_KNOWN_TOGETHER = "306e93bbc7cbeb4dac0a8cceaafeb381c02a622419a58a26d2f5a84a936d7dda"
_PROBES = "How deep do tulip bulbs go?", "I want to save for vacation!"
# Texts between two yields: under a tenth of a second where they are short.
_ENCODED_AT_ONCE = 16


class Encoding(Protocol):
    """What gives a text its vector. name and digest say which encoder it is: vectors of two encoders have nothing to do with each other."""

    @property
    def name(self) -> str: ...

    @property
    def digest(self) -> str: ...

    def vectors(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Of shape (texts, dimensions), each of length 1."""
        ...


type Find = Callable[[str, str], Encoding]
"""From an encoder's name and digest to the encoder. EncoderError where it isn't to be had."""


class Encoder:
    """An encoder whose files lie in a folder. Its session, some 50 MB, is made when the first text comes.

    encoder.json: name, the number of dimensions, most_tokens, pooling ("mean" of the tokens' last states, or that of the first: "cls"), and
    the SHA-256 of the other two files. Its own SHA-256 is the encoder's digest.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        described = (folder / ABOUT).read_bytes()
        about = json.loads(described)
        self.digest = hashlib.sha256(described).hexdigest()
        self.name: str = about["name"]
        self._dimensions: int = about["dimensions"]
        self._most_tokens: int = about["most_tokens"]
        self._pooling: str = about["pooling"]

    def vectors(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Of shape (texts, dimensions), each of length 1. What is beyond most_tokens is not read.

        A text's vector doesn't depend on its neighbours. Texts of equal length go through the encoder together where `together` allows it,
        which takes a fifth less time, as long as they have no more tokens than one text may have: so they take no more memory, and they
        need no padding.
        """
        found = np.empty((len(texts), self._dimensions), np.float32)
        tokens = [self._tokens_of(text) for text in texts]
        for places in _of_equal_length(tokens, self._most_tokens):
            ids = np.array([tokens[place] for place in places], np.int64)
            if len(ids) == 1 or self.together:
                found[places] = self._read(ids)
            else:
                for place, alone in zip(places, ids, strict=True):
                    found[place] = self._read(alone[None])[0]
        return found

    @cached_property
    def together(self) -> bool:
        """Whether a text has the same vector, bit for bit, when others go through the encoder with it.

        It hasn't where the model quantizes by the range of all that it is given at once (ONNX's DynamicQuantizeLinear), as onnxruntime's
        quantize_dynamic makes it. Two texts tell it, once several of equal length come: a single text doesn't wait for it.
        """
        if self.digest == _KNOWN_TOGETHER:
            return True
        ids = np.array(list(zip(*map(self._tokens_of, _PROBES), strict=False)), np.int64).reshape(-1, 2).T
        one, other = ids[:1], ids[1:]
        # Of two that are the same to it nothing can be told.
        return not np.array_equal(one, other) and np.array_equal(self._read(ids), np.concatenate([self._read(one), self._read(other)]))

    def _tokens_of(self, text: str) -> list[int]:
        tokens: list[int] = self._tokenizer.encode(_readable(text)).ids
        return tokens

    def _read(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """The vectors of texts, by their tokens, of shape (texts, tokens)."""
        pooled = self._pooled(ids)
        # No tokens, or such as mean nothing to the model, have no direction: they get one, alike in all dimensions.
        pooled[~pooled.any(axis=1)] = 1
        vectors: NDArray[np.float32] = pooled / np.sqrt(np.einsum("ij,ij->i", pooled, pooled))[:, None]
        return vectors

    def _pooled(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        if not ids.size:
            return np.zeros((len(ids), self._dimensions), np.float32)
        given = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        states: NDArray[np.float32] = self._session.run(None, {name: given[name] for name in self._inputs})[0]
        return states.mean(axis=1) if self._pooling == "mean" else states[:, 0]

    @cached_property
    def _tokenizer(self) -> Any:
        from tokenizers import Tokenizer  # noqa: PLC0415 - only who needs vectors pays for it

        tokenizer = Tokenizer.from_file(str(self._folder / TOKENIZER))
        tokenizer.no_padding()
        tokenizer.enable_truncation(self._most_tokens)
        return tokenizer

    @cached_property
    def _session(self) -> Any:
        import onnxruntime  # noqa: PLC0415

        options = onnxruntime.SessionOptions()
        # One thread, like BLAS; and no arena, which would keep the memory of the longest text for good.
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False
        return onnxruntime.InferenceSession(str(self._folder / MODEL), options, providers=["CPUExecutionProvider"])

    @cached_property
    def _inputs(self) -> list[str]:
        # Not every model has token_type_ids.
        return [each.name for each in self._session.get_inputs()]


def _of_equal_length(tokens: Sequence[Sequence[int]], most: int) -> Iterator[list[int]]:
    """The places of the texts in groups of as many tokens, at most so many together."""
    by_length: dict[int, list[int]] = {}
    for place, each in enumerate(tokens):
        by_length.setdefault(len(each), []).append(place)
    for length, places in by_length.items():
        yield from map(list, batched(places, max(1, most // max(1, length)), strict=False))


class Remembered:
    """The vectors of known texts, each encoded once, over an encoder for all others. Rounded to float16: half the memory."""

    def __init__(self, encoder: Encoding, texts: Sequence[str]) -> None:
        self.name, self.digest = encoder.name, encoder.digest
        self.encoder = encoder
        self._place_of = {text: place for place, text in enumerate(dict.fromkeys(texts))}
        self._texts = list(self._place_of)
        self._known: list[NDArray[np.float16]] = []

    @property
    def share(self) -> float:
        """How many of the texts are encoded: 0 to 1."""
        return len(self._known) / len(self._texts) if self._texts else 1.0

    def encode(self) -> Iterator[None]:
        """Encode the texts, or what is left of them. Yields several times a second."""
        while len(self._known) < len(self._texts):
            begin = len(self._known)
            self._known += list(self.encoder.vectors(self._texts[begin : begin + _ENCODED_AT_ONCE]).astype(np.float16))
            yield

    def vectors(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Of shape (texts, dimensions), each of length 1."""
        known = [self._place_of.get(text, len(self._known)) for text in texts]
        unknown = [text for text, place in zip(texts, known, strict=True) if place >= len(self._known)]
        new = iter(self.encoder.vectors(unknown).astype(np.float16) if unknown else ())
        rows = [self._known[place] if place < len(self._known) else next(new) for place in known]
        return np.array(rows, np.float32)

    def save(self) -> dict[str, NDArray[Any]]:
        """What another of the same texts needs to `resume`."""
        return {"vectors": np.array(self._known, np.float16), "digest": np.array(self.digest)}

    def resume(self, saved: Mapping[str, NDArray[Any]]) -> None:
        """Take up what `save` gave. Nothing is taken of another encoder's vectors."""
        if str(saved["digest"]) == self.digest:
            self._known = list(saved["vectors"])


@cache
def installed() -> Encoder:
    """The encoder of this deployment's layer. EncoderError where it has none."""
    found = find_spec(_PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise EncoderError(
            "This deployment has no sentence encoder: deploy it with the parameter Encoder=minilm, or train with a recipe that needs none."
        )
    return Encoder(Path(found.submodule_search_locations[0]))


def find_installed(name: str, digest: str) -> Encoding:
    """The encoder of the layer, where it is this one: `Find`."""
    there = installed()
    check(there, name, digest)
    return there


def described(encoding: Encoding) -> dict[str, str]:
    """What a version keeps of its encoder, and what `Find` takes."""
    return {"name": encoding.name, "digest": encoding.digest}


def check(there: Encoding, name: str, digest: str) -> None:
    """EncoderError unless the encoder that is there is this one."""
    if there.digest != digest:
        raise EncoderError(
            f"This version was trained with the sentence encoder {name} ({digest[:12]}), and the deployment has"
            f" {there.name} ({there.digest[:12]}): deploy with the other one, or train it again."
        )


def _readable(text: str) -> str:
    """Without lone surrogates, which are no characters and which the tokenizer refuses."""
    return text.encode("utf-8", "replace").decode()
