"""The records that tools for labelling write: SageMaker Ground Truth, Prodigy, Label Studio and Argilla.

What an annotator rejected, cancelled or discarded is skipped, and so are texts on whose labels the annotators disagree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from winnow.datasets.json_records import Labelled, Members, mappings
from winnow.datasets.row_problems import Kind, RowError

_ANSWERS = ("accept", "reject", "ignore")
_METADATA = "-metadata"
_FLAT = ".responses"
_OF_LABEL_STUDIO = ("id", "annotator", "annotation_id", "created_at", "updated_at", "lead_time", "agreement")


def is_manifest(record: Mapping[str, Any]) -> bool:
    return "text" not in record and ("source" in record or "source-ref" in record)


def manifest(record: Any, members: Members) -> Labelled:
    """A line of SageMaker Ground Truth's output for text classification, single or multi-label.

    https://docs.aws.amazon.com/sagemaker/latest/dg/sms-data-output.html
    """
    if not isinstance(record, Mapping) or not isinstance(record.get("source"), str):
        raise RowError('has no "source" that is a string: put the text into the line ("source-ref" is not fetched)')
    found = [(name.removesuffix(_METADATA), data) for name, data in record.items() if name.endswith(_METADATA) and _has_labels(data)]
    if len(found) != 1:
        number = "no labelling attribute" if not found else "several labelling attributes"
        raise RowError(f'has {number}: expected "NAME", and "NAME-metadata" with class-name or class-map, for one NAME')
    [(name, data)] = found
    if "class-name" in data:
        return record["source"], [data["class-name"]]
    chosen, names = record.get(name), data["class-map"]
    if not isinstance(chosen, list) or not isinstance(names, Mapping) or not all(str(number) in names for number in chosen):
        raise RowError(f'has a "{name[:100]}" that is not a list of numbers of its class-map')
    return record["source"], [names[str(number)] for number in chosen]


def _has_labels(metadata: Any) -> bool:
    return isinstance(metadata, Mapping) and ("class-name" in metadata or "class-map" in metadata)


def is_prodigy(record: Mapping[str, Any]) -> bool:
    return record.get("answer") in _ANSWERS or (isinstance(record.get("accept"), list) and "options" in record)


def prodigy(record: Any, members: Members) -> Labelled:
    """A record of Prodigy's `db-out`: the labels are the chosen options ("accept" with "options"), or otherwise the one accepted "label".

    https://prodi.gy/docs/api-interfaces
    """
    if not isinstance(record, Mapping):
        raise RowError('is not an object: expected {"text": "…", "label": "…", "answer": "accept"}, or "accept" with a list')
    if not isinstance(record.get("text"), str):
        raise RowError('has no "text" that is a string')
    answer = record.get("answer", "accept")
    if answer not in _ANSWERS:
        raise RowError(f'has an unknown "answer": use one of {", ".join(_ANSWERS)}')
    if answer != "accept":
        raise RowError(f"has the answer {answer} and is left out", Kind.SKIPPED_ROW)
    if "accept" in record:
        return record["text"], members.meant(record["accept"])
    if "label" not in record:
        raise RowError('has neither "label" nor "accept"')
    return record["text"], members.meant(record["label"])


def label_studio(record: Any, members: Members) -> Labelled:
    """A task of Label Studio (JSON): https://labelstud.io/guide/task_format"""
    if not is_label_studio(record):
        raise RowError('is not a task of Label Studio: it needs "data" and "annotations"')
    done = mappings(record.get("annotations", record.get("completions")))
    kept = [each for each in done if not each.get("was_cancelled")]
    if done and not kept:
        raise RowError("was cancelled by the annotator and is left out", Kind.SKIPPED_ROW)
    chosen = [each for each in kept if each.get("ground_truth")] or kept
    text = members.text(record["data"], or_the_only_string=True)
    return text, _agreed([_choices(mappings(each.get("result")), members) for each in chosen])


def is_label_studio(record: Any) -> bool:
    return (
        isinstance(record, Mapping)
        and isinstance(record.get("data"), Mapping)
        and isinstance(record.get("annotations", record.get("completions")), list)
    )


def _choices(results: Sequence[Mapping[str, Any]], members: Members) -> list[Any]:
    """The choices of one annotation."""
    values = [(str(result.get("from_name", "")), result.get("value")) for result in results]
    choices = [(name, value["choices"]) for name, value in values if isinstance(value, Mapping) and isinstance(value.get("choices"), list)]
    if values and not choices:
        raise RowError("has annotations, but no choices: only projects of text classification are read")
    asked = members.asked(dict.fromkeys(name for name, _ in choices), "choices")
    return [label for name, labels in choices if name == asked for label in members.meant(labels)]


def label_studio_min(record: Any, members: Members) -> Labelled:
    """An annotation of Label Studio (JSON-MIN): the data's members, and one for each choice."""
    if not isinstance(record, Mapping):
        raise RowError("is not an annotation of Label Studio")
    rest = {name: value for name, value in record.items() if name not in _OF_LABEL_STUDIO}
    text = members.text(rest, or_the_only_string=True)
    texts = members.text_members(rest, or_the_only_string=True)
    others = {name: value for name, value in rest.items() if name not in texts}
    asked = next(iter(others)) if len(others) == 1 else members.asked(others, "choices")
    return text, members.meant(others.get(asked or ""))


def argilla(record: Any, members: Members) -> Labelled:
    """A record of Argilla, as its version 1 or 2 writes it: https://docs.argilla.io/latest/how_to_guides/import_export/"""
    if not isinstance(record, Mapping):
        raise RowError("is not a record of Argilla")
    fields = next((record[name] for name in ("fields", "inputs") if isinstance(record.get(name), Mapping)), record)
    text = members.text(fields, or_the_only_string=True)
    if str(record.get("status")).lower() == "discarded":
        raise RowError("was discarded by the annotator and is left out", Kind.SKIPPED_ROW)
    if "annotation" in record:
        return text, members.meant(record["annotation"])
    by_question = _responses(record)
    given = by_question.get(members.asked(by_question, "questions") or "", [])
    kept = [value for value, status in given if status not in {"discarded", "draft"}]
    if given and not kept:
        raise RowError("was discarded by the annotator and is left out", Kind.SKIPPED_ROW)
    return text, _agreed([members.meant(value) for value in kept])


def _responses(record: Mapping[str, Any]) -> dict[str, list[tuple[Any, str]]]:
    """The answers to each question, with the status of each."""
    responses = record.get("responses")
    if isinstance(responses, Mapping):
        return {name: [(each.get("value"), str(each.get("status"))) for each in mappings(given)] for name, given in responses.items()}
    if isinstance(responses, list):
        found: dict[str, list[tuple[Any, str]]] = {}
        for each in mappings(responses):
            for name, value in each["values"].items() if isinstance(each.get("values"), Mapping) else ():
                found.setdefault(name, []).append((value.get("value") if isinstance(value, Mapping) else value, str(each.get("status"))))
        return found
    flat = {name.removesuffix(_FLAT): value for name, value in record.items() if name.endswith(_FLAT)}
    return {name: _with_status(given, record.get(f"{name}{_FLAT}.status")) for name, given in flat.items()}


def _with_status(given: Any, status: Any) -> list[tuple[Any, str]]:
    values = given if isinstance(given, list) else [] if given is None else [given]
    known = status if isinstance(status, list) and len(status) == len(values) else [None] * len(values)
    return [(value, str(each)) for value, each in zip(values, known, strict=True)]


def is_argilla(record: Mapping[str, Any]) -> bool:
    if isinstance(record.get("fields"), Mapping):
        return "responses" in record or "suggestions" in record
    return ("annotation" in record and ("prediction" in record or "inputs" in record)) or any(name.endswith(_FLAT) for name in record)


def _agreed(answers: Sequence[list[Any]]) -> list[Any]:
    """The labels that all annotators gave. Skips the record if they differ, because both answers together would be wrong."""
    if any({str(label) for label in each} != {str(label) for label in answers[0]} for each in answers[1:]):
        raise RowError("has annotators who disagree: it is left out", Kind.SKIPPED_ROW)
    return answers[0] if answers else []
