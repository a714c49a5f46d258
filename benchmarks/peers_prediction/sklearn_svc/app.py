"""scikit-learn: a pipeline of TF-IDF and LinearSVC from S3, joblib.load, decision_function."""

import json
import os
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import joblib

s3 = boto3.client("s3")


@cache
def model() -> Any:
    file = Path(tempfile.gettempdir()) / "model.joblib"
    s3.download_file(os.environ["MODELS_BUCKET"], os.environ["MODEL_KEY"], str(file))
    return joblib.load(file)


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    asked = json.loads(event["body"])
    texts = asked["texts"] if "texts" in asked else [asked["text"]]
    predictions = [{"labels": best(scores, int(asked.get("n_top", 5)))} for scores in model().decision_function(texts)]
    answer = {"predictions": predictions} if "texts" in asked else predictions[0]
    body = json.dumps({"model_id": asked["model_id"], **answer})
    return {"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": body}


def best(scores: Any, n_top: int) -> list[dict[str, Any]]:
    return [{"label": str(model().classes_[index]), "score": round(float(scores[index]), 6)} for index in (-scores).argsort()[:n_top]]
