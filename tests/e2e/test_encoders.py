"""Sentence encoders of a real deployment: the layer's, one in a bucket, and the check that no deployment removes one in use."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from layers.encoder import upload
from local.cloud import LocalCloud
from local.server import CloudError
from tests.conftest import ROOT
from tests.e2e.conftest import Deployed, deployed, forget_models

BUCKET = "our-encoders"
# The form that sam needs.
NO_BUCKET = {"EncoderBucket": '""'}
USUAL = {**NO_BUCKET, "Encoder": "minilm"}
LAYER = ROOT / ".aws-sam" / "local" / "EncoderLayer" / "python" / "winnow_encoder"
TEXT = {"text": "my rent is due"}


@pytest.fixture(scope="module")
def with_bucket(api: Deployed) -> Iterator[LocalCloud]:
    """The cloud without models, beside a bucket for encoders."""
    forget_models(api)
    api.cloud.client("s3").create_bucket(Bucket=BUCKET)
    yield api.cloud
    forget_models(api)


def put_another(cloud: LocalCloud, folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Put the layer's encoder, changed to read fewer tokens, into the bucket. Returns its digest."""
    for part in ("model.onnx", "tokenizer.json"):
        (folder / part).symlink_to(LAYER / part)
    monkeypatch.setattr(boto3, "client", cloud.client)
    return upload.upload(folder, BUCKET, upload.described(folder, "few-tokens", "mean", 16))


def train(api: Deployed, model_id: str, dataset: bytes) -> dict[str, object]:
    api.client.train(model_id, api.client.upload("small.jsonl", dataset), recipe="sentence")
    version = api.client.wait(model_id)["version"]
    assert (version["status"], version["error"]) == ("ready", None)
    return dict(version["encoder"])


def test_versions_keep_their_encoder_and_no_deployment_takes_it_away(
    with_bucket: LocalCloud, small_dataset: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = put_another(with_bucket, tmp_path, monkeypatch)
    assert train(deployed(with_bucket), "before", small_dataset)["name"] == "all-MiniLM-L6-v2"

    try:
        keeps_what_is_in_use(with_bucket, digest, small_dataset)
    finally:
        # The other tests need the usual deployment.
        with_bucket.deploy(USUAL)
    assert deployed(with_bucket).client.call("POST", "/prediction", {"model_id": "before", **TEXT})["version"] == 1


def keeps_what_is_in_use(with_bucket: LocalCloud, digest: str, dataset: bytes) -> None:
    with_bucket.deploy({"EncoderBucket": BUCKET, "Encoder": digest})
    api = deployed(with_bucket)
    assert train(api, "after", dataset) == {"name": "few-tokens", "digest": digest}
    for model_id in ("before", "after"):
        assert api.client.call("POST", "/prediction", {"model_id": model_id, **TEXT})["version"] == 1

    for encoder, lacking in (("minilm", r"1 version \(after 1\)"), ("none", r"1 version \(after 1\) .* 1 version \(before 1\)")):
        with pytest.raises(CloudError, match=rf"EncodersInUse: .*{lacking} would stop answering"):
            with_bucket.deploy({**NO_BUCKET, "Encoder": encoder})
        for model_id in ("before", "after"):
            assert deployed(with_bucket).client.call("POST", "/prediction", {"model_id": model_id, **TEXT})["version"] == 1

    api.request("DELETE", "/models/after")
