"""Output of the command: results go to stdout, everything that is not a result to stderr."""

from __future__ import annotations

import codecs
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

# In a file or a pipe, no line is broken and no column is cut.
_WIDE = 1000


@dataclass(frozen=True, slots=True)
class Signs:
    """The characters of small plots. shades: from nothing to all. parts: of a cell, in equal steps up to the whole."""

    parts: str
    shades: str
    mark: str


BLOCKS = Signs("▏▎▍▌▋▊▉█", " ░▒▓█", "│")
PLAIN = Signs("#", " .:+#", "|")


LOOKALIKES = "winnow-lookalikes"
"""The error handler of streams that can't encode all characters: it writes similar ones, such as # for a block."""
_SIMILAR = str.maketrans(
    {
        "█": "#",
        "·": ".",
        "…": "...",
        "→": "->",
        "“": '"',
        "”": '"',
        "\u2018": "'",
        "\u2019": "'",
        "─": "-",
        "━": "-",
        "│": "|",
        "\u2013": "-",
    }
)


def _similar(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end].translate(_SIMILAR)
    return "".join(each if each.isascii() else "?" for each in text), error.end


codecs.register_error(LOOKALIKES, _similar)


class Terminal:
    """stdout and stderr of the command. With `as_json`, results are JSON and stdout gets nothing else."""

    def __init__(self, as_json: bool = False) -> None:
        self.as_json = as_json
        self.out = _console(stderr=False)
        self.aside = _console(stderr=True)
        can = self.out.is_terminal and not self.out.is_dumb_terminal and self.out.encoding.lower().startswith("utf")
        self.signs = BLOCKS if can else PLAIN

    def show(self, data: Any, *renderables: RenderableType) -> None:
        """Print a result to stdout: `data` as one line of JSON, or the renderables for people."""
        if self.as_json:
            # JSON has escapes for what another encoding lacks.
            whole = sys.stdout.encoding.lower().startswith("utf")
            sys.stdout.write(json.dumps(data, ensure_ascii=not whole) + "\n")
            sys.stdout.flush()
            return
        _print(self.out, renderables)

    def say(self, *renderables: RenderableType) -> None:
        """Print a message to stderr. It is not a result."""
        _print(self.aside, renderables)

    @contextmanager
    def progress(self, description: str) -> Iterator[Callable[[str, int], None]]:
        """A progress bar on a terminal, and nothing elsewhere. Yields a function that takes stage and percent."""
        columns = TextColumn("{task.description:<11}", markup=False), BarColumn(40), TaskProgressColumn(), TimeElapsedColumn()
        with Progress(*columns, console=self.aside, disable=not self.aside.is_terminal) as bar:
            task = bar.add_task(description, total=100)
            yield lambda stage, percent: bar.update(task, description=stage, completed=percent)


def plain(text: object) -> str:
    """Text from outside, on one line and without control characters."""
    return "".join(character if character.isprintable() else " " for character in str(text))


def line(text: str, style: str = "") -> Text:
    """A line of plain text. It is never read as markup."""
    return Text(plain(text), style=style)


def version_line(model_id: str, version: Mapping[str, Any]) -> Text:
    """A version in one line."""
    summary = f"version {version['version']} of {model_id}: {version['recipe']}, {version['status']}"
    return line(summary + (", live" if version["live"] else ""), "bold")


def _print(console: Console, renderables: Iterable[RenderableType]) -> None:
    for each in renderables:
        # The terminal wraps long lines itself, so that copied text has no extra line breaks.
        console.print(each, soft_wrap=isinstance(each, Text))


def _console(*, stderr: bool) -> Console:
    console = Console(stderr=stderr, highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console = Console(stderr=stderr, highlight=False, markup=False, emoji=False, width=_WIDE)
    return console
