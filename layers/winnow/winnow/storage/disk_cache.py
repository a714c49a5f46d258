"""A cache of files on the function's own disk, by their digests."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path
from uuid import uuid4


class KeptFiles:
    """Files in a folder, each named by its SHA-256, of at most `most_bytes` together. The least recently read file is removed first.

    If the disk fails, nothing is cached.
    """

    def __init__(self, folder: Path, most_bytes: int) -> None:
        self._folder = folder
        self._most_bytes = most_bytes

    def read(self, sha256: str) -> bytes | None:
        """The content with this digest, None if there is none. A damaged file is removed."""
        file = self._folder / sha256
        try:
            body = file.read_bytes()
            if hashlib.sha256(body).hexdigest() != sha256:
                file.unlink()
                return None
            # The file itself keeps the time of its last reading, so that the time outlives this process.
            os.utime(file)
        except OSError:
            return None
        return body

    def keep(self, sha256: str, body: bytes) -> None:
        """Keep a content, if there is room for it. The caller has checked its digest."""
        if len(body) > self._most_bytes:
            return
        begun = self._folder / f"{sha256}.{uuid4().hex}"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._make_room(len(body))
            begun.write_bytes(body)
            begun.rename(self._folder / sha256)
        except OSError:
            with suppress(OSError):
                begun.unlink()

    def _make_room(self, needed: int) -> None:
        there = [(file, file.stat()) for file in self._folder.iterdir()]
        room = self._most_bytes - sum(about.st_size for _, about in there)
        for file, about in sorted(there, key=lambda each: each[1].st_mtime_ns):
            if room >= needed:
                return
            file.unlink()
            room += about.st_size
