"""A report as SVG pictures: confusion, reliability, learning by epoch, and the learning curve by number of examples."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from winnow.domain.model import FIGURES
from winnow.evaluation.svg import BLUE, GREY, GRID, INK, MUTED, ORANGE, PAPER, WIDTH, cut, dot, drawing, length, line, mixed, rect, text

Report = Mapping[str, Any]
Scale = tuple[float, float]  # the positions of 0 and 1 on the paper

_MOST_BARS = 50
_MOST_DOTS = 60
_TOP = 84.0
_MARGIN = 24.0
_ROW = 24.0
# Bins with fewer answers than this say little.
_FEW = 5
_NAME_ROOM = 170.0
_FIFTHS = [(tenth / 10, f"{tenth / 10:g}") for tenth in range(0, 11, 2)]
# The two reliability curves: name in the report, name in the legend, color, and fill of the dots.
_CURVES = (("before", "before calibration", GREY, PAPER), ("after", "after calibration", BLUE, BLUE))
_FAINT = 0.28
_MOST_PAIRS = 50


def draw(report: Report) -> dict[str, str]:
    """The figures, by the names in FIGURES. report: from `evaluation_report`, with "epochs"."""
    return dict(zip(FIGURES, (confusion(report), reliability(report), learning(report), examples(report)), strict=True))


def confusion(report: Report) -> str:
    """Exclusive labels: the matrix, or the most frequent confusions if labels are many. Multilabel: the F1 of each label."""
    found = report["confusion"]
    if found is None:
        return _label_bars(report)
    return _matrix(found["labels"], found["matrix"]) if "matrix" in found else _top_confusions(found["top"][:_MOST_PAIRS], report)


def reliability(report: Report) -> str:
    """How often answers were right at each confidence, before and after calibration. Faint bars: the number of answers."""
    calibration = report["calibration"]
    across, up = (70.0, 550.0), (_TOP + 480, _TOP)
    parts = [*_grid(across, up, _FIFTHS, _FIFTHS, below="confidence", beside="share right")]
    bins = {name: [each for each in calibration[name]["bins"] if each["count"]] for name, *_ in _CURVES}
    most = max(each["count"] for found in bins.values() for each in found)
    for place, (name, _, color, _) in enumerate(_CURVES):
        for each in bins[name]:
            tall, wide = 0.25 * (up[0] - up[1]) * each["count"] / most, (across[1] - across[0]) * (each["to"] - each["from"]) / 2 - 2
            hint = f"{name}: {each['count']:,} from {each['from']} to {each['to']}"
            left = _at(across, each["from"]) + 1 + place * (wide + 2)
            parts.append(rect(left, up[0] - tall, wide, tall, mixed(color, _FAINT), hint=hint))
    parts.append(line([(across[0], up[0]), (across[1], up[1])], MUTED, dashes="5 5"))
    for name, _, color, fill in _CURVES:
        points = [(_at(across, each["confidence"]), _at(up, each["accuracy"]), each["count"]) for each in bins[name]]
        parts.append(line([(x, y) for x, y, count in points if count >= _FEW], color, width=2))
        for x, y, count in points:
            parts.append(dot(x, y, color, fill, hint=f"{name}: of {count:,} answers", radius=4 if count >= _FEW else 1.5))
    parts += _reliability_legend(across[1] + 32, _TOP + 16, {name: calibration[name]["ece"] for name in bins}, most)
    about = "How often answers were right at each confidence, in ten bins. ECE: the mean gap between the two."
    return drawing(up[0] + 62, "Reliability", about, parts)


def learning(report: Report) -> str:
    """By epoch: the mean loss per text, and below it the score on held-out training examples."""
    losses = _by_epoch(report, "loss")
    if not losses:
        return drawing(_TOP + 20, "Learning", "This training has no recorded losses.", [])
    scores = _by_epoch(report, "score")
    epochs = max(2, report["epochs"][-1]["epoch"])
    highest = _ticks(max(loss for _, loss in losses))
    ticks = [(tick / highest[-1], f"{tick:g}") for tick in highest]
    parts = _curve([(epoch, loss / highest[-1], loss) for epoch, loss in losses], epochs, (_TOP + 250, _TOP), ticks, named=("loss", BLUE))
    about = f"Mean loss of a training text: {losses[0][1]:.4g} in the first epoch, {losses[-1][1]:.4g} in the last."
    bottom = _TOP + 250
    if scores:
        bottom += 330
        shares = [(epoch, score, score) for epoch, score in scores]
        parts += _curve(shares, epochs, (bottom, bottom - 250), _FIFTHS, named=("score", ORANGE))
        about += f" Score on held-out texts: {scores[-1][1]:.3f}."
    return drawing(bottom + 62, "Learning", about, parts)


def examples(report: Report) -> str:
    """The learning curve: accuracy by the number of learnt examples, with 95 % intervals."""
    curve = report.get("learning_curve")
    if curve is None:
        return drawing(
            _TOP + 20, "Learning curve", "This training has no learning curve: large data sets and the recipe cnn have none.", []
        )
    across, up, points = (82.0, WIDTH - 36.0), (_TOP + 360, _TOP), curve["points"]
    # Each point has about twice the examples of the one before.
    shares = [_logarithmic(point["examples"], points[0]["examples"], points[-1]["examples"]) for point in points]
    columns = [(share, f"{point['examples']:,}") for share, point in zip(shares, points, strict=True)]
    parts = [*_grid(across, up, columns, _FIFTHS, below="learnt examples", beside="accuracy")]
    places = [_at(across, share) for share in shares]
    for end in (0, 1):
        ends = [(x, _at(up, point["interval"][end])) for x, point in zip(places, points, strict=True)]
        parts.append(line(ends, MUTED, dashes="5 5"))
    parts.append(line([(x, _at(up, point["accuracy"])) for x, point in zip(places, points, strict=True)], BLUE, width=2))
    for x, point in zip(places, points, strict=True):
        low, high = point["interval"]
        parts.append(line([(x, _at(up, low)), (x, _at(up, high))], BLUE))
        hint = f"{point['examples']:,} learnt examples: accuracy {point['accuracy']:.3f}, 95 % interval {low:.3f} to {high:.3f}"
        parts.append(dot(x, _at(up, point["accuracy"]), BLUE, BLUE, hint=hint))
    # One sentence in two lines: it is too wide for one.
    for place, words in enumerate(curve["conclusion"].split(": ")):
        parts.append(text(across[0], up[0] + 84 + 20 * place, words, weight=400 if place else 600))
    about = "Accuracy on held-out texts by the number of learnt examples. Dashed: 95 % intervals."
    return drawing(up[0] + 130, "Learning curve", about, parts)


def _logarithmic(value: int, low: int, high: int) -> float:
    return math.log(value / low) / math.log(high / low)


def _by_epoch(report: Report, name: str) -> list[tuple[int, float]]:
    return [(each["epoch"], each[name]) for each in report.get("epochs", ()) if each.get(name) is not None]


def _curve(
    shares: Sequence[tuple[int, float, float]], epochs: int, up: Scale, rows: Sequence[tuple[float, str]], *, named: tuple[str, str]
) -> list[str]:
    """shares: the number, height (0 to 1) and value of each epoch. named: the name and color of the values."""
    name, color = named
    across = (82.0, WIDTH - 36.0)
    step = 1 if epochs <= 12 else round(_ticks(epochs)[1])
    columns = [((epoch - 1) / (epochs - 1), str(epoch)) for epoch in sorted({1, *range(step, epochs + 1, step)})]
    points = [(_at(across, (epoch - 1) / (epochs - 1)), _at(up, share)) for epoch, share, _ in shares]
    parts = [*_grid(across, up, columns, rows, below="epoch", beside=name), line(points, color, width=2)]
    if len(shares) <= _MOST_DOTS:
        hints = (f"epoch {epoch}: {name} {value:g}" for epoch, _, value in shares)
        parts += [dot(x, y, color, color, hint=hint) for (x, y), hint in zip(points, hints, strict=True)]
    return parts


def _reliability_legend(x: float, y: float, errors: Mapping[str, float], most: int) -> Iterator[str]:
    """errors: the ECE of each curve. most: the number of answers behind the tallest bar."""
    for name, words, color, fill in _CURVES:
        yield line([(x, y), (x + 28, y)], color, width=2)
        yield dot(x + 14, y, color, fill)
        yield text(x + 38, y + 5, words)
        yield text(x + 38, y + 24, f"ECE {errors[name]:.4f}", weight=600)
        y += 56
    yield line([(x, y), (x + 28, y)], MUTED, dashes="5 5")
    yield text(x + 38, y + 5, "ideal")
    for place, (_, _, color, _) in enumerate(_CURVES):
        yield rect(x + 15 * place, y + 24, 13, 16, mixed(color, _FAINT))
    yield text(x + 38, y + 37, "answers in a bin,")
    yield text(x + 38, y + 54, f"the tallest {most:,}")
    yield dot(x + 14, y + 77, BLUE, BLUE, radius=1.5)
    yield text(x + 38, y + 82, f"fewer than {_FEW} answers")


def _matrix(labels: Sequence[str], matrix: Sequence[Sequence[int]]) -> str:
    """Rows are true labels, columns are predictions. The shade is the share of the row."""
    slanted = len(labels) <= 20
    size = 12.0 if slanted else 9.5
    names = [cut(label, _NAME_ROOM - 30, size) for label in labels]
    room = max(length(name, size) for name in names) + 8
    left, right = _MARGIN + 22 + room, 0.75 * room if slanted else _MARGIN
    cell = min(60.0, (WIDTH - left - right) / len(labels))
    top = _TOP + 20 + room * (0.75 if slanted else 1)
    side = cell * len(labels)
    middle = (left + side / 2, top + side / 2)
    parts = [text(middle[0], _TOP + 4, "predicted", fill=MUTED, anchor="middle")]
    parts.append(text(_MARGIN + 12, middle[1], "truth", fill=MUTED, anchor="middle", turn=-90))
    parts += [line([(left, top + place * cell), (left + side, top + place * cell)], GRID) for place in range(len(labels) + 1)]
    parts += [line([(left + place * cell, top), (left + place * cell, top + side)], GRID) for place in range(len(labels) + 1)]
    for place, name in enumerate(names):
        along = (place + 0.5) * cell
        parts.append(text(left - 8, top + along + size / 3, name, size=size, anchor="end"))
        parts.append(text(left + along + size / 3, top - 7, name, size=size, turn=-45 if slanted else -90))
    for true, row in enumerate(matrix):
        for taken, count in enumerate(row):
            if count:
                x, y, share = left + taken * cell, top + true * cell, count / sum(row)
                color = _shade(BLUE if taken == true else ORANGE, share)
                hint = f"{labels[true]}, predicted as {labels[taken]}: {count:,} of {sum(row):,}"
                parts.append(rect(x + 0.5, y + 0.5, cell - 1, cell - 1, color, hint=hint))
                big = min(14.0, 0.66 * cell, 1.5 * cell / len(str(count)))
                ink = PAPER if share > 0.3 else INK
                parts.append(text(x + cell / 2, y + cell / 2 + big * 0.36, str(count), size=big, fill=ink, anchor="middle"))
    total, hits = sum(map(sum, matrix)), sum(row[place] for place, row in enumerate(matrix))
    about = f"{hits:,} of {total:,} held-out texts are right (blue), the others wrong (orange). The shade is the share of the row."
    return drawing(top + side + _MARGIN, "Confusion", about, parts)


def _top_confusions(top: Sequence[Report], report: Report) -> str:
    """Pairs of labels, the most frequent confusions first."""
    if not top:
        return drawing(_TOP + 20, "Most frequent confusions", "No text has a wrong label.", [])
    parts = []
    bars, longest = (2 * _NAME_ROOM + _MARGIN + 48, WIDTH - 110.0), max(each["count"] for each in top)
    for place, each in enumerate(top):
        y, count, support = _TOP + place * _ROW, each["count"], report["per_label"][each["truth"]]["support"]
        arrow = _MARGIN + _NAME_ROOM + 16
        # Three texts: in a single one, right-to-left names would change places.
        parts.append(text(arrow - 14, y + 14, cut(each["truth"], _NAME_ROOM, 12), size=12, anchor="end"))
        parts.append(text(arrow, y + 14, "→", size=12, fill=MUTED, anchor="middle"))
        parts.append(text(arrow + 14, y + 14, cut(each["predicted"], _NAME_ROOM, 12), size=12))
        hint = f"{each['truth']}, predicted as {each['predicted']}: {count:,} of {support:,}"
        end = _at(bars, count / longest)
        parts.append(rect(bars[0], y + 2, end - bars[0], _ROW - 8, _shade(ORANGE, count / max(1, support)), hint=hint))
        parts.append(text(end + 8, y + 14, f"{count:,} of {support:,}", size=12, fill=MUTED))
    about = "True label → predicted label, with the number of the true label's held-out texts. The shade is their share."
    return drawing(_TOP + len(top) * _ROW + _MARGIN, "Most frequent confusions", about, parts)


def _label_bars(report: Report) -> str:
    """The F1 of each multilabel label, the worst first."""
    measured = sorted(report["per_label"].items(), key=lambda item: (item[1]["f1"], item[0]))
    shown = measured[:_MOST_BARS]
    parts = []
    bars, bottom = (_MARGIN + _NAME_ROOM + 52, WIDTH - 150.0), _TOP + len(shown) * _ROW
    for tenth in range(0, 11, 2):
        x = _at(bars, tenth / 10)
        parts += [line([(x, _TOP - 4), (x, bottom)], GRID), text(x, bottom + 18, f"{tenth / 10:g}", size=12, fill=MUTED, anchor="middle")]
    for place, (label, each) in enumerate(shown):
        y = _TOP + place * _ROW
        hint = f"{label}: precision {each['precision']:.3f}, recall {each['recall']:.3f}, F1 {each['f1']:.3f}"
        parts.append(text(bars[0] - 10, y + 14, cut(label, _NAME_ROOM + 30, 12), size=12, anchor="end"))
        parts.append(rect(bars[0], y + 2, max(1.0, _at(bars, each["f1"]) - bars[0]), _ROW - 8, BLUE, hint=hint))
        parts.append(text(bars[1] + 12, y + 14, f"{each['f1']:.3f}", size=12))
        parts.append(text(WIDTH - _MARGIN, y + 14, f"of {each['support']:,} texts", size=12, fill=MUTED, anchor="end"))
    which = f"The {len(shown)} worst of {len(measured)} labels" if len(shown) < len(measured) else "All labels, the worst first"
    return drawing(bottom + 40, "F1 by label", f"{which}. F1: the harmonic mean of precision and recall; 1 is best.", parts)


def _grid(
    across: Scale, up: Scale, columns: Sequence[tuple[float, str]], rows: Sequence[tuple[float, str]], *, below: str, beside: str
) -> Iterator[str]:
    """The lines behind a plot, with their numbers and the axis names."""
    for share, number in columns:
        x = _at(across, share)
        yield line([(x, up[0]), (x, up[1])], GRID)
        yield text(x, up[0] + 20, number, size=12, fill=MUTED, anchor="middle")
    for share, number in rows:
        y = _at(up, share)
        yield line([(across[0], y), (across[1], y)], GRID)
        yield text(across[0] - 9, y + 4, number, size=12, fill=MUTED, anchor="end")
    yield text((across[0] + across[1]) / 2, up[0] + 44, below, fill=MUTED, anchor="middle")
    yield text(_MARGIN + 4, (up[0] + up[1]) / 2, beside, fill=MUTED, anchor="middle", turn=-90)


def _shade(color: str, share: float) -> str:
    """Darker for a larger share. A small share stays visible."""
    return mixed(color, 0.08 + 0.92 * math.sqrt(share))


def _at(scale: Scale, share: float) -> float:
    return scale[0] + share * (scale[1] - scale[0])


def _ticks(highest: float) -> list[float]:
    """About five round steps, from 0 to at least the highest value."""
    if highest <= 0:
        return [0.0, 1.0]
    power = 10.0 ** math.floor(math.log10(highest / 5))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power * 5 >= highest * (1 - 1e-9))
    return [step * number for number in range(math.ceil(highest / step - 1e-9) + 1)]
