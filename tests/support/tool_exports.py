"""The exports of tools, as they write them, and other people's JSON. docs/tried-files.md lists them."""

from __future__ import annotations

import json
from typing import Any

AB = [("I love it", ("pos",)), ("I hate it", ("neg",))]


def jsonl(*records: Any) -> bytes:
    return "\n".join(json.dumps(record, ensure_ascii=False) for record in records).encode()


def pretty(record: Any) -> bytes:
    return json.dumps(record, indent=2, ensure_ascii=False).encode()


ROWS = [{"text": text, "label": label} for text, (label,) in AB]
INTENTS = [{"text": text, "intent": label, "entities": []} for text, (label,) in AB]


def task(text: str, *annotations: Any, **more: Any) -> dict[str, Any]:
    return {"id": 1, "annotations": list(annotations), "predictions": [], "drafts": [], "data": {"text": text}, "project": 1, **more}


def annotation(*labels: str, of: str = "sentiment", cancelled: bool = False, true: bool = False) -> dict[str, Any]:
    result = {"value": {"choices": list(labels)}, "id": "a", "from_name": of, "to_name": "text", "type": "choices", "origin": "manual"}
    return {"id": 9, "completed_by": 1, "result": [result], "was_cancelled": cancelled, "ground_truth": true, "lead_time": 3.2}


def chat(user: Any, label: str) -> dict[str, Any]:
    return {
        "messages": [
            {"role": "system", "content": "Classify."},
            {"role": "user", "content": user},
            {"role": "assistant", "content": label},
        ]
    }


def intent(name: str, *phrases: str) -> dict[str, Any]:
    parts = [[{"text": phrase[:6]}, {"text": phrase[6:], "entityType": "@sys.any", "alias": "it"}] for phrase in phrases]
    return {
        "name": f"projects/p/agent/intents/{name}",
        "displayName": name,
        "trainingPhrases": [{"name": "x", "type": "EXAMPLE", "parts": each} for each in parts],
    }


FEATURES = [
    {"feature_idx": 0, "name": "text", "type": {"dtype": "string", "_type": "Value"}},
    {"feature_idx": 1, "name": "label", "type": {"names": ["neg", "pos"], "_type": "ClassLabel"}},
]
SERVED = [{"row_idx": n, "row": {"text": text, "label": 1 - n}, "truncated_cells": []} for n, (text, _) in enumerate(AB)]
CLU = {
    "projectFileVersion": "2022-10-01-preview",
    "assets": {
        "projectKind": "Conversation",
        "intents": [{"category": "pos"}, {"category": "neg"}],
        "entities": [],
        "utterances": [{**each, "language": "en", "dataset": "Train"} for each in INTENTS],
    },
}
NLU = b"""version: "3.1"

# what people say
nlu:
- intent: pos  # glad
  examples: |
    - I love it
- lookup: city
  examples: |
    - Berlin
- intent: "neg"
  examples:
  - text: |
      I hate [it](thing)
    metadata:
      sentiment: bad
responses:
  utter_pos:
  - text: "Good!"
"""

EXPORTS = {
    "an array": (pretty(ROWS), "json-array"),
    "an object that holds the list": (pretty({"version": 1, "data": ROWS}), "json-object"),
    "on one line": (jsonl({"examples": ROWS, "meta": {"by": "me"}}), "json-object"),
    "objects over several lines": (b"\n".join(pretty(each) for each in ROWS), "json-lines"),
    "a list of one label": (jsonl(*({**each, "label": [each["label"]]} for each in ROWS)), "json-lines"),
    "other names": (jsonl(*({"Utterance ": each["text"], "Category": each["label"]} for each in ROWS)), "json-lines"),
    "names beside the list": (
        pretty({"label_names": ["neg", "pos"], "data": [{"text": "I love it", "label": 1}, {"text": "I hate it", "label": 0}]}),
        "json-object",
    ),
    "splits": (pretty({"train": ROWS[:1], "validation": ROWS[1:]}), "json-object"),
    "Hugging Face's rows": (jsonl({"features": FEATURES, "rows": SERVED, "num_rows_total": 2}), "json-object"),
    "Label Studio": (pretty([task(text, annotation(label)) for text, (label,) in AB]), "label-studio"),
    "Label Studio, JSON-MIN": (
        pretty(
            [
                {"review": text, "id": 1, "mood": label, "annotator": 1, "annotation_id": 2, "created_at": "2026-01-01", "lead_time": 1.5}
                for text, (label,) in AB
            ]
        ),
        "label-studio",
    ),
    "doccano": (jsonl(*({"id": 1, "text": text, "label": [label], "Comments": []} for text, (label,) in AB)), "json-lines"),
    "doccano, data": (jsonl(*({"id": 1, "data": text, "label": [label]} for text, (label,) in AB)), "json-lines"),
    "Argilla": (
        pretty(
            [
                {
                    "id": "a",
                    "status": "completed",
                    "fields": {"text": text},
                    "suggestions": {"label": {"value": "other", "agent": None}},
                    "responses": {"label": [{"value": label, "user_id": "u"}]},
                }
                for text, (label,) in AB
            ]
        ),
        "argilla",
    ),
    "Argilla, flat": (
        jsonl(
            *(
                {"id": "a", "status": "completed", "text": text, "label.responses": [label], "label.responses.status": ["submitted"]}
                for text, (label,) in AB
            )
        ),
        "argilla",
    ),
    "Argilla 1": (
        jsonl(
            *(
                {"text": text, "inputs": {"text": text}, "prediction": None, "annotation": label, "status": "Validated"}
                for text, (label,) in AB
            )
        ),
        "argilla",
    ),
    "Prodigy in an array": (pretty([{**each, "answer": "accept"} for each in ROWS]), "prodigy"),
    "Rasa's YAML": (NLU, "rasa-yaml"),
    "Rasa's JSON": (
        pretty({"rasa_nlu_data": {"regex_features": [], "entity_synonyms": [{"value": "a"}], "common_examples": INTENTS}}),
        "rasa-json",
    ),
    "Dialogflow": (pretty({"intents": [intent("pos", "I love it"), intent("none"), intent("neg", "I hate it")]}), "dialogflow"),
    "Dialogflow, a list": (pretty([intent("pos", "I love it"), intent("neg", "I hate it")]), "dialogflow"),
    "CLU": (pretty(CLU), "clu"),
    "LUIS": (pretty({"luis_schema_version": "7.0.0", "intents": [{"name": "pos"}, {"name": "neg"}], "utterances": INTENTS}), "json-object"),
    "Vertex AI": (
        jsonl(
            {"classificationAnnotation": {"displayName": "pos"}, "textContent": "I love it"},
            {"classificationAnnotations": [{"displayName": "neg"}], "textContent": "I hate it"},
        ),
        "vertex",
    ),
    "OpenAI": (jsonl(chat("I love it", "pos"), chat([{"type": "text", "text": "I hate it"}], "neg")), "openai-chat"),
    "spaCy": (jsonl(*({"text": text, "cats": {"pos": float(label == "pos"), "neg": label == "neg"}} for text, (label,) in AB)), "spacy"),
    "spaCy's pairs": (pretty([[text, {"cats": {label: 1.0, "other": 0.0}}] for text, (label,) in AB]), "spacy"),
    "spaCy's pairs, one a line": (jsonl(*([text, {"cats": {label: 1.0}}] for text, (label,) in AB)), "spacy"),
    "CLINC150": (pretty({"train": [["I love it", "pos"]], "val": [["I hate it", "neg"]]}), "clinc150"),
    "TREC": (b"HUM:ind Who was Galileo ?\nDESC:manner How did serfdom develop ?\n", "trec"),
    "fastText with commas": (b"__label__pos,__label__glad I love it\n__label__neg I hate it\n", "fasttext"),
}
OTHERWISE = {
    "TREC": [("Who was Galileo ?", ("HUM:ind",)), ("How did serfdom develop ?", ("DESC:manner",))],
    "fastText with commas": [("I love it", ("pos", "glad")), ("I hate it", ("neg",))],
}


SKIPPED = {
    "Prodigy, where the first row has no answer": (jsonl(*ROWS, {**ROWS[0], "answer": "reject"}, {**ROWS[0], "answer": "ignore"}), 2),
    "Prodigy, in an array": (pretty([*ROWS, {**ROWS[0], "answer": "reject"}]), 1),
    "Prodigy, in an object": (pretty({"data": [*ROWS, {**ROWS[0], "answer": "ignore"}]}), 1),
    "Label Studio, cancelled": (
        pretty(
            [
                *(task(text, annotation("other", cancelled=True), annotation(label)) for text, (label,) in AB),
                task("x", annotation("pos", cancelled=True)),
            ]
        ),
        1,
    ),
    "Label Studio, annotators who disagree": (
        pretty(
            [
                task("I love it", annotation("pos"), annotation("pos")),
                task("I hate it", annotation("pos"), annotation("neg", true=True)),
                task("x", annotation("pos"), annotation("neg")),
            ]
        ),
        1,
    ),
    "Argilla, discarded": (
        jsonl(
            *(
                {"fields": {"text": text}, "responses": {"label": [{"value": label, "status": status}]}}
                for (text, (label,)), status in zip([*AB, AB[0]], ["submitted", "submitted", "discarded"], strict=True)
            )
        ),
        1,
    ),
    "CLINC150's test and out of scope": (
        pretty(
            {
                "oos_val": [["x", "oos"]],
                "val": [["I love it", "pos"]],
                "train": [["I hate it", "neg"]],
                "test": [["y", "pos"], ["z", "neg"]],
            }
        ),
        3,
    ),
    "CLU's test": (
        pretty({"assets": {"utterances": [*CLU["assets"]["utterances"], {"text": "x", "intent": "pos", "dataset": "Test"}]}}),  # type: ignore[index]
        1,
    ),
    "Vertex AI's test": (
        jsonl(
            {"classificationAnnotation": {"displayName": "pos"}, "textContent": "I love it"},
            {"classificationAnnotation": {"displayName": "neg"}, "textContent": "I hate it"},
            {
                "classificationAnnotation": {"displayName": "neg"},
                "textContent": "x",
                "dataItemResourceLabels": {"aiplatform.googleapis.com/ml_use": "test"},
            },
        ),
        1,
    ),
    "a template of Dialogflow": (
        pretty([intent("pos", "I love it"), {"displayName": "neg", "userSays": [{"data": [{"text": "I hate it"}]}, {"isTemplate": True}]}]),
        1,
    ),
}


REFUSED = {
    "doccano's spans": (
        jsonl({"text": "Ann ran", "label": [[0, 3, "PER"]]}),
        "Line 1 of the data set has spans (parts of the text) instead",
    ),
    "Label Studio's spans": (
        pretty([task("a", {"result": [{"from_name": "label", "value": {"start": 0, "end": 1, "labels": ["x"]}}]})]),
        "Example 1 of the data set has annotations, but no choices: only projects of text classification are read.",
    ),
    "two choices": (
        pretty([task("a", {"result": [annotation("x", of="mood")["result"][0], annotation("y", of="urgency")["result"][0]]})]),
        "to several choices (mood, urgency): name one in label_column",
    ),
    "text in a bucket": (
        jsonl({"classificationAnnotation": {"displayName": "pos"}, "textGcsUri": "gs://b/1.txt"}),
        'put the text into the line ("textGcsUri" is not fetched).',
    ),
    "Dialogflow's phrases alone": (
        pretty([{"id": "a", "data": [{"text": "hi", "userDefined": False}], "isTemplate": False, "count": 0}]),
        "has no intent, because Dialogflow keeps its name in the name of the file",
    ),
    "several answers": (
        jsonl({"messages": [*chat("a", "b")["messages"], *chat("c", "d")["messages"]]}),
        "exactly one of the assistant, which is the label",
    ),
    "cells that were cut": (
        jsonl({"rows": [{"row_idx": 0, "row": {"text": "a", "label": "b"}, "truncated_cells": ["text"]}]}),
        "Example 1 of the data set was cut by the server",
    ),
    "numbers beyond the names": (
        pretty({"label_names": ["a", "b"], "data": [{"text": "x", "label": 2}]}),
        "has a number as a label, but only 0 to 1 have names",
    ),
    "unknown names": (
        jsonl({"id": 1, "words": "a", "label": "b"}),
        "Line 1 of the data set has no text under a known name: its members are id, words, label. Name the one with the text in",
    ),
    "no label": (jsonl({"text": "a", "kind": "b"}), "its members are text, kind. Name the one with the label in label_column."),
    "several texts": (
        jsonl({"title": "a", "body": "b", "label": "c"}),
        "has several members that may be the text (title, body): name one in text_column.",
    ),
    "several labels": (
        jsonl({"text": "a", "topic": "b", "class": "c"}),
        "has several members that may be the label (topic, class): name one in label_column.",
    ),
    "no known list": (
        pretty({"things": ROWS, "by": "me"}),
        'its members are things, by. Call the list "data".',
    ),
    "two lists": (pretty({"data": ROWS, "items": ROWS}), "The data set holds two lists of examples (data, items): leave one."),
    "a member twice": (b'{"data": [\n{"text": "a", "label": "b"}],\n"data": []}', "the key 'data' appears twice in one object"),
    "something after the object": (pretty({"data": ROWS}) + b"\n{}", "is not JSON: Extra data after the object, line 13 column 1."),
    "an object that never ends": (b'{\n"data": [\n{"text": "a", "label": "b"}', "is not JSON: Expecting ',' delimiter, line 3 column 28."),
    "deep objects": (b'{\n"data":' * 100_000, "The data set is nested too deeply"),
    "deep arrays": (b'{"data":\n' + b"[" * 100_000, "The data set is nested too deeply"),
    "YAML of another form": (
        b"nlu:\n- intent: pos\n  examples: [a, b]\n",
        "Line 3 of the data set is not in the form of nlu.yml that is read",
    ),
    "a workbook": (b"PK\x03\x04" + bytes(26) + b"xl/workbook.xml" + bytes(50), "The data set is a workbook (.xlsx): save it as CSV UTF-8"),
    "a document": (b"PK\x03\x04" + bytes(26) + b"word/document.xml" + bytes(50), "The data set is a document of Word (.docx)"),
    "a ZIP archive": (b"PK\x03\x04" + bytes(26) + b"texts.csv" + bytes(50), "The data set is a ZIP archive: upload the file in it"),
    "an old workbook": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(50), "is an old file of Office (.xls or .doc): save it as CSV UTF-8"),
    "Parquet": (b"PAR1" + bytes(50), "The data set is Parquet: write it as CSV or JSON Lines, or give the file to the command winnow"),
    "PDF": (b"%PDF-1.7\n" + bytes(50), "The data set is a PDF: write its texts with their labels as CSV UTF-8."),
}
