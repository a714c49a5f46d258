"""`winnow examples` and `winnow errors`: the examples of a version, with the answers of classifiers that had not learnt them."""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from winnow_cli import tables, versions
from winnow_cli.batches import download, in_one_step
from winnow_cli.client import Client
from winnow_cli.terminal import Terminal, line

# The most examples on a page of the API.
_PAGE = 1_000


def show(client: Client, terminal: Terminal, model: str, version: int | None, query: Mapping[str, str], *, most: int) -> None:
    """Print at most so many examples. query: which ones, as the API takes it."""
    path = _path(client, model, version)
    shown: list[dict[str, Any]] = []
    asked = dict(query)
    while True:
        page = client.call("GET", path, query={**asked, "limit": str(min(_PAGE, most - len(shown)))})
        shown += page["examples"]
        if page["next"] is None or len(shown) >= most:
            break
        asked["next"] = page["next"]
    terminal.show({**page, "examples": shown}, *tables.examples(shown, page, counted="contains" not in query))


def save(client: Client, terminal: Terminal, model: str, version: int | None, output: Path) -> None:
    """Save all examples in a file, as `winnow train` takes it: packed if its name ends in .gz. `-` is stdout, and gets them packed."""
    found = client.call("GET", f"{_path(client, model, version)}.jsonl")
    if str(output) == "-" or output.suffix == ".gz":
        download(client, found["url"], output)
    else:
        with TemporaryDirectory() as folder, in_one_step(output) as file:
            packed = Path(folder, "examples.gz")
            download(client, found["url"], packed)
            with gzip.open(packed) as unpacked:
                shutil.copyfileobj(unpacked, file)
    if str(output) != "-":
        terminal.show(found, line(f"The examples of version {found['version']} of {model} are saved in {output}."))


def _path(client: Client, model: str, version: int | None) -> str:
    number = versions.latest(client, model, version)
    return f"/models/{model}/versions/{number}/examples"
