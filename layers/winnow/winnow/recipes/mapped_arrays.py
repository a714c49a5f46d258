"""Read a safetensors file (https://huggingface.co/docs/safetensors) by mapping it into memory: only what is used is read from the disk."""

from __future__ import annotations

import json
import mmap
import struct
from array import array
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

_FORMATS: dict[str, Literal["B", "I", "f"]] = {"U8": "B", "U32": "I", "F32": "f"}
_LENGTH = 8


class MappedArrays:
    """The arrays of a file, by name: of bytes, 32-bit numbers without a sign, or float32."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            self._content = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        [length] = struct.unpack_from("<Q", self._content)
        self._data = _LENGTH + length
        self._about = json.loads(bytes(self._content[_LENGTH : self._data]))

    def mapped(self, name: str) -> memoryview[Any]:
        """The array's numbers in one row, not copied."""
        begin, end = self._about[name]["data_offsets"]
        return self._content[self._data + begin : self._data + end].cast(_FORMATS[self._about[name]["dtype"]])

    def copied(self, name: str) -> array[Any]:
        """The array's numbers in one row. Python reads single numbers from it in two thirds of the time."""
        found = array(_FORMATS[self._about[name]["dtype"]])
        found.frombytes(self.mapped(name).cast("B"))
        return found

    def matrix(self, name: str) -> NDArray[Any]:
        """The array in its shape, read-only and not copied."""
        return np.asarray(self.mapped(name)).reshape(self._about[name]["shape"])
