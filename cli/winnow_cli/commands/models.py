"""Look at models and their versions, and say something about them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import RenderableType

from winnow_cli import batches, figure_files, plots, tables, training, versions
from winnow_cli.connection import connected
from winnow_cli.failures import UsageError
from winnow_cli.options import Json, LatestVersion, Model, ModelArgument, Version, examples_of, model_id
from winnow_cli.terminal import line, version_line

commands = typer.Typer()


@commands.command(epilog=examples_of("winnow models", "winnow models tickets --model-version 2"))
def models(
    *,
    model: Annotated[str | None, typer.Argument(metavar="ID", callback=model_id, help="Show only this model, with its versions.")] = None,
    version: Annotated[
        int | None, typer.Option("--model-version", min=1, help="Show the evaluation of this version instead of the latest.")
    ] = None,
    tag: Annotated[str | None, typer.Option(help="List only models with this tag.")] = None,
    as_json: Json = False,
) -> None:
    """List the models, or the versions of one model.

    With an ID, the command also shows the evaluation of the latest version.
    """
    if version and not model:
        raise UsageError("--model-version needs a model id: winnow models ID --model-version N")
    if tag and model:
        raise UsageError("--tag lists models: leave out the id.")
    with connected(as_json) as (client, terminal):
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


@commands.command(epilog=examples_of("winnow delete tickets", "winnow delete tickets --yes", "winnow delete tickets --model-version 2"))
def delete(
    *,
    model: ModelArgument,
    version: Annotated[int | None, typer.Option("--model-version", min=1, help="Delete only this version. It must not be live.")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")] = False,
    as_json: Json = False,
) -> None:
    """Delete a model with all its versions, or one version. Your data sets stay. This can't be undone."""
    what = f"version {version} of {model}" if version else f"{model} with all its versions"
    if not yes:
        if not sys.stdin.isatty():
            raise UsageError(f"Nobody can be asked whether to delete {what}: add --yes.")
        typer.confirm(f"Delete {what}?", abort=True, err=True)
    with connected(as_json) as (client, terminal):
        path = f"/models/{model}/versions/{version}" if version else f"/models/{model}"
        answer = client.call("DELETE", path)
        goes_on = "" if answer["status"] == "deleted" else ", and its objects are being removed"
        terminal.show(answer, line(f"Deleted {what}{goes_on}."))


@commands.command(epilog=examples_of("winnow report tickets", "winnow report tickets --model-version 2 --json"))
def report(*, model: ModelArgument, version: LatestVersion = None, as_json: Json = False) -> None:
    """Show what the data set of a version holds, and every kind of problem in it."""
    with connected(as_json) as (client, terminal):
        number = versions.latest(client, model, version)
        answer = client.call("GET", f"/models/{model}/versions/{number}/report")
        found = answer["report"]
        parts = [*tables.problems(found, f"version {number} of {model}"), tables.label_counts(found["labels"])]
        if found["test_set"]:
            parts += tables.problems(found["test_set"], "its test set")
        terminal.show(answer, *parts)


@commands.command(epilog=examples_of("winnow figures tickets", "winnow figures tickets --output figures    (as SVG files)"))
def figures(
    *,
    model: ModelArgument,
    version: LatestVersion = None,
    output: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Save the pictures in this folder instead (SVG).")] = None,
    as_json: Json = False,
) -> None:
    """Draw how far the scores of a version can be trusted, and which labels it takes for one another."""
    with connected(as_json) as (client, terminal):
        number = versions.latest(client, model, version)
        path = f"/models/{model}/versions/{number}"
        if output is None:
            evaluation = client.call("GET", f"{path}/evaluation")
            calibration, confused = evaluation["calibration"], evaluation["confusion"]
            drawn = [*plots.reliability(calibration["after"], terminal.signs), line(""), *plots.confusion(confused, terminal.signs)]
            terminal.show({"model_id": model, "version": number, "calibration": calibration, "confusion": confused}, *drawn)
            return
        saved = figure_files.save(client, model, number, output)
        terminal.show({"model_id": model, "version": number, "files": list(map(str, saved))}, *(line(str(file)) for file in saved))


@commands.command(epilog=examples_of("winnow download tickets", "winnow download tickets --model-version 2 --output tickets.tar.gz"))
def download(
    *,
    model: ModelArgument,
    version: Version = None,
    output: Annotated[Path | None, typer.Option(help="The file (default: ID-N.tar.gz; - is stdout).")] = None,
    as_json: Json = False,
) -> None:
    """Download a version as a pipeline, which runs without Winnow's service (docs/predictions.md)."""
    with connected(as_json) as (client, terminal):
        number = versions.live(client, model, version)
        link = client.call("GET", f"/models/{model}/versions/{number}/artifact")
        file = output or Path(f"{model}-{number}.tar.gz")
        batches.download(client, link["url"], file)
        if str(file) != "-":
            # Deployments of earlier releases say no digest.
            digest = f" Its SHA-256 is {link['sha256']}." if "sha256" in link else ""
            terminal.show({**link, "file": str(file)}, line(f"Version {number} of {model} is saved in {file}.{digest}"))


@commands.command(epilog=examples_of("winnow promote 1 --model tickets"))
def promote(
    *,
    version: Annotated[int, typer.Argument(min=1, metavar="N", help="The number of the version to make live.")],
    model: Model,
    as_json: Json = False,
) -> None:
    """Make a version live, or roll back to an older one."""
    with connected(as_json) as (client, terminal):
        before = client.call("GET", f"/models/{model}")["live_version"]
        answer = client.call("PUT", f"/models/{model}/live", {"version": version})
        was = "it was live before" if before == version else f"before: version {before}" if before else "before: none"
        terminal.show(answer, line(f"Version {version} of {model} is live ({was})."))


@commands.command(epilog=examples_of("winnow compare 1 2 --model tickets"))
def compare(
    *,
    version: Annotated[int, typer.Argument(min=1, metavar="N", help="The number of one version.")],
    to: Annotated[int, typer.Argument(min=1, metavar="M", help="The number of the other version.")],
    model: Model,
    as_json: Json = False,
) -> None:
    """Compare two versions on the same texts."""
    with connected(as_json) as (client, terminal):
        answer = client.call("GET", f"/models/{model}/versions/{version}/compare", query={"to": str(to)})
        terminal.show(answer, *tables.comparison(answer))


@commands.command(epilog=examples_of("winnow history tickets", "winnow history tickets --limit 500 --json"))
def history(
    *,
    model: Annotated[str, typer.Argument(metavar="ID", callback=model_id, help="The model's id, also of a deleted model.")],
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Show so many entries.")] = 50,
    as_json: Json = False,
) -> None:
    """Show who did what to a model, newest first."""
    with connected(as_json) as (client, terminal):
        answer = client.call("GET", f"/models/{model}/history", query={"limit": str(limit)})
        terminal.show(answer, *tables.history(answer))


@commands.command(
    epilog=examples_of(
        'winnow note "ask the support team first" --model tickets',
        'winnow note "with the tickets of February" --model tickets --model-version 2',
        'winnow note --model tickets --title "Tickets of the shop" --tag support --tag english',
        'winnow note "" --model tickets    (remove the note)',
    )
)
def note(
    *,
    text: Annotated[str | None, typer.Argument(metavar="TEXT", help="The note. An empty one removes the note.")] = None,
    model: Model,
    version: Annotated[int | None, typer.Option("--model-version", min=1, help="Write on this version instead of the model.")] = None,
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
        raise UsageError("A version has only a note: leave out --model-version to write a title or tags on the model.")
    with connected(as_json) as (client, terminal):
        path = f"/models/{model}/versions/{version}" if version else f"/models/{model}"
        answer = client.call("PATCH", path, words)
        terminal.show(answer, *([*tables.words(answer)] or [line("Nothing is written.")]))
