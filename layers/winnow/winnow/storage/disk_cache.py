"""Files on the function's own disk, by their digest: what was fetched once needn't be fetched again."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path
from uuid import uuid4


class KeptFiles:
    """Bodies in a folder, each named by its SHA-256, within a bound on their bytes: what was read least recently goes first.

    A disk that is full, read-only or gone is no error: then nothing is kept.
    """

    def __init__(self, folder: Path, most_bytes: int) -> None:
        self._folder = folder
        self._most_bytes = most_bytes

    def read(self, sha256: str) -> bytes | None:
        """The body of this digest, None where there is none. One that is no longer what it was is removed."""
        file = self._folder / sha256
        try:
            body = file.read_bytes()
            if hashlib.sha256(body).hexdigest() != sha256:
                file.unlink()
                return None
            # The time of the last reading is the file's own: it outlives this process.
            os.utime(file)
        except OSError:
            return None
        return body

    def keep(self, sha256: str, body: bytes) -> None:
        """Keep a body, whose digest the caller has checked, if there is room for it."""
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
