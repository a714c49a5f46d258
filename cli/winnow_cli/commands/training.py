"""Train, measure, and set what is accepted."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from winnow_cli import batches, policies, tables, training, versions
from winnow_cli.connection import connected
from winnow_cli.failures import UsageError
from winnow_cli.layout import said
from winnow_cli.options import (
    Batch,
    Delimiter,
    Encoding,
    Json,
    KeepUpload,
    LabelColumn,
    LabelSeparator,
    LatestVersion,
    Model,
    ModelArgument,
    Promotion,
    RareLabels,
    Recipe,
    SubjectColumn,
    TextColumn,
    examples_of,
)
from winnow_cli.terminal import line

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
    recipe: Annotated[Recipe | None, typer.Option(help="How the version is made (default: auto, the best of the others).")] = None,
    test: Annotated[
        str | None, typer.Option(metavar="FILE", help="Your own test set. Without it, part of the data set is held out.")
    ] = None,
    promote_when: Annotated[
        Promotion | None, typer.Option("--promote", help="When the version goes live; auto (default): when it is ready.")
    ] = None,
    force_update: Annotated[bool, typer.Option("--force-update", help="Train a new version of a known model, on this file alone.")] = False,
    text_column: TextColumn = None,
    label_column: LabelColumn = None,
    label_separator: LabelSeparator = None,
    subject_column: SubjectColumn = None,
    delimiter: Delimiter = None,
    encoding: Encoding = None,
    rare_labels: Annotated[
        RareLabels | None, typer.Option(help="Labels with a single text: drop them (default, with a warning) or refuse the data set.")
    ] = None,
    exclusive: Annotated[
        bool | None,
        typer.Option("--exclusive/--multilabel", help="Each text has exactly one label, or may have several (default: as in the file)."),
    ] = None,
    n_iter: Annotated[int | None, typer.Option(min=1, max=1000, help="Epochs.")] = None,
    n_texts: Annotated[int | None, typer.Option(min=4, help="Train on at most so many texts.")] = None,
    dropout: Annotated[float | None, typer.Option(min=0, max=0.9, help="The share of the network that each step leaves out.")] = None,
    batch_size: Annotated[int | None, typer.Option(min=1, max=1024, help="Texts in each step.")] = None,
    learn_rate: Annotated[float | None, typer.Option(help="How far each step goes.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="The same seed draws the same examples.")] = None,
    patience: Annotated[int | None, typer.Option(min=1, max=1000, help="Stop after so many epochs without a better score.")] = None,
    max_minutes: Annotated[float | None, typer.Option(help="Stop after so many minutes.")] = None,
    spacy_model: Annotated[str | None, typer.Option(metavar="CODE", help="The language, such as en or de.")] = None,
    min_precision: Annotated[
        float | None, typer.Option(min=0, max=1, metavar="SHARE", help="Accept labels so that at least this share of them is right.")
    ] = None,
    keep_texts: Annotated[
        bool | None, typer.Option("--keep-texts/--no-keep-texts", help="Whether the evaluation may have texts of examples.")
    ] = None,
    retrain_after: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Feedback trains a version when so many examples are pending.")
    ] = None,
    tolerance: Annotated[
        float | None, typer.Option(min=0, max=1, metavar="SHARE", help="How much worse a version from feedback may be and still go live.")
    ] = None,
    title: Annotated[str | None, typer.Option(help="The model's title.")] = None,
    tags: Annotated[list[str] | None, typer.Option("--tag", metavar="TAG", help="A tag of the model. Repeat it for more.")] = None,
    note: Annotated[str | None, typer.Option(help="A note on the new version.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only check the data set.")] = False,
    keep_upload: KeepUpload = False,
    watch: Annotated[bool, typer.Option("--watch", help="Wait for the training to end, and show the evaluation.")] = False,
    as_json: Json = False,
) -> None:
    """Train a model.

    The command checks the data set first and prints its problems to stderr.
    """
    if (file is None) == (labels is None):
        raise UsageError("Give either a data set or, if you have no examples yet, --labels FILE.")
    layout = said(text_column, delimiter, encoding, label_column, label_separator, subject_column=subject_column)
    named = {
        **{"recipe": recipe, "promote": promote_when, "rare_labels": rare_labels, "exclusive": exclusive, "n_iter": n_iter},
        **{"n_texts": n_texts, "dropout": dropout, "batch_size": batch_size, "learn_rate": learn_rate, "seed": seed},
        **{"patience": patience, "max_minutes": max_minutes, "spacy_model": spacy_model, "min_precision": min_precision},
        **{"keep_texts": keep_texts, "retrain_after": retrain_after, "tolerance": tolerance, "title": title, "tags": tags, "note": note},
    }
    fields = {**layout, **{name: value for name, value in named.items() if value is not None}}
    with connected(as_json) as (client, terminal):
        asked = training.Asked(model, file, labels, test, force_update, fields, keep_upload)
        training.train(client, terminal, asked, dry_run=dry_run, watch=watch)


@commands.command(
    epilog=examples_of(
        "winnow watch tickets",
        "winnow watch tickets --model-version 3 --json",
        "winnow watch tickets --batch 20260302T091641007-1a2b3c4d",
    )
)
def watch(
    *,
    model: ModelArgument,
    version: LatestVersion = None,
    batch: Batch = None,
    as_json: Json = False,
) -> None:
    """Wait for a training or a batch prediction that has begun, and show how it ends.

    Ctrl-C ends only the command.
    """
    if version and batch:
        raise UsageError("Give either --model-version or --batch.")
    with connected(as_json) as (client, terminal):
        if batch:
            batches.look(client, terminal, model, batch, watch=True, output=None)
        else:
            number = versions.latest(client, model, version)
            training.see_to_end(client, terminal, model, number, {})


@commands.command(
    epilog=examples_of(
        "winnow cancel tickets", "winnow cancel tickets --model-version 3", "winnow cancel tickets --batch 20260302T091641007-1a2b3c4d"
    )
)
def cancel(
    *,
    model: ModelArgument,
    version: LatestVersion = None,
    batch: Batch = None,
    as_json: Json = False,
) -> None:
    """Stop a training, or a batch prediction."""
    if version and batch:
        raise UsageError("Give either --model-version or --batch.")
    with connected(as_json) as (client, terminal):
        if batch:
            answer = client.call("POST", f"/models/{model}/batches/{batch}/cancel")
            terminal.show(answer, line(f"Batch {batch} of {model} is cancelled."))
            return
        number = versions.latest(client, model, version)
        answer = client.call("POST", f"/models/{model}/versions/{number}/cancel")
        terminal.show(answer, line(f"The training of version {number} of {model} is cancelled."))


@commands.command(
    epilog=examples_of("winnow schedule tickets", 'winnow schedule tickets "cron(0 3 ? * SUN *)"', "winnow schedule tickets --off")
)
def schedule(
    *,
    model: ModelArgument,
    times: Annotated[
        str | None, typer.Argument(metavar="TIMES", help='When, in UTC: "rate(1 day)", or "cron(…)" as EventBridge Scheduler has it.')
    ] = None,
    off: Annotated[bool, typer.Option("--off", help="Train no more by the clock.")] = False,
    as_json: Json = False,
) -> None:
    """Show or set when a model trains by itself, if examples are pending then."""
    if off and times is not None:
        raise UsageError("Give either TIMES or --off.")
    with connected(as_json) as (client, terminal):
        path = f"/models/{model}"
        found = client.call("GET", path) if times is None and not off else client.call("PATCH", path, {"schedule": times})
        when = f"{found['schedule']}, next within the hour after {found['scheduled_for']}" if found["schedule"] else "no schedule"
        terminal.show({name: found[name] for name in ("model_id", "schedule", "scheduled_for")}, line(f"{model}: {when}."))


@commands.command(epilog=examples_of("winnow tradeoff tickets", "winnow tradeoff tickets --model-version 2 --json"))
def tradeoff(
    *,
    model: ModelArgument,
    version: LatestVersion = None,
    as_json: Json = False,
) -> None:
    """Show how many texts a version answers, and how many of those rightly.

    A higher threshold answers fewer texts, and more of them rightly.
    """
    with connected(as_json) as (client, terminal):
        number = versions.latest(client, model, version)
        answer = client.call("GET", f"/models/{model}/versions/{number}/tradeoff")
        terminal.show(answer, *tables.tradeoff(answer))


@commands.command(
    epilog=examples_of("winnow evaluate may.csv --model tickets", "winnow evaluate s3://BUCKET/may.csv -m tickets --model-version 2")
)
def evaluate(
    *,
    file: Annotated[str, typer.Argument(metavar="FILE", help="Labelled examples: a local file to upload, or s3://BUCKET/KEY.")],
    model: Model,
    version: Annotated[int | None, typer.Option("--model-version", min=1, help="Measure this version instead of the live one.")] = None,
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
        number = versions.live(client, model, version)
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
    model: ModelArgument,
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
