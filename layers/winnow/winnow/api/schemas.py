"""What each endpoint takes, as JSON Schema. openapi.yaml holds the same (a test compares them)."""

from __future__ import annotations

from typing import Any

from winnow.api.fields import MODEL_ID, VERSION, Schema
from winnow.domain.dataset import MAX_LABEL_CHARACTERS, MAX_LABELS, MAX_TEXT_CHARACTERS
from winnow.domain.feedback import Retrain
from winnow.domain.job import Promote
from winnow.recipes.catalogue import RECIPES
from winnow.recipes.languages import LANGUAGES

MOST_TEXTS = 100
MOST_EXAMPLES = 1_000
# Labels for each text of a batch prediction.
MOST_BATCH_LABELS = 100


def _object(required: list[str], properties: dict[str, Any], **more: Any) -> Schema:
    return {"type": "object", "additionalProperties": False, "required": required, "properties": properties, **more}


_TEXT = {
    "type": "string",
    "minLength": 1,
    "maxLength": MAX_TEXT_CHARACTERS,
    "pattern": "\\S",
    "description": f"a text of 1 to {MAX_TEXT_CHARACTERS} characters, not all white space",
}

_BUCKET = {
    "type": "string",
    "pattern": "^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$",
    "description": "the name of an S3 bucket: 3 to 63 lower-case letters, digits, dots or dashes",
}

_LABEL = {
    "type": "string",
    "minLength": 1,
    "maxLength": MAX_LABEL_CHARACTERS,
    "pattern": "\\S",
    "description": f"a label of 1 to {MAX_LABEL_CHARACTERS} characters, not all white space",
}

_TRUTH = {
    "enum": [True, False, "True", "true", "False", "false"],
    "description": 'true or false (also as the strings "True" and "False")',
}

# The model's own, beside those of a version.
_PROPERTIES = {
    "retrain_after": {
        "type": ["integer", "null"],
        "minimum": 1,
        "maximum": 100_000,
        "description": "a whole number of examples from 1 to 100000, or null",
    },
    "tolerance": {"type": "number", "minimum": 0, "maximum": 1, "description": "a number from 0 to 1"},
}

CREATE_MODEL = _object(
    ["id", "s3bucket", "training_object"],
    {
        "id": MODEL_ID,
        "s3bucket": _BUCKET,
        "training_object": {
            "type": "string",
            "minLength": 1,
            "maxLength": 1024,
            "description": "the key of the data set in the bucket, 1 to 1024 characters",
        },
        "test_object": {
            "type": "string",
            "minLength": 1,
            "maxLength": 1024,
            "description": "the key of your own test set in the same bucket, 1 to 1024 characters",
        },
        "dry_run": {"type": "boolean", "description": "true (nothing is trained; the answer is a report on the data set) or false"},
        "force_update": _TRUTH,
        "promote": {
            "enum": [promote.value for promote in Promote],
            "description": "auto (the version goes live when it is ready), if-better (only if it is at least as good as the live one)"
            " or never (it waits for PUT /models/{model_id}/live)",
        },
        "n_iter": {
            "type": ["integer", "string"],
            "minimum": 1,
            "maximum": 1000,
            "pattern": "^([1-9][0-9]{0,2}|1000)$",
            "description": "a whole number of epochs from 1 to 1000",
        },
        "n_texts": {
            "type": ["integer", "string"],
            "minimum": 4,
            "maximum": 10_000_000,
            "pattern": "^([4-9]|[1-9][0-9]{1,6}|10000000)$",
            "description": "a whole number of texts from 4 to 10000000",
        },
        "recipe": {"enum": list(RECIPES), "description": f"one of the recipes: {', '.join(RECIPES)}"},
        "dropout": {"type": "number", "minimum": 0, "maximum": 0.9, "description": "a number from 0 to 0.9"},
        "batch_size": {"type": "integer", "minimum": 1, "maximum": 1024, "description": "a whole number of texts from 1 to 1024"},
        "learn_rate": {"type": "number", "exclusiveMinimum": 0, "maximum": 100, "description": "a number above 0, up to 100"},
        "seed": {"type": "integer", "minimum": 0, "maximum": 4294967295, "description": "a whole number from 0 to 4294967295"},
        "exclusive": {"type": "boolean", "description": "true (each text has exactly one label) or false"},
        "min_precision": {"type": "number", "minimum": 0, "maximum": 1, "description": "a number from 0 to 1"},
        "keep_texts": {"type": "boolean", "description": "true or false"},
        "patience": {"type": "integer", "minimum": 1, "maximum": 1000, "description": "a whole number of epochs from 1 to 1000"},
        "max_minutes": {
            "type": "number",
            "exclusiveMinimum": 0,
            "maximum": 1440,
            "description": "a number of minutes above 0, up to 1440",
        },
        "spacy_model": {
            "enum": list(LANGUAGES),
            "description": f"the code of a language whose tokenizer spaCy has without further packages: {', '.join(LANGUAGES)}",
        },
        **_PROPERTIES,
    },
)

CHANGE_MODEL = _object([], _PROPERTIES, minProperties=1, description="Send retrain_after, tolerance or both")

ADD_EXAMPLES = _object(
    ["examples"],
    {
        "examples": {
            "type": "array",
            "minItems": 1,
            "maxItems": MOST_EXAMPLES,
            "items": _object(
                ["text"],
                {
                    "text": _TEXT,
                    "label": _LABEL,
                    "labels": {
                        "type": "array",
                        "maxItems": MAX_LABELS,
                        "items": _LABEL,
                        "description": f"a list of at most {MAX_LABELS} labels",
                    },
                },
                oneOf=[{"required": ["label"]}, {"required": ["labels"]}],
                description='an object such as {"text": "…", "label": "…"} or {"text": "…", "labels": ["…", "…"]}, and nothing else in it',
            ),
            "description": f"a list of 1 to {MOST_EXAMPLES} examples",
        },
        "retrain": {
            "enum": [retrain.value for retrain in Retrain],
            "description": "now, auto (when as many examples wait as the model's retrain_after says) or no",
        },
    },
)

_VERSION = {"type": "integer", "minimum": 1, "maximum": 999_999, "description": "the number of a version, from 1 to 999999"}

PROMOTE_VERSION = _object(["version"], {"version": _VERSION})

CREATE_BATCH = _object(
    ["s3bucket", "object"],
    {
        "s3bucket": _BUCKET,
        "object": {
            "type": "string",
            "minLength": 1,
            "maxLength": 1024,
            "description": "the key of the object with the texts in the bucket, 1 to 1024 characters",
        },
        "version": _VERSION,
        "n_top": {
            "type": ["integer", "string"],
            "minimum": 1,
            "maximum": MOST_BATCH_LABELS,
            "pattern": "^([1-9][0-9]?|100)$",
            "description": f"a whole number from 1 to {MOST_BATCH_LABELS}",
        },
    },
)

CREATE_DATASET = _object(
    ["name"],
    {
        "name": {
            "type": "string",
            "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$",
            "description": "a file name of 1 to 128 letters, digits, dots, dashes or underscores, the first a letter or digit",
        },
        "bytes": {
            "type": "integer",
            "minimum": 1,
            "maximum": 5_000_000_000,
            "description": "the length of the file, a whole number of bytes from 1 to 5000000000",
        },
    },
)

PREDICT = _object(
    ["model_id"],
    {
        "model_id": MODEL_ID,
        "text": _TEXT,
        "texts": {
            "type": "array",
            "minItems": 1,
            "maxItems": MOST_TEXTS,
            "items": _TEXT,
            "description": f"a list of 1 to {MOST_TEXTS} texts, each of 1 to {MAX_TEXT_CHARACTERS} characters, not all white space",
        },
        "n_top": {
            "type": ["integer", "string"],
            "minimum": 1,
            "maximum": 1000,
            "pattern": "^([1-9][0-9]{0,2}|1000)$",
            "description": "a whole number from 1 to 1000",
        },
        "version": {
            "type": ["integer", "string"],
            "minimum": 1,
            "maximum": 999_999,
            "pattern": "^[1-9][0-9]{0,5}$",
            "description": "the number of a version, from 1 to 999999",
        },
        "explain": _TRUTH,
    },
    oneOf=[{"required": ["text"]}, {"required": ["texts"]}],
    description="Send either text (one text) or texts (a list of up to 100)",
)

LIST = _object(
    [],
    {
        "limit": {
            "type": "string",
            "pattern": "^([1-9][0-9]{0,2}|1000)$",
            "description": "a whole number from 1 to 1000",
        },
        "next": {
            "type": "string",
            "pattern": "^[A-Za-z0-9_-]{1,200}$",
            "description": "the `next` of the answer before, unchanged",
        },
    },
)

COMPARE_VERSIONS = _object(["to"], {"to": {**VERSION, "description": f"the number of the other version, {VERSION['description']}"}})
