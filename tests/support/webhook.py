"""The receiver of docs/guides/17-webhook.md as a process, and the function of operations/webhook.yaml in this process."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.contract import ROOT, template

SECRET = "only-for-this-test"


def posting() -> dict[str, Any]:
    """The names in the code of the function."""
    code = template("operations/webhook.yaml")["Resources"]["Post"]["Properties"]["InlineCode"]
    names: dict[str, Any] = {}
    exec(compile(code, "webhook.yaml", "exec"), names)  # noqa: S102
    return names


@dataclass
class Receiver:
    """A receiver that runs. `lines` are those that it has printed so far."""

    url: str
    output: Path

    def lines(self) -> list[str]:
        return self.output.read_text(encoding="utf-8").splitlines()


@contextmanager
def receiver(folder: Path, secret: str = SECRET) -> Iterator[Receiver]:
    """The page's receiver, with its files in this folder."""
    page = (ROOT / "docs" / "guides" / "17-webhook.md").read_text(encoding="utf-8")
    [heredoc] = re.findall(r"^\$ cat > receiver\.py <<'END'\n(.*?)^> END$", page, re.MULTILINE | re.DOTALL)
    (folder / "receiver.py").write_text(re.sub(r"^> ?", "", heredoc, flags=re.MULTILINE), encoding="utf-8")
    port = _free_port()
    output = folder / "received.txt"
    with output.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "receiver.py", str(port)],
            cwd=folder,
            env={**os.environ, "WEBHOOK_SECRET": secret},
            stdout=out,
            stderr=subprocess.DEVNULL,
        )
        try:
            _wait_for(port)
            yield Receiver(f"http://127.0.0.1:{port}/winnow", output)
        finally:
            process.terminate()
            process.wait()


def _free_port() -> int:
    with closing(socket.socket()) as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def _wait_for(port: int) -> None:
    end = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert time.monotonic() < end, "the receiver doesn't listen"
            time.sleep(0.1)
        else:
            return
