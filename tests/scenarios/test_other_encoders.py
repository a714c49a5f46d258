"""The layer's other encoder, and those in an operator's bucket: new versions use one, older versions keep theirs. A deployment fails if it
would remove one that is in use."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
import winnow_encoder
from botocore.exceptions import ClientError

from layers.encoder import upload
from tests.conftest import Context, Json, load_event
from tests.support.custom_resource import answer_of
from tests.support.deadline import Deadline
from tests.support.feedback import add, labelled
from tests.support.tiny_encoder import put as put_tiny
from winnow.aws import clients
from winnow.domain.keys import encoder_key
from winnow.prediction import encoders
from winnow.recipes import encoder

if TYPE_CHECKING:
    from tests.conftest import Answer, Winnow

BUCKET = "our-encoders"
INSTALLED = Path(str(winnow_encoder.__file__)).parent
CHECK = "functions/upkeep/check_encoders"


@pytest.fixture(autouse=True)
def fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for encoders that this test's execution environments fetch."""
    monkeypatch.setattr(encoders, "_FETCHED", tmp_path / "fetched")
    encoders._opened.cache_clear()
    return tmp_path / "fetched"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The files of another encoder: it has the layer's weights and reads fewer tokens."""
    for part in ("model.onnx", "tokenizer.json"):
        (tmp_path / part).symlink_to(INSTALLED / part)
    return tmp_path


@pytest.fixture
def digest(winnow: Winnow, folder: Path) -> str:
    """Another encoder, in the deployment's bucket. Versions are trained with the layer's."""
    boto3.client("s3").create_bucket(Bucket=BUCKET)
    winnow.parameters |= {"Encoder": "minilm", "EncoderBucket": BUCKET}
    winnow.put_dataset()
    return upload.upload(folder, BUCKET, upload.described(folder, "few-tokens", "mean", 4))


def new_environments(winnow: Winnow) -> None:
    """Start new execution environments, as after a deployment."""
    winnow.environments.clear()
    encoders._opened.cache_clear()


def predict(winnow: Winnow) -> Answer:
    new_environments(winnow)
    return winnow.call("predict", "predict_post_text")


def answered(winnow: Winnow) -> Json:
    """The answer without its id, which each has for itself."""
    return {**predict(winnow).body, "prediction_id": ""}


def checked(winnow: Winnow, monkeypatch: pytest.MonkeyPatch, kind: str = "Update", seconds: float = 300) -> Json:
    """The answer of the deployment's check to CloudFormation."""
    new_environments(winnow)
    return answer_of(winnow, monkeypatch, CHECK, load_event("upkeep/check_encoders") | {"RequestType": kind}, Context(seconds))


# --- training and answering ---


@pytest.mark.parametrize("recipe", ["sentence", "best"])
def test_versions_are_trained_and_answer_with_the_one_that_the_parameter_names(winnow: Winnow, digest: str, recipe: str) -> None:
    winnow.parameters["Encoder"] = digest
    version = winnow.train(recipe=recipe)

    assert (version["status"], version["encoder"]) == ("ready", {"name": "few-tokens", "digest": digest})
    assert predict(winnow).status == 200


def test_a_version_goes_on_with_its_own_when_others_are_trained_with_another(winnow: Winnow, digest: str) -> None:
    winnow.train(recipe="sentence")
    before = answered(winnow)
    winnow.parameters["Encoder"] = digest
    assert answered(winnow) == before

    second = winnow.train(recipe="sentence", force_update=True)
    winnow.parameters["Encoder"] = "minilm"

    assert second["encoder"]["name"] == "few-tokens"
    assert predict(winnow).body["version"] == 2
    compared = winnow.call("compare_versions", path={"model_id": "tc-01", "version": "1"}, query={"to": "2"})
    assert compared.status == 200


def test_it_is_fetched_once_and_by_those_that_need_it(winnow: Winnow, digest: str, fetched: Path) -> None:
    winnow.train(recipe="linear")
    assert predict(winnow).status == 200
    assert not fetched.exists()

    winnow.parameters["Encoder"] = digest
    winnow.train(recipe="sentence", force_update=True)
    assert [path.name for path in fetched.iterdir()] == [digest]
    winnow.s3.delete_object(Bucket=BUCKET, Key=encoder_key(digest, "model.onnx"))
    assert winnow.call("predict", "predict_post_text").status == 200


def test_a_training_goes_on_with_the_encoder_that_it_began_with(winnow: Winnow, digest: str) -> None:
    winnow.create(recipe="sentence")
    job = winnow.run_task("prepare", winnow.started_job())
    begun = winnow.run_task("train", job, Deadline(looks=16))
    assert begun["candidates"] == [{"recipe": "sentence", "done": False}]
    winnow.parameters["Encoder"] = digest
    new_environments(winnow)
    winnow.run_task("publish", winnow.run_task("train", job))

    assert winnow.version()["encoder"]["name"] == "all-MiniLM-L6-v2"
    assert predict(winnow).status == 200


def test_feedback_is_trained_with_the_one_for_trainings(winnow: Winnow, digest: str) -> None:
    winnow.train(recipe="sentence")
    winnow.parameters["Encoder"] = digest
    new_environments(winnow)
    add(winnow, labelled(6), retrain="now")
    winnow.run_workflow(winnow.started_job())

    assert (winnow.version()["version"], winnow.version()["encoder"]["name"]) == (2, "few-tokens")


def test_a_version_that_needs_none_keeps_none(winnow: Winnow, digest: str) -> None:
    assert winnow.train(recipe="linear")["encoder"] is None


def test_a_text_that_one_makes_no_tokens_of_is_answered_and_takes_no_other_with_it(winnow: Winnow, tmp_path: Path) -> None:
    boto3.client("s3").create_bucket(Bucket=BUCKET)
    winnow.put_dataset()
    put_tiny(tmp_path, dynamic=True)
    digest = upload.upload(tmp_path, BUCKET, upload.described(tmp_path, "tiny", "mean", 16))
    winnow.parameters |= {"Encoder": digest, "EncoderBucket": BUCKET}
    assert winnow.train(recipe="sentence")["status"] == "ready"
    texts = ["\x01", "My card was stolen", "\u200b", "How deep do", "tulip"]

    among = winnow.call("predict", "predict_post_texts", body={"model_id": "tc-01", "texts": texts})
    assert among.status == 200, among.body
    for text, found in zip(texts, among.body["predictions"], strict=True):
        [alone] = winnow.call("predict", "predict_post_texts", body={"model_id": "tc-01", "texts": [text]}).body["predictions"]
        # Sums of several texts at once are rounded in another order.
        scores = [[label.pop("score") for label in each["labels"]] for each in (found, alone)]
        assert scores[0] == pytest.approx(scores[1], abs=1e-5)
        assert found["labels"] == alone["labels"]


# --- the layer's other one ---


@pytest.mark.parametrize("recipe", ["sentence", "best"])
def test_the_multilingual_one_is_a_value_of_the_parameter(winnow: Winnow, recipe: str, monkeypatch: pytest.MonkeyPatch) -> None:
    winnow.parameters["Encoder"] = "use-multilingual"
    winnow.put_dataset()
    version = winnow.train(recipe=recipe)
    found = predict(winnow)

    assert (version["status"], version["encoder"]) == ("ready", encoder.described(encoder.installed("use-multilingual")))
    assert version["encoder"]["name"] == "use-multilingual"
    assert found.status == 200
    # It is in the layer, so the version goes on when others are trained with MiniLM.
    winnow.parameters["Encoder"] = "minilm"
    assert answered(winnow) == {**found.body, "prediction_id": ""}
    assert checked(winnow, monkeypatch)["Status"] == "SUCCESS"
    assert winnow.train(recipe=recipe, force_update=True)["encoder"]["name"] == "all-MiniLM-L6-v2"


def test_the_multilingual_one_may_be_in_a_bucket_too(winnow: Winnow, digest: str, fetched: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    winnow.parameters["Encoder"] = "use-multilingual"
    winnow.train(recipe="sentence")
    before = answered(winnow)
    folder = INSTALLED / "use-multilingual"
    named = upload.upload(folder, BUCKET, upload.described(folder, None, "mean", 256))
    # As in a release whose layer has another one.
    monkeypatch.setattr(encoder, "in_layer", lambda _: None)

    assert answered(winnow) == before
    assert [path.name for path in fetched.iterdir()] == [named]


# --- a wrong object in the bucket ---


@pytest.mark.parametrize(
    ("part", "content", "said"),
    [
        ("encoder.json", b"", "has no encoder.json that this deployment may read"),
        ("model.onnx", b"", "has no model.onnx that this deployment may read"),
        ("encoder.json", b"{}", "has a wrong encoder.json"),
        ("model.onnx", b"weights", "has a wrong model.onnx"),
        ("tokenizer.json", b"{}", "has a wrong tokenizer.json"),
    ],
)
def test_a_version_doesn_t_answer_by_what_isn_t_its_encoder(winnow: Winnow, digest: str, part: str, content: bytes, said: str) -> None:
    winnow.parameters["Encoder"] = digest
    winnow.train(recipe="sentence")
    key = encoder_key(digest, part)
    if content:
        winnow.s3.put_object(Bucket=BUCKET, Key=key, Body=content)
    else:
        winnow.s3.delete_object(Bucket=BUCKET, Key=key)
    fetched = encoders._FETCHED
    shutil.rmtree(fetched)

    refused = predict(winnow)
    assert (refused.status, refused.body["type"]) == (409, "urn:winnow:problem:no-such-encoder")
    assert refused.body["detail"].startswith(f"The sentence encoder few-tokens ({digest[:12]}) in s3://{BUCKET}/encoders/{digest}/ {said}")
    # No part of it is kept: it could be taken for the whole.
    assert not list(fetched.iterdir())


def test_an_encoder_whose_kms_key_may_not_be_used_is_not_said_to_be_missing(
    winnow: Winnow, digest: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    winnow.parameters["Encoder"] = digest
    winnow.create(recipe="sentence")
    job = winnow.run_task("prepare", winnow.started_job())
    message = "User is not authorized to perform: kms:Decrypt on the resource"
    get_object = clients.s3().get_object

    def refused(**asked: Any) -> Any:
        if asked["Bucket"] == BUCKET:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": message}}, "GetObject")
        return get_object(**asked)

    monkeypatch.setattr(clients.s3(), "get_object", refused)
    with pytest.raises(Exception, match="BucketKeys"):
        winnow.run_task("train", job)


def test_a_training_fails_with_the_sentence(winnow: Winnow, digest: str) -> None:
    winnow.parameters["Encoder"] = "f" * 64
    winnow.create(recipe="sentence")
    job = winnow.run_task("prepare", winnow.started_job())
    with pytest.raises(Exception, match="has no encoder"):
        winnow.run_task("train", job)

    assert winnow.version()["status"] == "failed"
    assert f"(ffffffffffff) in s3://{BUCKET}/encoders/{'f' * 64}/ has no encoder.json" in winnow.version()["error"]


# --- the deployment's check ---


def test_a_deployment_with_all_that_is_needed_passes(winnow: Winnow, digest: str, monkeypatch: pytest.MonkeyPatch) -> None:
    winnow.train(recipe="sentence")
    winnow.parameters["Encoder"] = digest
    winnow.train(recipe="best", force_update=True)

    for kind in ("Create", "Update"):
        assert (checked(winnow, monkeypatch, kind)["Status"], digest) == ("SUCCESS", digest)


def test_one_that_drops_a_bucket_s_encoder_is_refused(winnow: Winnow, digest: str, monkeypatch: pytest.MonkeyPatch) -> None:
    winnow.parameters["Encoder"] = digest
    winnow.train(recipe="sentence")
    winnow.parameters |= {"Encoder": "minilm", "EncoderBucket": ""}

    answer = checked(winnow, monkeypatch)
    assert answer["Status"] == "FAILED"
    assert answer["Reason"].startswith("1 version (tc-01 1) would stop answering: This version was trained with the sentence encoder few-t")
    # An encoder that no version needs can be removed.
    winnow.train(recipe="linear", force_update=True)
    winnow.call("delete_version", path={"model_id": "tc-01", "version": "1"})
    assert checked(winnow, monkeypatch)["Status"] == "SUCCESS"


def test_one_that_leaves_the_layer_out_is_refused_while_any_version_needs_it(
    winnow: Winnow, digest: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(7):
        winnow.train(recipe="sentence", id=f"tc-{number}")
    winnow.parameters |= {"Encoder": "none", "EncoderBucket": ""}
    monkeypatch.setattr(encoder, "_PACKAGE", "winnow_encoder_left_out")
    monkeypatch.setattr(encoder, "installed", encoder.installed.__wrapped__)

    counted, _, why = checked(winnow, monkeypatch)["Reason"].partition(" would stop answering: ")
    assert counted == "7 versions (tc-0 1, tc-1 1, tc-2 1, tc-3 1, tc-4 1 and 2 more)"
    assert why.startswith("This deployment has no sentence encoder")


@pytest.mark.parametrize("status", ["training", "failed"])
def test_a_training_under_way_needs_its_encoder_and_one_that_failed_none(
    winnow: Winnow, digest: str, status: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    winnow.parameters["Encoder"] = digest
    winnow.create(recipe="sentence")
    job = winnow.run_task("prepare", winnow.started_job())
    winnow.run_task("train", job, Deadline(looks=16))
    if status == "failed":
        winnow.invoke("functions/training/fail", job | {"failure": load_event("training/fail")["failure"]})
    winnow.parameters |= {"Encoder": "minilm", "EncoderBucket": ""}

    assert checked(winnow, monkeypatch)["Status"] == ("FAILED" if status == "training" else "SUCCESS")


def test_one_whose_encoder_for_trainings_is_not_there_is_refused(winnow: Winnow, digest: str, monkeypatch: pytest.MonkeyPatch) -> None:
    winnow.parameters["Encoder"] = "f" * 64
    answer = checked(winnow, monkeypatch, "Create")
    assert (answer["Status"], "has no encoder.json" in answer["Reason"]) == ("FAILED", True)


def test_one_that_names_an_encoder_and_no_bucket_is_refused(winnow: Winnow, digest: str, monkeypatch: pytest.MonkeyPatch) -> None:
    winnow.parameters |= {"Encoder": digest, "EncoderBucket": ""}
    answer = checked(winnow, monkeypatch, "Create")
    said = f"The parameter Encoder names the sentence encoder {digest[:12]}: set EncoderBucket to the bucket that has it."
    assert (answer["Status"], answer["Reason"]) == ("FAILED", said)


def test_one_whose_encoder_is_no_model_is_refused(winnow: Winnow, digest: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    about = upload.described(folder, "broken", "mean", 4)
    broken = json.dumps({**json.loads(about), "model_sha256": hashlib.sha256(b"no model").hexdigest()}).encode()
    named = hashlib.sha256(broken).hexdigest()
    for part, body in (("encoder.json", broken), ("model.onnx", b"no model"), ("tokenizer.json", (folder / "tokenizer.json").read_bytes())):
        winnow.s3.put_object(Bucket=BUCKET, Key=encoder_key(named, part), Body=body)
    winnow.parameters["Encoder"] = named

    assert "The sentence encoder broken" in checked(winnow, monkeypatch)["Reason"]
    assert "doesn't work" in checked(winnow, monkeypatch)["Reason"]


def test_with_more_encoders_than_time_each_is_looked_for(
    winnow: Winnow, digest: str, fetched: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    winnow.parameters["Encoder"] = digest
    winnow.train(recipe="sentence")
    winnow.parameters["Encoder"] = "minilm"
    winnow.s3.put_object(Bucket=BUCKET, Key=encoder_key(digest, "model.onnx"), Body=b"no model")
    shutil.rmtree(fetched)

    assert "has a wrong model.onnx" in checked(winnow, monkeypatch)["Reason"]
    # 30 seconds for the answer and 60 for a try: none is left.
    assert checked(winnow, monkeypatch, seconds=90)["Status"] == "SUCCESS"
    assert not list(fetched.iterdir())
    assert "no time to try an encoder" in caplog.messages
    winnow.s3.delete_object(Bucket=BUCKET, Key=encoder_key(digest, "model.onnx"))
    assert "has no model.onnx" in checked(winnow, monkeypatch, seconds=90)["Reason"]


def test_each_encoder_has_the_disk_for_itself(
    winnow: Winnow, digest: str, fetched: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = upload.upload(tmp_path, BUCKET, upload.described(tmp_path, "fewer-tokens", "mean", 3))
    for number, each in enumerate((digest, other)):
        winnow.parameters["Encoder"] = each
        winnow.train(recipe="sentence", id=f"tc-{number}")
    winnow.parameters["Encoder"] = "minilm"

    assert checked(winnow, monkeypatch)["Status"] == "SUCCESS"
    assert len(list(fetched.iterdir())) == 1


def test_a_fault_of_ours_is_an_answer_too(winnow: Winnow, digest: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(seconds: float) -> None:
        raise RuntimeError

    monkeypatch.setattr(encoders, "check", killed)
    assert checked(winnow, monkeypatch)["Status"] == "FAILED"
    # The deletion of a stack needs no check.
    assert checked(winnow, monkeypatch, "Delete")["Status"] == "SUCCESS"


# --- upload of an encoder ---


def test_one_as_it_is_described_keeps_its_digest(winnow: Winnow, digest: str) -> None:
    about = upload.described(INSTALLED, None, "cls", 7)
    assert upload.upload(INSTALLED, BUCKET, about) == encoder.installed().digest


@pytest.mark.parametrize("dynamic", [True, False])
def test_it_says_where_texts_may_not_be_read_together(
    winnow: Winnow, tmp_path: Path, dynamic: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    boto3.client("s3").create_bucket(Bucket=BUCKET)
    put_tiny(tmp_path, dynamic=dynamic)
    monkeypatch.setattr("sys.argv", ["upload.py", str(tmp_path), BUCKET, "--name", "tiny"])
    upload.main()

    assert ("reads one text at a time" in capsys.readouterr().out) == dynamic


@pytest.mark.parametrize(
    ("name", "files", "said"),
    [
        ("few", {"tokenizer.json": None}, "tokenizer.json is missing"),
        (None, {}, "give the encoder a name with --name"),
        ("few", {"encoder.json": b'{"model_sha256": "another"}'}, "describes other files: model_sha256 and tokenizer_sha256"),
    ],
)
def test_what_is_no_encoder_is_said(folder: Path, name: str | None, files: dict[str, bytes | None], said: str) -> None:
    for part, content in files.items():
        if content is None:
            (folder / part).unlink()
        else:
            (folder / part).write_bytes(content)
    with pytest.raises(upload.UploadError, match=said):
        upload.described(folder, name, "mean", 256)
