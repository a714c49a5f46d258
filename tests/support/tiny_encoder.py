"""A sentence encoder of a few hundred bytes, like one from an operator: it looks tokens up in a table, optionally quantized.

Its model is written in protobuf's wire format (https://protobuf.dev/programming-guides/encoding) with the fields of onnx.proto
(https://github.com/onnx/onnx/blob/main/onnx/onnx.proto): a few messages don't justify the package onnx.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer

from winnow.recipes.encoder import MODEL, TOKENIZER

DIMENSIONS = 8
WORDS = ["[UNK]", "how", "deep", "do", "tulip", "bulbs", "go", "i", "want", "to", "save", "for", "my", "card", "was", "stolen", "?"]
_FLOAT, _INT64 = 1, 7


def put(folder: Path, *, dynamic: bool) -> None:
    """Write its model and its tokenizer, which adds no special tokens, into a folder."""
    (folder / MODEL).write_bytes(_model(dynamic=dynamic))
    tokenizer = Tokenizer(WordLevel({word: number for number, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.normalizer, tokenizer.pre_tokenizer = BertNormalizer(), BertPreTokenizer()
    tokenizer.save(str(folder / TOKENIZER))


def _model(*, dynamic: bool) -> bytes:
    # Rows have very different sizes, so quantizing together with a large row loses much. The row of an unknown word is zero.
    table = np.random.default_rng(0).normal(size=(len(WORDS), DIMENSIONS)) * np.geomspace(1, 50, len(WORDS))[:, None]
    table[0] = 0
    nodes = [_node("Gather", ["table", "input_ids"], ["states"])]
    if dynamic:
        nodes = [
            _node("Gather", ["table", "input_ids"], ["exact"]),
            _node("DynamicQuantizeLinear", ["exact"], ["quantized", "scale", "zero"]),
            _node("DequantizeLinear", ["quantized", "scale", "zero"], ["states"]),
        ]
    tensor = b"".join(_number(1, size) for size in table.shape) + _number(2, _FLOAT) + _bytes(8, b"table")
    graph = (
        b"".join(_bytes(1, node) for node in nodes)
        + _bytes(2, b"tiny")
        + _bytes(5, tensor + _bytes(9, table.astype("<f4").tobytes()))
        + _bytes(11, _value("input_ids", _INT64, ["texts", "tokens"]))
        + _bytes(12, _value("states", _FLOAT, ["texts", "tokens", DIMENSIONS]))
    )
    return _number(1, 8) + _bytes(7, graph) + _bytes(8, _number(2, 13))


def _node(kind: str, inputs: list[str], outputs: list[str]) -> bytes:
    named = [*((1, name) for name in inputs), *((2, name) for name in outputs), (4, kind)]
    return b"".join(_bytes(field, name.encode()) for field, name in named)


def _value(name: str, kind: int, shape: list[str | int]) -> bytes:
    sizes = (_number(1, size) if isinstance(size, int) else _bytes(2, size.encode()) for size in shape)
    tensor = _number(1, kind) + _bytes(2, b"".join(_bytes(1, size) for size in sizes))
    return _bytes(1, name.encode()) + _bytes(2, _bytes(1, tensor))


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    return bytes([value]) if value < 128 else bytes([value & 127 | 128]) + _varint(value >> 7)
