"""The program of the local cloud: MiniStack, with what it lacks. It runs in MiniStack's environment.

Its arguments: the folder of SAM's translator, and "tied" if it ends when its standard input does.
"""

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path

# The modules beside this one. Workers don't see them.
sys.path.append(str(Path(__file__).resolve().parent.parent))

from local.emulator import Emulator, UnreadableStateError
from local.gateway import Application, Gate, Message, Receive, Send, compressing
from local.saving import Saver

_CALLS_SECONDS = 3.0
_DEPLOYMENT_SECONDS = 20.0
# Room for the next snapshot, and for what functions write meanwhile.
_LEAST_FREE_BYTES = 100_000_000
# Without any room, no worker begins.
_NO_ROOM_BYTES = 10_000_000


class Program:
    """MiniStack's server with everything around it, and its end."""

    def __init__(self, folder: Path, *, tied: bool) -> None:
        self._folder = folder
        self._tied = tied
        self._emulator = Emulator()
        self._saver = Saver(folder, self._emulator)
        self._tasks: set[asyncio.Task[None]] = set()
        app = self._emulator.app
        self._gate = Gate(compressing(app.app, self._emulator.least_bytes), self._refusal, self._saver.change, self._saver.snapshots.note)
        app._load_persisted_state = self._load
        app.app = self._with_begin(self._gate)

    def run(self) -> None:
        self._emulator.app.main()

    def _with_begin(self, application: Application) -> Application:
        async def called(scope: Message, receive: Receive, send: Send) -> None:
            async def sent(message: Message) -> None:
                if message["type"] == "lifespan.startup.complete":
                    self._begin()
                await send(message)

            await application(scope, receive, sent if scope["type"] == "lifespan" else send)

        return called

    def _begin(self) -> None:
        loop = asyncio.get_running_loop()
        # Instead of the server's own handler, which waits for every unfinished request.
        loop.add_signal_handler(signal.SIGTERM, self._end)
        if self._tied:
            loop.add_reader(sys.stdin.fileno(), self._end)
        self._do(self._saver.keep_saving())

    def _end(self) -> None:
        if self._gate.stopping:
            return
        self._gate.stopping = True
        if self._tied:
            asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
        self._do(self._stop())

    def _do(self, work: Coroutine[None, None, None]) -> None:
        self._tasks.add(asyncio.get_running_loop().create_task(work))  # a task that nobody holds may vanish

    async def _stop(self) -> None:
        """Let calls end for some seconds, save, and end the process without waiting for anything else."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _CALLS_SECONDS
        while self._gate.under_way and loop.time() < deadline:
            await asyncio.sleep(0.02)
        saved = await self._saver.save_at_stop(_DEPLOYMENT_SECONDS)
        self._emulator.kill_workers()
        _leave(None if saved else f"the state was not saved: {self._saver.failure}")

    def _refusal(self, adds: bool) -> str | None:
        free = shutil.disk_usage(self._folder).free
        if free < (_LEAST_FREE_BYTES if adds else _NO_ROOM_BYTES):
            return f"The disk of {self._folder} is full ({free // 1_000_000} MB are free): make room, and try again."
        if adds and self._saver.failure:
            return f"The local cloud can't save its state ({self._saver.failure}): see {self._folder / 'cloud.log'}."
        return None

    def _load(self) -> None:
        try:
            self._emulator.load(self._folder / "state")
        except UnreadableStateError as error:
            _leave(f"the saved state can't be read ({error}): to start empty, run `mv {self._folder} {self._folder}.kept`")


def _leave(failure: str | None) -> None:
    """End the process at once. local/server.py shows the failure."""
    if failure:
        print(f"winnow: {failure}", flush=True)
    os._exit(1 if failure else 0)


def main() -> None:
    # MiniStack reads a SAM template with SAM's translator, from the packages of sam. The translator is not installed in MiniStack's
    # environment: functions run there, and a layer without pydantic must fail here as it would on AWS.
    translator, *tied = sys.argv[1:]
    del sys.argv[1:]
    sys.path.append(translator)
    Program(Path.cwd(), tied=bool(tied)).run()


if __name__ == "__main__":
    main()
