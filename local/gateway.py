"""The program of the local cloud: MiniStack, with the compression of answers that API Gateway does and MiniStack lacks, and with layers
that workers share.

It runs in MiniStack's environment. Its argument is the folder of SAM's translator (local/server.py).
"""

import gzip
import os
import re
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]

_CALL = re.compile("/_aws/execute-api/([^/]+)/")


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


def sharing_layers(spawn: Callable[[Any], None], unpacked: Callable[[Any], str]) -> Callable[[Any], None]:
    """A worker's start, with the folders of layers that are unpacked once. MiniStack unpacks them for each worker: 200 MB with spaCy.

    unpacked: the folder of a layer that a function's configuration names.
    """

    def spawned(worker: Any) -> None:
        own = worker.config
        folders = os.pathsep.join(unpacked(layer) for layer in own.get("Layers", []))
        variables = {**own.get("Environment", {}).get("Variables", {}), "_LAMBDA_LAYERS_DIRS": folders}
        worker.config = {**own, "Layers": [], "Environment": {"Variables": variables}}
        try:
            spawn(worker)
        finally:
            worker.config = own

    return spawned


def main() -> None:
    # MiniStack reads a SAM template with SAM's translator, from the packages of sam. The translator is not installed in MiniStack's
    # environment: functions run there, and a layer without pydantic must fail here as it would on AWS.
    sys.path.append(sys.argv.pop())
    from ministack import app  # noqa: PLC0415
    from ministack.core.lambda_runtime import Worker  # noqa: PLC0415
    from ministack.services import apigateway_v1, lambda_svc  # noqa: PLC0415

    def least_bytes(api_id: str) -> int | None:
        sizes = [api["minimumCompressionSize"] for (_, _, stored), api in apigateway_v1._rest_apis.all_items() if stored == api_id]
        return sizes[0] if sizes else None

    def unpacked(layer: Any) -> str:
        # MiniStack shares these folders too, between functions that it runs in containers.
        return str(lambda_svc._docker_extracted_dir(lambda_svc._resolve_layer_zip(layer), "layer"))

    app.app = compressing(app.app, least_bytes)
    Worker._spawn = sharing_layers(Worker._spawn, unpacked)
    app.main()


if __name__ == "__main__":
    main()
