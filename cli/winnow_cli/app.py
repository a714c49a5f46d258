"""The command `winnow`: Winnow's API from a terminal or a script. docs/command-line.md has its options and exit codes."""

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

import typer
from rich.console import RenderableType

from winnow_cli import batches, tables, training
from winnow_cli import feedback as sending
from winnow_cli import prediction as classifying
from winnow_cli.client import ApiError, Client
from winnow_cli.failures import CommandError, ExitCode, UsageError, translated
from winnow_cli.terminal import Terminal, line, plain, version_line

_RETRIES = 3
_ID = re.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out the command. Returns its exit code; what went wrong is one line on stderr, never a traceback."""
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
        # Whoever read has gone, as `head` does. Python would tell so once more at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.FAILED
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except Exception as error:  # what nobody thought of is no traceback either
        frame = error.__traceback__
        while frame and frame.tb_next:
            frame = frame.tb_next
        where = f"{frame.tb_frame.f_code.co_filename}:{frame.tb_lineno}" if frame else "?"
        told = f"{type(error).__name__}: {error} ({where})"
        return _end(f"an answer that the command doesn't understand, or an error of its own: {told}", ExitCode.FAILED)


def _end(sentence: str, code: ExitCode) -> ExitCode:
    print(f"winnow: {plain(' '.join(sentence.split()))}", file=sys.stderr)
    return code


@contextmanager
def _connected(as_json: bool) -> Iterator[tuple[Client, Terminal]]:
    """The API of WINNOW_URL, with the key of WINNOW_API_KEY; its errors are the command's."""
    url, key = os.environ.get("WINNOW_URL", "").strip(), os.environ.get("WINNOW_API_KEY", "").strip()
    if not url or not key:
        missing = "WINNOW_URL" if not url else "WINNOW_API_KEY"
        raise UsageError(
            f"{missing} is not set: a deployment's ApiUrl and a key of it are needed (after `make start`: set -a; . .local/env)"
        )
    if not re.match("https?://[^/]", url):
        raise UsageError(f"WINNOW_URL must begin with https:// or http://, not be {url}")
    if not (key.isascii() and key.isprintable()):
        raise UsageError("WINNOW_API_KEY has characters that no key has: copy it again")
    with translated(url):
        yield Client(url, key, retries=_RETRIES), Terminal(as_json)


def _batch_id(value: str | None) -> str | None:
    if value is not None and not re.fullmatch("[A-Za-z0-9-]+", value):
        raise typer.BadParameter("a batch's id has letters, digits and dashes")
    return value


def _model_id(value: str | None) -> str | None:
    if value is not None and not _ID.fullmatch(value):
        raise typer.BadParameter("a model's id has 1 to 64 letters, digits, dots, dashes or underscores, the first a letter or digit")
    return value


Json = Annotated[bool, typer.Option("--json", help="Write JSON to stdout, and nothing else.")]
Model = Annotated[str, typer.Option("--model", "-m", callback=_model_id, metavar="ID", help="The model.")]
Version = Annotated[int | None, typer.Option("--version", min=1, help="This version, and not the live one.")]


@app.callback(invoke_without_command=True)
def _winnow(
    context: typer.Context, version: Annotated[bool, typer.Option("--version", help="Tell the command's version.")] = False
) -> None:
    """Train text classifiers and classify with them, by the API of a Winnow deployment.

    The environment variables WINNOW_URL and WINNOW_API_KEY say which deployment, and with which key.

    Exit codes: 0 done, 1 refused or failed, 2 wrongly called, 3 no answer (try again later), 130 interrupted.
    """
    if version:
        print(installed("winnow-cli"))
    elif context.invoked_subcommand is None:
        print(context.get_help())
        raise typer.Exit(ExitCode.USAGE)


@app.command()
def models(
    *,
    model: Annotated[str | None, typer.Argument(metavar="[ID]", callback=_model_id, help="Only this one, with its versions.")] = None,
    version: Annotated[int | None, typer.Option("--version", min=1, help="The evaluation of this version, not of the latest.")] = None,
    as_json: Json = False,
) -> None:
    """List the models, or the versions of one.

    Of one it tells how good its latest version is, too.
    """
    if version and not model:
        raise UsageError("--version needs the id of a model: winnow models ID --version N")
    with _connected(as_json) as (client, terminal):
        if not model:
            found = list(client.pages("/models", "models"))
            terminal.show({"models": found}, tables.models(found) if found else line("No models yet: `winnow train FILE --model ID`."))
            return
        described = client.call("GET", f"/models/{model}")
        versions = list(client.pages(f"/models/{model}/versions", "versions"))
        shown: dict[str, Any] | None = described["version"]
        if version:
            shown = client.call("GET", f"/models/{model}/versions/{version}")
        evaluation = None
        if shown and shown["status"] == "ready":
            evaluation = client.call("GET", f"/models/{model}/versions/{shown['version']}/evaluation")
        parts: list[RenderableType] = [tables.versions(versions)]
        if shown:
            parts += [version_line(model, shown), *([line(shown["error"], "red")] if shown["error"] else [])]
        terminal.show(
            {**described, "versions": versions, "evaluation": evaluation}, *parts, *(tables.evaluation(evaluation) if evaluation else ())
        )


@app.command()
def train(
    *,
    file: Annotated[str, typer.Argument(metavar="FILE", help="The data set: a file, which is uploaded, or s3://BUCKET/KEY.")],
    model: Model,
    recipe: Annotated[str | None, typer.Option(help="auto (the default), linear, best, sentence or cnn.")] = None,
    test: Annotated[str | None, typer.Option(metavar="FILE", help="Your own test set, as FILE; else a part is held out.")] = None,
    promote_when: Annotated[str | None, typer.Option("--promote", help="When it goes live: auto (when ready), if-better or never.")] = None,
    force_update: Annotated[bool, typer.Option("--force-update", help="Train a new version of a model that exists.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what is wrong with the data set.")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Wait for the end, and tell how good the version is.")] = False,
    as_json: Json = False,
) -> None:
    """Train a model.

    The data set is looked over first, and what is wrong with it is told on stderr. With --watch the command sees the training to its end.
    """
    with _connected(as_json) as (client, terminal):
        asked = training.Asked(model, file, test, recipe, promote_when, force_update)
        training.train(client, terminal, asked, dry_run=dry_run, watch=watch)


@app.command()
def predict(
    *,
    model: Model,
    texts: Annotated[list[str] | None, typer.Argument(metavar="[TEXT]...", help="The texts; without them --file or stdin is read.")] = None,
    file: Annotated[Path | None, typer.Option(help="A file with a text on each line.")] = None,
    version: Version = None,
    n_top: Annotated[int, typer.Option(min=1, max=1000, help="So many labels of each text.")] = 3,
    explain: Annotated[
        bool, typer.Option("--explain", help="Colour the words by what they add to the first label; of linear versions.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Classify texts. With --json each gets a line of JSON, in order."""
    if texts and file:
        raise UsageError("give either texts or --file, not both")
    if not texts and not file and sys.stdin.isatty():
        raise UsageError("no text: give one, or --file, or pipe lines into the command")
    with _connected(as_json) as (client, terminal):
        more = {"model_id": model, "n_top": n_top} | ({"version": version} if version else {}) | ({"explain": True} if explain else {})
        classifying.predict(client, terminal, texts or file, more)


@app.command()
def batch(
    *,
    model: Model,
    file: Annotated[
        str | None, typer.Argument(metavar="[FILE]", help="JSON Lines or CSV: a file, which is uploaded, or s3://BUCKET/KEY.")
    ] = None,
    again: Annotated[
        str | None, typer.Option("--batch", metavar="ID", callback=_batch_id, help="Look at this one, and start none.")
    ] = None,
    version: Version = None,
    n_top: Annotated[int | None, typer.Option(min=1, max=100, help="So many labels of each text; 1 if not said.")] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Wait for the end.")] = False,
    output: Annotated[Path | None, typer.Option(help="Wait for the end, and download the result into this file.")] = None,
    as_json: Json = False,
) -> None:
    """Classify a whole file of texts.

    By the million if need be, as one batch prediction (docs/batches.md).
    """
    if (file is None) == (again is None):
        raise UsageError("give either a file of texts or, to look at one that was started, --batch ID")
    more = {name: value for name, value in (("n_top", n_top), ("version", version)) if value is not None}
    if again and more:
        raise UsageError("--n-top and --version are for a batch that is started: leave them out with --batch ID")
    with _connected(as_json) as (client, terminal):
        batch_id = again or batches.start(client, terminal, model, str(file), more)
        batches.look(client, terminal, model, batch_id, watch=watch, output=output)


@app.command()
def promote(
    *,
    version: Annotated[int, typer.Argument(min=1, metavar="N", help="The number of the version.")],
    model: Model,
    as_json: Json = False,
) -> None:
    """Let a version answer, or roll back to one."""
    with _connected(as_json) as (client, terminal):
        before = client.call("GET", f"/models/{model}")["live_version"]
        answer = client.call("PUT", f"/models/{model}/live", {"version": version})
        told = f"version {version} of {model} answers from now on"
        was = "it did before" if before == version else f"before it was version {before}" if before else "none did before"
        terminal.show(answer, line(f"{told}; {was}"))


@app.command()
def compare(
    *,
    version: Annotated[int, typer.Argument(min=1, metavar="N", help="The number of a version.")],
    to: Annotated[int, typer.Argument(min=1, metavar="M", help="The number of the other one.")],
    model: Model,
    as_json: Json = False,
) -> None:
    """Compare two versions on the same texts."""
    with _connected(as_json) as (client, terminal):
        answer = client.call("GET", f"/models/{model}/versions/{version}/compare", query={"to": str(to)})
        terminal.show(answer, *tables.comparison(answer))


@app.command()
def feedback(
    *,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Labelled examples: a JSON array, JSON Lines, or CSV with a header.")],
    model: Model,
    retrain: Annotated[str, typer.Option(help="When they are trained on: now, auto (when enough wait) or no.")] = "auto",
    watch: Annotated[bool, typer.Option("--watch", help="Wait for a training that begins, and tell how good the version is.")] = False,
    as_json: Json = False,
) -> None:
    """Send newly labelled examples.

    Out of them, and what the live version was trained on, a better version can be made.
    """
    with _connected(as_json) as (client, terminal):
        sending.send(client, terminal, model, file, retrain, watch=watch)


@app.command()
def key(as_json: Json = False) -> None:
    """Tell what the key in use may do.

    Keys are made by whoever operates the deployment, not by the API: make key NAME=... ROLE=predict or admin (docs/keys.md).
    """
    with _connected(as_json) as (client, terminal):
        role = _role(client)
        if role is None:
            terminal.show({"role": None})
            raise CommandError(
                "the key in WINNOW_API_KEY may call nothing: this deployment doesn't know it, or it has no role (docs/keys.md)"
            )
        may = {"predict": "classify and read", "admin": "classify, read, and upload, train, promote and delete"}[role]
        terminal.show({"role": role}, line(f"The key in WINNOW_API_KEY has the role {role}: it may {may}."))


def _role(client: Client) -> str | None:
    """The role of the key, by two calls that change nothing: a list, and an upload without a name, for which an admin gets 422."""
    if _status(client, "GET", "/models?limit=1") == 403:
        return None
    return "admin" if _status(client, "POST", "/datasets", {}) == 422 else "predict"


def _status(client: Client, method: str, path: str, body: Mapping[str, Any] | None = None) -> int:
    """What the API says to a call: 200, or 403 or 422. ApiError where it is anything else."""
    try:
        client.call(method, path, body)
    except ApiError as error:
        if error.status not in {403, 422}:
            raise
        return error.status
    return 200
