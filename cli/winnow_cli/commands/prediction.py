"""Classify texts, and keep an eye on what was classified."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from winnow_cli import batches, prediction_log, tables
from winnow_cli import prediction as classifying
from winnow_cli.connection import connected
from winnow_cli.failures import CommandError, UsageError
from winnow_cli.files import Uploads
from winnow_cli.layout import said
from winnow_cli.options import Delimiter, Encoding, Json, KeepUpload, Model, ModelArgument, TextColumn, Version, batch_id, examples_of

commands = typer.Typer()
# Options whose names differ from those of the fields.
Days = Literal["1", "7", "30", "90"]
_OPTIONS = {"version": "model_version"}


@commands.command(
    epilog=examples_of('winnow predict --model tickets "I forgot my password"', "winnow predict --model tickets --json <texts.txt")
)
def predict(
    *,
    model: Model,
    texts: Annotated[
        list[str] | None, typer.Argument(metavar="TEXT", help="The texts. Without them, the command reads --file or stdin.")
    ] = None,
    file: Annotated[
        Path | None, typer.Option(help="A table (.csv, .tsv) with a column of texts, or any other file with one text per line.")
    ] = None,
    text_column: TextColumn = None,
    version: Version = None,
    n_top: Annotated[int | None, typer.Option(min=1, max=1000, help="Labels per text (default: the API's, 5).")] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Colour each word by what it adds to the first label.")] = False,
    as_json: Json = False,
) -> None:
    """Classify texts.

    With --json, the command prints one line of JSON per text, in order.
    """
    if texts and file:
        raise UsageError("Give either texts or --file, not both.")
    if not texts and not file and sys.stdin.isatty():
        raise UsageError("No text: give texts as arguments, with --file, or on stdin.")
    with connected(as_json) as (client, terminal):
        given = {"n_top": n_top, "version": version, "explain": explain or None}
        more = {"model_id": model, **{name: value for name, value in given.items() if value is not None}}
        classifying.predict(client, terminal, texts or file, text_column or [], more)


@commands.command(
    epilog=examples_of("winnow batch texts.csv --model tickets --output labels.csv", "winnow batch --model tickets --batch ID")
)
def batch(
    *,
    model: Model,
    file: Annotated[
        str | None, typer.Argument(metavar="FILE", help="CSV or JSON Lines: a local file to upload, or s3://BUCKET/KEY.")
    ] = None,
    again: Annotated[
        str | None, typer.Option("--batch", metavar="ID", callback=batch_id, help="Show this batch instead of starting one.")
    ] = None,
    version: Version = None,
    n_top: Annotated[int | None, typer.Option(min=1, max=100, help="Labels per text (default 1).")] = None,
    text_column: TextColumn = None,
    delimiter: Delimiter = None,
    encoding: Encoding = None,
    keep_upload: KeepUpload = False,
    watch: Annotated[bool, typer.Option("--watch", help="Wait for the batch to end.")] = False,
    output: Annotated[Path | None, typer.Option(help="Wait for the batch to end, and save the result in this file (- is stdout).")] = None,
    as_json: Json = False,
) -> None:
    """Classify a whole file of texts as one batch prediction.

    The result of CSV is CSV with the labels after its columns, and the result of JSON is JSON Lines.
    """
    if (file is None) == (again is None):
        raise UsageError("Give a file of texts to start a batch, or --batch ID to show one.")
    more = {name: value for name, value in (("n_top", n_top), ("version", version)) if value is not None}
    more |= said(text_column, delimiter, encoding)
    if again and more:
        options = ", ".join(f"--{_OPTIONS.get(name, name).replace('_', '-')}" for name in more)
        raise UsageError(f"{options}: for new batches only, so leave this out with --batch ID.")
    with connected(as_json) as (client, terminal):
        uploads = Uploads(client, terminal, keep=keep_upload)
        number = again or batches.start(client, uploads, model, str(file), more)
        batches.look(client, terminal, model, number, watch=watch, output=output, uploads=uploads)


@commands.command(epilog=examples_of("winnow log tickets", "winnow log tickets --share 0.1 --days 30", "winnow log tickets --off"))
def log(
    *,
    model: ModelArgument,
    share: Annotated[float | None, typer.Option(help="The share of the texts to keep, above 0 and at most 1.")] = None,
    days: Annotated[Days | None, typer.Option(help="The days until they are removed (default: 30).")] = None,
    off: Annotated[bool, typer.Option("--off", help="Keep no more texts. What was kept stays until its day comes.")] = False,
    as_json: Json = False,
) -> None:
    """Show or set which texts a model keeps of those that it classifies, with its answers.

    Feedback may name a kept text by its prediction_id.
    """
    if off and (share is not None or days is not None):
        raise UsageError("Give either --share and --days, or --off.")
    if days is not None and share is None:
        raise UsageError("--days needs --share, the share of the texts to keep.")
    wanted = None if share is None else {"share": share, "days": int(days or 30)}
    with connected(as_json) as (client, terminal):
        prediction_log.show_or_set(client, terminal, model, wanted, change=off or wanted is not None)


@commands.command(epilog=examples_of("winnow drift tickets", "winnow drift tickets --day 2026-03-02"))
def drift(
    *,
    model: ModelArgument,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Show so many days.")] = 30,
    day: Annotated[str | None, typer.Option(metavar="YYYY-MM-DD", help="Show the labels of this day.")] = None,
    as_json: Json = False,
) -> None:
    """Show whether a model's texts have changed, day by day, newest first. It needs a log: winnow log."""
    with connected(as_json) as (client, terminal):
        answer = client.call("GET", f"/models/{model}/drift", query={"limit": str(limit)})
        if day is None:
            terminal.show(answer, *tables.drift(answer))
            return
        found = next((each for each in answer["days"] if each["day"] == day), None)
        if found is None:
            raise CommandError(f"{model} has no measured day {day} among the newest {limit}: --limit N looks further back.")
        terminal.show(found, *tables.drift_day(found))
