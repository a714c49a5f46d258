"""The command `winnow`, and a server in place of the API. Each test sets the server's answers."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from unittest.mock import patch

import pytest

from winnow_cli.app import main

Winnow = Callable[..., subprocess.CompletedProcess[str]]
MODELS: dict[str, Any] = {
    "models": [
        {
            "model_id": "savings",
            "status": "ready",
            "live_version": 2,
            "latest_version": 3,
            "labels": 8,
            "retrain_after": None,
            "schedule": None,
            "scheduled_for": None,
            "tolerance": 0.0,
            "log": None,
            "waiting_examples": 0,
            "created_at": "2026-03-02T09:16:41.007Z",
            "updated_at": "2026-03-02T09:17:55.120Z",
        }
    ],
    "next": None,
}


class Server:
    """An API that gives its answers in order, repeats the last one, and keeps the requests."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, dict[str, str], bytes]] = []
        self.answers: dict[str, list[tuple[int, bytes]]] = {}
        self.headers: dict[str, str] = {}
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                path = self.path.split("?", maxsplit=1)[0]
                owner.asked.append((self.command, self.path, dict(self.headers), body))
                given = owner.answers.get(f"{self.command} {path}", [(404, b'{"detail": "Nothing here."}')])
                status, content = given.pop(0) if len(given) > 1 else given[0]
                self.send_response(status)
                for name, value in (owner.headers | {"Content-Length": str(len(content))}).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815

            def log_message(self, *_: Any) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}/v1"
        threading.Thread(target=self.http.serve_forever, args=(0.05,), daemon=True).start()

    def gives(self, call: str, *answers: tuple[int, Any]) -> None:
        """Set the answers to this call: statuses, each with a body as JSON or as bytes."""
        method, path = call.split()
        made = [(status, body if isinstance(body, bytes) else json.dumps(body).encode()) for status, body in answers]
        self.answers[f"{method} {path if path.startswith('/s3') else '/v1' + path}"] = made

    def calls(self) -> list[str]:
        return [f"{method} {path.removeprefix('/v1')}" for method, path, _, _ in self.asked]


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.http.shutdown()
    server.http.server_close()


@pytest.fixture
def winnow(server: Server) -> Winnow:
    """Runs the command in this process and returns its exit code and output. Its streams are not a terminal."""

    def run(*arguments: str, text: str = "", **settings: str) -> subprocess.CompletedProcess[str]:
        stdin, stdout, stderr = (io.TextIOWrapper(io.BytesIO(content), encoding="utf-8") for content in (text.encode(), b"", b""))
        before = signal.getsignal(signal.SIGTERM)
        try:
            with (
                patch.dict(os.environ, environment(server) | settings, clear=True),
                patch("sys.stdin", stdin),
                redirect_stdout(stdout),
                redirect_stderr(stderr),
            ):
                code = main(arguments)
        finally:
            signal.signal(signal.SIGTERM, before)
        written = []
        for stream in (stdout, stderr):
            stream.flush()
            written.append(stream.buffer.getvalue().decode())
        return subprocess.CompletedProcess(arguments, code, *written)

    return run


def environment(server: Server) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "WINNOW_URL": server.url, "WINNOW_API_KEY": "a-key"}


def ends(done: subprocess.CompletedProcess[str], code: int, *told: str) -> None:
    """Check the exit code, that stderr is one line with all of these texts, and that stdout is empty."""
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    [line] = done.stderr.splitlines()
    assert line.startswith("winnow: ")
    for each in told:
        assert each in line


def problem(status: int, detail: str) -> tuple[int, Any]:
    return status, {"type": "urn:winnow:problem:x", "title": "X", "status": status, "detail": detail}
