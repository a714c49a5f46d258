"""Forget a person, or texts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import typer

from winnow_cli import forgetting
from winnow_cli.connection import connected
from winnow_cli.failures import UsageError
from winnow_cli.options import Json, examples_of

commands = typer.Typer()


@commands.command(epilog=examples_of("winnow forget --subject customer-17", "winnow forget --texts texts.txt"))
def forget(
    *,
    subject: Annotated[str | None, typer.Option(metavar="NAME", help="Forget the examples of this subject.")] = None,
    texts: Annotated[Path | None, typer.Option(metavar="FILE", help="Forget these texts: one a line, or a JSON array.")] = None,
    as_json: Json = False,
) -> None:
    """Remove a person, or texts, from everything that Winnow keeps. Models that learnt from them are made again. This can't be undone."""
    if (subject is None) == (texts is None):
        raise UsageError("Give either --subject or --texts.")
    wanted = {"subject": subject} if texts is None else {"texts": forgetting.texts_in(texts)}
    with connected(as_json) as (client, terminal):
        answer = client.call("POST", "/forget", wanted)
        terminal.show(answer, *forgetting.begun(answer))


@commands.command(epilog=examples_of("winnow forgotten 20260302T091641007-1a2b3c4d"))
def forgotten(
    *,
    name: Annotated[str, typer.Argument(metavar="ID", help="The forgetting's id, as winnow forget prints it.")],
    as_json: Json = False,
) -> None:
    """Show how far a forgetting is, and in the end its receipt: what was touched, and what Winnow could not do."""
    with connected(as_json) as (client, terminal):
        answer = client.call("GET", f"/forget/{quote(name, safe='')}")
        terminal.show(answer, *forgetting.receipt(answer))
