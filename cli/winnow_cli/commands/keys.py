"""What a key may do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from winnow_cli import gateway_keys, tables
from winnow_cli.client import ApiError, Client
from winnow_cli.connection import connected
from winnow_cli.failures import CommandError
from winnow_cli.options import Json, examples_of
from winnow_cli.terminal import Terminal, line

commands = typer.Typer()


@commands.command(epilog=examples_of("winnow key", "winnow key --json"))
def key(as_json: Json = False) -> None:
    """Show what your key may do.

    The API can't make keys. The operator of the deployment makes them: make key NAME=... ROLE=classify, predict or admin (docs/keys.md).
    """
    with connected(as_json) as (client, terminal):
        role = _role(client)
        if role is None:
            terminal.show({"role": None})
            raise CommandError(
                "The key in WINNOW_API_KEY can't make any call: this deployment doesn't know it, or it has no role (docs/keys.md)."
            )
        may = {"classify": "classify", "predict": "classify and read", "admin": "classify, read, upload, train, promote and delete"}[role]
        terminal.show({"role": role}, line(f"The key in WINNOW_API_KEY has the role {role}: it may {may}."))


@commands.command(epilog=examples_of("winnow keys", "winnow keys --stack winnow-test --json"))
def keys(
    *,
    stack: Annotated[str, typer.Option(metavar="NAME", help="The stack of the deployment.")] = "winnow",
    as_json: Json = False,
) -> None:
    """List the keys of a deployment with their roles, without their values.

    It asks AWS, not the API: it needs AWS credentials and the extra winnow-cli[aws]. `make key` makes keys (docs/keys.md).
    """
    found = gateway_keys.listed(stack)
    Terminal(as_json).show({"keys": found}, tables.keys(found) if found else line(f"The stack {stack} has no keys."))


@commands.command(epilog=examples_of("winnow whoami", "winnow whoami --json"))
def whoami(as_json: Json = False) -> None:
    """Show the name and the limits of your key, and how much of them is used today."""
    with connected(as_json) as (client, terminal):
        answer = client.call("GET", "/whoami")
        terminal.show(answer, *tables.caller(answer))


def _role(client: Client) -> str | None:
    """The key's role. Calls that change nothing show it: a list, a prediction without a text, and an upload without a name.

    A call without its fields gets 422 if the role may make it.
    """
    if _status(client, "GET", "/models?limit=1") == 403:
        return "classify" if _status(client, "POST", "/prediction", {}) == 422 else None
    return "admin" if _status(client, "POST", "/datasets", {}) == 422 else "predict"


def _status(client: Client, method: str, path: str, body: Mapping[str, Any] | None = None) -> int:
    """The status of a call: 200, 403 or 422. Raises ApiError for any other."""
    try:
        client.call(method, path, body)
    except ApiError as error:
        if error.status not in {403, 422}:
            raise
        return error.status
    return 200
