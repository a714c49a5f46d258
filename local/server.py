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

from local.snapshots import SnapshotError, Snapshots

REGION = "us-east-1"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": REGION}
PROGRAM = Path(__file__).with_name("program.py")
PYTHON = "3.13"  # the functions run with the server's Python, and the layers are built for this one
START_SECONDS = 60
# It lets calls end for 3 s and a deployment for 20 s, and then saves.
STOP_SECONDS = 45
_LEAST_FREE_BYTES = 1_000_000_000


class CloudError(Exception):
    """The local cloud can't do the task. The message is one sentence for the user."""


def sentence(error: Exception) -> str:
    """What a command prints about an error that ends it."""
    if isinstance(error, OSError) and error.strerror:
        return f"winnow: {error.strerror}{f' ({error.filename})' if error.filename else ''}"
    return f"winnow: {error}"


class PortTakenError(CloudError):
    """Another program listens on the port."""

    def __init__(self, port: int, host: str) -> None:
        owner = "another local cloud" if _answers(Running(0, port, host)) else "another program"
        other = next((each for each in range(port + 1, min(port + 100, 65536)) if _bindable(host, each)), None) or free_port(host)
        super().__init__(f"port {port} is taken by {owner}: choose another port with WINNOW_PORT, for example WINNOW_PORT={other}")


class NotSavedError(CloudError):
    """The server has stopped, and something of its data is not saved."""


@dataclass(frozen=True)
class Running:
    """A running server: its process and its address. A server of an earlier release saves in another way."""

    pid: int
    port: int
    host: str
    saves: bool = False


def reachable(host: str) -> str:
    """The address of a server bound to `host`, for a client on this machine."""
    return "127.0.0.1" if host == "0.0.0.0" else host  # noqa: S104


class Server:
    """A MiniStack server with its state, temporary files and log in one folder."""

    def __init__(self, folder: Path, tools: Path) -> None:
        self.folder = folder.resolve()
        self.log = self.folder / "cloud.log"
        self.notice: str | None = None
        """What the state of this start lacks, after a kill."""
        self._tools = tools.absolute()
        self._python = self._tools / "ministack" / "bin" / "python"
        self._translator = self._tools / "sam" / "lib" / f"python{PYTHON}" / "site-packages"
        self._snapshots = Snapshots(self.folder)
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

    def start(self, port: int | None, host: str, *, tied: bool = False) -> Running:
        """Start the server and wait until it answers. `port` None takes a free port; `tied`: it stops when this process ends."""
        version = self._check_tools()
        for attempt in range(3):
            chosen = port or free_port(host)
            try:
                return self._start_once(chosen, host, version, tied)
            except PortTakenError:
                # Another program may take the free port before the server does.
                if port or attempt == 2:
                    raise
            except SnapshotError as error:
                raise CloudError(str(error)) from None
        raise AssertionError

    def _check_tools(self) -> str:
        """MiniStack's version. Raises CloudError if something isn't installed, or the Python is another one."""
        again = f"run `rm -r {self._tools}` and `make env`"
        ask = "import importlib.metadata, sys; print('%d.%d' % sys.version_info[:2], importlib.metadata.version('ministack'))"
        try:
            done = subprocess.run([self._python, "-c", ask], capture_output=True, text=True, check=False, timeout=60)
        except (OSError, subprocess.TimeoutExpired):
            raise CloudError(f"the local cloud's Python ({self._python}) is missing or can't run: {again}") from None
        python, _, version = done.stdout.strip().partition(" ")
        if done.returncode or not self._translator.exists():
            raise CloudError(f"the local cloud is not fully installed in {self._tools}: {again}")
        if python != PYTHON:
            raise CloudError(f"the local cloud's Python ({self._python}) is {python}, and the functions need {PYTHON}: {again}")
        return version

    def _start_once(self, port: int, host: str, version: str, tied: bool) -> Running:
        _check_port(host, port)
        self.folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(self.folder).free
        if free < _LEAST_FREE_BYTES:
            raise CloudError(f"the disk of {self.folder} has {free // 1_000_000} MB free, and the local cloud needs 1 GB: make room")
        self._record.touch(mode=0o600)
        with self._record.open("r+") as record:
            if not _wait(lambda: _lock(record), 1):  # `find` in another process may hold it for an instant
                raise CloudError(f"a local cloud is already running or starting in {self.folder}")
            self._kill_leftovers(record.read())
            record.seek(0)
            record.truncate()
            self.notice = self._snapshots.restore(version)
            shutil.rmtree(self.folder / "tmp", ignore_errors=True)
            (self.folder / "tmp").mkdir()
            if self.log.exists():
                self.log.rename(self.log.with_suffix(".log.before"))
            with self.log.open("ab") as log:
                self._process = subprocess.Popen(
                    [self._python, "-P", PROGRAM, self._translator, *(["tied"] if tied else [])],
                    cwd=self.folder,
                    env=self._environment(port, host),
                    stdin=subprocess.PIPE if tied else subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    pass_fds=[record.fileno()],
                    start_new_session=True,
                )
            running = Running(self._process.pid, port, host, saves=True)
            record.write(json.dumps(vars(running)))
        try:
            self._wait_until_ready(running)
        except BaseException:
            self._end(running)
            raise
        return running

    def stop(self) -> bool:
        """Stop the server; it saves its state first. Returns False if none was running.

        Raises NotSavedError if it has stopped and its state isn't saved.
        """
        running, asked = self.find(), time.time()
        if running is None:
            return False
        self._end(running)
        if running.saves:
            self._check_saved(asked)
        return True

    def _check_saved(self, since: float) -> None:
        try:
            about, missing = self._snapshots.about(), self._snapshots.missing()
        except SnapshotError as error:
            raise NotSavedError(str(error)) from None
        if about is None or about.saved_at < since or not about.final:
            reason = self._said() or f"it did not stop within {STOP_SECONDS} s and was killed"
            raise NotSavedError(f"the last changes are not saved: {reason} (log: {self.log}){f'. {missing}' if missing else ''}")

    def _end(self, running: Running) -> None:
        """Stop the process, by a kill if it doesn't stop by itself."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(running.pid, signal.SIGTERM)
        _wait(lambda: self.find() is None, STOP_SECONDS)
        # A function in the middle of a call outlives the server, and would write into the next server on this port.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL)
        if self._process is not None:
            self._process.wait()
            if self._process.stdin:
                self._process.stdin.close()
            self._process = None
        shutil.rmtree(self.folder / "tmp", ignore_errors=True)  # each worker has copied its code and layers there

    def _kill_leftovers(self, record: str) -> None:
        """Kill the functions that a killed server has left. Their group may be another one's by now, so their command lines are read."""
        with contextlib.suppress(json.JSONDecodeError, TypeError, ValueError):
            group = Running(**json.loads(record)).pid
            for process in Path("/proc").glob("[0-9]*"):
                with contextlib.suppress(OSError):
                    ours = os.fsencode(self.folder / "tmp") in (process / "cmdline").read_bytes()
                    if ours and os.getpgid(int(process.name)) == group:
                        os.kill(int(process.name), signal.SIGKILL)

    def _wait_until_ready(self, running: Running) -> None:
        process = self._process
        assert process is not None  # noqa: S101
        if not _wait(lambda: process.poll() is not None or _answers(running), START_SECONDS):
            raise CloudError(f"the local cloud did not answer within {START_SECONDS} s (log: {self.log})")
        if process.poll() is not None:
            _check_port(running.host, running.port)
            reason = self._said() or f"the local cloud stopped at once with status {process.returncode}"
            raise CloudError(f"{reason} (log: {self.log})")

    def _said(self) -> str | None:
        """The last sentence for the user in the log."""
        lines = self.log.read_text(errors="replace").splitlines()
        return next((line.removeprefix("winnow: ") for line in reversed(lines) if line.startswith("winnow: ")), None)

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
            "LAMBDA_ACCOUNT_CONCURRENCY": "1000",  # AWS's own; most of these calls wait (local/workers.py)
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
    try:
        _bind(host, port)
    except PermissionError:
        raise CloudError(f"you have no right to use port {port}: choose one above 1023 with WINNOW_PORT") from None
    except OSError:
        raise PortTakenError(port, host) from None


def _bindable(host: str, port: int) -> bool:
    try:
        _bind(host, port)
    except OSError:
        return False
    return True


def _bind(host: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))


def _answers(running: Running) -> bool:
    """Whether a MiniStack answers there."""
    connection = HTTPConnection(reachable(running.host), running.port, timeout=2)  # it ignores proxy settings
    with contextlib.closing(connection):
        try:
            connection.request("GET", "/_ministack/ready")
            answer = connection.getresponse()
            return answer.status == HTTPStatus.OK and b"iot_mtls" in answer.read()
        except (OSError, HTTPException):
            return False


def _wait(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return False
