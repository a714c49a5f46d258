"""Save the state of the local cloud while it runs and when it stops. It runs in MiniStack's environment, in the server's process.

MiniStack saves only when it exits cleanly, and it doesn't exit while a request is unfinished. So this saves from within, some seconds
after each change, and ends the process itself.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import shutil
import time
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from local.emulator import Emulator, Hook, State
from local.snapshots import About, Snapshots, link, link_file

SAVE_SECONDS = 3.0
# At most a tenth of the time goes into reading the state.
_PAUSE = 9
# While other threads change a service's state, reading it may fail.
_TRIES = 20
_LARGE = 100_000
# Logs and metrics grow with each call and nobody's data is in them, so only a stop saves them.
_SAVED_BY_STOP = frozenset({"cloudwatch", "cloudwatch_logs"})


class Saver:
    """Saves the state of the emulator, and the objects in the folder, into snapshots."""

    def __init__(self, folder: Path, emulator: Emulator) -> None:
        self.snapshots = Snapshots(folder)
        self.failure: str | None = None
        """Why the last save failed."""
        self._folder = folder
        self._emulator = emulator
        self._changed = False
        self._cost = 0.0  # seconds of this thread's processor time, in which no call is answered
        self._one_at_a_time = asyncio.Lock()
        emulator.read_with(lambda hook: Blobs.reading(hook, folder / "state"))

    def change(self) -> None:
        """Something has changed."""
        self._changed = True

    async def keep_saving(self) -> None:
        """Save some seconds after each change, for ever."""
        while True:
            await asyncio.sleep(max(SAVE_SECONDS, _PAUSE * self._cost))
            if self._changed and not self._emulator.deploying():
                await self._try(final=False)

    async def save_at_stop(self, seconds: float) -> bool:
        """Save everything. A deployment gets so many seconds to end. Returns whether the state was saved."""
        deadline = time.monotonic() + seconds
        while self._emulator.deploying() and time.monotonic() < deadline:
            await asyncio.sleep(0.1)
        if self._emulator.deploying():
            self.failure = "a deployment was under way"
            return False
        # First without the logs, which may take long.
        return await self._try(final=True) and await self._try(final=True, leave_out=())

    async def _try(self, *, final: bool, leave_out: Iterable[str] = _SAVED_BY_STOP) -> bool:
        try:
            async with self._one_at_a_time:
                await self._save(final, frozenset(leave_out))
        except Exception as error:  # whatever it is, the user must hear of it
            self.failure = f"{type(error).__name__}: {error}"
            print(f"winnow: the state was not saved: {self.failure}", flush=True)
            return False
        self.failure = None
        return True

    async def _save(self, final: bool, leave_out: frozenset[str]) -> None:
        # MiniStack's DynamoDB and S3 run on this loop. Up to the first await nothing else does, so all is of one moment.
        self._changed, began = False, time.thread_time()
        before, new = self.snapshots.latest(), self.snapshots.begin()
        about = About(time.time(), final, self._emulator.version)
        try:
            states = {name: _read(state) for name, state in self._emulator.states().items() if name not in leave_out}
            link(self._folder / "objects", new / "objects")
            if (self._folder / "state" / "lambda-blobs").exists():
                link(self._folder / "state" / "lambda-blobs", new / "state" / "lambda-blobs")
            self._cost = time.thread_time() - began
            await asyncio.to_thread(self._write, new, before, states)
            self.snapshots.finish(new, about)
            self.snapshots.forget_saved_calls()
        except BaseException:
            self._changed = True
            shutil.rmtree(new, ignore_errors=True)
            raise

    def _write(self, new: Path, before: Path | None, states: Mapping[str, Any]) -> None:
        blobs = Blobs(new, before)

        def default(value: Any) -> Any:
            return blobs.kept(value) if isinstance(value, bytes) and len(value) > _LARGE else self._emulator.encoded(value)

        for name, state in states.items():
            if state is not None:
                text = json.dumps(self._emulator.wrapped(name, state), default=default)
                (new / "state" / f"{name}.json").write_text(text, encoding="utf-8")
        for file in before.glob("state/*.json") if before else ():
            if not (new / "state" / file.name).exists():
                link_file(file, new / "state" / file.name)


class Blobs:
    """Large bytes of a state, such as the zip of a layer, in files of their own: they are written once for all snapshots."""

    def __init__(self, new: Path, before: Path | None) -> None:
        self._new = new / "state" / "blobs"
        self._before = before / "state" / "blobs" if before else None
        self._new.mkdir(exist_ok=True)

    def kept(self, content: bytes) -> dict[str, str]:
        """Keep the content in the new snapshot. Returns its mark."""
        name = _digest(content)
        file = self._new / name
        if not file.exists():
            if self._before and (self._before / name).exists():
                link_file(self._before / name, file)
            else:
                file.write_bytes(content)
        return {"__winnow_blob__": name}

    @staticmethod
    def reading(hook: Hook, folder: Path) -> Hook:
        """The hook of a JSON reader, for marks too. `folder`: that of the state."""

        def read(value: dict[str, Any]) -> Any:
            name = value.get("__winnow_blob__")
            return (folder / "blobs" / name).read_bytes() if name else hook(value)

        return read


@lru_cache(maxsize=64)  # the same objects come at each save
def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _read(state: State) -> Any:
    for _ in range(_TRIES - 1):
        try:
            return state()
        except RuntimeError:  # a dictionary changed its size
            time.sleep(0.005)
    return state()
