"""The options that several commands have, the checks of their values, and the examples of a help text."""

from __future__ import annotations

import re
from typing import Annotated, Literal

import typer

_ID = re.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_TAB = "\t"


def examples_of(*commands: str) -> str:
    r"""The end of a help text. The line with \b keeps the lines as they are."""
    return "\n".join(("\b", "Examples:", *(f"  {command}" for command in commands)))


def batch_id(value: str | None) -> str | None:
    if value is not None and not re.fullmatch("[A-Za-z0-9-]+", value):
        raise typer.BadParameter("a batch id has only letters, digits and dashes")
    return value


def dataset_name(values: list[str] | None) -> list[str] | None:
    for value in values or ():
        if not re.fullmatch("[A-Za-z0-9._-]+", value):
            raise typer.BadParameter("an upload has the name that `winnow datasets` shows")
    return values


def model_id(value: str | None) -> str | None:
    if value is not None and not _ID.fullmatch(value):
        raise typer.BadParameter("a model id has 1 to 64 letters, digits, dots, dashes or underscores, and begins with a letter or digit")
    return value


Json = Annotated[bool, typer.Option("--json", help="Print JSON to stdout, and nothing else.")]
Model = Annotated[str, typer.Option("--model", "-m", callback=model_id, metavar="ID", help="The model's id.")]
ModelArgument = Annotated[str, typer.Argument(metavar="ID", callback=model_id, help="The model's id.")]
Batch = Annotated[str | None, typer.Option("--batch", metavar="ID", callback=batch_id, help="A batch prediction instead of a training.")]
Recipe = Literal["auto", "linear", "light", "cnn", "sentence", "best", "zero-shot"]
Promotion = Literal["auto", "if-better", "never"]
RareLabels = Literal["drop", "refuse"]
Retraining = Literal["now", "auto", "no"]
Sorting = Literal["row", "score", "margin"]
Version = Annotated[int | None, typer.Option("--model-version", min=1, help="Use this version instead of the live one.")]
LatestVersion = Annotated[int | None, typer.Option("--model-version", min=1, help="Use this version instead of the latest one.")]
Retrain = Annotated[Retraining, typer.Option("--retrain", help="When to train on them; auto: when enough are pending.")]
Limit = Annotated[int, typer.Option("--limit", min=1, help="Show at most so many.")]


def _delimiter(value: str | None) -> str | None:
    """The character. A tab is hard to type in a shell."""
    value = _TAB if value in {"tab", r"\t"} else value
    if value is not None and value not in {",", ";", "|", _TAB}:
        raise typer.BadParameter("use one of , ; | or tab")
    return value


TextColumn = Annotated[
    list[str] | None,
    typer.Option("--text-column", metavar="NAME", help="The column of the text. Repeat it for more columns: their texts are joined."),
]
LabelColumn = Annotated[str | None, typer.Option("--label-column", metavar="NAME", help="The column of the labels.")]
LabelSeparator = Annotated[str | None, typer.Option("--label-separator", help="What is between several labels of a row.")]
SubjectColumn = Annotated[str | None, typer.Option("--subject-column", metavar="NAME", help="The column of the subjects.")]
Delimiter = Annotated[str | None, typer.Option("--delimiter", callback=_delimiter, help="What is between two columns: , ; | or tab.")]
Encoding = Annotated[Literal["utf-8", "utf-16", "windows-1252"] | None, typer.Option("--encoding", help="How the file is encoded.")]
KeepUpload = Annotated[bool, typer.Option("--keep-upload", help="Leave the upload in the bucket, also when it was read.")]
