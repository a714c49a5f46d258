"""What the local cloud does with a call before and after MiniStack answers it. It runs in MiniStack's environment."""

import gzip
import json
import re
from collections.abc import Awaitable, Callable, MutableMapping
from http import HTTPStatus
from typing import Any

from local.workers import Turn, turn

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]

_CALL = re.compile("/_aws/execute-api/([^/]+)/[^/]*(/.*)?")
# The bucket of deployments.
ARTIFACTS = "winnow-local-artifacts"
# What clients change without the API: objects and keys. A deployment's own calls are left out: the next start makes them again.
_OF_CLIENTS = re.compile(f"/apikeys$|/(?!restapis/|usageplans/|{ARTIFACTS}/)[^/]+/.")
# Calls of AWS's JSON protocols that only read.
_READS = re.compile(r"\.(Get|Query|Scan|BatchGet|TransactGet|Describe|List)")


class Gate:
    """Every call goes through: those that change something are noted, or refused with a reason.

    refusal: why there is no room for a call that adds something (True) or for any call (False), or None. changed: told at each change.
    note: told of each change that a client made.
    """

    def __init__(
        self, application: Application, refusal: Callable[[bool], str | None], changed: Callable[[], None], note: Callable[[str], None]
    ) -> None:
        self._application = application
        self._refusal = refusal
        self._changed = changed
        self._note = note
        self.under_way = 0  # calls of the API
        self.stopping = False

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        call = _CALL.match(scope["path"])
        writes = _writes(scope, call)
        adds = writes and scope["method"] != "DELETE"  # what is deleted makes room
        # Functions may end what they do.
        if call and self.stopping:
            await _refuse(send, HTTPStatus.SERVICE_UNAVAILABLE, "The local cloud stops.")
        elif (call or scope["method"] == "PUT") and (reason := self._refusal(adds)):
            await _refuse(send, HTTPStatus.INSUFFICIENT_STORAGE, reason)
        else:
            await self._answered(scope, receive, send, call, writes)

    async def _answered(self, scope: Message, receive: Receive, send: Send, call: re.Match[str] | None, writes: bool) -> None:
        noted = f"{scope['method']} {(call[2] or '/') if call else scope['path']}" if writes and _by_client(scope) else None
        own = Turn() if call else None

        async def noting(message: Message) -> None:
            if own and own.refused:
                return  # MiniStack would tell of a failure
            if message["type"] == "http.response.start" and writes:
                self._changed()
                if noted and message["status"] < 300:
                    self._note(noted)
            await send(message)

        turn.set(own)
        self.under_way += bool(call)
        try:
            await self._application(scope, receive, noting)
        finally:
            self.under_way -= bool(call)
        if own and own.refused:
            await _refuse(send, HTTPStatus.TOO_MANY_REQUESTS, "All workers of the local cloud are busy: slow down and try again.")


def _writes(scope: Message, call: re.Match[str] | None) -> bool:
    if scope["method"] in {"GET", "HEAD", "OPTIONS"} or (call and scope["path"].endswith("/prediction")):
        return False
    targets = [value.decode("latin-1") for name, value in scope["headers"] if name.lower() == b"x-amz-target"]
    return not (targets and _READS.search(targets[0]))


def _by_client(scope: Message) -> bool:
    """Whether a client made the call, and not a deployment or a function. Calls of functions have a token."""
    has_token = any(name.lower() == b"x-amz-security-token" for name, _ in scope["headers"])
    return bool(_OF_CLIENTS.match(scope["path"])) and not has_token


async def _refuse(send: Send, status: HTTPStatus, reason: str) -> None:
    """Answer as API Gateway does (GatewayResponses in template.yaml)."""
    kind = "throttled" if status == HTTPStatus.TOO_MANY_REQUESTS else "gateway"
    body = json.dumps({"type": f"urn:winnow:problem:{kind}", "title": status.phrase, "status": status, "detail": reason}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()), (b"retry-after", b"1")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def compressing(application: Application, least_bytes: Callable[[str], int | None]) -> Application:
    """The application, with compressed answers for clients that accept gzip. least_bytes: the smallest size to compress, by API id.

    An answer that is already compressed stays as it is: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-enable-compression.html
    """

    async def called(scope: Message, receive: Receive, send: Send) -> None:
        call = _CALL.match(scope.get("path", "")) if scope["type"] == "http" else None
        if call is None or not _takes_gzip(scope["headers"]):
            await application(scope, receive, send)
            return
        start: Message = {}
        body = bytearray()

        async def keep(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
                return
            body.extend(message.get("body", b""))
            if not message.get("more_body", False):
                await _send(send, start, bytes(body), least_bytes(call[1]))

        await application(scope, receive, keep)

    return called


async def _send(send: Send, start: Message, body: bytes, least_bytes: int | None) -> None:
    headers = [(name, value) for name, value in start["headers"] if name.lower() != b"content-length"]
    if least_bytes is not None and len(body) >= least_bytes and not any(name.lower() == b"content-encoding" for name, _ in headers):
        body = gzip.compress(body, compresslevel=6)
        headers.append((b"content-encoding", b"gzip"))
    await send({**start, "headers": [*headers, (b"content-length", str(len(body)).encode())]})
    await send({"type": "http.response.body", "body": body})


def _takes_gzip(headers: list[tuple[bytes, bytes]]) -> bool:
    """Whether Accept-Encoding names gzip with a weight above 0. API Gateway doesn't compress for `*` alone."""
    accepted = b",".join(value for name, value in headers if name.lower() == b"accept-encoding").decode("latin-1").lower()
    return any(re.fullmatch(r"\s*gzip\s*(;\s*q=(1|1\.0*|0\.0*[1-9][0-9]*)\s*)?", coding) for coding in accepted.split(","))
