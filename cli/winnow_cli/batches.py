"""`winnow batch`: start a batch prediction, follow it, and download its result."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit
from uuid import uuid4

from rich.text import Text

from winnow_cli.client import ApiError, Client
from winnow_cli.failures import CommandError, UsageError
from winnow_cli.files import Uploads
from winnow_cli.terminal import Terminal, line
from winnow_cli.watching import followed, without_success


def start(client: Client, uploads: Uploads, model: str, source: str, more: Mapping[str, Any]) -> str:
    """Start a batch prediction of a local file or of s3://BUCKET/KEY. Returns its id."""
    texts = uploads.in_s3(source)
    body = {"s3bucket": texts["s3bucket"], "object": texts["training_object"], **more}
    try:
        return str(client.call("POST", f"/models/{model}/batches", body, headers={"Idempotency-Key": str(uuid4())})["batch"])
    except ApiError:
        uploads.remove()
        raise


def look(
    client: Client,
    terminal: Terminal,
    model: str,
    batch: str,
    *,
    watch: bool,
    output: Path | None,
    uploads: Uploads | None = None,
) -> None:
    """Show a batch. With `watch` or `output`, wait until it ends; `output` gets the result. Raises CommandError if it failed.

    uploads: what the batch reads. They are removed at its end.
    """
    path = f"/models/{model}/batches/{batch}"
    again = f"winnow batch --model {model} --batch {batch}"
    if watch or output:
        goes_on = f"The batch is still running. `{again}` shows its progress."
        found = followed(client, terminal, path, lambda it: (it["status"], it["progress"]["percent"]), interrupted=goes_on)
    else:
        found = client.call("GET", path)
    if uploads:
        if found["status"] in {"ready", "failed", "cancelled"}:
            uploads.remove()
        else:
            uploads.stay()
    if output and found["result"]:
        download(client, found["result"]["url"], output)
    told = _told(model, found, again, output)
    to_stdout = output is not None and str(output) == "-"
    if not to_stdout:
        terminal.show(found, *told)
    if found["status"] in {"failed", "cancelled"}:
        raise without_success(f"Batch {batch}", found)
    if output and not found["result"]:
        raise CommandError(f"The result of batch {batch} has been deleted: start the batch again.")


def _told(model: str, found: Mapping[str, Any], again: str, output: Path | None) -> list[Text]:
    """A batch in lines. again: the command that shows it."""
    progress = found["progress"]
    told = [line(f"batch {found['batch']} of {model}, version {found['version']}: {found['status']}, {progress['percent']} %", "bold")]
    if found.get("ahead") is not None:
        told.append(line(f"  it waits for its turn; before it: {found['ahead']}"))
    if progress["all_lines"] is not None:
        told.append(line(f"  lines: {progress['lines']} of {progress['all_lines']}, errors: {progress['errors']}"))
    if found.get("warning"):
        told.append(line(f"  {found['warning']}", "yellow"))
    if output and found["result"]:
        told.append(line(f"  result saved in {output}{_of_another_format(found['result']['url'], output)}"))
    elif found["result"]:
        told.append(line(f"  result (link expires {found['result']['expires_at']}): {found['result']['url']}"))
    elif found["status"] in {"queued", "running"}:
        told.append(line(f"  `{again} --output FILE` waits for the result and downloads it"))
    return told


def _of_another_format(url: str, output: Path) -> str:
    """What to say if the file's name doesn't show the result's format."""
    table, lines = {".csv", ".tsv"}, {".jsonl", ".ndjson", ".json"}
    made, named = Path(urlsplit(url).path).suffix, output.suffix.lower()
    if made in table and named in lines:
        return ", which is CSV, because the texts came as CSV"
    if made in lines and named in table:
        return ", which is JSON Lines, because the texts came as JSON"
    return ""


def download(client: Client, url: str, output: Path) -> None:
    """Save what a link leads to in one step, so that a broken download leaves no partial file. `-` is stdout."""
    if str(output) == "-":
        client.typed.save(url, sys.stdout.buffer)
        return
    with in_one_step(output) as file:
        client.typed.save(url, file)


@contextmanager
def in_one_step(output: Path) -> Iterator[BinaryIO]:
    """A file to write, which has its name only once it is whole. UsageError if it can't be written."""
    partial = output.with_name(f"{output.name}.part")
    try:
        with partial.open("wb") as file:
            yield file
        partial.replace(output)
    except OSError as error:
        raise UsageError(f"Can't write {output}: {error.strerror}") from error
    finally:
        partial.unlink(missing_ok=True)
