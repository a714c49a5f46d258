"""GET /models/{model_id}/versions/{version}/artifact."""

from __future__ import annotations

import hashlib
import io
import tarfile
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
import spacy

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Answer, Ready, Winnow

TEXTS = ["How deep do tulip bulbs go?", "a flat tyre"]


def get(winnow: Winnow, version: int = 1) -> Answer:
    return winnow.call("get_artifact", path={"model_id": "tc-01", "version": str(version)})


@pytest.mark.parametrize("dataset", ["exclusive.json", "multilabel.jsonl"])
def test_the_link_leads_to_a_pipeline_that_answers_as_the_api_does(
    ready: Ready, dataset: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("winnow.domain.clock.clock", lambda: datetime(2026, 3, 2, 9, 0, tzinfo=UTC))
    winnow = ready(dataset)

    answer = get(winnow)

    assert answer.status == 200
    link = urlsplit(answer.body["url"])
    assert "winnow-models" in link.netloc + link.path
    assert parse_qs(link.query)["X-Amz-Expires"] == ["900"]
    assert parse_qs(link.query)["response-content-disposition"] == ['attachment; filename="tc-01-1.tar.gz"']
    assert answer.body["expires_at"] == "2026-03-02T09:15:00.000Z"
    [body] = [body for key, body in winnow.objects().items() if unquote(link.path).endswith(key)]
    assert (answer.body["bytes"], answer.body["sha256"]) == (len(body), hashlib.sha256(body).hexdigest())

    with tarfile.open(fileobj=io.BytesIO(body)) as tar:
        tar.extractall(tmp_path, filter="data")
    nlp = spacy.load(tmp_path / "tc-01-1")
    answered = winnow.call("predict", "predict_post_texts", body={"model_id": "tc-01", "texts": TEXTS, "n_top": 1000}).body
    for text, prediction in zip(TEXTS, answered["predictions"], strict=True):
        cats = nlp(text).cats
        assert {label["label"] for label in prediction["labels"]} == set(cats)
        assert all(abs(cats[label["label"]] - label["score"]) < 1e-5 for label in prediction["labels"])
    assert nlp.meta["winnow"]["model_id"] == "tc-01"
    assert nlp.meta["winnow"]["accuracy"] == pytest.approx(winnow.version()["evaluation"]["accuracy"])


def test_a_version_that_is_not_ready_or_not_there_has_none(winnow: Winnow) -> None:
    assert get(winnow).body["type"] == "urn:winnow:problem:model-not-found"
    winnow.create()
    assert (get(winnow).status, get(winnow).body["type"]) == (409, "urn:winnow:problem:version-not-ready")
    assert (get(winnow, 2).status, get(winnow, 2).body["type"]) == (404, "urn:winnow:problem:version-not-found")


def test_one_that_is_gone_is_a_fault_of_ours(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    [key] = [key for key in winnow.objects() if key.endswith("/pipeline.tar.gz")]
    winnow.s3.delete_object(Bucket=winnow.names["Models"], Key=key)

    assert (get(winnow).status, get(winnow).body["type"]) == (500, "urn:winnow:problem:artifact")
