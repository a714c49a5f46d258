"""A stand-in of Lambda's Extensions API, over HTTP: an extension registers, and asks for one event after the other.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html
"""

from __future__ import annotations

import json
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from typing import Any

_PATH = "/2020-01-01/extension"
_SECONDS = 10


class ExtensionsApi:
    """The API of one execution environment. refuses: it takes no extension. happened: what was asked of it and sent, in order.

    Others may note what they see in `happened` too.
    """

    def __init__(self, *, refuses: bool = False) -> None:
        self.happened: list[str] = []
        self.registered: list[tuple[str, Any]] = []
        self._events: Queue[bytes | None] = Queue()
        self._asked = threading.Semaphore(0)
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                api.happened.append(self.path.removeprefix(_PATH))
                api.registered.append((self.headers["Lambda-Extension-Name"], body))
                if refuses:
                    self._answer(HTTPStatus.FORBIDDEN, {"errorType": "Extension.RegistrationClosed"})
                else:
                    self._answer(HTTPStatus.OK, {"functionName": "winnow"}, {"Lambda-Extension-Identifier": "this-one"})

            def do_GET(self) -> None:
                assert (self.path, self.headers["Lambda-Extension-Identifier"]) == (f"{_PATH}/event/next", "this-one")
                api.happened.append("/event/next")
                api._asked.release()
                event = api._events.get()
                if event is None:
                    self.close_connection = True
                else:
                    api.happened.append("event")
                    self._answer(HTTPStatus.OK, json.loads(event), {"Lambda-Extension-Event-Identifier": "an-event"})

            def _answer(self, status: HTTPStatus, body: Any, headers: dict[str, str] | None = None) -> None:
                content = json.dumps(body).encode()
                self.send_response(status)
                for name, value in {"Content-Length": str(len(content)), **(headers or {})}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: Any) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.address = f"127.0.0.1:{self._http.server_port}"
        threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True).start()

    def invoke(self) -> None:
        """Send the extension the event of an invocation."""
        self._events.put(json.dumps({"eventType": "INVOKE", "deadlineMs": 28_000, "requestId": "a-request"}).encode())

    def cut(self) -> None:
        """Close the connection on which the extension waits, as it may happen to one that was kept in a snapshot."""
        self._events.put(None)

    def wait_until_asked(self) -> None:
        """Wait until the extension has asked for its next event. Lambda freezes the environment then."""
        assert self._asked.acquire(timeout=_SECONDS), f"the extension didn't ask for its next event: {self.happened}"

    def is_asked_within(self, seconds: float) -> bool:
        """Whether the extension asks for its next event within this time."""
        return self._asked.acquire(timeout=seconds)

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()
