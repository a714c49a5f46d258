"""Look at labelled examples, correct them, and label more."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from winnow_cli import examples as listing
from winnow_cli import feedback as sending
from winnow_cli import labelling, tables, versions
from winnow_cli.connection import connected
from winnow_cli.failures import UsageError
from winnow_cli.files import texts_by_row
from winnow_cli.layout import said
from winnow_cli.options import (
    Delimiter,
    Encoding,
    Json,
    LabelColumn,
    LabelSeparator,
    LatestVersion,
    Limit,
    Model,
    ModelArgument,
    Retrain,
    Retraining,
    Sorting,
    SubjectColumn,
    TextColumn,
    examples_of,
)

commands = typer.Typer()


@commands.command(epilog=examples_of("winnow suspects tickets --file tickets.csv", "winnow suspects tickets --model-version 2 --json"))
def suspects(
    *,
    model: ModelArgument,
    version: LatestVersion = None,
    file: Annotated[Path | None, typer.Option(help="The data set that the version was trained on, to show the texts.")] = None,
    as_json: Json = False,
) -> None:
    """List the examples whose labels look wrong, worst first.

    Labels that are nearly always called another one come before all others.
    """
    texts = texts_by_row(file) if file else {}
    with connected(as_json) as (client, terminal):
        number = versions.latest(client, model, version)
        answer = client.call("GET", f"/models/{model}/versions/{number}/suspects", query={"limit": "1000"})
        terminal.show(answer, *tables.suspects(answer, texts))


@commands.command(
    epilog=examples_of(
        "winnow examples tickets --label bug --predicted question",
        "winnow examples tickets --contains refund --limit 100",
        "winnow examples tickets --output examples.jsonl.gz    (all of them, for winnow train)",
    )
)
def examples(
    *,
    model: ModelArgument,
    version: LatestVersion = None,
    label: Annotated[str | None, typer.Option(help="Only examples that have this label.")] = None,
    predicted: Annotated[str | None, typer.Option(help="Only examples whose answer has this label.")] = None,
    wrong: Annotated[bool, typer.Option("--wrong", help="Only examples whose answer is wrong.")] = False,
    split: Annotated[str | None, typer.Option(help="Only train, test, or the number of a fold.")] = None,
    contains: Annotated[str | None, typer.Option(help="Only examples whose text has this.")] = None,
    sort: Annotated[Sorting, typer.Option(help="The order; score: the surest answers first; margin: the least certain first.")] = "row",
    limit: Limit = 20,
    output: Annotated[
        Path | None, typer.Option(help="Save all examples in this file instead (JSON Lines; gzip if it ends in .gz, or is -, stdout).")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show the examples that a version learnt or was tested on.

    The answers are those of classifiers that had not learnt the example.
    """
    given = {"label": label, "predicted": predicted, "split": split, "contains": contains, "wrong": "true" if wrong else None}
    if output and any(given.values()):
        raise UsageError("--output saves all examples: leave out what chooses some of them.")
    with connected(as_json) as (client, terminal):
        if output:
            listing.save(client, terminal, model, version, output)
        else:
            query = {name: value for name, value in given.items() if value is not None}
            listing.show(client, terminal, model, version, {**query, "sort": sort}, most=limit)


@commands.command(epilog=examples_of("winnow errors tickets", "winnow errors tickets --label bug --limit 100"))
def errors(
    *,
    model: ModelArgument,
    version: LatestVersion = None,
    label: Annotated[str | None, typer.Option(help="Only examples that have this label.")] = None,
    predicted: Annotated[str | None, typer.Option(help="Only examples whose answer has this label.")] = None,
    limit: Limit = 20,
    as_json: Json = False,
) -> None:
    """Show the examples that are answered wrongly, the surest mistakes first."""
    query = {name: value for name, value in (("label", label), ("predicted", predicted)) if value is not None}
    with connected(as_json) as (client, terminal):
        listing.show(client, terminal, model, version, {**query, "wrong": "true", "sort": "score"}, most=limit)


@commands.command(
    epilog=examples_of(
        "winnow feedback corrections.csv --model tickets --retrain now --watch",
        "winnow feedback corrections.jsonl --model tickets    (lines with a prediction_id and a label)",
    )
)
def feedback(
    *,
    file: Annotated[str, typer.Argument(metavar="FILE", help="Labelled examples: a local file, or s3://BUCKET/KEY.")],
    model: Model,
    retrain: Retrain = "auto",
    text_column: TextColumn = None,
    label_column: LabelColumn = None,
    label_separator: LabelSeparator = None,
    subject_column: SubjectColumn = None,
    delimiter: Delimiter = None,
    encoding: Encoding = None,
    watch: Annotated[bool, typer.Option("--watch", help="Wait for the training to end, if one starts, and show the evaluation.")] = False,
    as_json: Json = False,
) -> None:
    """Send newly labelled examples.

    The next version is trained on these examples and on those of the live version.

    In JSON Lines (.jsonl), each line may have a prediction_id (see winnow predict --json) in place of a text, if the model keeps the text.
    """
    layout = said(text_column, delimiter, encoding, label_column, label_separator, subject_column=subject_column)
    with connected(as_json) as (client, terminal):
        sending.send(client, terminal, model, file, {**layout, "retrain": retrain}, watch=watch)


@commands.command(
    epilog=examples_of(
        "winnow correct 0f3a5b7c9d1e2f40 --label bug --model tickets",
        "winnow correct 0f3a5b7c9d1e2f40 1a2b3c4d5e6f7081 --drop --model tickets --retrain now --watch",
        "winnow correct 8c9dae0fb1c2d3e4 --keep --model tickets    (its labels are right)",
    )
)
def correct(
    *,
    examples: Annotated[
        list[str], typer.Argument(metavar="EXAMPLE...", help="The ids of examples, as examples, errors and suspects show them.")
    ],
    model: Model,
    labels: Annotated[
        list[str] | None, typer.Option("--label", metavar="LABEL", help="The right label. Repeat it if examples may have several.")
    ] = None,
    drop: Annotated[bool, typer.Option("--drop", help="Train the next version without these texts.")] = False,
    keep: Annotated[bool, typer.Option("--keep", help="The labels are right as they are: the examples are no suspects.")] = False,
    retrain: Retrain = "auto",
    watch: Annotated[bool, typer.Option("--watch", help="Wait for the training to end, if one starts, and show the evaluation.")] = False,
    as_json: Json = False,
) -> None:
    """Correct examples that the live version learnt, by their ids.

    The next version is trained with the corrections.
    """
    if [bool(labels), drop, keep].count(True) != 1:
        raise UsageError("Give one of --label LABEL, --drop and --keep.")
    if labels:
        what: dict[str, Any] = {"label": labels[0]} if len(labels) == 1 else {"labels": labels}
    else:
        what = {"drop": True} if drop else {"keep": True}
    with connected(as_json) as (client, terminal):
        sending.correct(client, terminal, model, [{"example": example, **what} for example in examples], retrain, watch=watch)


@commands.command(
    epilog=examples_of(
        "winnow rename --label bug=defect --model tickets --watch",
        "winnow rename --merge refund=billing --merge invoice=billing --model tickets",
    )
)
def rename(
    *,
    model: Model,
    label: Annotated[
        list[str] | None, typer.Option("--label", metavar="OLD=NEW", help="Give a label a new name. Repeat it for more.")
    ] = None,
    merge: Annotated[
        list[str] | None,
        typer.Option(
            "--merge", metavar="LABEL=INTO", help="Make this label a part of the other one, which may be new. Repeat it for more."
        ),
    ] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Wait for the training to end, and show the evaluation.")] = False,
    as_json: Json = False,
) -> None:
    """Rename or merge labels: train a version on the same examples with the new labels."""
    if not label and not merge:
        raise UsageError("Give --label OLD=NEW or --merge LABEL=INTO.")
    with connected(as_json) as (client, terminal):
        sending.change_labels(client, terminal, model, rename=_pairs("--label", label), merge=_pairs("--merge", merge), watch=watch)


def _pairs(option: str, given: Sequence[str] | None) -> list[tuple[str, str]]:
    """The labels before and after the sign of each value."""
    pairs = [(old, new) for old, _, new in (each.partition("=") for each in given or [])]
    if not all(old and new for old, new in pairs):
        raise UsageError(f"{option} needs two labels with = between them, such as {option} bug=defect.")
    return pairs


@commands.command(
    epilog=examples_of(
        "winnow label tickets --file unlabelled.csv",
        "winnow label tickets --from-log    (texts that were classified)",
        "winnow label tickets    (go on, or beside others)",
    )
)
def label(
    *,
    model: ModelArgument,
    file: Annotated[
        str | None, typer.Option(metavar="FILE", help="Make a new queue of this file of texts first: a local file, or s3://BUCKET/KEY.")
    ] = None,
    from_log: Annotated[
        bool, typer.Option("--from-log", help="Make a new queue of the texts that the model's log keeps first (see winnow log).")
    ] = False,
    retrain: Annotated[Retraining | None, typer.Option(help="When to train on the answers; now: at the end (default: auto).")] = None,
    text_column: TextColumn = None,
    delimiter: Delimiter = None,
    encoding: Encoding = None,
    as_json: Json = False,
) -> None:
    """Label the texts that help the model most, one after another.

    Number keys choose a label. Several people can label at the same time: nobody gets a text that another one has.
    """
    layout = said(text_column, delimiter, encoding)
    if layout and not file:
        raise UsageError("--text-column, --delimiter and --encoding are for --file FILE.")
    if file and from_log:
        raise UsageError("Give either --file FILE or --from-log.")
    with connected(as_json) as (client, terminal):
        if file or from_log:
            labelling.make(client, terminal, model, file, layout)
        labelling.label(client, terminal, model, os.environ["WINNOW_URL"].strip(), retrain)
