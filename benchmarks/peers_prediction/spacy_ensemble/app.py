"""spaCy as in its documentation: the model's folder from S3, spacy.load, nlp(text)."""

import json
import os
import tarfile
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import spacy

s3 = boto3.client("s3")


@cache
def model() -> Any:
    folder = Path(tempfile.gettempdir())
    s3.download_file(os.environ["MODELS_BUCKET"], os.environ["MODEL_KEY"], str(folder / "model.tar"))
    with tarfile.open(folder / "model.tar") as packed:
        packed.extractall(folder, filter="data")
    return spacy.load(folder / "model")


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    asked = json.loads(event["body"])
    n_top = int(asked.get("n_top", 5))
    if "texts" in asked:
        answer = {"predictions": [{"labels": best(doc.cats, n_top)} for doc in model().pipe(asked["texts"])]}
    else:
        answer = {"labels": best(model()(asked["text"]).cats, n_top)}
    body = json.dumps({"model_id": asked["model_id"], **answer})
    return {"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": body}


def best(scores: Any, n_top: int) -> list[dict[str, Any]]:
    ordered = sorted(scores.items(), key=lambda item: item[1], reverse=True)[:n_top]
    return [{"label": label, "score": round(score, 6)} for label, score in ordered]
