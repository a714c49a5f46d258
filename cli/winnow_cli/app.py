"""The command `winnow`: Winnow's API from a terminal or a script. docs/command-line.md lists its options and exit codes."""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import version as installed
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich.console import RenderableType

from winnow_cli import batches, forgetting, labelling, policies, prediction_log, tables, training
from winnow_cli import examples as listing
from winnow_cli import feedback as sending
from winnow_cli import prediction as classifying
from winnow_cli.client import ApiError, Client
from winnow_cli.failures import CommandError, ExitCode, UsageError, translated
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
    Retrain,
    SubjectColumn,
    TextColumn,
    Version,
    batch_id,
    model_id,
)
from winnow_cli.terminal import Terminal, line, plain, version_line

_RETRIES = 3

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _examples(*commands: str) -> str:
    r"""The end of a help text. The line with \b keeps the lines as they are."""
    return "\n".join(("\b", "Examples:", *(f"  {command}" for command in commands)))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code. A failure prints one line on stderr, never a traceback."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    try:
        code = app(args=arguments, prog_name="winnow", standalone_mode=False)
        sys.stdout.flush()
        return int(code or ExitCode.OK)
    except CommandError as error:
        return _end(str(error), error.code)
    except typer.TyperException as error:
        context = getattr(error, "ctx", None)
        return _end(f"{error.format_message()} ({context.command_path if context else 'winnow'} --help)", ExitCode.USAGE)
    except BrokenPipeError:
        # The reader of stdout has closed it, as `head` does. Python would report that again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.FAILED
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except Exception as error:  # an unexpected error prints no traceback either
        frame = error.__traceback__
        while frame and frame.tb_next:
            frame = frame.tb_next
        where = f"{frame.tb_frame.f_code.co_filename}:{frame.tb_lineno}" if frame else "?"
        described = f"{type(error).__name__}: {error} ({where})"
        return _end(f"Unexpected answer from the API, or a bug in this command: {described}", ExitCode.FAILED)


def _end(sentence: str, code: ExitCode) -> ExitCode:
    print(f"winnow: {plain(' '.join(sentence.split()))}", file=sys.stderr)
    return code


@contextmanager
def _connected(as_json: bool) -> Iterator[tuple[Client, Terminal]]:
    """A client for WINNOW_URL and WINNOW_API_KEY. API errors become errors of the command."""
    url, key = os.environ.get("WINNOW_URL", "").strip(), os.environ.get("WINNOW_API_KEY", "").strip()
    if not url or not key:
        missing = "WINNOW_URL" if not url else "WINNOW_API_KEY"
        raise UsageError(
            f"{missing} is not set. Set WINNOW_URL to a deployment's ApiUrl and WINNOW_API_KEY to one of its keys"
            " (after `make start`: set -a; . .local/env)."
        )
    if not re.match("https?://[^/]", url):
        raise UsageError(f"WINNOW_URL must begin with https:// or http://, but it is {url}.")
    if not (key.isascii() and key.isprintable()):
        raise UsageError("WINNOW_API_KEY contains a character that keys never have: copy the key again.")
    with translated(url):
        yield Client(url, key, retries=_RETRIES), Terminal(as_json)


@app.callback(
    invoke_without_command=True,
    epilog=_examples(
        "winnow train tickets.csv --model tickets --watch",
        'winnow predict --model tickets "I forgot my password"',
        "winnow COMMAND -h    (help for one command)",
    ),
)
def _winnow(
    context: typer.Context, version: Annotated[bool, typer.Option("--version", help="Show the version of this command.")] = False
) -> None:
    """Train text classifiers and classify texts, with the API of a Winnow deployment.

    Set WINNOW_URL to the deployment's URL and WINNOW_API_KEY to one of its keys.

    Exit codes: 0 success, 1 refused or failed, 2 wrong usage, 3 no answer (try again later), 130 interrupted.
    """
    if version:
        print(installed("winnow-cli"))
    elif context.invoked_subcommand is None:
        print(context.get_help())
        raise typer.Exit(ExitCode.USAGE)


@app.command(epilog=_examples("winnow models", "winnow models tickets --version 2"))
def models(
    *,
    model: Annotated[str | None, typer.Argument(metavar="ID", callback=model_id, help="Show only this model, with its versions.")] = None,
    version: Annotated[
        int | None, typer.Option("--version", min=1, help="Show the evaluation of this version instead of the latest.")
    ] = None,
    tag: Annotated[str | None, typer.Option(help="List only models with this tag.")] = None,
    as_json: Json = False,
) -> None:
    """List the models, or the versions of one model.

    With an ID, the command also shows the evaluation of the latest version.
    """
    if version and not model:
        raise UsageError("--version needs a model id: winnow models ID --version N")
    if tag and model:
        raise UsageError("--tag lists models: leave out the id.")
    with _connected(as_json) as (client, terminal):
        if not model:
            found = list(client.pages("/models", "models", {"tag": tag} if tag else {}))
            none = f"No model has the tag {tag}." if tag else "No models yet. Train one: winnow train FILE --model ID"
            terminal.show({"models": found}, tables.models(found) if found else line(none))
            return
        described = client.call("GET", f"/models/{model}")
        versions = list(client.pages(f"/models/{model}/versions", "versions"))
        shown: dict[str, Any] | None = described["version"]
        if version:
            shown = client.call("GET", f"/models/{model}/versions/{version}")
        evaluation = training.evaluation_of(client, f"/models/{model}/versions/{shown['version']}", shown) if shown else None
        parts: list[RenderableType] = [*tables.words(described), tables.versions(versions)]
        if shown:
            parts += [
                version_line(model, shown),
                *tables.words(shown),
                *([line(shown["error"], "red")] if shown["error"] else []),
                *tables.warnings(shown),
            ]
        terminal.show(
            {**described, "versions": versions, "evaluation": evaluation}, *parts, *(tables.evaluation(evaluation) if evaluation else ())
        )


@app.command(
    epilog=_examples(
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
    with _connected(as_json) as (client, terminal):
        asked = training.Asked(model, file, labels, test, recipe, promote_when, force_update, rare_labels, layout, note)
        training.train(client, terminal, asked, dry_run=dry_run, watch=watch)


@app.command(epilog=_examples('winnow predict --model tickets "I forgot my password"', "winnow predict --model tickets --json <texts.txt"))
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
    n_top: Annotated[int, typer.Option(min=1, max=1000, help="Labels per text.")] = 3,
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
    with _connected(as_json) as (client, terminal):
        more = {"model_id": model, "n_top": n_top} | ({"version": version} if version else {}) | ({"explain": True} if explain else {})
        classifying.predict(client, terminal, texts or file, text_column or [], more)


@app.command(epilog=_examples("winnow batch texts.csv --model tickets --output labels.csv", "winnow batch --model tickets --batch ID"))
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
        options = ", ".join(f"--{name.replace('_', '-')}" for name in more)
        raise UsageError(f"{options}: for new batches only, so leave this out with --batch ID.")
    with _connected(as_json) as (client, terminal):
        number = again or batches.start(client, terminal, model, str(file), more)
        batches.look(client, terminal, model, number, watch=watch, output=output)


@app.command(epilog=_examples("winnow promote 1 --model tickets"))
def promote(
    *,
    version: Annotated[int, typer.Argument(min=1, metavar="N", help="The number of the version to make live.")],
    model: Model,
    as_json: Json = False,
) -> None:
    """Make a version live, or roll back to an older one."""
    with _connected(as_json) as (client, terminal):
        before = client.call("GET", f"/models/{model}")["live_version"]
        answer = client.call("PUT", f"/models/{model}/live", {"version": version})
        was = "it was live before" if before == version else f"before: version {before}" if before else "before: none"
        terminal.show(answer, line(f"Version {version} of {model} is live ({was})."))


@app.command(epilog=_examples("winnow compare 1 2 --model tickets"))
def compare(
    *,
    version: Annotated[int, typer.Argument(min=1, metavar="N", help="The number of one version.")],
    to: Annotated[int, typer.Argument(min=1, metavar="M", help="The number of the other version.")],
    model: Model,
    as_json: Json = False,
) -> None:
    """Compare two versions on the same texts."""
    with _connected(as_json) as (client, terminal):
        answer = client.call("GET", f"/models/{model}/versions/{version}/compare", query={"to": str(to)})
        terminal.show(answer, *tables.comparison(answer))


@app.command(epilog=_examples("winnow suspects tickets --file tickets.csv", "winnow suspects tickets --version 2 --json"))
def suspects(
    *,
    model: Annotated[str, typer.Argument(metavar="ID", callback=model_id, help="The model's id.")],
    version: LatestVersion = None,
    file: Annotated[Path | None, typer.Option(help="The data set that the version was trained on, to show the texts.")] = None,
    as_json: Json = False,
) -> None:
    """List the examples whose labels look wrong, worst first.

    Labels that are nearly always called another one come before all others.
    """
    texts = texts_by_row(file) if file else {}
    with _connected(as_json) as (client, terminal):
        number = version or client.call("GET", f"/models/{model}")["latest_version"]
        answer = client.call("GET", f"/models/{model}/versions/{number}/suspects", query={"limit": "1000"})
        terminal.show(answer, *tables.suspects(answer, texts))


@app.command(
    epilog=_examples(
        "winnow examples tickets --label bug --predicted question",
        "winnow examples tickets --contains refund --limit 100",
        "winnow examples tickets --output examples.jsonl.gz    (all of them, for winnow train)",
    )
)
def examples(
    *,
    model: Annotated[str, typer.Argument(metavar="ID", callback=model_id, help="The model's id.")],
    version: LatestVersion = None,
    label: Annotated[str | None, typer.Option(help="Only examples that have this label.")] = None,
    predicted: Annotated[str | None, typer.Option(help="Only examples whose answer has this label.")] = None,
    wrong: Annotated[bool, typer.Option("--wrong", help="Only examples whose answer is wrong.")] = False,
    split: Annotated[str | None, typer.Option(help="Only train, test, or the number of a fold.")] = None,
    contains: Annotated[str | None, typer.Option(help="Only examples whose text has this.")] = None,
    sort: Annotated[str, typer.Option(help="row, score (the surest answers first) or margin (the least certain answers first).")] = "row",
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
    with _connected(as_json) as (client, terminal):
        if output:
            listing.save(client, terminal, model, version, output)
        else:
            query = {name: value for name, value in given.items() if value is not None}
            listing.show(client, terminal, model, version, {**query, "sort": sort}, most=limit)


@app.command(epilog=_examples("winnow errors tickets", "winnow errors tickets --label bug --limit 100"))
def errors(
    *,
    model: Annotated[str, typer.Argument(metavar="ID", callback=model_id, help="The model's id.")],
    version: LatestVersion = None,
    label: Annotated[str | None, typer.Option(help="Only examples that have this label.")] = None,
    predicted: Annotated[str | None, typer.Option(help="Only examples whose answer has this label.")] = None,
    limit: Limit = 20,
    as_json: Json = False,
) -> None:
    """Show the examples that are answered wrongly, the surest mistakes first."""
    query = {name: value for name, value in (("label", label), ("predicted", predicted)) if value is not None}
    with _connected(as_json) as (client, terminal):
        listing.show(client, terminal, model, version, {**query, "wrong": "true", "sort": "score"}, most=limit)


@app.command(epilog=_examples("winnow log tickets", "winnow log tickets --share 0.1 --days 30", "winnow log tickets --off"))
def log(
    *,
    model: Annotated[str, typer.Argument(metavar="ID", callback=model_id, help="The model's id.")],
    share: Annotated[float | None, typer.Option(help="The share of the texts to keep, above 0 and at most 1.")] = None,
    days: Annotated[int | None, typer.Option(help="The days until they are removed: 1, 7, 30 (default) or 90.")] = None,
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
    wanted = None if share is None else {"share": share, "days": days or 30}
    with _connected(as_json) as (client, terminal):
        prediction_log.show_or_set(client, terminal, model, wanted, change=off or wanted is not None)


@app.command(epilog=_examples("winnow tradeoff tickets", "winnow tradeoff tickets --version 2 --json"))
def tradeoff(
    *,
    model: Annotated[str, typer.Argument(metavar="ID", callback=model_id, help="The model's id.")],
    version: Annotated[int | None, typer.Option("--version", min=1, help="Use this version instead of the latest one.")] = None,
    as_json: Json = False,
) -> None:
    """Show how many texts a version answers, and how many of those rightly.

    A higher threshold answers fewer texts, and more of them rightly.
    """
    with _connected(as_json) as (client, terminal):
        number = version or client.call("GET", f"/models/{model}")["latest_version"]
        answer = client.call("GET", f"/models/{model}/versions/{number}/tradeoff")
        terminal.show(answer, *tables.tradeoff(answer))


@app.command(epilog=_examples("winnow evaluate may.csv --model tickets", "winnow evaluate s3://BUCKET/may.csv -m tickets --version 2"))
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
    with _connected(as_json) as (client, terminal):
        number = version or client.call("GET", f"/models/{model}")["live_version"]
        if number is None:
            raise CommandError(f"No version of {model} is live: say which one to measure, with --version.")
        found = policies.evaluate(client, terminal, f"/models/{model}/versions/{number}/evaluations", file, layout)
        terminal.show(found, *tables.evaluation_by_id(found, number))


@app.command(epilog=_examples("winnow drift tickets", "winnow drift tickets --day 2026-03-02"))
def drift(
    *,
    model: Annotated[str, typer.Argument(metavar="ID", callback=model_id, help="The model's id.")],
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Show so many days.")] = 30,
    day: Annotated[str | None, typer.Option(metavar="YYYY-MM-DD", help="Show the labels of this day.")] = None,
    as_json: Json = False,
) -> None:
    """Show whether a model's texts have changed, day by day, newest first. It needs a log: winnow log."""
    with _connected(as_json) as (client, terminal):
        answer = client.call("GET", f"/models/{model}/drift", query={"limit": str(limit)})
        if day is None:
            terminal.show(answer, *tables.drift(answer))
            return
        found = next((each for each in answer["days"] if each["day"] == day), None)
        if found is None:
            raise CommandError(f"{model} has no measured day {day} among the newest {limit}: --limit N looks further back.")
        terminal.show(found, *tables.drift_day(found))


@app.command(epilog=_examples("winnow history tickets", "winnow history tickets --limit 500 --json"))
def history(
    *,
    model: Annotated[str, typer.Argument(metavar="ID", callback=model_id, help="The model's id, also of a deleted model.")],
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Show so many entries.")] = 50,
    as_json: Json = False,
) -> None:
    """Show who did what to a model, newest first."""
    with _connected(as_json) as (client, terminal):
        answer = client.call("GET", f"/models/{model}/history", query={"limit": str(limit)})
        terminal.show(answer, *tables.history(answer))


@app.command(
    epilog=_examples(
        'winnow note "ask the support team first" --model tickets',
        'winnow note "with the tickets of February" --model tickets --version 2',
        'winnow note --model tickets --title "Tickets of the shop" --tag support --tag english',
        'winnow note "" --model tickets    (remove the note)',
    )
)
def note(
    *,
    text: Annotated[str | None, typer.Argument(metavar="TEXT", help="The note. An empty one removes the note.")] = None,
    model: Model,
    version: Annotated[int | None, typer.Option("--version", min=1, help="Write on this version instead of the model.")] = None,
    title: Annotated[str | None, typer.Option(help="The model's title. An empty one removes the title.")] = None,
    tags: Annotated[list[str] | None, typer.Option("--tag", help="A tag of the model. Repeat it for more: they replace all tags.")] = None,
    as_json: Json = False,
) -> None:
    """Write a note, a title or tags on a model, or a note on one of its versions."""
    about: dict[str, Any] = {} if title is None else {"title": title or None}
    about |= {"tags": [tag for tag in tags if tag]} if tags else {}
    words = about | ({} if text is None else {"note": text or None})
    if not words:
        raise UsageError("Give a note, --title or --tag.")
    if version and about:
        raise UsageError("A version has only a note: leave out --version to write a title or tags on the model.")
    with _connected(as_json) as (client, terminal):
        path = f"/models/{model}/versions/{version}" if version else f"/models/{model}"
        answer = client.call("PATCH", path, words)
        terminal.show(answer, *tables.words(answer))


@app.command(
    epilog=_examples(
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
    with _connected(as_json) as (client, terminal):
        path = f"/models/{model}/policy"
        answer = client.call("DELETE", path) if none else client.call("PUT", path, aim) if aim else client.call("GET", path)
        terminal.show(answer, *tables.policy(answer))


@app.command(
    epilog=_examples(
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
    with _connected(as_json) as (client, terminal):
        sending.send(client, terminal, model, file, {**layout, "retrain": retrain}, watch=watch)


@app.command(
    epilog=_examples(
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
    with _connected(as_json) as (client, terminal):
        sending.correct(client, terminal, model, [{"example": example, **what} for example in examples], retrain, watch=watch)


@app.command(
    epilog=_examples(
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
    with _connected(as_json) as (client, terminal):
        sending.change_labels(client, terminal, model, rename=_pairs("--label", label), merge=_pairs("--merge", merge), watch=watch)


def _pairs(option: str, given: Sequence[str] | None) -> list[tuple[str, str]]:
    """The labels before and after the sign of each value."""
    pairs = [(old, new) for old, _, new in (each.partition("=") for each in given or [])]
    if not all(old and new for old, new in pairs):
        raise UsageError(f"{option} needs two labels with = between them, such as {option} bug=defect.")
    return pairs


@app.command(epilog=_examples("winnow label tickets --file unlabelled.csv", "winnow label tickets    (go on, or beside others)"))
def label(
    *,
    model: Annotated[str, typer.Argument(metavar="ID", callback=model_id, help="The model's id.")],
    file: Annotated[
        str | None, typer.Option(metavar="FILE", help="Make a new queue of this file of texts first: a local file, or s3://BUCKET/KEY.")
    ] = None,
    retrain: Annotated[str | None, typer.Option(help="When to train on the answers: now (at the end), auto (default) or no.")] = None,
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
    with _connected(as_json) as (client, terminal):
        if file:
            labelling.make(client, terminal, model, file, layout)
        labelling.label(client, terminal, model, os.environ["WINNOW_URL"].strip(), retrain)


@app.command(epilog=_examples("winnow forget --subject customer-17", "winnow forget --texts texts.txt"))
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
    with _connected(as_json) as (client, terminal):
        answer = client.call("POST", "/forget", wanted)
        terminal.show(answer, *forgetting.begun(answer))


@app.command(epilog=_examples("winnow forgotten 20260302T091641007-1a2b3c4d"))
def forgotten(
    *,
    name: Annotated[str, typer.Argument(metavar="ID", help="The forgetting's id, as winnow forget prints it.")],
    as_json: Json = False,
) -> None:
    """Show how far a forgetting is, and in the end its receipt: what was touched, and what Winnow could not do."""
    with _connected(as_json) as (client, terminal):
        answer = client.call("GET", f"/forget/{quote(name, safe='')}")
        terminal.show(answer, *forgetting.receipt(answer))


@app.command()
def key(as_json: Json = False) -> None:
    """Show what your key may do.

    The API can't make keys. The operator of the deployment makes them: make key NAME=... ROLE=classify, predict or admin (docs/keys.md).
    """
    with _connected(as_json) as (client, terminal):
        role = _role(client)
        if role is None:
            terminal.show({"role": None})
            raise CommandError(
                "The key in WINNOW_API_KEY can't make any call: this deployment doesn't know it, or it has no role (docs/keys.md)."
            )
        may = {"classify": "classify", "predict": "classify and read", "admin": "classify, read, upload, train, promote and delete"}[role]
        terminal.show({"role": role}, line(f"The key in WINNOW_API_KEY has the role {role}: it may {may}."))


@app.command(epilog=_examples("winnow whoami", "winnow whoami --json"))
def whoami(as_json: Json = False) -> None:
    """Show the name and the limits of your key, and how much of them is used today."""
    with _connected(as_json) as (client, terminal):
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
