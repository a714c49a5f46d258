"""Take a version out of Winnow, as a model card or ONNX, and one of another deployment into it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from winnow_cli import exporting, model_card, training, versions
from winnow_cli.batches import in_one_step
from winnow_cli.client import Client
from winnow_cli.connection import connected
from winnow_cli.failures import CommandError
from winnow_cli.options import Json, KeepUpload, Model, ModelArgument, Promotion, Version, examples_of
from winnow_cli.terminal import line

commands = typer.Typer()


@commands.command(epilog=examples_of("winnow card tickets --output README.md", "winnow card tickets --model-version 2"))
def card(
    *,
    model: ModelArgument,
    version: Version = None,
    output: Annotated[Path | None, typer.Option(help="Save the card in this file (default: print it).")] = None,
    as_json: Json = False,
) -> None:
    """Write a model card: data, measures with intervals, labels, languages and limits, in Markdown with Hugging Face's fields.

    The card has no texts of examples. The licence is yours to choose: a comment in the card says where.
    """
    with connected(as_json) as (client, terminal):
        found = ready_version(client, model, version)
        evaluation = training.evaluation_of(client, f"/models/{model}/versions/{found['version']}", found)
        made = model_card.card(found, evaluation)
        if output is not None and str(output) != "-":
            with in_one_step(output) as file:
                file.write(made.encode())
            terminal.show({"model_id": model, "version": found["version"], "file": str(output)}, line(f"The card is in {output}."))
        elif as_json:
            terminal.show({"model_id": model, "version": found["version"], "card": made})
        else:
            typer.echo(made, nl=False)


@commands.command(
    "import",
    epilog=examples_of(
        "winnow import tickets-1.tar.gz --model tickets",
        "winnow import tickets-2.tar.gz --model tickets --force-update --promote if-better",
    ),
)
def import_version(
    *,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `winnow download` has saved from another deployment.")],
    model: Model,
    sha256: Annotated[
        str | None, typer.Option(metavar="DIGEST", help="What `winnow download` printed there (default: the digest of the file).")
    ] = None,
    promote_when: Annotated[
        Promotion | None, typer.Option("--promote", help="When the version goes live; auto (default): when it is ready.")
    ] = None,
    force_update: Annotated[bool, typer.Option("--force-update", help="Import it as a new version of an existing model.")] = False,
    note: Annotated[str | None, typer.Option(help="A note on the new version.")] = None,
    keep_upload: KeepUpload = False,
    as_json: Json = False,
) -> None:
    """Import a version of another account or region: nothing is trained, and it gives the same scores.

    Nothing is measured either: `winnow evaluate` measures it on a file of yours.
    """
    named = {"promote": promote_when, "force_update": force_update or None, "note": note}
    fields = {name: value for name, value in named.items() if value is not None}
    with connected(as_json) as (client, terminal):
        training.import_version(client, terminal, model, file, sha256=sha256, fields=fields, keep=keep_upload)


@commands.command(epilog=examples_of("winnow export tickets", "winnow export tickets --model-version 2 --output tickets-onnx"))
def export(
    *,
    model: ModelArgument,
    version: Version = None,
    made: Annotated[Literal["onnx"], typer.Option("--format", help="The form of the export.")] = "onnx",
    output: Annotated[Path | None, typer.Option(metavar="FOLDER", help="The new folder (default: ID-N-onnx).")] = None,
    encoder: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="The folder of the sentence encoder that light needs (docs/exports.md).")
    ] = None,
    as_json: Json = False,
) -> None:
    """Save a version of the recipe linear or light as ONNX, which answers without the service and with the same scores.

    It needs the extra winnow-cli[onnx].
    """
    with connected(as_json) as (client, terminal):
        found = ready_version(client, model, version)
        number = found["version"]
        folder = output or Path(f"{model}-{number}-{made}")
        told = exporting.to_onnx(client, model, found, folder, encoder)
        terminal.show(
            {"model_id": model, "version": number, "folder": str(folder), **told},
            line(f"Version {number} of {model} ({found['recipe']}) is in {folder}. Try it: python {folder / 'reader.py'} TEXT"),
        )


def ready_version(client: Client, model: str, version: int | None) -> Mapping[str, Any]:
    """The version, or the live one. CommandError if it isn't ready, or if none is live."""
    number = versions.live(client, model, version)
    found: dict[str, Any] = client.call("GET", f"/models/{model}/versions/{number}")
    if found["status"] != "ready":
        raise CommandError(f"Version {number} of {model} is {found['status']}: only a version that is ready can be taken out.")
    return found
