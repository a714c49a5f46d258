"""Where the command writes: results to stdout, and what goes on beside them to stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

# Of what goes to a file or another program no line is broken, and no column cut.
_WIDE = 1000


class Terminal:
    """stdout and stderr of the command. With `as_json` results are JSON, and nothing else goes to stdout."""

    def __init__(self, as_json: bool = False) -> None:
        self.as_json = as_json
        self.out = _console(stderr=False)
        self.aside = _console(stderr=True)

    def show(self, data: Any, *renderables: RenderableType) -> None:
        """A result: `data` as JSON on one line, else what a person reads."""
        if self.as_json:
            sys.stdout.write(json.dumps(data, ensure_ascii=False) + "\n")
            sys.stdout.flush()
            return
        _print(self.out, renderables)

    def say(self, *renderables: RenderableType) -> None:
        """What goes on, for whoever watches: not the result."""
        _print(self.aside, renderables)

    @contextmanager
    def progress(self, description: str) -> Iterator[Callable[[str, int], None]]:
        """A bar on a terminal, and nothing elsewhere. Gives what moves it: a stage and percent."""
        columns = TextColumn("{task.description:<11}", markup=False), BarColumn(40), TaskProgressColumn(), TimeElapsedColumn()
        with Progress(*columns, console=self.aside, disable=not self.aside.is_terminal) as bar:
            task = bar.add_task(description, total=100)
            yield lambda stage, percent: bar.update(task, description=stage, completed=percent)


def plain(text: object) -> str:
    """A text of somebody else's, on one line and without what a terminal would obey."""
    return "".join(character if character.isprintable() else " " for character in str(text))


def line(text: str, style: str = "") -> Text:
    """A line that is no markup, whatever it holds."""
    return Text(plain(text), style=style)


def version_line(model_id: str, version: Mapping[str, Any]) -> Text:
    """What a version is, in a line."""
    told = f"version {version['version']} of {model_id}: {version['recipe']}, {version['status']}"
    return line(told + (", live" if version["live"] else ""), "bold")


def _print(console: Console, renderables: Iterable[RenderableType]) -> None:
    for each in renderables:
        # The terminal breaks a line that is too long, so that what is copied from it is whole.
        console.print(each, soft_wrap=isinstance(each, Text))


def _console(*, stderr: bool) -> Console:
    console = Console(stderr=stderr, highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console = Console(stderr=stderr, highlight=False, markup=False, emoji=False, width=_WIDE)
    return console
