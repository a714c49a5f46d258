"""The bytes of a file, unpacked if they are gzip, and cut into lines. At most one piece or one line is in memory."""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from winnow.datasets.row_problems import FileError, Kind
from winnow.domain.dataset import Ceilings

# The longest line or array element that is read. Texts and labels within the ceilings are far shorter.
MOST_RECORD_BYTES = 4_000_000

_PIECE = 256 * 1024
_SLICE = 8 * 1024
GZIP = b"\x1f\x8b"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# The beginning from which a file's layout is found.
_SAMPLE_BYTES = 64 * 1024
_GZIP_WINDOW = zlib.MAX_WBITS | 16
# The ratio is only checked above this size: a small file of repeated text is not a zip bomb.
_BYTES_WITHOUT_RATIO = 1_000_000
# Enough bytes to tell what a file is.
_FIRST_BYTES = 64
_ZIP = b"PK\x03\x04"
_UNPACKED = "upload it unpacked, or packed with gzip"
# What files are that can't be read, by their first bytes, and what to do.
_OTHERS = {
    b"BZh": f"packed with bzip2: {_UNPACKED}",
    b"\xfd7zXZ": f"packed with xz: {_UNPACKED}",
    b"(\xb5/\xfd": f"packed with zstd: {_UNPACKED}",
    b"7z\xbc\xaf'\x1c": f"packed with 7z: {_UNPACKED}",
    b"PAR1": "Parquet: write it as CSV or JSON Lines, or give the file to the command winnow, which converts it",
    b"ARROW1": "an Arrow file: write it as CSV or JSON Lines",
    b"%PDF": "a PDF: write its texts with their labels as CSV UTF-8",
    b"{\\rtf": "a document (.rtf): write its texts with their labels as CSV UTF-8",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "an old file of Office (.xls or .doc): save it as CSV UTF-8",
}
# ZIP archives of Office, by an entry of theirs: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, section 4.3.7
_IN_ZIP = (
    (rb"xl/", "a workbook (.xlsx): save it as CSV UTF-8, or give the file to the command winnow, which converts it"),
    (rb"word/", "a document of Word (.docx): write its texts with their labels as CSV UTF-8"),
    (rb"mimetypeapplication/vnd\.oasis", "a document of OpenOffice (.ods or .odt): save it as CSV UTF-8"),
    (rb"\[Content_Types\]|docProps/", "a document of Office: save it as CSV UTF-8"),
    (rb"", "a ZIP archive: upload the file in it, unpacked or packed with gzip"),
)


class Stream(Protocol):
    """The body of an S3 object, or an open file."""

    def read(self, size: int, /) -> bytes: ...


class Unpacking:
    """The bytes of a stream, in pieces.

    of: the file's name in sentences. While reading: sha256 of the stored bytes, `bytes` their number, unpacked_bytes the number after
    unpacking.
    """

    def __init__(self, stream: Stream, ceilings: Ceilings, of: str) -> None:
        self._stream = stream
        self._ceilings = ceilings
        self._of = of
        self.sha256 = hashlib.sha256()
        self.bytes = 0
        self.unpacked_bytes = 0

    def __iter__(self) -> Iterator[bytes]:
        """Raises FileError if the packing is unsupported or broken, or if the file exceeds the ceilings."""
        first = self._read()
        while 0 < len(first) < _FIRST_BYTES and (more := self._read()):
            first += more
        pieces = _gathered(self._unpacked(first)) if first.startswith(GZIP) else self._as_they_are(first)
        for piece in pieces:
            self.unpacked_bytes += len(piece)
            if self.unpacked_bytes > self._ceilings.bytes:
                raise self._too_large()
            yield piece

    def rest(self) -> None:
        """Read the rest, for the digest."""
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
        if other := _other(first):
            raise FileError(f"{self._of} is {other}.")
        while first:
            yield first
            first = self._read()

    def _unpacked(self, first: bytes) -> Iterator[bytes]:
        """A gzip file is a sequence of members (RFC 1952, section 2.2). Zeros may pad it."""
        slices, out = self._slices(first), 0
        packed = next(slices)
        try:
            while packed:
                member = zlib.decompressobj(_GZIP_WINDOW)
                while not member.eof:
                    if piece := member.decompress(packed, _PIECE):
                        out += len(piece)
                        self._check_ratio(out)
                        yield piece
                    packed = member.unconsumed_tail or (b"" if member.eof else next(slices, b""))
                    if not packed and not member.eof and not piece:
                        raise FileError(f"{self._of} ends before its gzip stream does: upload the whole file again.")
                packed = _after(member.unused_data, slices)
        except zlib.error as error:
            raise FileError(f"{self._of} is broken gzip: pack it and upload it again.") from error

    def _slices(self, first: bytes) -> Iterator[bytes]:
        """The first bytes and the rest of the stream in small slices: each member copies what its slice has after it."""
        while first:
            yield from (first[start : start + _SLICE] for start in range(0, len(first), _SLICE))
            first = self._read()

    def _check_ratio(self, out: int) -> None:
        ratio = self._ceilings.unpacked_ratio
        if out > max(_BYTES_WITHOUT_RATIO, ratio * self.bytes):
            raise FileError(
                f"{self._of} unpacks to more than {ratio:,} times its size, unlike text. If it is text, upload it unpacked.", Kind.TOO_LARGE
            )

    def _too_large(self) -> FileError:
        most = self._ceilings.bytes
        return FileError(f"{self._of} has more than {most:,} bytes after unpacking: at most {most:,} are read.", Kind.TOO_LARGE)


def _after(unused: bytes, slices: Iterator[bytes]) -> bytes:
    """The beginning of the next member, where `unused` follows a member. Empty at the end."""
    while not (rest := unused.lstrip(b"\0")):
        if not (unused := next(slices, b"")):
            return b""
    return rest


def _gathered(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The same bytes in fewer pieces. A member may be a single byte, and reading takes time for each piece."""
    together, size = [], 0
    held = Held(pieces)
    for piece in held:
        together.append(piece)
        size += len(piece)
        if size >= _PIECE:
            yield b"".join(together)
            together, size = [], 0
    if together:
        yield b"".join(together)
    held.raise_held()


class Held(Iterator[bytes]):
    """Pieces that end where the file can't be read. `raise_held` raises the error later, after the rows before it were read."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._error: FileError | None = None

    def __next__(self) -> bytes:
        try:
            return next(self._pieces)
        except FileError as error:
            self._error = error
            raise StopIteration from None

    def raise_held(self) -> None:
        """Raise the error that ended the pieces, if there was one."""
        if self._error is not None:
            raise self._error


def _other(first: bytes) -> str | None:
    """What a file is that can't be read, and what to do. None for text."""
    if first.startswith(_ZIP):
        # The name of an entry follows 26 more bytes of its header.
        named = (name for entry, name in _IN_ZIP if re.search(_ZIP + b".{26}(?:" + entry + b")", first, re.DOTALL))
        # A file that was cut has no entry.
        return next(named, _IN_ZIP[-1][1])
    return next((name for magic, name in _OTHERS.items() if first.startswith(magic)), None)


@dataclass(frozen=True, slots=True)
class Beginning:
    """The first bytes of a file in UTF-8.

    pieces: the file, or all of it after many blank lines. line: the number of their first line. sample: the first complete lines that
    aren't blank, as text, the same in whatever pieces the file comes.
    """

    pieces: Iterator[bytes]
    line: int
    sample: str


def beginning(pieces: Iterator[bytes], of: str) -> Beginning | None:
    """The start of the file, with its first line that isn't blank. None if the file is blank. Raises FileError if it isn't text."""
    head, line, ended = b"", 1, True
    held = Held(pieces)
    for piece in held:
        head += piece
        if len(head) < len(_BYTE_ORDER_MARK):
            continue
        head = head.removeprefix(_BYTE_ORDER_MARK) if line == 1 else head
        if not (text := head.lstrip()):
            # Don't keep endless white space.
            line += head.count(b"\n")
            head = b""
        elif len(text) > _SAMPLE_BYTES and (b"\n" in text or len(text) > MOST_RECORD_BYTES):
            ended = False
            break
    if head.startswith(GZIP):
        raise FileError(f"{of[0].upper()}{of[1:]} is gzip inside gzip: pack it once.")
    if b"\0" in head[:4] or head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise FileError(f"{of[0].upper()}{of[1:]} is not UTF-8: save it as UTF-8, or give `encoding` if it is UTF-16 without a mark.")
    text = head.removeprefix(_BYTE_ORDER_MARK).lstrip()
    if not text:
        held.raise_held()
        return None
    return Beginning(after(head, held), line, _sample(text, ended=ended))


def after(head: bytes, rest: Held) -> Iterator[bytes]:
    """The head, then the rest, then the rest's error."""
    yield head
    yield from rest
    rest.raise_held()


def _sample(text: bytes, *, ended: bool) -> str:
    if not ended or len(text) > _SAMPLE_BYTES:
        ends = text.rfind(b"\n", 0, _SAMPLE_BYTES)
        text = text[: ends if ends >= 0 else text.find(b"\n") if b"\n" in text else len(text)]
    return text.decode(errors="replace")


class Lines:
    """Numbered lines without their line feeds. A line that is too long is None.

    Only a line feed ends a line: str.splitlines would also split at characters that a JSON string may contain.
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
        """The line's number, some of its bytes, and whether they are its last. Only lines that are too long come in several parts."""
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
