"""`winnow batch`: a whole file of texts, and the way to its result."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import requests

from winnow_cli.client import ApiError, Client
from winnow_cli.failures import CommandError, UsageError
from winnow_cli.files import in_s3
from winnow_cli.terminal import Terminal, line
from winnow_cli.watching import followed

_CHUNK = 1 << 20


def start(client: Client, terminal: Terminal, model: str, source: str, more: Mapping[str, Any]) -> str:
    """Start a batch prediction of a file, or of s3://BUCKET/KEY. Returns its id."""
    texts = in_s3(client, terminal, source)
    body = {"s3bucket": texts["s3bucket"], "object": texts["training_object"], **more}
    return str(client.call("POST", f"/models/{model}/batches", body, headers={"Idempotency-Key": str(uuid4())})["batch"])


def look(client: Client, terminal: Terminal, model: str, batch: str, *, watch: bool, output: Path | None) -> None:
    """Show how far it is; with `watch` or an `output` when it has ended, and there with its result. CommandError where it failed."""
    path = f"/models/{model}/batches/{batch}"
    again = f"winnow batch --model {model} --batch {batch}"
    if watch or output:
        goes_on = f"the batch goes on: `{again}` tells how far it is"
        found = followed(client, terminal, path, lambda it: (it["status"], it["progress"]["percent"]), interrupted=goes_on)
    else:
        found = client.call("GET", path)
    if output and found["result"]:
        _download(found["result"]["url"], output)
    progress = found["progress"]
    told = [line(f"batch {batch} of {model}, version {found['version']}: {found['status']}, {progress['percent']} %", "bold")]
    if progress["all_lines"] is not None:
        told.append(line(f"  {progress['lines']} of {progress['all_lines']} lines, {progress['errors']} of them errors"))
    if output and found["result"]:
        told.append(line(f"  the result is in {output}"))
    elif found["result"]:
        told.append(line(f"  the result, until {found['result']['expires_at']}: {found['result']['url']}"))
    elif found["status"] in {"queued", "running"}:
        told.append(line(f"  `{again} --output FILE` waits for it, and downloads the result"))
    to_stdout = output is not None and str(output) == "-"
    if not to_stdout:
        terminal.show(found, *told)
    if found["status"] in {"failed", "cancelled"}:
        raise CommandError(f"batch {batch} is {found['status']}: {found['error'] or 'somebody stopped it'}")
    if output and not found["result"]:
        raise CommandError(f"the result of batch {batch} is no longer kept: start it again")


def _download(url: str, output: Path) -> None:
    """Into the file in one step: a download that breaks off leaves nothing that looks whole. `-` is stdout."""
    # Without the key: the URL is signed, and leads to S3.
    with requests.get(url, stream=True, timeout=60) as answer:
        if not answer.ok:
            raise ApiError("GET result", answer.status_code, answer.text[:300])
        parts = answer.iter_content(_CHUNK)
        if str(output) == "-":
            for part in parts:
                sys.stdout.buffer.write(part)
            return
        partial = output.with_name(f"{output.name}.part")
        try:
            with partial.open("wb") as file:
                for part in parts:
                    file.write(part)
            partial.replace(output)
        except OSError as error:
            if isinstance(error, requests.RequestException):
                raise
            raise UsageError(f"{output} can't be written: {error.strerror}") from error
        finally:
            partial.unlink(missing_ok=True)
