"""The command of the local cloud's image: it stays, ends by SIGTERM, and keeps what clients have made."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from pathlib import Path

from local.server import free_port
from tests.contract.test_containers import IMAGE, instructions
from tests.support.contract import ROOT
from winnow_cli.client import Client

SECONDS = 300


class Container:
    """The command of the image, with its data in a folder. It listens on this machine only, as containers do without a port outside."""

    def __init__(self, data: Path, port: int) -> None:
        assert IMAGE.is_file()
        _, *arguments = json.loads(dict(instructions())["CMD"])
        arguments = [{"/data": str(data), "0.0.0.0": "127.0.0.1"}.get(each, each) for each in arguments]  # noqa: S104
        settings = {"PYTHONPATH": "layers/winnow", "PYTHONUNBUFFERED": "1", "WINNOW_PORT": str(port)}
        self.process = subprocess.Popen(
            [sys.executable, *arguments], cwd=ROOT, env=os.environ | settings, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.said: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        for line in self.process.stdout or ():
            self.said.put(line)

    def wait_for(self, words: str) -> str:
        """The first line with these words. queue.Empty if none comes."""
        while True:
            line = self.said.get(timeout=SECONDS)
            if words in line:
                return line

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


def client(data: Path) -> Client:
    env = dict(line.split("=", 1) for line in (data / "env").read_text().splitlines())
    return Client(env["WINNOW_URL"], env["WINNOW_API_KEY"])


def test_it_stays_ends_by_a_signal_and_keeps_its_data(tmp_path: Path) -> None:
    data, port = tmp_path / "data", free_port("127.0.0.1")
    container = Container(data, port)
    try:
        assert str(port) in container.wait_for("console  http")
        container.wait_for("docker stop")
        upload = client(data).upload("texts.json", b"[]")
        assert container.process.poll() is None
        assert container.stop() == 0
        container.wait_for("stopped; its data stays")

        container = Container(data, port)
        container.wait_for("docker stop")
        [kept] = client(data).call("GET", "/datasets")["datasets"]
        assert upload["training_object"].endswith(kept["name"])
        # If the server dies, the container ends too, so that an engine can start it again.
        os.kill(json.loads((data / "cloud.json").read_text())["pid"], signal.SIGKILL)
        container.wait_for("the local cloud's server has ended")
        assert container.process.wait(60) == 1
    finally:
        if container.process.poll() is None:
            container.stop()
