"""Small files as people have them, each with what becomes of it. This module makes docs/tried-files.md:

PYTHONPATH=layers/winnow:. .venv/bin/python -m tests.support.tried_files
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.tool_exports import EXPORTS, REFUSED, SKIPPED
from winnow.datasets.formats import Reader
from winnow.datasets.report import Counting, Report
from winnow.datasets.row_problems import Problem
from winnow.domain.dataset import Ceilings, Example, Layout

DOCUMENT = Path(__file__).parents[2] / "docs" / "tried-files.md"
BEGIN, END = "<!-- tried files: made by tests/support/tried_files.py -->", "<!-- end -->"

HEAT, WATER, LIGHT = "heating", "water", "light"
TEXTS = {
    HEAT: ("The radiator stays cold", "No warm air since Monday", "The boiler makes a noise"),
    WATER: ("The tap drips all night", "Water on the kitchen floor", "The shower has no pressure"),
}
ROWS = [(text, label) for label, texts in TEXTS.items() for text in texts]
"""Six examples, three of each label. Unless a file says otherwise, this is what must be read."""


@dataclass(frozen=True)
class Tried:
    """A file, and what must be read from it.

    kind: the heading in the document. examples: text and labels as they must be learnt, in order; None for ROWS. refused: the sentence, if
    the file is refused. warns: the kinds of warnings, with their number. understood: members that the report must have.
    """

    kind: str
    what: str
    body: bytes
    name: str = "texts.csv"
    layout: dict[str, Any] = field(default_factory=dict)
    examples: Sequence[tuple[str, tuple[str, ...]]] | None = None
    refused: str | None = None
    warns: dict[str, int] = field(default_factory=dict)
    understood: dict[str, Any] = field(default_factory=dict)
    asked: dict[str, Any] = field(default_factory=dict)

    def expected(self) -> list[tuple[str, tuple[str, ...]]]:
        return [(text, (label,)) for text, label in ROWS] if self.examples is None else list(self.examples)


def read(tried: Tried) -> tuple[Reader, Report, list[Example]]:
    """Read it as a training does."""
    reader = Reader(io.BytesIO(tried.body), tried.name, Ceilings(), layout=Layout.of(tried.layout))
    counting = Counting(Ceilings(), **tried.asked)
    examples = [found for found in reader if counting.add(found) and isinstance(found, Example)]
    counting.separated = reader.separated
    report = counting.report()
    return reader, report, report.used(examples)


def table(*header: str, rows: Sequence[tuple[str, ...]] | None = None, by: str = ",", end: str = "\n", before: str = "") -> bytes:
    """A table with a header, and by default the six rows."""
    lines = [by.join(header), *(by.join(row) for row in (ROWS if rows is None else rows))]
    return (before + end.join(line for line in lines if line) + end).encode()


def documented() -> str:
    """The document's table."""
    from tests.support.people_files import TRIED  # noqa: PLC0415 # it imports this module

    lines: list[str] = []
    for kind in dict.fromkeys(tried.kind for tried in TRIED):
        lines += [f"## {kind}", "", "| file | result |", "| --- | --- |"]
        lines += [f"| {_cell(tried.what)} | {_cell(_result(tried))} |" for tried in TRIED if tried.kind == kind]
        lines.append("")
    lines += ["## Exports of tools, and other JSON", "", "Two examples each.", "", "| file | result |", "| --- | --- |"]
    lines += [f"| {_cell(what)} | {_cell(_result_of_export(body))} |" for what, body in _exports()]
    return "\n".join(lines).rstrip()


def _exports() -> list[tuple[str, bytes]]:
    return [(what, given[0]) for table in (EXPORTS, SKIPPED, REFUSED) for what, given in table.items()]


def _result_of_export(body: bytes) -> str:
    reader = Reader(io.BytesIO(body), "texts", Ceilings())
    found = list(reader)
    problems = [each for each in found if isinstance(each, Problem)]
    refused = next((problem.sentence for problem in problems if problem.kind.refuses), None)
    if refused:
        return f"refused: {refused}"
    skipped = f"; {len(problems)} skipped" if problems else ""
    return f"{len(found) - len(problems)} examples ({reader.format}){skipped}"


def _result(tried: Tried) -> str:
    if tried.refused:
        return f"refused: {tried.refused}"
    _, report, examples = read(tried)
    labels = {label for example in examples for label in example.labels}
    said = "".join(f"; {found.count} {found.kind}" for found in report.problems if found.kind in tried.warns)
    return f"{len(examples)} examples, {len(labels)} labels{said}"


def _cell(text: str) -> str:
    return text.replace("|", "&#124;").replace("<", "&lt;").replace("__", r"\_\_").replace("\n", " ")


def in_document() -> str:
    return DOCUMENT.read_text().partition(BEGIN)[2].partition(END)[0].strip()


if __name__ == "__main__":
    before, _, rest = DOCUMENT.read_text().partition(BEGIN)
    DOCUMENT.write_text(f"{before}{BEGIN}\n\n{documented()}\n\n{END}{rest.partition(END)[2]}")
