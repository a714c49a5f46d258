"""Train, measure, and set what is accepted."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from winnow_cli import policies, tables, training
from winnow_cli.connection import connected
from winnow_cli.failures import CommandError, UsageError
from winnow_cli.layout import said
from winnow_cli.options import (
    Delimiter,
    Encoding,
    Json,
    LabelColumn,
    LabelSeparator,
    Model,
    SubjectColumn,
    TextColumn,
    examples_of,
    model_id,
)

commands = typer.Typer()


@commands.command(
    epilog=examples_of(
        "winnow train tickets.csv --model tickets --watch",
        "winnow train tickets.csv --model tickets --dry-run",
        "winnow train --labels labels.csv --model tickets    (no examples yet)",
        "winnow train s3://BUCKET/tickets.csv --model tickets --force-update --promote if-better",
    )
)
def train(
    *,
    file: Annotated[str | None, typer.Argument(metavar="FILE", help="The data set: a local file to upload, or s3://BUCKET/KEY.")] = None,
    model: Model,
    labels: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Instead of a data set: the names of labels, with descriptions if you like (CSV or a JSON array)."
        ),
    ] = None,
    recipe: Annotated[str | None, typer.Option(help="auto (default), linear, light, best, sentence or cnn.")] = None,
    test: Annotated[
        str | None, typer.Option(metavar="FILE", help="Your own test set. Without it, part of the data set is held out.")
    ] = None,
    promote_when: Annotated[
        str | None, typer.Option("--promote", help="When the version goes live: auto (when it is ready), if-better or never.")
    ] = None,
    force_update: Annotated[bool, typer.Option("--force-update", help="Train a new version of an existing model.")] = False,
    text_column: TextColumn = None,
    label_column: LabelColumn = None,
    label_separator: LabelSeparator = None,
    subject_column: SubjectColumn = None,
    delimiter: Delimiter = None,
    encoding: Encoding = None,
    rare_labels: Annotated[
        str | None, typer.Option(help="Labels with a single text: drop (default, with a warning) or refuse the data set.")
    ] = None,
    note: Annotated[str | None, typer.Option(help="A note on the new version.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only check the data set.")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Wait for the training to end, and show the evaluation.")] = False,
    as_json: Json = False,
) -> None:
    """Train a model.

    The command checks the data set first and prints its problems to stderr.
    """
    if (file is None) == (labels is None):
        raise UsageError("Give either a data set or, if you have no examples yet, --labels FILE.")
    layout = said(text_column, delimiter, encoding, label_column, label_separator, subject_column=subject_column)
    with connected(as_json) as (client, terminal):
        asked = training.Asked(model, file, labels, test, recipe, promote_when, force_update, rare_labels, layout, note)
        training.train(client, terminal, asked, dry_run=dry_run, watch=watch)


@commands.command(epilog=examples_of("winnow tradeoff tickets", "winnow tradeoff tickets --version 2 --json"))
def tradeoff(
    *,
    model: Annotated[str, typer.Argument(metavar="ID", callback=model_id, help="The model's id.")],
    version: Annotated[int | None, typer.Option("--version", min=1, help="Use this version instead of the latest one.")] = None,
    as_json: Json = False,
) -> None:
    """Show how many texts a version answers, and how many of those rightly.

    A higher threshold answers fewer texts, and more of them rightly.
    """
    with connected(as_json) as (client, terminal):
        number = version or client.call("GET", f"/models/{model}")["latest_version"]
        answer = client.call("GET", f"/models/{model}/versions/{number}/tradeoff")
        terminal.show(answer, *tables.tradeoff(answer))


@commands.command(
    epilog=examples_of("winnow evaluate may.csv --model tickets", "winnow evaluate s3://BUCKET/may.csv -m tickets --version 2")
)
def evaluate(
    *,
    file: Annotated[str, typer.Argument(metavar="FILE", help="Labelled examples: a local file to upload, or s3://BUCKET/KEY.")],
    model: Model,
    version: Annotated[int | None, typer.Option("--version", min=1, help="Measure this version instead of the live one.")] = None,
    text_column: TextColumn = None,
    label_column: LabelColumn = None,
    label_separator: LabelSeparator = None,
    subject_column: SubjectColumn = None,
    delimiter: Delimiter = None,
    encoding: Encoding = None,
    as_json: Json = False,
) -> None:
    """Measure a version on another labelled file, and show the evaluation.

    Texts that the version has learnt are left out. The id of the evaluation is for `winnow policy --evaluation`.
    """
    layout = said(text_column, delimiter, encoding, label_column, label_separator, subject_column=subject_column)
    with connected(as_json) as (client, terminal):
        number = version or client.call("GET", f"/models/{model}")["live_version"]
        if number is None:
            raise CommandError(f"No version of {model} is live: say which one to measure, with --version.")
        found = policies.evaluate(client, terminal, f"/models/{model}/versions/{number}/evaluations", file, layout)
        terminal.show(found, *tables.evaluation_by_id(found, number))


@commands.command(
    epilog=examples_of(
        "winnow policy tickets",
        "winnow policy tickets --min-precision 0.95",
        "winnow policy tickets --wrong 10 --refused 1",
        "winnow policy tickets --threshold billing=0.9 --threshold refund=0.8",
        "winnow policy tickets --none",
    )
)
def policy(
    *,
    model: Annotated[str, typer.Argument(metavar="ID", callback=model_id, help="The model's id.")],
    min_precision: Annotated[
        float | None, typer.Option(metavar="SHARE", help="Promise that at least this share of the answered texts is right.")
    ] = None,
    wrong: Annotated[float | None, typer.Option(metavar="COST", help="What a wrong answer costs; needs --refused.")] = None,
    refused: Annotated[float | None, typer.Option(metavar="COST", help="What a text without an answer costs; needs --wrong.")] = None,
    threshold: Annotated[
        list[str] | None, typer.Option(metavar="LABEL=SCORE", help="Accept this label from this score on. Repeat it for more labels.")
    ] = None,
    evaluation: Annotated[
        str | None, typer.Option(metavar="ID", help="Choose the threshold on the examples of this evaluation (`winnow evaluate`).")
    ] = None,
    none: Annotated[bool, typer.Option("--none", help="Return to each version's own thresholds.")] = False,
    as_json: Json = False,
) -> None:
    """Show what a model accepts, or change it at once, without a training."""
    aim = policies.aim(min_precision, wrong, refused, threshold or [], evaluation)
    if none and aim:
        raise UsageError("--none ends the policy, so leave out the other options.")
    with connected(as_json) as (client, terminal):
        path = f"/models/{model}/policy"
        answer = client.call("DELETE", path) if none else client.call("PUT", path, aim) if aim else client.call("GET", path)
        terminal.show(answer, *tables.policy(answer))
