"""The model card of a version: Markdown with the YAML fields of Hugging Face (https://huggingface.co/docs/hub/model-cards).

It is made from the version and its evaluation alone, and has no text of any example.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from winnow_cli import tables
from winnow_cli.terminal import plain

_MEASURES = (("accuracy", "Accuracy"), ("macro_f1", "Macro-F1"), ("micro_f1", "Micro-F1"))
# F1 of fewer examples can be off by a third.
_FEW_EXAMPLES = 20
_MOST_CONFUSED = 10
_RECIPES = {
    "linear": "one linear layer over words, pairs of words and character n-grams",
    "light": "the mean of a linear layer over words and of a classifier over sentence vectors, without a transformer",
    "sentence": "a classifier over the vectors of a frozen sentence encoder",
    "best": "stages: words first, then one or two sentence encoders for the texts that the words don't decide",
    "cnn": "spaCy's convolutional network over words, trained from the examples",
    "zero-shot": "the likeness of a text to the names and descriptions of the labels, without examples",
}
# The API says it in a sentence with numbers. Versions of earlier releases don't have it.
_HOW = {
    "cross-validation": "By cross-validation: classifiers of the same recipe answered examples that they had not learnt."
    " This version has learnt all of them.",
    "held-out": "The version answered examples that were held out of its training.",
    "test-object": "The version answered a test set of its own, which was not part of the training.",
}
# Of Markdown and HTML. Labels are anybody's words.
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~$!])")


def card(version: Mapping[str, Any], evaluation: Mapping[str, Any] | None) -> str:
    """The card of a ready version. evaluation: None if the version was made from labels alone and never measured."""
    parts = [
        ["---", *_fields(version, evaluation), "---"],
        [f"# {_text(version['model_id'])}, version {version['version']}"],
        _about(version),
        ["## Data", "", *_data(version["dataset"])],
        ["## Measures", "", *(_measures(evaluation) if evaluation else [_IMPORTED if "artifact" in version["dataset"] else _NEVER])],
        *([["## Labels", "", *_labels(evaluation)]] if evaluation else []),
        ["## Limits", "", *(f"- {each}" for each in _limits(version, evaluation))],
        ["## Use", "", *_use(version)],
    ]
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


_NEVER = "The version was made from the names of its labels, without examples. Nothing was measured."
_IMPORTED = "The version was imported from another deployment, without its examples. Nothing was measured here."


def _fields(version: Mapping[str, Any], evaluation: Mapping[str, Any] | None) -> Iterator[str]:
    """The lines of the YAML. Each value is JSON, which is YAML too."""
    yield "# license: choose one, such as apache-2.0, and remove the sign before it (https://huggingface.co/docs/hub/repositories-licenses)"
    languages = [each["language"] for each in version["dataset"].get("languages", ())]
    if languages:
        yield f"language: {_json(languages)}"
    yield "library_name: spacy"
    yield "pipeline_tag: text-classification"
    yield f"tags: {_json(['text-classification', 'winnow', version['recipe']])}"
    if evaluation:
        metrics = [{"type": _metric(name), "name": label, "value": evaluation[name]} for name, label in _MEASURES]
        result = {
            "task": {"type": "text-classification", "name": "Text classification"},
            "dataset": {"type": "private", "name": f"{version['model_id']}, {evaluation['examples']} examples"},
            "metrics": metrics,
        }
        yield f"model-index: {_json([{'name': version['model_id'], 'results': [result]}])}"


def _metric(name: str) -> str:
    """Hugging Face's name of a measure (https://huggingface.co/metrics)."""
    return "f1" if name.endswith("f1") else name


def _about(version: Mapping[str, Any]) -> list[str]:
    recipe, settings = version["recipe"], version["dataset"]
    lines = [
        "A text classifier that Winnow trained.",
        f"Its recipe is `{recipe}`: {_RECIPES.get(recipe, 'of a later release than this command')}.",
    ]
    if "exclusive" in settings:
        lines.append("Each text has exactly one label." if settings["exclusive"] else "A text may have several labels, or none.")
    if version["encoders"]:
        names = " and ".join(f"`{_code(each['name'])}` (`{each['digest'][:12]}`)" for each in version["encoders"])
        lines.append(f"It needs the sentence encoder {names}.")
    if version["finished_at"]:
        lines.append(f"Trained on {version['finished_at'][:10]}.")
    if version["note"]:
        lines.append(f"Note: {_text(version['note'])}")
    return lines


def _data(dataset: Mapping[str, Any]) -> Iterator[str]:
    if "examples" not in dataset:
        yield "- unknown"
        return
    test = dataset["test_examples"]
    yield f"- examples: {dataset['examples']:,}" + (f" ({dataset['train_examples']:,} to learn, {test:,} to measure)" if test else "")
    yield f"- labels: {dataset['labels']}"
    if dataset["training_object"]:
        yield f"- file: `{_code(PurePosixPath(dataset['training_object']).name)}`, SHA-256 `{dataset['sha256']}`"
    if "artifact" in dataset:
        yield f"- imported: an artifact with the SHA-256 `{dataset['artifact']['sha256']}`"
    if "sampled_from" in dataset:
        yield f"- a sample of {dataset['sampled_from']:,} examples"
    if dataset.get("feedback_examples"):
        yield f"- from feedback: {dataset['feedback_examples']:,} examples"
    languages = dataset.get("languages")
    if languages:
        yield "- languages: " + ", ".join(f"{each['language']} ({100 * each['share']:.0f} %)" for each in languages)
    if dataset["warnings"]:
        yield f"- warnings in the report on the data set: {dataset['warnings']}"


def _measures(evaluation: Mapping[str, Any]) -> Iterator[str]:
    how = evaluation.get("measured_how") or _HOW[evaluation.get("measured_by", "held-out")]
    yield _text(how)
    yield ""
    yield f"| measure ({evaluation['examples']:,} examples) | value | 95 % interval |"
    yield "| --- | ---: | :---: |"
    for name, label in _MEASURES:
        low, high = evaluation["intervals"][name]
        yield f"| {label} | {evaluation[name]:.3f} | {low:.3f} to {high:.3f} |"
    yield f"| Calibration error | {evaluation['calibration']['after']['ece']:.3f} | |"
    if evaluation.get("accepted_share") is not None:
        yield f"| Texts with an accepted label | {evaluation['accepted_share']:.3f} | |"
    yield ""
    yield "The interval of the accuracy is Wilson's. Those of F1 are percentiles of 1,000 bootstrap samples of the examples."


def _labels(evaluation: Mapping[str, Any]) -> Iterator[str]:
    yield "| label | precision | recall | F1 | examples |"
    yield "| --- | ---: | ---: | ---: | ---: |"
    for label, found in sorted(evaluation["per_label"].items()):
        yield f"| {_text(label)} | {found['precision']:.3f} | {found['recall']:.3f} | {found['f1']:.3f} | {found['support']} |"
    confused = tables.confusions(evaluation["confusion"])[:_MOST_CONFUSED]
    if confused:
        yield ""
        yield "Most often confused:"
        yield ""
        yield "| label | answered as | times |"
        yield "| --- | --- | ---: |"
        for truth, predicted, count in confused:
            yield f"| {_text(truth)} | {_text(predicted)} | {count} |"


def _limits(version: Mapping[str, Any], evaluation: Mapping[str, Any] | None) -> Iterator[str]:
    languages = [each["language"] for each in version["dataset"].get("languages", ())]
    if languages:
        yield f"It has learnt texts in {_listed(languages)}. Nothing was measured in other languages."
    for warning in (*version["warnings"], *((evaluation or {}).get("warnings") or ())):
        yield _text(warning)
    if evaluation:
        few = [label for label, found in evaluation["per_label"].items() if found["support"] < _FEW_EXAMPLES]
        if few:
            all_few = len(few) == len(evaluation["per_label"])
            named = "All labels have" if all_few else f"{len(few)} of {len(evaluation['per_label'])} labels have"
            yield f"{named} fewer than {_FEW_EXAMPLES} measured examples: their own measures say little."
        strangers = evaluation.get("strangers")
        if strangers:
            yield (
                f"Of {strangers['texts']:,} texts about something else, {100 * strangers['let_through']:.1f} % got an accepted label"
                " (measured by a training without some of the labels)."
            )
        if evaluation.get("learning_curve"):
            yield _text(evaluation["learning_curve"]["conclusion"])
    yield "The measures are for texts like those of the data set. Other texts, or texts of a later time, may be answered worse."
    yield "It answers from words and their likeness, without any knowledge of people or of their situation: a person decides what matters."


def _use(version: Mapping[str, Any]) -> Iterator[str]:
    yield "With spaCy, Winnow's package and the downloaded version (`GET /models/{model_id}/versions/{version}/artifact`):"
    yield ""
    yield "```python"
    yield "import spacy"
    yield ""
    yield f'nlp = spacy.load("{version["model_id"]}-{version["version"]}")'
    yield 'nlp("…").cats  # a score from 0 to 1 for each label'
    yield "```"


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _text(words: object) -> str:
    """Words from outside as Markdown that shows them, on one line."""
    return _SPECIAL.sub(r"\\\1", plain(words)).replace("&", "&amp;")


def _code(words: object) -> str:
    """The same between backticks."""
    return plain(words).replace("`", "'")
