"""A version as one ONNX graph (https://onnx.ai/onnx/operators): from the places of words and the pieces of a text to the labels' scores.

The graph computes what the service's recipes compute (layers/winnow/winnow/recipes: sparse_linear, ngram_network, kernel_ridge, maxout,
mixture). A test compares the scores.
"""

from __future__ import annotations

import io
import json
import zlib
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from winnow_cli.pipeline_archive import Pipeline

# Of features: those of words are below, those of characters above. Each family has its weight.
_CHARACTERS = 1 << 18
_PLACES = 2 * _CHARACTERS
_CHARACTERS_WEIGH = 1.4
_NEAREST = 5
# Of the network: the scales of the pieces' vectors, the width of a convolution, and the pieces that each reads, some of them before.
_BLOCKS, _WIDTH, _WINDOWS = 17, 256, ((2, 0), (3, 1), (5, 2))
_DIMENSIONS, _LEAST_VARIANCE, _LEAST_OF_MAXOUT = 512, 1e-12, 1e-8
_OPSET, _FORM = 18, 9
_TINY = np.float32(1e-30)


class _Graph:
    """A graph in the making. Values have names; each method returns the name of what it makes."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def __call__(self, operator: str, *inputs: Any, **attributes: Any) -> str:
        name = f"{operator}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, [self._named(each) for each in inputs], [name], **attributes))
        return name

    def _named(self, value: Any) -> str:
        if isinstance(value, str):
            return value
        name = f"constant_{len(self.constants)}"
        array = np.asarray(value, np.float32) if type(value) is float else np.asarray(value)
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def floats(self, value: str) -> str:
        return self("Cast", value, to=TensorProto.FLOAT)

    def doubles(self, value: Any) -> str:
        return self("Cast", value, to=TensorProto.DOUBLE)

    def sum(self, value: str, axes: Sequence[int], *, keep: bool = False) -> str:
        return self("ReduceSum", value, np.array(axes, np.int64), keepdims=int(keep))

    def unit(self, rows: str) -> str:
        """Rows of length 1, along the last axis."""
        length = self("Sqrt", self.sum(self("Mul", rows, rows), [-1], keep=True))
        return self("Div", rows, self("Max", length, _TINY))

    def normed(self, value: str, gain: Any, shift: Any, least: float) -> str:
        return self("LayerNormalization", value, gain, shift, axis=-1, epsilon=least)


def model(pipeline: Pipeline, encoder: Path | None = None) -> tuple[bytes, dict[str, Any]]:
    """The graph as an ONNX file, and how to read a text for it. encoder: the folder of the sentence encoder that "light" needs."""
    graph, arrays = _Graph(), _arrays(pipeline.weights)
    inputs = [helper.make_tensor_value_info(name, TensorProto.INT64, ["features"]) for name in ("places", "counts")]
    if pipeline.recipe == "linear":
        logits, nearness, reading = _linear(graph, arrays)
        windows = 0
    else:
        if encoder is None:
            message = "light needs its encoder"
            raise ValueError(message)
        inputs.append(helper.make_tensor_value_info("pieces", TensorProto.INT64, ["windows", "pieces"]))
        head = _arrays(arrays["sentence"].tobytes())
        # Versions of earlier releases read one window.
        windows = int(head["windows"]) if "windows" in head else 1
        words, _, reading = _linear(graph, _arrays(arrays["words"].tobytes()))
        sentences, nearness = (_kernel if str(head["kind"]) == "kernel" else _maxout)(graph, _vector(graph, _tensors(encoder)), head)
        share = np.float32(np.atleast_1d(arrays["share"])[0])
        logits = graph("Add", graph("Mul", words, np.float32(1) - share), graph("Mul", sentences, share))
    cooled = graph("Div", logits, np.float32(pipeline.temperature))
    scores = graph("Softmax", cooled, axis=-1) if pipeline.exclusive else graph("Sigmoid", cooled)
    graph.nodes += [helper.make_node("Identity", [scores], ["scores"]), helper.make_node("Identity", [nearness], ["nearness"])]
    outputs = [
        helper.make_tensor_value_info("scores", TensorProto.FLOAT, [1, len(pipeline.labels)]),
        helper.make_tensor_value_info("nearness", TensorProto.FLOAT, []),
    ]
    made = helper.make_model(
        helper.make_graph(graph.nodes, "winnow", inputs, outputs, graph.constants),
        opset_imports=[helper.make_opsetid("", _OPSET)],
        ir_version=_FORM,
        producer_name="winnow",
    )
    onnx.checker.check_model(made)
    return made.SerializeToString(), {**reading, "windows": windows}


def _linear(graph: _Graph, arrays: Mapping[str, Any]) -> tuple[str, str, dict[str, Any]]:
    """Logits of shape (1, labels), the share of the features that are known, and how words are read."""
    places, weights = arrays["places"], arrays["weights"]
    # One row more, of zeros, for what the version doesn't know.
    row_of = np.full(_PLACES, len(places), np.int32)
    row_of[places] = np.arange(len(places), dtype=np.int32)
    idf = np.append(arrays["idf"], np.float32(0)).astype(np.float32)
    rows = graph("Gather", row_of, "places")
    of_characters = graph.floats(graph("GreaterOrEqual", "places", np.int64(_CHARACTERS)))
    of_words = graph("Sub", 1.0, of_characters)
    values = graph("Add", 1.0, graph("Log", graph.floats("counts")))
    squares = graph("Mul", values, values)
    lengths = [graph("Mul", family, graph.sum(graph("Mul", squares, family), [0])) for family in (of_words, of_characters)]
    weighing = graph("Add", of_words, graph("Mul", of_characters, _CHARACTERS_WEIGH))
    values = graph("Mul", graph("Div", values, graph("Sqrt", graph("Add", *lengths))), weighing)
    mass = graph("Mul", values, values)
    known = graph.floats(graph("Less", rows, np.int32(len(places))))
    nearness = graph("Div", graph.sum(graph("Mul", mass, known), [0]), graph("Max", graph.sum(mass, [0]), _TINY))
    weighed = graph.unit(graph("Mul", values, graph("Gather", idf, rows)))
    # A text without words still has the row of zeros.
    all_rows = graph("Concat", rows, np.array([len(places)], np.int32), axis=0)
    all_values = graph("Unsqueeze", graph("Concat", weighed, np.zeros(1, np.float32), axis=0), np.array([0], np.int64))
    learnt = graph("Gather", np.concatenate([weights, np.zeros((1, weights.shape[1]), np.float32)]), all_rows)
    shortest, _, scripts = [*arrays["form"].tolist(), 0][:3]
    return graph("Add", graph("MatMul", all_values, learnt), arrays["bias"]), nearness, {"shortest": shortest, "scripts": bool(scripts)}


def _vector(graph: _Graph, tensors: Mapping[str, Any]) -> str:
    """The text's vector, of shape (1, 512), from its pieces, of shape (windows, pieces), with -1 behind a shorter window."""
    numbers = graph("Max", "pieces", np.int64(0))
    there = graph("Unsqueeze", graph.floats(graph("GreaterOrEqual", "pieces", np.int64(0))), np.array([2], np.int64))
    block = graph("Mod", numbers, np.int64(_BLOCKS))
    scale, least = (graph("Gather", tensors[name].reshape(-1, 1), block) for name in ("scale", "lo"))
    embedded = graph("Add", graph("Mul", graph.floats(graph("Gather", _rows(tensors), numbers)), scale), least)
    together = {name: np.concatenate([tensors[f"{name}{n}"] for n, _ in _WINDOWS], axis=-1) for name in ("proj_b", "ln_g", "ln_b")}
    project = np.concatenate([_matrix(tensors, f"proj{n}") for n, _ in _WINDOWS], axis=1)
    projected = graph("Add", graph("MatMul", embedded, project), together["proj_b"])
    projected = graph.normed(projected, together["ln_g"], together["ln_b"], _LEAST_VARIANCE)
    states = [embedded]
    for place, (width, before) in enumerate(_WINDOWS):
        found = graph("Slice", projected, *(np.array([each], np.int64) for each in (place * _WIDTH, (place + 1) * _WIDTH, 2)))
        for layer in (1, 2):
            # What is before and behind a text is zero.
            found = graph("Mul", found, there)
            padded = graph("Pad", found, np.array([0, before, 0, 0, width - 1 - before, 0], np.int64))
            ends = [_sliced(graph, padded, start, start - width + 1) for start in range(width)]
            read = graph("MatMul", graph("Concat", *ends, axis=2), _matrix(tensors, f"w{layer}_{width}"))
            found = graph("Add", graph("Relu", graph("Add", read, tensors[f"b{layer}_{width}"])), found)
        states.append(found)
    whole = graph.normed(graph("Concat", *states, axis=2), tensors["ln_g"], tensors["ln_b"], _LEAST_VARIANCE)
    roots = graph("Sqrt", graph.sum(there, [1]))
    pooled = graph("MatMul", graph.sum(graph("Mul", whole, there), [1]), _matrix(tensors, "cnn_W"))
    pooled = graph("Add", graph("Div", pooled, roots), graph("Mul", roots, tensors["cnn_b"]))
    first = graph("Relu", graph("MatMul", pooled, _matrix(tensors, "d0")))
    second = graph("Relu", _two(graph, pooled, _matrix(tensors, "p1"), first, _matrix(tensors, "d1")))
    third = graph("Relu", graph("MatMul", second, _matrix(tensors, "d2")))
    last = graph("Tanh", _two(graph, second, _matrix(tensors, "p3"), third, _matrix(tensors, "d3")))
    windows = graph.unit(graph("Sub", graph.unit(last), tensors["mean"]))
    return graph.unit(graph.sum(windows, [0], keep=True))


def _sliced(graph: _Graph, padded: str, start: int, end: int) -> str:
    """A part of the second axis. end: from the axis' end, 0 for all of it."""
    ends = end or np.iinfo(np.int64).max
    return graph("Slice", padded, *(np.array([each], np.int64) for each in (start, ends, 1)))


def _two(graph: _Graph, one: str, weights: Any, other: str, others: Any) -> str:
    return graph("Add", graph("MatMul", one, weights), graph("MatMul", other, others))


def _kernel(graph: _Graph, vector: str, head: Mapping[str, Any]) -> tuple[str, str]:
    """Logits of shape (1, labels), and the mean cosine to the nearest learnt texts."""
    own = head["vectors"].astype(np.float32)
    moved, place = vector, own
    if "projection" in head:
        own = head["unprojected"].astype(np.float32)
        moved = graph.unit(graph("Add", vector, graph("MatMul", vector, head["projection"].astype(np.float32).T)))
    # In float64: weights of both signs nearly cancel out, and with them float32's digits.
    cosines = graph("MatMul", graph.doubles(moved), graph.doubles(place.T))
    near = graph("Exp", graph("Mul", graph("Sub", cosines, np.float64(1)), np.float64(2)))
    logits = graph("Mul", graph.floats(graph("MatMul", near, graph.doubles(head["weights"]))), float(head["sharpness"]))
    return logits, _nearness(graph, graph.floats(cosines) if moved == vector else graph("MatMul", vector, own.T), len(own))


def _maxout(graph: _Graph, vector: str, head: Mapping[str, Any]) -> tuple[str, str]:
    """The same of the small network."""
    head = {name: array.astype(np.float32) for name, array in head.items() if array.dtype.kind == "f"}
    units, pieces, size = head["pieces"].shape
    read = graph("Add", graph("MatMul", vector, head["pieces"].reshape(-1, size).T), head["pieces_bias"].reshape(-1))
    hidden = graph("ReduceMax", graph("Reshape", read, np.array([1, units, pieces], np.int64)), np.array([2], np.int64), keepdims=0)
    normed = graph.normed(hidden, head["gain"], head["shift"], _LEAST_OF_MAXOUT)
    logits = graph("Add", graph("MatMul", normed, head["output"].T), head["output_bias"])
    return logits, _nearness(graph, graph("MatMul", vector, head["known"].T), len(head["known"]))


def _nearness(graph: _Graph, cosines: str, learnt: int) -> str:
    taken = min(_NEAREST, learnt)
    name = f"TopK_{len(graph.nodes)}"
    count = graph._named(np.array([taken], np.int64))
    graph.nodes.append(helper.make_node("TopK", [cosines, count], [name, f"{name}_places"], axis=1))
    return graph("ReduceMean", name, keepdims=0)


def _arrays(archive: bytes) -> dict[str, Any]:
    """The arrays of a numpy archive. They are numbers and texts: nothing that numpy would have to unpickle."""
    with np.load(io.BytesIO(archive), allow_pickle=False) as found:
        return dict(found)


def _tensors(encoder: Path) -> dict[str, Any]:
    """The arrays of an encoder's model.bin (https://huggingface.co/docs/safetensors)."""
    content = (encoder / "model.bin").read_bytes()
    begin = 8 + int.from_bytes(content[:8], "little")
    kinds = {"U8": np.uint8, "U32": np.uint32, "F32": np.float32}
    return {
        name: np.frombuffer(content[begin + each["data_offsets"][0] : begin + each["data_offsets"][1]], kinds[each["dtype"]]).reshape(
            each["shape"]
        )
        for name, each in json.loads(content[8:begin]).items()
    }


def _matrix(tensors: Mapping[str, Any], name: str) -> Any:
    """A matrix that is kept as places in the list of its values."""
    return tensors[f"{name}.values"][tensors[f"{name}.codes"]]


def _rows(tensors: Mapping[str, Any]) -> Any:
    """The pieces' vectors, of shape (pieces, 512), before their scale. Each is packed for itself."""
    rows, ends = tensors["rows"].tobytes(), tensors["row_ends"].tolist()
    unpacked = (zlib.decompress(rows[start:end], -zlib.MAX_WBITS, _DIMENSIONS) for start, end in pairwise(ends))
    return np.frombuffer(b"".join(unpacked), np.uint8).reshape(-1, _DIMENSIONS)
