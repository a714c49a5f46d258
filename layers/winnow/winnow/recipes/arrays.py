"""Reading a numpy archive that `np.savez` wrote, without a copy of what is in it. numpy only."""

from __future__ import annotations

import io
import math
import struct
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Of a zip file's local header: how long it is, and where in it the lengths of the two parts stand that follow
# (https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, section 4.3.7).
_HEADER, _LENGTHS = 30, 26
# More than any header of a .npy that savez writes for arrays of numbers.
_ENOUGH = 4_096


def read(archive: bytes) -> dict[str, NDArray[Any]]:
    """The arrays by their names. They can't be written to, and lie in the archive's own bytes wherever those are aligned.

    ValueError where it isn't such an archive. It looks for no damage: the caller knows the archive's digest.
    """
    with zipfile.ZipFile(io.BytesIO(archive)) as packed:
        members = packed.infolist()
    if any(member.compress_type != zipfile.ZIP_STORED for member in members):
        message = "np.savez stores arrays uncompressed"
        raise ValueError(message)
    return {member.filename.removesuffix(".npy"): _array(archive, member.header_offset) for member in members}


def _array(archive: bytes, header: int) -> NDArray[Any]:
    """The array whose member's local header begins there."""
    start = header + _HEADER + sum(struct.unpack_from("<HH", archive, header + _LENGTHS))
    file = io.BytesIO(archive[start : start + _ENOUGH])
    np.lib.format.read_magic(file)
    shape, by_columns, kind = np.lib.format.read_array_header_1_0(file)
    found = np.frombuffer(archive, kind, math.prod(shape), start + file.tell()).reshape(shape, order="F" if by_columns else "C")
    return found if found.flags.aligned else found.copy()
