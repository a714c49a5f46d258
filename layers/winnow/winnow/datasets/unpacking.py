"""The bytes of a file as they come, unpacked where they are gzip, and cut into lines. Neither keeps more than a piece or a line."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator
from typing import Protocol

from winnow.datasets.row_problems import FileError, Kind
from winnow.domain.dataset import Ceilings

# A line, or an element of an array, that is longer isn't looked at: no text and labels within the ceilings come near.
MOST_RECORD_BYTES = 4_000_000

_PIECE = 256 * 1024
GZIP = b"\x1f\x8b"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# What a file in UTF-16 or UTF-32 begins with, and no UTF-8 does.
_NO_TEXT = (0xFF, 0xFE, 0x00)
_GZIP_WINDOW = zlib.MAX_WBITS | 16
# So much may come out of anything: a small file of repetitions is no bomb.
_BYTES_WITHOUT_RATIO = 1_000_000
_OTHERS = {
    b"PK\x03\x04": "a ZIP archive or a workbook",
    b"BZh": "packed with bzip2",
    b"\xfd7zXZ": "packed with xz",
    b"(\xb5/\xfd": "packed with zstd",
}


class Stream(Protocol):
    """What S3 gives for a body, and open() for a file."""

    def read(self, size: int, /) -> bytes: ...


class Unpacking:
    """A stream's bytes, in pieces. of: how sentences call the file.

    While it is read: sha256 of the bytes as they lie there, how many those are, and how many came out.
    """

    def __init__(self, stream: Stream, ceilings: Ceilings, of: str) -> None:
        self._stream = stream
        self._ceilings = ceilings
        self._of = of
        self.sha256 = hashlib.sha256()
        self.bytes = 0
        self.unpacked_bytes = 0

    def __iter__(self) -> Iterator[bytes]:
        """FileError where it is packed in a way that can't be read, is broken, or is more than the ceilings allow."""
        first = self._read()
        while 0 < len(first) < len(GZIP) and (more := self._read()):
            first += more
        pieces = self._unpacked(first) if first.startswith(GZIP) else self._as_they_are(first)
        for piece in pieces:
            self.unpacked_bytes += len(piece)
            if self.unpacked_bytes > self._ceilings.bytes:
                raise self._too_large()
            yield piece

    def rest(self) -> None:
        """Read what is left, for the digest."""
        while self._read():
            pass

    def _read(self) -> bytes:
        piece = self._stream.read(_PIECE)
        self.sha256.update(piece)
        self.bytes += len(piece)
        if self.bytes > self._ceilings.bytes:
            raise self._too_large()
        return piece

    def _as_they_are(self, first: bytes) -> Iterator[bytes]:
        for magic, name in _OTHERS.items():
            if first.startswith(magic):
                raise FileError(f"{self._of} is {name}: upload the file itself, or pack it with gzip.")
        while first:
            yield first
            first = self._read()

    def _unpacked(self, packed: bytes) -> Iterator[bytes]:
        """A gzip file is one member after another (RFC 1952, section 2.2); zeros may fill it up."""
        try:
            while packed:
                member = zlib.decompressobj(_GZIP_WINDOW)
                while not member.eof:
                    if piece := member.decompress(packed, _PIECE):
                        self._check_ratio(len(piece))
                        yield piece
                    packed = member.unconsumed_tail or (b"" if member.eof else self._read())
                    if not packed and not member.eof and not piece:
                        raise FileError(f"{self._of} ends in the midst of its gzip stream: upload it again, whole.")
                packed = self._after(member.unused_data)
        except zlib.error as error:
            raise FileError(f"{self._of} is broken gzip: pack it anew, and upload it again.") from error

    def _after(self, unused: bytes) -> bytes:
        while not (rest := unused.lstrip(b"\0")):
            unused = self._read()
            if not unused:
                return b""
        return rest

    def _check_ratio(self, more: int) -> None:
        ratio, out = self._ceilings.unpacked_ratio, self.unpacked_bytes + more
        if out > max(_BYTES_WITHOUT_RATIO, ratio * self.bytes):
            raise FileError(
                f"{self._of} unpacks to more than {ratio:,} times its size: that is no text. Upload it unpacked if it is.", Kind.TOO_LARGE
            )

    def _too_large(self) -> FileError:
        most = self._ceilings.bytes
        return FileError(f"{self._of} has more than {most:,} bytes, unpacked: at most {most:,} are read.", Kind.TOO_LARGE)


def beginning(pieces: Iterator[bytes], of: str) -> tuple[bytes, int]:
    """The beginning of the file with all of its first line that isn't blank, and the number of its first line. Empty: there is none.

    FileError where it isn't text in UTF-8.
    """
    head, line = b"", 1
    for piece in pieces:
        head += piece
        if len(head) < len(_BYTE_ORDER_MARK):
            continue
        head = head.removeprefix(_BYTE_ORDER_MARK) if line == 1 else head
        if not (text := head.lstrip()):
            # White space without end must not be kept.
            line += head.count(b"\n")
            head = b""
        elif b"\n" in text or len(text) > MOST_RECORD_BYTES:
            break
    if head.startswith(GZIP):
        raise FileError(f"{of[0].upper()}{of[1:]} is gzip within gzip: pack it once.")
    if b"\0" in head[:4] or head.startswith((b"\xff\xfe", b"\xfe\xff")):
        byte = next(byte for byte in head if byte in _NO_TEXT)
        raise FileError(f"Line 1 of {of} is not UTF-8 (byte 0x{byte:02x}): save the file as UTF-8.")
    return (b"" if not head.removeprefix(_BYTE_ORDER_MARK).strip() else head), line


class Lines:
    """Pieces cut into numbered lines, without their line feeds; a line that is too long to look at as None.

    Only a line feed ends a line: str.splitlines would also cut at characters that a JSON string may hold.
    """

    def __init__(self, pieces: Iterator[bytes], first: int) -> None:
        self._pieces = pieces
        self.number = first - 1

    def __iter__(self) -> Iterator[tuple[int, bytes | None]]:
        long = False
        for number, part, ends in self.parts():
            if ends:
                yield number, None if long or len(part) > MOST_RECORD_BYTES else part
            long = not ends

    def parts(self) -> Iterator[tuple[int, bytes, bool]]:
        """The number of a line, bytes of it, and whether they are its last: more than one part only of a line that is too long."""
        begun, long = b"", False
        for piece in self._pieces:
            *lines, begun = (begun + piece).split(b"\n")
            for line in lines:
                self.number += 1
                yield self.number, line, True
            long = long and not lines
            if len(begun) > MOST_RECORD_BYTES:
                yield self.number + 1, begun, False
                begun, long = b"", True
        if begun or long:
            self.number += 1
            yield self.number, begun, True
