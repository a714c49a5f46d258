"""moto, which runs in this process, for other processes: a server that answers each request as moto would answer it here."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread

from botocore.awsrequest import AWSPreparedRequest
from botocore.compat import HTTPHeaders
from moto.core.models import botocore_stubber

from tests.conftest import REGION


@contextmanager
def moto_server(seen: Callable[[str, str], None], host: str = "127.0.0.1") -> Iterator[str]:
    """The server's endpoint, at this address. seen(METHOD, PATH) is called before each request is answered, one at a time."""

    # A client keeps a connection for each service, but moto isn't safe under threads.
    one_at_a_time = Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = HTTPHeaders()
            for name, value in self.headers.items():
                headers[name] = value
            # The signature names the service: …/us-east-1/s3/aws4_request.
            service = re.search(rf"/{REGION}/(\w+)/aws4_request", self.headers["Authorization"])
            assert service is not None
            host, path = f"{service[1]}.{REGION}.amazonaws.com", self.path
            if service[1] == "s3":
                # botocore writes the bucket before the key where the host is a number. Here moto looks for it before the host.
                named, mark, query = self.path.partition("?")
                bucket, _, key = named.removeprefix("/").partition("/")
                host, path = f"{bucket}.s3.amazonaws.com", f"/{key}{mark}{query}"
            headers.replace_header("Host", host)
            with one_at_a_time:
                seen(self.command, self.path)
                asked = AWSPreparedRequest(self.command, f"https://{host}{path}", headers, body, stream_output=False)
                answer = botocore_stubber("before-send", asked)
            assert answer is not None
            content = answer.content
            self.send_response(answer.status_code)
            for name, value in answer.headers.items():
                if name.lower() not in {"content-length", "connection", "transfer-encoding"}:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _answer  # noqa: N815 - the base class names them so

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
            pass

    server = ThreadingHTTPServer((host, 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://{host}:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
