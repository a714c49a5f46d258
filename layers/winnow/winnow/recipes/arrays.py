"""Read a numpy archive that `np.savez` wrote, without copying its contents. numpy only."""

from __future__ import annotations

import io
import math
import struct
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# The length of a zip file's local header, and the offset in it of the lengths of the two parts that follow
# (https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, section 4.3.7).
_HEADER, _LENGTHS = 30, 26
# Longer than any .npy header that savez writes for arrays of numbers.
_ENOUGH = 4_096


def read(archive: bytes) -> dict[str, NDArray[Any]]:
    """The arrays by name. They are read-only, and use the archive's own bytes where those are aligned.

    Raises ValueError if it isn't such an archive. It doesn't check for damage: the caller checks the archive's digest.
    """
    with zipfile.ZipFile(io.BytesIO(archive)) as packed:
        members = packed.infolist()
    if any(member.compress_type != zipfile.ZIP_STORED for member in members):
        message = "np.savez stores arrays uncompressed"
        raise ValueError(message)
    return {member.filename.removesuffix(".npy"): _array(archive, member.header_offset) for member in members}


def _array(archive: bytes, header: int) -> NDArray[Any]:
    """The array whose member's local header starts there."""
    start = header + _HEADER + sum(struct.unpack_from("<HH", archive, header + _LENGTHS))
    file = io.BytesIO(archive[start : start + _ENOUGH])
    np.lib.format.read_magic(file)
    shape, by_columns, kind = np.lib.format.read_array_header_1_0(file)
    found = np.frombuffer(archive, kind, math.prod(shape), start + file.tell()).reshape(shape, order="F" if by_columns else "C")
    return found if found.flags.aligned else found.copy()
