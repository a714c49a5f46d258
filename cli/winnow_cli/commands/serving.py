"""Give the API to other programs."""

from __future__ import annotations

import typer

from winnow_cli.connection import connected
from winnow_cli.failures import UsageError
from winnow_cli.options import examples_of

commands = typer.Typer()


@commands.command(epilog=examples_of("winnow mcp    (started by the program that uses the tools: docs/exports.md)"))
def mcp() -> None:
    """Serve the tools list_models, classify, get_evaluation and evaluate to a program that speaks the Model Context Protocol.

    It speaks over stdin and stdout, until stdin ends. It needs the extra winnow-cli[mcp].
    """
    try:
        from winnow_cli import mcp_server  # noqa: PLC0415 # of the extra
    except ImportError as error:
        raise UsageError("The tools need winnow-cli[mcp]: install it (`pip install ./client './cli[mcp]'`).") from error
    # A missing setting is said at once, and not by the first tool.
    with connected(as_json=True):
        pass
    mcp_server.server().run("stdio")
