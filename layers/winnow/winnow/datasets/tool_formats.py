"""The tools whose records are read, and what the tools for training write. annotation_formats.py has the tools for labelling.

Each reader gives a record's text and labels. What a tool keeps for a test is skipped. docs/datasets.md lists the tools.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from winnow.datasets import annotation_formats
from winnow.datasets.json_records import BETWEEN, Labelled, Members, OfSubject, mappings, plain
from winnow.datasets.row_problems import Kind, RowError

_USE_OF_VERTEX = "aiplatform.googleapis.com/ml_use"


class Dialect(NamedTuple):
    """How a tool writes records. name: None for plain ones. recognises: by the first record. parts: if a record holds several examples."""

    name: str | None
    recognises: Callable[[Mapping[str, Any]], bool]
    read: Callable[[Any, Members], Labelled]
    parts: Callable[[Any], Iterable[Any]] | None = None


def labelled(records: Iterable[Any], dialect: Dialect, members: Members) -> Iterator[OfSubject | RowError]:
    """The examples of records that all come from one tool."""
    for record in records:
        for part in dialect.parts(record) if dialect.parts else (record,):
            try:
                text, labels = dialect.read(part, members)
                yield text, labels, members.subject(part)
            except RowError as error:
                yield error


def dialect_of(record: Any) -> Dialect:
    """The tool that wrote a record."""
    if is_spacy_pair(record):
        return _SPACY
    if isinstance(record, Mapping):
        return next((dialect for dialect in _DIALECTS if dialect.recognises(record)), PLAIN)
    return PLAIN


def _vertex(record: Any, members: Members) -> Labelled:
    """A line of Vertex AI's import or export of text classification.

    https://cloud.google.com/vertex-ai/docs/text-data/classification/prepare-data
    """
    if not isinstance(record, Mapping) or not isinstance(record.get("textContent"), str):
        raise RowError('has no "textContent" that is a string: put the text into the line ("textGcsUri" is not fetched)')
    use = record.get("dataItemResourceLabels")
    if isinstance(use, Mapping) and use.get(_USE_OF_VERTEX) == "test":
        raise RowError("is marked as a test and is left out", Kind.SKIPPED_ROW)
    one = record.get("classificationAnnotation")
    annotations = mappings([one] if one is not None else record.get("classificationAnnotations"))
    return record["textContent"], [each["displayName"] for each in annotations if each.get("displayName") is not None]


def _chat(record: Any, members: Members) -> Labelled:
    """A conversation for OpenAI's fine-tuning. The user's messages are the text, the assistant's one answer is the label.

    https://platform.openai.com/docs/guides/supervised-fine-tuning
    """
    messages = mappings(record.get("messages")) if isinstance(record, Mapping) else []
    asked = [_content(each) for each in messages if each.get("role") == "user"]
    answers = [_content(each) for each in messages if each.get("role") == "assistant"]
    if not asked or len(answers) != 1:
        raise RowError('needs "messages" with a message of the user and exactly one of the assistant, which is the label')
    return BETWEEN.join(asked), answers


def _content(message: Mapping[str, Any]) -> str:
    content = message.get("content")
    parts = [part.get("text") for part in mappings(content)] if isinstance(content, list) else [content]
    texts = [part for part in parts if isinstance(part, str)]
    if len(texts) < len(parts):
        raise RowError("has a message without a text: only texts are read")
    return BETWEEN.join(texts)


def is_spacy_pair(record: Any) -> bool:
    """Whether the record is spaCy's ["text", {"cats": …}]."""
    return isinstance(record, list) and len(record) == 2 and isinstance(record[0], str) and _has_cats(record[1])


def _has_cats(record: Any) -> bool:
    return isinstance(record, Mapping) and isinstance(record.get("cats"), Mapping)


def _spacy(record: Any, members: Members) -> Labelled:
    """spaCy's {"text": …, "cats": {label: 0 or 1}}, or ["text", {"cats": …}]: https://spacy.io/usage/training"""
    if is_spacy_pair(record):
        text, cats = record[0], record[1]["cats"]
    elif _has_cats(record):
        text, cats = members.text(record), record["cats"]
    else:
        raise RowError('has no "cats": expected {"text": "…", "cats": {"LABEL": 1.0, …}}')
    if not all(isinstance(value, int | float) for value in cats.values()):
        raise RowError('has "cats" that are not numbers from 0 to 1')
    return text, [label for label, value in cats.items() if value >= 0.5]


def phrases(intent: Any) -> Iterator[Any]:
    """The training phrases of an intent of Dialogflow, as records. An intent may have none."""
    if isinstance(intent, Mapping):
        found = mappings(intent.get("trainingPhrases", intent.get("userSays")))
        name = intent.get("displayName", intent.get("name"))
        for phrase in found or ([intent] if isinstance(intent.get("data"), list) else []):
            yield {**phrase, "intent": name if found else None}


def _dialogflow(phrase: Any, members: Members) -> Labelled:
    """https://cloud.google.com/dialogflow/es/docs/reference/rest/v2/projects.agent.intents"""
    if phrase["intent"] is None:
        raise RowError(
            "has no intent, because Dialogflow keeps its name in the name of the file:"
            " get the agent's intents by its API (intents.list with INTENT_VIEW_FULL)"
        )
    if phrase.get("isTemplate") or phrase.get("type") == "TEMPLATE":
        raise RowError("is a template of Dialogflow and is left out", Kind.SKIPPED_ROW)
    return "".join(str(part.get("text", "")) for part in mappings(phrase.get("parts", phrase.get("data")))), [phrase["intent"]]


def _clu(record: Any, members: Members) -> Labelled:
    """An utterance of Azure's conversational language understanding."""
    if isinstance(record, Mapping) and record.get("dataset") == "Test":
        raise RowError("is marked as a test and is left out", Kind.SKIPPED_ROW)
    return plain(record, members)


def _row(record: Any, members: Members) -> Labelled:
    """A row of Hugging Face's datasets server: https://huggingface.co/docs/dataset-viewer/rows"""
    if not isinstance(record, Mapping) or not isinstance(record.get("row"), Mapping):
        raise RowError('has no "row" that is an object')
    text, labels = plain(record["row"], members)
    if record.get("truncated_cells"):
        raise RowError("was cut by the server (truncated_cells): load the data set with the package datasets, and write it with to_json")
    return text, labels


def _pair(record: Any, members: Members) -> Labelled:
    """https://github.com/clinc/oos-eval"""
    if not isinstance(record, list) or len(record) != 2 or not isinstance(record[0], str):
        raise RowError('is not a pair: expected ["text", "label"]')
    return record[0], [record[1]]


PLAIN = Dialect(None, lambda record: True, plain)
DIALOGFLOW = Dialect(
    "dialogflow",
    lambda record: (
        any(isinstance(record.get(name), list) for name in ("trainingPhrases", "userSays"))
        or "isTemplate" in record
        or "/intents/" in str(record.get("name"))
    ),
    _dialogflow,
    phrases,
)
_SPACY = Dialect("spacy", _has_cats, _spacy)
# The first that recognises a record reads it, and all that follow it in the file.
_DIALECTS = (
    Dialect("augmented-manifest", annotation_formats.is_manifest, annotation_formats.manifest),
    Dialect("prodigy", annotation_formats.is_prodigy, annotation_formats.prodigy),
    Dialect("label-studio", annotation_formats.is_label_studio, annotation_formats.label_studio),
    Dialect("label-studio", lambda record: "annotation_id" in record and "annotator" in record, annotation_formats.label_studio_min),
    Dialect("vertex", lambda record: any(name in record for name in ("textContent", "textGcsUri")), _vertex),
    Dialect("openai-chat", lambda record: isinstance(record.get("messages"), list), _chat),
    _SPACY,
    DIALOGFLOW,
    Dialect("argilla", annotation_formats.is_argilla, annotation_formats.argilla),
    Dialect("clu", lambda record: all(name in record for name in ("text", "intent", "dataset")), _clu),
    Dialect("hugging-face", lambda record: isinstance(record.get("row"), Mapping), _row),
)
# The pairs of CLINC150: ["text", "label"].
PAIRS = Dialect("clinc150", lambda record: False, _pair)
