"""The answers of `winnow label`, on their way to the API: in small batches, none lost and none twice.

Each answer is in a file of the user before the next text is asked. A batch is sealed in that file, with its Idempotency-Key, before it is
sent. So a command that is killed at any moment leaves all answers there, and the next one sends them: the API knows by the key whether it
has a batch already.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

from winnow_cli.client import Client
from winnow_cli.failures import UsageError

# Answers are sent when this many wait. The newest ones stay, because the user may undo them.
_MOST_WAITING, _UNDOABLE = 10, 5
# The most commands of one user that label texts of the same model at the same time.
_MOST_AT_ONCE = 20


class Answers:
    """The answers to a model's texts. path: their file. Use `opened`."""

    def __init__(self, client: Client, model: str, path: Path) -> None:
        self._client, self._model, self.path = client, model, path
        self._waiting: list[dict[str, Any]] = []
        self._sealed: dict[str, Any] | None = None
        self.batches: list[str] = []
        self.sent = 0
        # What the API said of the last batch.
        self.last: dict[str, Any] | None = None
        if path.exists() and path.stat().st_size:
            kept = json.loads(path.read_text(encoding="utf-8"))
            self._waiting, self._sealed = kept["waiting"], kept["sealed"]

    def __len__(self) -> int:
        """The answers that the API may not have yet."""
        return len(self._waiting) + (len(self._sealed["examples"]) if self._sealed else 0)

    def add(self, example: dict[str, Any]) -> None:
        """Keep an answer, in the form of an example of feedback. Sends the oldest ones if there are enough."""
        self._waiting.append(example)
        self._save()
        if len(self._waiting) >= _MOST_WAITING:
            self._send(len(self._waiting) - _UNDOABLE)

    def undo(self) -> dict[str, Any] | None:
        """Take the last answer back. None if it is sent already."""
        if not self._waiting:
            return None
        example = self._waiting.pop()
        self._save()
        return example

    def send_all(self, retrain: str | None = None) -> None:
        """Send what is there. retrain: as in the API, with the last batch."""
        if self._sealed:
            self._send(0)
        if self._waiting:
            self._send(len(self._waiting), retrain)

    def _send(self, count: int, retrain: str | None = None) -> None:
        """Send what is sealed, or seal and send the oldest `count` answers."""
        if self._sealed is None:
            more = {"retrain": retrain} if retrain else {}
            self._sealed = {"key": str(uuid4()), "examples": self._waiting[:count], **more}
            del self._waiting[:count]
            self._save()
        body = {name: value for name, value in self._sealed.items() if name != "key"}
        path, key = f"/models/{self._model}/examples", self._sealed["key"]
        self.last = self._client.call("POST", path, body, headers={"Idempotency-Key": key})
        self.batches.append(self.last["batch"])
        self.sent += len(body["examples"])
        self._sealed = None
        self._save()

    def _save(self) -> None:
        """Write the file in one step, so that it is always whole."""
        if not len(self):
            self.path.unlink(missing_ok=True)
            return
        partial = self.path.with_suffix(".part")
        try:
            with _opened_privately(partial) as file:
                json.dump({"model": self._model, "sealed": self._sealed, "waiting": self._waiting}, file, ensure_ascii=False)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(self.path)
        except OSError as error:
            raise UsageError(f"Can't write {self.path}: {error.strerror}") from error


def _opened_privately(path: Path) -> IO[str]:
    """Open a file to write. Texts may be confidential, so nobody else may read it."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8")


@contextmanager
def opened(client: Client, model: str, url: str) -> Iterator[tuple[Answers, list[Answers]]]:
    """The answers of this command, and those that ended commands have left. Commands that run at the same time have files of their own."""
    folder = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "winnow"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise UsageError(f"Can't write {folder}, which keeps unsent answers: {error.strerror}") from error
    name = hashlib.sha256(f"{url}\n{model}".encode()).hexdigest()[:16]
    locks: list[IO[str]] = []
    free: list[Path] = []
    for number in range(1, _MOST_AT_ONCE + 1):
        path = folder / f"label-{name}-{number}.json"
        # The first free file is ours. Others matter only if they have something.
        if free and not path.exists():
            continue
        lock = _opened_privately(path.with_suffix(".lock"))
        if not _locked(lock):
            lock.close()
            continue
        locks.append(lock)
        free.append(path)
    if not free:
        raise UsageError(f"{_MOST_AT_ONCE} commands label texts of {model} already: end one of them.")
    try:
        own, *left = [Answers(client, model, path) for path in free]
        yield own, left
    finally:
        for lock in locks:
            lock.close()


def _locked(lock: IO[str]) -> bool:
    """Lock the file until it is closed, or the process ends. False if another process has it."""
    with suppress(ImportError):
        import fcntl  # noqa: PLC0415 - Windows has none, and there nobody labels the same model twice at once

        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
    return True
