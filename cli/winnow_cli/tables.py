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


def label_counts(labels: Sequence[Mapping[str, Any]]) -> Table:
    """The labels of a data set with their examples, most first."""
    table = _table("label", "examples", "distinct texts", right=("examples", "distinct texts"))
    for each in sorted(labels, key=lambda it: -it["examples"]):
        table.add_row(plain(each["label"]), str(each["examples"]), str(each["texts"]))
    return table


def datasets(found: Iterable[Mapping[str, Any]]) -> Table:
    """The uploads, one per row."""
    table = _table("upload", "bytes", "time", "training_object", right=("bytes",))
    for each in found:
        table.add_row(each["name"], f"{each['bytes']:,}", each["uploaded_at"], plain(each["training_object"]))
    return table


def keys(found: Iterable[Mapping[str, Any]]) -> Table:
    """The keys of a deployment, one per row."""
    table = _table("key", "role", "id", "enabled", "created")
    for each in found:
        table.add_row(plain(each["name"]), each["role"], each["key_id"], "yes" if each["enabled"] else "no", each["created_at"])
    return table


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
        table = _table("label", "nearly always called", "examples", "as in row", "example", right=("as in row",))
        for each in groups:
            first = each["examples"][0]
            called = "(superfluous)" if each["proposed"] is None else plain(each["proposed"])
            table.add_row(plain(each["label"]), called, f"{each['count']} of {each['of']}", str(first["row"]), first.get("example", "-"))
        yield table
    if singles:
        table = _table("row", "label", "its score", "proposed", "its score", "example", "text", right=("row", "its score"))
        for each in singles[:_MOST_SUSPECTS]:
            label, proposed = (plain("-" if each[name] is None else each[name]) for name in ("label", "proposed"))
            text = texts.get(each["row"], each.get("text", "-"))
            # Versions of earlier releases have no ids.
            scores = _ratio(each["label_score"]), _ratio(each["proposed_score"])
            table.add_row(str(each["row"]), label, scores[0], proposed, scores[1], each.get("example", "-"), plain(text))
        yield table
    if len(singles) > _MOST_SUSPECTS:
        yield line(f"{len(singles) - _MOST_SUSPECTS} more: --json shows all of them.", "dim")


def examples(shown: Sequence[Mapping[str, Any]], page: Mapping[str, Any], *, counted: bool) -> Iterator[RenderableType]:
    """Examples with the answers about them. page: the last page of the API. counted: whether its `matching` counts all of them."""
    yield line(f"Examples that match: {page['matching']}." if counted else f"Examples: {len(shown)}.", "bold")
    if shown:
        table = _table("example", "row", "labels", "predicted", "score", "text", right=("row", "score"))
        for each in shown:
            predicted = "-" if each["predicted"] is None else ", ".join(found["label"] for found in each["predicted"]) or "(none)"
            table.add_row(
                each["example"],
                str(each["row"] or "-"),
                plain(", ".join(found["label"] for found in each["labels"]) or "(none)"),
                Text(plain(predicted), style="red" if each["wrong"] else ""),
                _ratio(each["score"]),
                plain(each.get("text", "-")),
            )
        yield table
    if page["next"] is not None:
        yield line("There are more: --limit N shows more of them.", "dim")


def tradeoff(answer: Mapping[str, Any]) -> Iterator[RenderableType]:
    """The share of answered texts against the share of right answers, and the labels that are answered wrongly most often."""
    how = _CHECKED[answer["measured_by"]]
    yield line(f"Version {answer['version']}, {answer['examples']:,} examples ({how}). Brackets: 95 % intervals.", "bold")
    table = _table("threshold", "answered", "of those right", right=("threshold", "answered", "of those right"))
    for point in (answer["own"], *reversed(answer["curve"])):
        at = f"{point['threshold']:.3f}" if "threshold" in point else "its own"
        answered = _share(point["answered_share"], point["answered_interval"])
        table.add_row(at, answered, _share(point["right_share"], point["right_interval"]), style="bold" if point is answer["own"] else "")
    yield table
    labels = sorted(answer["per_label"], key=lambda each: each["own"]["right"] - each["own"]["answered"])[:_MOST_ROWS]
    columns = ("answered", "of those right", "of the label's examples")
    worst = _table("label, at its own threshold", *columns, right=columns)
    for each in labels:
        own = each["own"]
        right = _share(own["right_share"], own["right_interval"])
        worst.add_row(plain(each["label"]), str(own["answered"]), right, _percent(own["found_share"]))
    yield worst


def evaluation_by_id(found: Mapping[str, Any], version: int) -> Iterator[RenderableType]:
    """The evaluation of a version on another file."""
    learnt = found["learnt"]
    left_out = f", without {learnt} text{'' if learnt == 1 else 's'} that it has learnt" if learnt else ""
    yield line(f"Evaluation {found['evaluation']} of version {version}{left_out}", "bold")
    yield from evaluation(found["report"])


def policy(answer: Mapping[str, Any]) -> Iterator[RenderableType]:
    """What a model accepts at present."""
    model, present, applied = answer["model_id"], answer["policy"], answer["applied"]
    if present is None:
        yield line(f"{model} has no policy: each version's own thresholds say what is accepted.")
        return
    yield line(f"Policy {present['revision']} of {model}: {_aim(present)}.", "bold")
    if applied["reason"]:
        yield line(f"Version {applied['version']} accepts nothing. {applied['reason']}", "bold yellow")
    elif applied["threshold"] is not None:
        yield line(f"Version {applied['version']} accepts a label from the score {applied['threshold']:.3f} on.")
    if (held_out := applied["held_out"]) and held_out["answered"]:
        answered, right = (_share(held_out[f"{name}_share"], held_out[f"{name}_interval"]) for name in ("answered", "right"))
        yield line(f"Of its {held_out['examples']:,} held-out examples it answers {answered}, and of those {right} rightly.")


def _aim(present: Mapping[str, Any]) -> str:
    if present["min_precision"] is not None:
        return f"at least {_exact(100 * present['min_precision'])} % of the answers are right"
    if present["cost"] is not None:
        return f"a wrong answer costs {_exact(present['cost']['wrong'])}, a refused text {_exact(present['cost']['refused'])}"
    return "labels are accepted from these scores on: " + ", ".join(
        f"{each} {_exact(score)}" for each, score in present["thresholds"].items()
    )


def _exact(number: float) -> str:
    """A number that somebody has chosen: not rounded, but without what floating point adds to it."""
    return f"{number:.12g}"


def _share(share: float | None, interval: Sequence[float] | None) -> str:
    if share is None or interval is None:
        return "-"
    return f"{_percent(share)} [{100 * interval[0]:.1f}, {100 * interval[1]:.1f}]"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f} %"


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


def drift(answer: Mapping[str, Any]) -> Iterator[RenderableType]:
    """The measured days, one per row."""
    if not answer["days"]:
        yield line("No day is measured yet: each day of the log is, within some two hours after its end (UTC).")
        return
    table = _table("day", "version", "texts", "accepted", "score", "psi", "", right=("version", "texts", "accepted", "score", "psi"))
    for day in answer["days"]:
        said = "drifted" if day["drifted"] else "as usual" if day["p_labels"] is not None else "not judged"
        figures = (_ratio(day[name]) for name in ("accepted_share", "mean_score", "psi"))
        table.add_row(day["day"], _number(day["version"]), str(day["texts"]), *figures, said)
    yield table
    if answer["next"]:
        yield line("There are older days: --limit N shows more.", "dim")


def drift_day(day: Mapping[str, Any]) -> Iterator[RenderableType]:
    """One measured day: its judgement, its figures, and the most changed labels."""
    yield line(day["reason"], "bold")
    held_out = day["held_out"] or {}
    table = _table("", "this day", "held out", right=("this day", "held out"))
    table.add_row("texts", str(day["texts"]), _number(held_out.get("texts")))
    for name in ("accepted_share", "mean_score", "mean_familiarity"):
        table.add_row(name.replace("_", " "), _ratio(day[name]), _ratio(held_out.get(name)))
    for each in day["labels"][:_MOST_ROWS]:
        table.add_row(plain(each["label"]), _ratio(each["share"]), _ratio(each["usual_share"]) if held_out else _ratio(None))
    yield table


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
        told.append(f"{entry['examples']} example{'' if entry['examples'] == 1 else 's'}, batch {entry['batch']}")
    if entry["deed"] == "train" and entry["call"] == "PATCH /models/{model_id}/labels":
        told.append("changed labels")
    if entry["deed"] == "change-policy" and entry["settings"] == {"policy": None}:
        return "no policy"
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


# Columns that no narrow terminal breaks: ids are for copying.
_WHOLE = {"example", "time", "deed", "version"}


def _table(*headers: str, right: Sequence[str] = ()) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for header in headers:
        table.add_column(header, justify="right" if header in right else "left", overflow="fold", no_wrap=header in _WHOLE)
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
