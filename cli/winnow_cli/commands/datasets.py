"""The uploads of a deployment."""

from __future__ import annotations

from typing import Annotated

import typer

from winnow_cli import tables
from winnow_cli.connection import connected
from winnow_cli.options import Json, dataset_name, examples_of
from winnow_cli.terminal import line

commands = typer.Typer()


@commands.command(epilog=examples_of("winnow datasets", "winnow datasets --remove 0f8fad5bd9cb469fa16570867728950e-tickets.csv"))
def datasets(
    *,
    remove: Annotated[
        list[str] | None,
        typer.Option("--remove", metavar="UPLOAD", callback=dataset_name, help="Remove this upload instead. Repeat it for more."),
    ] = None,
    as_json: Json = False,
) -> None:
    """List the uploaded data sets, or remove some. Versions keep the examples that they were trained on."""
    with connected(as_json) as (client, terminal):
        if not remove:
            found = list(client.pages("/datasets", "datasets"))
            terminal.show({"datasets": found}, tables.datasets(found) if found else line("No uploads."))
            return
        answers = []
        for name in remove:
            answers.append(client.call("DELETE", f"/datasets/{name}"))
            terminal.say(line(f"Removed {name}."))
        if as_json:
            terminal.show({"datasets": answers})
