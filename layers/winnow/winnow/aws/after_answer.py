"""Work that a function does after its answer has gone out, so that no client waits for it.

Lambda freezes an environment once the function has answered, and with it a thread that still works. So the thread is an internal extension
(https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html): Lambda sends the answer at once, and freezes the environment
only when the extension asks for its next event. The event lies in the socket until the function has answered, and the thread reads it
then. So nothing of this costs time before the answer.

Where there is no Extensions API, as in the local cloud, the thread works without it. Outside Lambda there is no thread.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any

from winnow.aws import clients
from winnow.aws.log import logger

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

_NAME = "winnow-after-answer"
_API = "/2020-01-01/extension"
# The API is in the environment itself and answers at once. An event is there when it is read.
_SECONDS = 5

Handler = Callable[[dict[str, Any], "LambdaContext"], dict[str, Any]]


class Extension:
    """This process as an extension of its execution environment."""

    def __init__(self, connection: HTTPConnection, identifier: str) -> None:
        self._connection, self._identifier = connection, identifier

    @classmethod
    def registered(cls, runtime_api: str) -> Extension | None:
        """The extension, which has asked for its first event. None if the API refuses it. Call it while the function is initialized.

        runtime_api: the host and port of the API.
        """
        connection = HTTPConnection(runtime_api, timeout=_SECONDS)
        try:
            wanted = {"Lambda-Extension-Name": _NAME, "Content-Type": "application/json"}
            connection.request("POST", f"{_API}/register", json.dumps({"events": ["INVOKE"]}), wanted)
            answer = connection.getresponse()
            answer.read()
            identifier = answer.headers.get("Lambda-Extension-Identifier")
            if answer.getcode() != HTTPStatus.OK or identifier is None:
                logger.warning("no extension", extra={"status": answer.getcode()})
                return None
            extension = cls(connection, identifier)
            extension.ask()
        except (OSError, HTTPException) as error:
            logger.warning("no extension", extra={"reason": type(error).__name__})
            return None
        return extension

    def ask(self) -> None:
        """Ask for the next event: Lambda may freeze the environment now. Doesn't wait for the event. OSError, HTTPException."""
        # A connection of its own for each question: nobody would notice that one is lost with an old connection.
        self._connection.close()
        self._connection.request("GET", f"{_API}/event/next", headers={"Lambda-Extension-Identifier": self._identifier})

    def take(self) -> None:
        """Read the event that was asked for. OSError, HTTPException."""
        self._connection.getresponse().read()


class AfterAnswer[Item]:
    """Does the work that a handler leaves for later. work: must log its own errors.

    most: how many items may wait. With the Extensions API only those of one request do.
    """

    def __init__(self, work: Callable[[Item], object], most: int) -> None:
        self._work, self._most = work, most
        self._items: deque[Item] = deque()
        self._answers: SimpleQueue[None] = SimpleQueue()
        self._extension: Extension | None = None
        self._thread: Thread | None = None

    def register(self) -> None:
        """Become an extension, if Lambda has the API. Call it while the function is initialized."""
        runtime_api = clients.runtime_api()
        self._extension = Extension.registered(runtime_api) if runtime_api else None
        if self._extension is not None:
            self._start()

    def later(self, item: Item) -> bool:
        """Leave an item for after the answer. False if too many wait already; then it is not done."""
        if len(self._items) >= self._most:
            return False
        self._items.append(item)
        return True

    def around(self, handler: Handler) -> Handler:
        """The handler, which does the work that it leaves."""

        @wraps(handler)
        def handled(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
            try:
                return handler(event, context)
            finally:
                self._answered()

        return handled

    def _answered(self) -> None:
        # The thread is told only now. If it woke earlier, the handler would wait for Python's lock each time that it writes a line.
        if self._extension is not None:
            self._answers.put_nowait(None)
        elif self._items:
            if not clients.is_lambda():
                self._do()
                return
            if self._thread is None:
                self._start()
            self._answers.put_nowait(None)

    def _start(self) -> None:
        self._thread = Thread(target=self._run, name=_NAME, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while True:
            self._answers.get()
            if self._extension is None:
                self._do()
                continue
            # A connection may end with a snapshot. The event counts as delivered then.
            _tried(self._extension.take)
            self._do()
            # Without the question, each invocation would last until its timeout.
            _ = _tried(self._extension.ask) or _tried(self._extension.ask)

    def _do(self) -> None:
        while self._items:
            try:
                self._work(self._items.popleft())
            except Exception:
                logger.exception("not done after the answer")


def _tried(call: Callable[[], None]) -> bool:
    """Call the Extensions API. False if it doesn't answer."""
    try:
        call()
    except (OSError, HTTPException) as error:
        logger.warning("no answer of the Extensions API", extra={"reason": type(error).__name__})
        return False
    return True
