"""fastText: the model's file from S3, load_model, predict. Texts are prepared as in fastText's tutorial."""

import json
import os
import re
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import fasttext

s3 = boto3.client("s3")
PUNCTUATION = re.compile(r"([^\w\s])")


@cache
def model() -> Any:
    file = Path(tempfile.gettempdir()) / "model.bin"
    s3.download_file(os.environ["MODELS_BUCKET"], os.environ["MODEL_KEY"], str(file))
    return fasttext.load_model(str(file))


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    asked = json.loads(event["body"])
    texts = asked["texts"] if "texts" in asked else [asked["text"]]
    lines = [" ".join(PUNCTUATION.sub(r" \1 ", text.lower()).split()) for text in texts]
    found = zip(*model().predict(lines, k=int(asked.get("n_top", 5))), strict=True)
    predictions = [{"labels": best(labels, scores)} for labels, scores in found]
    answer = {"predictions": predictions} if "texts" in asked else predictions[0]
    body = json.dumps({"model_id": asked["model_id"], **answer})
    return {"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": body}


def best(labels: Any, scores: Any) -> list[dict[str, Any]]:
    named = zip(labels, scores, strict=True)
    return [{"label": label.removeprefix("__label__"), "score": round(float(score), 6)} for label, score in named]
