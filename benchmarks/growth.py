"""`make bench-growth`: how the cost of a prediction grows with the labels of a model, and with the models of an execution environment.

The data sets are generated from a seed: each text has some words of its label and more common words. The models are trained through
the API of a local cloud (cnn for one epoch, because that doesn't change the cost of its predictions) and asked in rounds, in fresh
processes (benchmarks/contestants.py). The models in one environment use `linear` with 77 labels and are asked in turn. Seconds are
CPU time; figures are medians over the rounds. Both figures go to docs/figures.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import statistics
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import contestants
from benchmarks.contestants import Contestant, Told
from local.cloud import PROJECT, LocalCloud
from local.server import CloudError
from winnow.evaluation.svg import BLUE, GREY, GRID, MUTED, ORANGE, WIDTH, dot, drawing, line, text
from winnow_cli.client import ApiError, Client

RECIPES: Mapping[str, Mapping[str, Any]] = {name: contestants.RECIPES[name] for name in ("linear", "cnn", "best")}
COLORS = {"linear": BLUE, "cnn": ORANGE, "best": GREY}
FIGURES = PROJECT / "docs" / "figures"
_OWN, _COMMON = 12, 3_000
_LABELS_OF_MANY = 77

type Row = tuple[int, Sequence[float | None]]
"""The number of labels or models, and their figures; None if one doesn't apply."""


@dataclass(frozen=True)
class Column:
    """A measure, with its name in the table and the plots. factor: from the figures to the unit."""

    name: str
    factor: float = 1

    def of(self, value: float | None) -> float | None:
        return None if value is None else self.factor * value


OF_LABELS = (Column("artifact, MB", 1e-6), Column("cold, s"), Column("warm, one text, ms", 1e3), Column("memory at most, MB", 1e-6))
OF_MODELS = (Column("first answer of a model, ms", 1e3), Column("warm, one text, ms", 1e3), Column("memory at most, MB", 1e-6))


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench-growth", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="the number of fresh processes of each (5)")
    parser.add_argument("--labels", type=int, nargs="*", default=[10, 77, 150, 1_000], help="numbers of labels (10 77 150 1000)")
    parser.add_argument("--models", type=int, nargs="*", default=[1, 10, 100], help="numbers of models in one environment (1 10 100)")
    parser.add_argument("--texts", type=int, default=200, help="the number of single texts for each process, after the first (200)")
    parser.add_argument("--examples", type=int, default=20, help="examples per label (20)")
    parser.add_argument("--only", nargs="+", choices=RECIPES, default=list(RECIPES))
    parser.add_argument("--figures", type=Path, default=FIGURES, help="the folder for the figures (docs/figures)")
    arguments = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory() as folder, LocalCloud(Path(folder), port=None) as cloud:
            cloud.deploy()
            if arguments.labels:
                _by_labels(cloud, arguments)
            if arguments.models:
                _by_models(cloud, arguments)
    except (CloudError, ApiError, TimeoutError) as error:
        print(f"winnow: {error}", file=sys.stderr)
        return 1
    return 0


def _by_labels(cloud: LocalCloud, arguments: argparse.Namespace) -> None:
    asked: list[tuple[str, int, str, int, Contestant]] = []
    for labels in arguments.labels:
        content = _dataset(labels, arguments.examples)
        for recipe in arguments.only:
            _say(f"training {recipe} with {labels} labels")
            before = _artifact_bytes(cloud)
            model = f"{recipe}-{labels}"
            contestants.train(cloud, model, content, recipe=recipe, **RECIPES[recipe])
            asked.append((recipe, labels, model, _artifact_bytes(cloud) - before, contestants.of_recipe(cloud, recipe)))
    told: dict[str, list[Told]] = {model: [] for _, _, model, _, _ in asked}
    for number in range(arguments.rounds + 1):
        _say(f"round {number} of {arguments.rounds}" if number else "warming the page cache")
        for _, labels, model, _, contestant in asked:
            events = [contestants.event(model, [each]) for each in _texts(labels, 1 + (arguments.texts if number else 0))]
            once = contestants.ask(contestant, events)
            if number:
                told[model].append(once)
    series: dict[str, list[Row]] = {recipe: [] for recipe in arguments.only}
    for recipe, labels, model, size, _ in asked:
        cold, most = (statistics.median(getattr(each, name) for each in told[model]) for name in ("cold", "most"))
        warm = statistics.median(statistics.median(each.seconds(1, len(each.answers))) for each in told[model])
        series[recipe].append((labels, (size, cold, warm, most)))
    about = f"{arguments.examples} generated training texts per label; medians of {arguments.rounds} processes"
    _show("labels", about, OF_LABELS, series, arguments.figures)


def _by_models(cloud: LocalCloud, arguments: argparse.Namespace) -> None:
    names = [f"many-{number:03}" for number in range(max(arguments.models))]
    _train_many(cloud, names, arguments.examples)
    contestant = contestants.of_recipe(cloud, "linear")
    contestants.ask(contestant, [contestants.event(names[0], ["warm"])])
    told: dict[int, list[Told]] = {number: [] for number in arguments.models}
    for turn in range(arguments.rounds):
        _say(f"round {turn + 1} of {arguments.rounds}")
        for number in arguments.models:
            # The first answer of a process is its cold start. The first answers of the models come after it.
            asked = max(arguments.texts, 3 * number)
            texts = _texts(_LABELS_OF_MANY, 1 + number + asked)
            order = [names[0], *(names[place % number] for place in range(1, number + asked + 1))]
            events = [contestants.event(name, [each]) for name, each in zip(order, texts, strict=True)]
            told[number].append(contestants.ask(contestant, events))
    rows: list[Row] = []
    for number, found in told.items():
        # With only one model, its first answer is the cold start.
        first = statistics.median(statistics.median(each.seconds(1, number)) for each in found) if number > 1 else None
        warm = statistics.median(statistics.median(each.seconds(number, len(each.answers))) for each in found)
        rows.append((number, (first, warm, statistics.median(each.most for each in found))))
    about = f"linear, {_LABELS_OF_MANY} labels, asked in turn in one environment; medians of {arguments.rounds} processes"
    _show("models", about, OF_MODELS, {"linear": rows}, arguments.figures)


def _train_many(cloud: LocalCloud, names: Sequence[str], examples: int) -> None:
    """Train the models four at a time."""
    deployed = cloud.environment()
    client = Client(deployed["WINNOW_URL"], deployed["WINNOW_API_KEY"])
    dataset = client.upload("many.jsonl", _dataset(_LABELS_OF_MANY, examples))
    for start in range(0, len(names), 4):
        _say(f"training models {start + 1} to {min(start + 4, len(names))} of {len(names)}")
        together = names[start : start + 4]
        for number, name in enumerate(together, start):
            # Each model needs a different artifact, because equal artifacts share a file in /tmp.
            client.train(name, dataset, recipe="linear", seed=number)
        for name in together:
            version = client.wait(name)["version"]
            if version["status"] != "ready":
                raise CloudError(f"the training of {name} has the status {version['status']}: {version['error']}")


def _dataset(labels: int, examples: int) -> bytes:
    chance = random.Random(labels)
    own, common = _vocabulary(labels)
    rows = [{"text": _text(chance, own[label], common), "label": f"label-{label:04}"} for label in range(labels) for _ in range(examples)]
    return "\n".join(map(json.dumps, rows)).encode()


def _texts(labels: int, number: int) -> list[str]:
    """Texts that the models were not trained on."""
    chance = random.Random(-labels)
    own, common = _vocabulary(labels)
    return [_text(chance, chance.choice(own), common) for _ in range(number)]


def _vocabulary(labels: int) -> tuple[list[list[str]], list[str]]:
    """The words of each label, and the common words."""
    chance = random.Random(0)
    common = [_word(chance) for _ in range(_COMMON)]
    return [[_word(chance) for _ in range(_OWN)] for _ in range(labels)], common


def _text(chance: random.Random, own: Sequence[str], common: Sequence[str]) -> str:
    """About twelve words, as in Banking77. The first common words are the most frequent."""
    words = chance.choices(own, k=chance.randrange(2, 5)) + [common[int(len(common) * chance.random() ** 3)] for _ in range(9)]
    chance.shuffle(words)
    return " ".join(words)


def _word(chance: random.Random) -> str:
    return "".join(chance.choice("bcdfghklmnprstvw") + chance.choice("aeiou") for _ in range(chance.randrange(2, 4)))


def _artifact_bytes(cloud: LocalCloud) -> int:
    """The bytes of all artifacts together."""
    pages = cloud.client("s3").get_paginator("list_objects_v2").paginate(Bucket=cloud.outputs()["ModelsBucket"])
    return sum(each["Size"] for page in pages for each in page.get("Contents", ()) if "/artifact/" in each["Key"])


def _show(what: str, about: str, columns: Sequence[Column], series: Mapping[str, Sequence[Row]], figures: Path) -> None:
    """Prints a Markdown table and writes the figure."""
    print(f"\n| recipe | {what} | " + " | ".join(column.name for column in columns) + " |\n| --- |" + " ---: |" * (1 + len(columns)))
    for recipe, rows in series.items():
        for number, values in rows:
            shown = [_number(column.of(value)) for value, column in zip(values, columns, strict=True)]
            print(f"| `{recipe}` | {number:,} | " + " | ".join(shown) + " |")
    print(f"\n{about}.", flush=True)
    figures.mkdir(parents=True, exist_ok=True)
    (figures / f"growth-by-{what}.svg").write_text(_drawn(what, about, columns, series), encoding="utf-8")


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


# --- the figure: one plot per column, two per row; the x axis is logarithmic, the y axis begins at 0 ---

_HEIGHT, _LEFT, _TOP, _GAP, _INSIDE = 200.0, 64.0, 118.0, 84.0, 296.0


def _drawn(what: str, about: str, columns: Sequence[Column], series: Mapping[str, Sequence[Row]]) -> str:
    parts = list(_legend(series))
    for place, column in enumerate(columns):
        left, top = _LEFT + (place % 2) * (WIDTH / 2), _TOP + (place // 2) * (_HEIGHT + _GAP)
        curves = {
            recipe: [(number, shown) for number, values in rows if (shown := column.of(values[place])) is not None]
            for recipe, rows in series.items()
        }
        numbers = sorted({number for rows in series.values() for number, _ in rows})
        parts += _plot((left, top), what, column.name, numbers, curves)
    rows_of_plots = math.ceil(len(columns) / 2)
    return drawing(_TOP + rows_of_plots * (_HEIGHT + _GAP) - 20, f"A prediction's cost by the number of {what}", f"{about}.", parts)


def _legend(series: Mapping[str, Sequence[Row]]) -> Iterator[str]:
    for place, recipe in enumerate(series):
        x = _LEFT + 110 * place
        yield line([(x, 80), (x + 28, 80)], COLORS[recipe], width=2)
        yield text(x + 36, 85, recipe)


def _plot(
    corner: tuple[float, float], what: str, name: str, numbers: Sequence[int], curves: Mapping[str, Sequence[tuple[int, float]]]
) -> Iterator[str]:
    left, top = corner
    ticks = _ticks(max((value for points in curves.values() for _, value in points), default=1.0))
    low, high = math.log(numbers[0]), math.log(numbers[-1])

    def x(number: int) -> float:
        return left + _INSIDE * ((math.log(number) - low) / (high - low) if high > low else 0.5)

    def y(value: float) -> float:
        return top + _HEIGHT * (1 - value / ticks[-1])

    yield text(left, top - 12, name, weight=600)
    for tick in ticks:
        yield line([(left, y(tick)), (left + _INSIDE, y(tick))], GRID)
        yield text(left - 8, y(tick) + 4, f"{tick:,g}", size=12, fill=MUTED, anchor="end")
    for number in numbers:
        yield text(x(number), top + _HEIGHT + 20, f"{number:,}", size=12, fill=MUTED, anchor="middle")
    yield text(left + _INSIDE / 2, top + _HEIGHT + 40, what, size=12, fill=MUTED, anchor="middle")
    for recipe, points in curves.items():
        yield line([(x(number), y(value)) for number, value in points], COLORS[recipe], width=2)
        for number, value in points:
            yield dot(x(number), y(value), COLORS[recipe], COLORS[recipe], hint=f"{recipe}, {number:,} {what}: {_number(value)}")


def _ticks(highest: float) -> list[float]:
    """Round steps from 0 to at least the highest value."""
    power = 10.0 ** math.floor(math.log10(highest / 4))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power * 4 >= highest * (1 - 1e-9))
    return [step * number for number in range(math.ceil(highest / step - 1e-9) + 1)]


def _say(sentence: str) -> None:
    print(f"  {sentence} …", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
