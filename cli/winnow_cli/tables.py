"""Answers of the API as tables for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from winnow_cli.layout import languages, long_texts, understood
from winnow_cli.terminal import line, plain

_MEASURED = {"cross-validation": "by cross-validation", "held-out": "on held-out examples", "test-object": "on your test set"}
_CHECKED = {"cross-validation": "by cross-validation", "held-out": "those held out of the training", "test-object": "your test set"}
_MOST_ROWS, _MOST_SUSPECTS = 10, 50
_BAR = 20


def models(found: Iterable[Mapping[str, Any]]) -> Table:
    """All models, one per row."""
    table = _table("model", "status", "live", "latest", "labels", "feedback", "changed", right=("live", "latest", "labels", "feedback"))
    for model in found:
        table.add_row(
            plain(model["model_id"]),
            _status(model["status"]),
            _number(model["live_version"]),
            _number(model["latest_version"]),
            _number(model["labels"]),
            _number(model["waiting_examples"] or None),
            model["updated_at"],
        )
    return table


def versions(found: Iterable[Mapping[str, Any]]) -> Table:
    """The versions of a model, one per row."""
    table = _table(
        "version", "status", "recipe", "accuracy", "macro-F1", "examples", "created", right=("version", "accuracy", "macro-F1", "examples")
    )
    for version in found:
        measured = version["evaluation"] or {}
        table.add_row(
            str(version["version"]),
            _status("live" if version["live"] else version["status"]),
            version["recipe"],
            _ratio(measured.get("accuracy")),
            _ratio(measured.get("macro_f1")),
            _number(version["dataset"].get("examples")),
            version["created_at"],
        )
    return table


def problems(report: Mapping[str, Any], name: str) -> Iterator[RenderableType]:
    """The result of a dry run: the size of the data set, and each kind of problem with its first rows."""
    kind = report["format"] or "unknown format"
    if report["trainable"] and not report["examples"]:
        yield line(f"{name}: {len(report['labels'])} labels, no examples", "bold")
    else:
        yield line(f"{name}: {report['rows']} rows, {report['examples']} examples, {len(report['labels'])} labels ({kind})", "bold")
    if how := understood(report):
        yield line(f"  {how}")
    if spoken := languages(report):
        yield line(f"  {spoken}")
    if long := long_texts(report):
        yield line(f"  {long}")
    yield from of_problems(report["problems"])


def of_problems(found: Iterable[Mapping[str, Any]]) -> Iterator[RenderableType]:
    """Each kind of problem of a file with its first rows."""
    for problem in found:
        head = Text("  error    " if problem["refuses"] else "  warning  ", style="bold red" if problem["refuses"] else "yellow")
        yield head + line(f"{problem['kind']} ({problem['count']}): {problem['sentence']}")
        if problem["rows"]:
            yield line(f"           {_places(problem)}", "dim")


def warnings(version: Mapping[str, Any]) -> Iterator[Text]:
    """What a person should know of a version, beside its scores. Versions of earlier releases don't say it."""
    yield from (line(f"Warning: {warning}", "bold yellow") for warning in version.get("warnings", ()))


def evaluation(report: Mapping[str, Any]) -> Iterator[RenderableType]:
    """The evaluation of a version: overall, the worst labels, and the most frequent confusions."""
    intervals = report["intervals"]
    # Evaluations of earlier releases don't say how they were measured.
    measured = _table(_MEASURED[report.get("measured_by", "held-out")], "", "95 % interval", right=("", "95 % interval"))
    for name, key in (("accuracy", "accuracy"), ("macro-F1", "macro_f1"), ("micro-F1", "micro_f1")):
        low, high = intervals[key]
        measured.add_row(name, _ratio(report[key]), f"{low:.3f} to {high:.3f}")
    measured.add_row("calibration error", _ratio(report["calibration"]["after"]["ece"]), "")
    measured.add_row("texts with an accepted label", _ratio(report.get("accepted_share")), "")
    measured.add_row("examples", str(report["examples"]), "")
    yield measured
    if "measured_how" in report:
        yield line(report["measured_how"], "dim")
    if report.get("learning_curve"):
        yield line(report["learning_curve"]["conclusion"], "dim")
    for warning in report.get("warnings", ()):
        yield line(f"Warning: {warning}", "bold yellow")
    yield _worst_labels(report["per_label"])
    confused = list(confusions(report["confusion"]))[:_MOST_ROWS]
    if confused:
        table = _table("label", "predicted as", "times", right=("times",))
        for truth, predicted, count in confused:
            table.add_row(plain(truth), plain(predicted), str(count))
        yield table


def confusions(confusion: Mapping[str, Any] | None) -> list[tuple[str, str, int]]:
    """Pairs of true and predicted label with their count, most frequent first. Empty for multilabel models."""
    if confusion is None:
        return []
    if "top" in confusion:
        return [(each["truth"], each["predicted"], each["count"]) for each in confusion["top"]]
    labels = confusion["labels"]
    found = [
        (truth, predicted, count)
        for truth, row in zip(labels, confusion["matrix"], strict=True)
        for predicted, count in zip(labels, row, strict=True)
        if truth != predicted and count
    ]
    return sorted(found, key=lambda each: -each[2])


def comparison(compared: Mapping[str, Any]) -> Iterator[RenderableType]:
    """What got better and what got worse between two versions, on the same examples."""
    before, after = f"version {compared['version']}", f"version {compared['to']}"
    table = _table(
        f"on {compared['examples']} examples, labels of version {compared['labels_of']}",
        before,
        after,
        "change",
        right=(before, after, "change"),
    )
    for name, key in (("accuracy", "accuracy"), ("macro-F1", "macro_f1"), ("micro-F1", "micro_f1")):
        old, new = compared["before"][key], compared["after"][key]
        table.add_row(name, _ratio(old), _ratio(new), _change(new - old))
    yield table
    gained, lost = compared["gained"], compared["lost"]
    yield line(f"Fixed: {gained}. Broken: {lost}.")
    changed = [each for each in compared["per_label"] if each["change"]]
    shown = changed if len(changed) <= 2 * _MOST_ROWS else changed[:_MOST_ROWS] + changed[-_MOST_ROWS:]
    if shown:
        labels = _table("F1 of", before, after, "change", "examples", right=(before, after, "change", "examples"))
        for each in shown:
            labels.add_row(
                plain(each["label"]), _ratio(each["before"]), _ratio(each["after"]), _change(each["change"]), str(each["support"])
            )
        yield labels


def suspects(answer: Mapping[str, Any], texts: Mapping[int, str]) -> Iterator[RenderableType]:
    """The examples whose labels look wrong, with their texts: those of the file by row or, without a file, those of the answer."""
    found = answer["suspects"]
    groups, singles = ([each for each in found if (each["kind"] == "label") == whole] for whole in (True, False))
    yield line(f"Checked {answer['checked']} examples ({_CHECKED[answer['checked_by']]}). Findings: {answer['found']}.", "bold")
    if groups:
        table = _table("label", "nearly always called", "examples", "as in row", right=("as in row",))
        for each in groups:
            called = "(superfluous)" if each["proposed"] is None else plain(each["proposed"])
            table.add_row(plain(each["label"]), called, f"{each['count']} of {each['of']}", str(each["examples"][0]["row"]))
        yield table
    if singles:
        table = _table("row", "label", "its score", "proposed", "its score", "text", right=("row", "its score"))
        for each in singles[:_MOST_SUSPECTS]:
            label, proposed = (plain("-" if each[name] is None else each[name]) for name in ("label", "proposed"))
            text = texts.get(each["row"], each.get("text", "-"))
            table.add_row(str(each["row"]), label, _ratio(each["label_score"]), proposed, _ratio(each["proposed_score"]), plain(text))
        yield table
    if len(singles) > _MOST_SUSPECTS:
        yield line(f"{len(singles) - _MOST_SUSPECTS} more: --json shows all of them.", "dim")


def prediction(text: str, labels: Sequence[Mapping[str, Any]]) -> Iterator[RenderableType]:
    """A text and its labels, best first. Labels that are not accepted are dim."""
    yield line(f"“{text}”", "bold")
    width = max(len(plain(each["label"])) for each in labels)
    for each in labels:
        bar = ("█" * round(each["score"] * _BAR)).ljust(_BAR, "·")
        told = f"  {plain(each['label']):<{width}}  {bar} {each['score']:.3f}"
        yield line(told, "green") if each["accepted"] else line(f"{told}  not accepted", "dim")


def explanation(text: str, explained: Mapping[str, Any]) -> Iterator[RenderableType]:
    """The text with each word coloured by what it adds to the first label, and the words with the largest effect."""
    words = explained["words"]
    most = max((abs(word["contribution"]) for word in words), default=0) or 1
    coloured = line(text)
    for word in words:
        if word["start"] is not None:
            coloured.stylize(_heat(word["contribution"] / most), word["start"], word["end"])
    yield Text("  ") + coloured
    total, start = explained["logit"], explained["bias"]
    # Without a bias, the numbers don't add up.
    how = "each number is what it loses without the word" if start is None else f"{start:+.3f} before the first word"
    yield line(f"  evidence for {explained['label']}: {total:+.3f} in total ({how})", "dim")
    for word in sorted(words, key=lambda each: -abs(each["contribution"]))[:_MOST_ROWS]:
        yield Text(f"  {word['contribution']:+7.3f}  ") + line(word["word"], _heat(word["contribution"] / most))
    # Earlier releases don't say it.
    if untried := explained.get("untried_words"):
        yield line(f"  The text is long: its last {untried:,} words were not tried.", "dim")


def words(described: Mapping[str, Any]) -> Iterator[RenderableType]:
    """A model's title, tags and note, or a version's note. Earlier releases have none."""
    if described.get("title"):
        yield line(described["title"], "bold")
    if described.get("tags"):
        yield line(f"Tags: {', '.join(described['tags'])}")
    if described.get("note"):
        yield from (line(f"Note: {each}" if not place else each) for place, each in enumerate(described["note"].splitlines()))


def history(answer: Mapping[str, Any]) -> Iterator[RenderableType]:
    """The deeds of a page, one per row."""
    if not answer["entries"]:
        yield line("No entries yet: the model is of an earlier release, and nobody has changed it since.")
        return
    table = _table("time", "deed", "version", "by", "more", right=("version",))
    for entry in answer["entries"]:
        table.add_row(entry["at"], entry["deed"], _number(entry["version"]), plain(_by(entry["by"])), plain(_more(entry)))
    yield table
    if answer["next"]:
        yield line("There are older entries: --limit N shows more.", "dim")


def caller(answer: Mapping[str, Any]) -> Iterator[RenderableType]:
    """Who calls, and what is left for today."""
    yield line(f"{_by(answer)}, role {answer['role'] or '(IAM decides)'}" if answer["kind"] else "Nobody: this deployment asks for no key.")
    if answer["limits"]:
        yield line("{requests_per_second:g} requests a second, {requests_per_day:,} a day".format(**answer["limits"]))
    if answer["used_today"] is not None:
        yield line(f"{answer['used_today']:,} requests today")


def _by(caller: Mapping[str, Any] | None) -> str:
    if caller is None:
        return "unknown"
    return "Winnow" if caller["kind"] == "winnow" else str(caller["name"] or f"key {caller['key_id']}")


def _more(entry: Mapping[str, Any]) -> str:
    """What else an entry says: the version before, a batch of feedback, settings."""
    told = []
    if entry["before"] is not None:
        told.append(f"before: version {entry['before']}")
    if entry["batch"]:
        told.append(f"{entry['examples']} examples, batch {entry['batch']}")
    told += [name if value is None else f"{name} {value:g}" for name, value in (entry["settings"] or {}).items()]
    return ", ".join(told)


def _worst_labels(per_label: Mapping[str, Mapping[str, Any]]) -> Table:
    found = sorted(per_label.items(), key=lambda each: (each[1]["f1"], each[0]))
    title = "label" if len(found) <= _MOST_ROWS else f"worst of {len(found)} labels"
    table = _table(title, "precision", "recall", "F1", "examples", right=("precision", "recall", "F1", "examples"))
    for label, measured in found[:_MOST_ROWS]:
        table.add_row(
            plain(label), _ratio(measured["precision"]), _ratio(measured["recall"]), _graded(measured["f1"]), str(measured["support"])
        )
    return table


def _table(*headers: str, right: Sequence[str] = ()) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for header in headers:
        table.add_column(header, justify="right" if header in right else "left", overflow="fold")
    return table


def _places(problem: Mapping[str, Any]) -> str:
    """The places of a problem: the first five, or the first with its own sentence and only the numbers of the others."""
    shown, more = problem["rows"][:5], " …" if problem["count"] > 5 else ""
    if problem["count"] == 1 or "problem" not in shown[0]:
        return ", ".join(map(_where, shown)) + more
    others = ", ".join(str(row["row"]) for row in shown[1:])
    return f"{problem['count']} rows, first: {shown[0]['problem']}" + (f" Then rows {others}{more}" if others else "")


def _where(row: Mapping[str, Any]) -> str:
    if "labels" in row:
        return " and ".join(map(str, row["labels"]))
    return (
        f"row {row['row']}"
        + (f" (same text as row {row['first_row']})" if "first_row" in row else "")
        + (f": {row['problem']}" if "problem" in row else "")
    )


def _status(status: str) -> Text:
    colour = {"ready": "green", "live": "bold green", "failed": "red", "cancelled": "dim"}
    return Text(status, style=colour.get(status, "yellow"))


def _graded(f1: float) -> Text:
    return Text(f"{f1:.3f}", style="green" if f1 >= 0.9 else "yellow" if f1 >= 0.7 else "red")


def _change(change: float) -> Text:
    return Text(f"{change:+.3f}", style="green" if change > 0 else "red" if change < 0 else "dim")


def _heat(share: float) -> str:
    """The background colour for a share from -1 (red: against the label) to 1 (green: for it). Black is readable on it."""
    faded = round(255 - 150 * abs(share))
    return f"black on rgb({faded},255,{faded})" if share >= 0 else f"black on rgb(255,{faded},{faded})"


def _ratio(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _number(value: int | None) -> str:
    return "-" if value is None else str(value)
