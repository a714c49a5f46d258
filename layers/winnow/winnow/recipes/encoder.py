"""The frozen sentence encoders: texts with similar meaning get vectors close together. Only this module imports onnxruntime.

The layer has two: winnow.recipes.multilingual, and all-MiniLM-L6-v2 (https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2;
Reimers and Gurevych 2019, arXiv 1908.10084; Wang et al. 2020, arXiv 2002.10957), with int8 weights. They are never trained: a classifier
keeps the encoder's digest, not its weights.
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
from winnow.recipes.portions import portions
from winnow.recipes.text import without_surrogates
from winnow.recipes.windows import MOST_WINDOWS, mean_of, overlap

if TYPE_CHECKING:
    from numpy.typing import NDArray

# The files of an encoder. encoder.json describes the other two. layers/encoder/assemble.py makes those of the layer.
ABOUT, MODEL, TOKENIZER = "encoder.json", "model.onnx", "tokenizer.json"
# The kind of an encoder.json without one.
_TRANSFORMER = "transformer"
_PACKAGE = "winnow_encoder"
MINILM, MULTILINGUAL = "minilm", "use-multilingual"
IN_LAYER: Mapping[str, str] = {MINILM: ".", MULTILINGUAL: "use-multilingual"}
"""The encoders of the layer, by their names in the parameter Encoder, with their folders in the package. The first is the default."""
# MiniLM, for which a test checked that texts may be encoded together. For other encoders the two probes check it.
_KNOWN_TOGETHER = "306e93bbc7cbeb4dac0a8cceaafeb381c02a622419a58a26d2f5a84a936d7dda"
_PROBES = "How deep do tulip bulbs go?", "I want to save for vacation!"
# What is encoded between two yields, in characters: some tenths of a second. A short text counts like one of so many characters.
_ENCODED_AT_ONCE, _SHORT = 2_000, 125


class Encoding(Protocol):
    """Gives a text its vector. name and digest identify the encoder: vectors of different encoders can't be compared."""

    @property
    def name(self) -> str: ...

    @property
    def digest(self) -> str: ...

    def vectors(self, texts: Sequence[str], windows: int = 1) -> NDArray[np.float32]:
        """Of shape (texts, dimensions), each of length 1. windows: the most that are read of a text (recipes.windows)."""
        ...


type Find = Callable[[str, str], Encoding]
"""From an encoder's name and digest to the encoder. Raises EncoderError if it isn't available."""


def names_of_parts(about: Mapping[str, Any]) -> tuple[str, str]:
    """The names of the two files that an encoder.json describes: model and tokenizer."""
    return (MODEL, TOKENIZER) if about.get("kind", _TRANSFORMER) == _TRANSFORMER else ("model.bin", "tokenizer.bin")


def opened(folder: Path) -> Encoding:
    """The encoder whose files are in this folder."""
    description = (folder / ABOUT).read_bytes()
    if json.loads(description).get("kind", _TRANSFORMER) == _TRANSFORMER:
        return Encoder(folder)
    from winnow.recipes.multilingual import Multilingual  # noqa: PLC0415 - only those who use it import it

    return Multilingual(folder, description)


class Encoder:
    """A transformer whose files are in a folder. Its session, about 50 MB, is created for the first text.

    encoder.json has the name, the number of dimensions, most_tokens, the pooling ("mean" of the tokens' last states, or "cls" for the first
    state) and the SHA-256 of the other two files. The SHA-256 of encoder.json is the encoder's digest.
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

    def vectors(self, texts: Sequence[str], windows: int = 1) -> NDArray[np.float32]:
        """Of shape (texts, dimensions), each of length 1. A window has most_tokens tokens; what follows the last one is ignored.

        A text's vector doesn't depend on its neighbours. If `together` is true, windows of equal length are encoded together, which takes
        a fifth less time. Such a group has at most most_tokens tokens, so it needs no more memory than one text, and no padding.
        """
        read = [self._windows_of(text, windows) for text in texts]
        return mean_of(self._encoded([window for of_text in read for window in of_text]), [len(of_text) for of_text in read])

    def _encoded(self, tokens: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """The vector of each window."""
        found = np.empty((len(tokens), self._dimensions), np.float32)
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
        """Whether a text's vector stays the same, bit for bit, when other texts are encoded with it.

        Not if the model quantizes by the range of its whole input (ONNX's DynamicQuantizeLinear), as in models from onnxruntime's
        quantize_dynamic. Two probe texts check it when the first texts of equal length come: a single text doesn't wait for the check.
        """
        if self.digest == _KNOWN_TOGETHER:
            return True
        ids = np.array(list(zip(*(self._windows_of(probe, 1)[0] for probe in _PROBES), strict=False)), np.int64).reshape(-1, 2).T
        one, other = ids[:1], ids[1:]
        # Two texts with the same tokens would prove nothing.
        return not np.array_equal(one, other) and np.array_equal(self._read(ids), np.concatenate([self._read(one), self._read(other)]))

    def _windows_of(self, text: str, most: int) -> list[list[int]]:
        """The tokens of each window. Each has the special tokens of a whole text."""
        first = self._tokenizer.encode(without_surrogates(text))
        # The tokenizer makes the windows after the first only when they are asked for.
        return [first.ids] if most == 1 else [window.ids for window in (first, *first.overflowing[: most - 1])]

    def _read(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """The vectors of windows, from their tokens, of shape (windows, tokens)."""
        pooled = self._pooled(ids)
        # No tokens, or tokens without meaning for the model, give a zero vector. It gets the same value in every dimension.
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
        from tokenizers import Tokenizer  # noqa: PLC0415 - slow to import, and only vectors need it

        tokenizer = Tokenizer.from_file(str(self._folder / TOKENIZER))
        tokenizer.no_padding()
        tokenizer.enable_truncation(
            self._most_tokens, stride=overlap(self._most_tokens - tokenizer.num_special_tokens_to_add(is_pair=False))
        )
        return tokenizer

    @cached_property
    def _session(self) -> Any:
        import onnxruntime  # noqa: PLC0415

        options = onnxruntime.SessionOptions()
        # One thread, like BLAS. No arena: it would keep the memory of the longest text for ever.
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False
        return onnxruntime.InferenceSession(str(self._folder / MODEL), options, providers=["CPUExecutionProvider"])

    @cached_property
    def _inputs(self) -> list[str]:
        # Not every model has token_type_ids.
        return [each.name for each in self._session.get_inputs()]


def _of_equal_length(tokens: Sequence[Sequence[int]], most: int) -> Iterator[list[int]]:
    """The places of the windows in groups of equal length, with at most `most` tokens each."""
    by_length: dict[int, list[int]] = {}
    for place, each in enumerate(tokens):
        by_length.setdefault(len(each), []).append(place)
    for length, places in by_length.items():
        yield from map(list, batched(places, max(1, most // max(1, length)), strict=False))


class Remembered:
    """The vectors of known texts, each encoded once. Other texts go to the encoder. Vectors are float16, for half the memory.

    Known texts are read as new classifiers read them: MOST_WINDOWS windows.
    """

    def __init__(self, encoder: Encoding, texts: Sequence[str]) -> None:
        self.name, self.digest = encoder.name, encoder.digest
        self.encoder = encoder
        self._place_of = {text: place for place, text in enumerate(dict.fromkeys(texts))}
        self._texts = list(self._place_of)
        self._known: list[NDArray[np.float16]] = []

    @property
    def share(self) -> float:
        """The share of encoded texts: 0 to 1."""
        return len(self._known) / len(self._texts) if self._texts else 1.0

    def encode(self) -> Iterator[None]:
        """Encode the remaining texts. Yields several times a second."""
        remaining = self._texts[len(self._known) :]
        for some in portions(remaining, lambda text: max(len(text), _SHORT), _ENCODED_AT_ONCE):
            self._known += list(self._read(some))
            yield

    def vectors(self, texts: Sequence[str], windows: int = MOST_WINDOWS) -> NDArray[np.float32]:
        """Of shape (texts, dimensions), each of length 1."""
        if windows != MOST_WINDOWS:
            return self.encoder.vectors(texts, windows)
        known = [self._place_of.get(text, len(self._known)) for text in texts]
        unknown = [text for text, place in zip(texts, known, strict=True) if place >= len(self._known)]
        new = iter(self._read(unknown) if unknown else ())
        rows = [self._known[place] if place < len(self._known) else next(new) for place in known]
        return np.array(rows, np.float32)

    def _read(self, texts: Sequence[str]) -> NDArray[np.float16]:
        return self.encoder.vectors(texts, MOST_WINDOWS).astype(np.float16)

    def save(self) -> dict[str, NDArray[Any]]:
        """The state for `resume` with the same texts."""
        return {"vectors": np.array(self._known, np.float16), "digest": np.array(self.digest)}

    def resume(self, saved: Mapping[str, NDArray[Any]]) -> None:
        """Restore the state from `save`. Vectors of another encoder are ignored."""
        if str(saved["digest"]) == self.digest:
            self._known = list(saved["vectors"])


@cache
def installed(name: str = MINILM) -> Encoding:
    """An encoder of this deployment's layer. Raises EncoderError if it isn't there."""
    folder = _folder(name)
    if folder is None:
        raise EncoderError(
            "This deployment has no sentence encoder: deploy it with the parameter Encoder=minilm, or train with a recipe that needs none."
        )
    return opened(folder)


def _folder(name: str) -> Path | None:
    """The folder of one of the layer's encoders. None if the layer isn't there, or is a package with the files of another one."""
    found = find_spec(_PACKAGE)
    if found is None or not found.submodule_search_locations:
        return None
    folder = Path(found.submodule_search_locations[0]) / IN_LAYER[name]
    return folder if (folder / ABOUT).is_file() else None


def in_layer(digest: str) -> Encoding | None:
    """The layer's encoder with this digest. None if it has no such encoder."""
    there = (installed(name) for name in IN_LAYER if _folder(name))
    return next((encoding for encoding in there if encoding.digest == digest), None)


def find_installed(name: str, digest: str) -> Encoding:
    """A `Find` for the layer's encoders."""
    found = in_layer(digest)
    if found is None:
        found = installed()
        check(found, name, digest)
    return found


def with_digest(encoding: Encoding, name: str, digest: str) -> Encoding:
    """This encoder if it has the digest, otherwise the layer's that has it. spaCy makes a classifier before it knows the encoder."""
    return encoding if encoding.digest == digest else find_installed(name, digest)


def described(encoding: Encoding) -> dict[str, str]:
    """The description of an encoder that a version keeps, with the arguments of `Find`."""
    return {"name": encoding.name, "digest": encoding.digest}


def check(there: Encoding, name: str, digest: str) -> None:
    """Raise EncoderError unless the available encoder has this digest."""
    if there.digest != digest:
        raise EncoderError(
            f"This version was trained with the sentence encoder {name} ({digest[:12]}), but the deployment has"
            f" {there.name} ({there.digest[:12]}): deploy with that encoder, or train the version again."
        )
