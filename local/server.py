"""The server process of the local cloud: start MiniStack, find it from another process, stop it.

The server inherits a locked file and holds the lock as long as it lives. The lock shows whether a cloud runs in a folder;
a process id does not, because it may be stale or reused.
"""

import contextlib
import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import IO

REGION = "us-east-1"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": REGION}
PROGRAM = Path(__file__).with_name("gateway.py")
START_SECONDS = 60
STOP_SECONDS = 30


class CloudError(Exception):
    """The local cloud can't do the task. The message is one sentence for the user."""


class PortTakenError(CloudError):
    """Another program listens on the port."""

    def __init__(self, port: int) -> None:
        super().__init__(
            f"port {port} is taken by another program: choose another port with WINNOW_PORT, for example WINNOW_PORT={port + 1}"
        )


@dataclass(frozen=True)
class Running:
    """A running server: its process and its address."""

    pid: int
    port: int
    host: str


def reachable(host: str) -> str:
    """The address of a server bound to `host`, for a client on this machine."""
    return "127.0.0.1" if host == "0.0.0.0" else host  # noqa: S104


class Server:
    """A MiniStack server with its state, temporary files and log in one folder."""

    def __init__(self, folder: Path, tools: Path) -> None:
        self.folder = folder.resolve()
        self.log = self.folder / "cloud.log"
        self._python = tools / "ministack" / "bin" / "python"
        self._translator = tools / "sam" / "lib" / "python3.13" / "site-packages"
        self._record = self.folder / "cloud.json"
        self._process: subprocess.Popen[bytes] | None = None

    def find(self) -> Running | None:
        """The server that runs in this folder, or None. Any process may have started it."""
        try:
            with self._record.open("r+") as record:
                if _lock(record):
                    return None
                return Running(**json.loads(record.read()))
        except (FileNotFoundError, json.JSONDecodeError):
            return None

    def start(self, port: int | None, host: str) -> Running:
        """Start the server and wait until it answers. `port` None takes a free port."""
        for needed in (self._python, self._translator):
            if not needed.exists():
                raise CloudError(f"the local cloud is not installed ({needed} is missing): run `make env`")
        for attempt in range(3):
            chosen = port or free_port(host)
            try:
                return self._start_once(chosen, host)
            except PortTakenError:
                # Another program may take the free port before the server does.
                if port or attempt == 2:
                    raise
        raise AssertionError

    def _start_once(self, port: int, host: str) -> Running:
        _check_port(host, port)
        self.folder.mkdir(parents=True, exist_ok=True)
        self._record.touch(mode=0o600)
        with self._record.open("r+") as record:
            if not _wait(lambda: _lock(record), 1):  # `find` in another process may hold it for an instant
                raise CloudError(f"a local cloud is already running or starting in {self.folder}")
            record.truncate()
            for kept in ("state", "objects"):
                (self.folder / kept).mkdir(exist_ok=True)
            shutil.rmtree(self.folder / "tmp", ignore_errors=True)
            (self.folder / "tmp").mkdir()
            with self.log.open("ab") as log:
                self._process = subprocess.Popen(
                    [self._python, "-P", PROGRAM, self._translator],
                    cwd=self.folder,
                    env=self._environment(port, host),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    pass_fds=[record.fileno()],
                    start_new_session=True,
                )
            running = Running(self._process.pid, port, host)
            record.write(json.dumps(vars(running)))
        try:
            self._wait_until_ready(running)
        except BaseException:
            self.stop()
            raise
        return running

    def stop(self) -> bool:
        """Stop the server; it saves its state first. Returns False if none was running."""
        running = self.find()
        if running is None:
            return False
        with contextlib.suppress(ProcessLookupError):
            os.kill(running.pid, signal.SIGTERM)
        _wait(lambda: self.find() is None, STOP_SECONDS)
        # A function in the middle of a call outlives the server, and would write into the next server on this port.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL)
        if self._process is not None:
            self._process.wait()
            self._process = None
        shutil.rmtree(self.folder / "tmp", ignore_errors=True)  # each worker has copied its code and layers there
        return True

    def _wait_until_ready(self, running: Running) -> None:
        process = self._process
        assert process is not None  # noqa: S101
        if not _wait(lambda: process.poll() is not None or _ready(running), START_SECONDS):
            raise CloudError(f"the local cloud did not answer within {START_SECONDS} s (log: {self.log})")
        if process.poll() is not None:
            _check_port(running.host, running.port)
            raise CloudError(f"the local cloud stopped at once with status {process.returncode} (log: {self.log})")

    def _environment(self, port: int, host: str) -> dict[str, str]:
        """The server's environment. Functions inherit it, so it has no settings of the caller, and AWS_ENDPOINT_URL is this server."""
        return {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ} | {
            "TZ": "UTC",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "GATEWAY_PORT": str(port),
            "BIND_HOST": host,
            "AWS_ENDPOINT_URL": f"http://{reachable(host)}:{port}",
            "MINISTACK_REGION": REGION,
            "PERSIST_STATE": "1",
            "STATE_DIR": str(self.folder / "state"),
            "S3_PERSIST": "1",
            "S3_DATA_DIR": str(self.folder / "objects"),
            "TMPDIR": str(self.folder / "tmp"),
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "AUTH": "true",  # enforce the roles of the functions, as AWS does
            "DOCKER_HOST": f"unix://{self.folder}/no-docker",  # functions run as processes even if Docker is there
            # The host at which a custom resource's function finds CloudFormation; the default is localhost.
            "MINISTACK_HOST": reachable(host),
        }


def _lock(record: IO[str]) -> bool:
    try:
        fcntl.flock(record, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def free_port(host: str) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def _check_port(host: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except PermissionError:
            raise CloudError(f"you have no right to use port {port}: choose one above 1023 with WINNOW_PORT") from None
        except OSError:
            raise PortTakenError(port) from None


def _ready(running: Running) -> bool:
    connection = HTTPConnection(reachable(running.host), running.port, timeout=2)  # it ignores proxy settings
    with contextlib.closing(connection):
        try:
            connection.request("GET", "/_ministack/ready")
            return connection.getresponse().status == HTTPStatus.OK
        except (OSError, HTTPException):
            return False


def _wait(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return False
