"""The whole life of a model over HTTP, on the local cloud."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from tests.e2e.conftest import SAMPLE, Deployed, deployed
from tests.e2e.test_events import listening, received
from winnow.domain.model import FIGURES
from winnow.evaluation import figures

STRANGERS = Path(__file__).parents[1] / "data" / "stranger_texts.json"


@pytest.mark.essential
def test_a_stranger_s_texts_are_understood_by_a_model_of_the_sample_data(api: Deployed) -> None:
    api.client.train("sample", api.client.upload("savings.json", SAMPLE.read_bytes()))
    seen: list[int] = []
    model = api.client.wait("sample", lambda model: seen.append(model["version"]["progress"]["percent"]))
    assert model["version"]["status"] == "ready", model["version"]["error"]
    assert model["status"] == "ready"
    assert model["live_version"] == model["latest_version"] == 1
    assert seen == sorted(seen)
    # The number of values in between depends on the machine's speed. tests/functions checks each step of the progress.
    assert seen[0] < seen[-1] == 100
    assert model["version"]["recipe"] == "best", model["version"]["selection"]
    assert model["version"]["evaluation"]["accuracy"] > 0.85
    assert model["version"]["dataset"]["examples"] == 800

    report = api.request("GET", "/models/sample/versions/1/evaluation").json()
    assert report["accuracy"] == model["version"]["evaluation"]["accuracy"]
    assert report["confusion"]["labels"] == sorted(report["per_label"])
    for figure in FIGURES:
        assert api.request("GET", f"/models/sample/versions/1/evaluation/{figure}").text == figures.draw(report)[figure]

    strangers = json.loads(STRANGERS.read_text())
    body = {"model_id": "sample", "texts": [example["text"] for example in strangers], "n_top": 1}
    predictions = api.request("POST", "/prediction", json=body).json()["predictions"]
    right = sum(prediction["labels"][0]["label"] == example["label"] for prediction, example in zip(predictions, strangers, strict=True))
    assert right >= 0.9 * len(strangers)


def test_versions_deletion_and_a_second_life(api: Deployed, small_dataset: bytes) -> None:
    dataset = api.client.upload("small.jsonl", small_dataset)
    api.client.train("life", dataset, recipe="linear", n_iter=2)
    first = api.client.wait("life")
    assert first["live_version"] == 1

    assert api.request("POST", "/models", json={"id": "life", **dataset}).status_code == 409
    # The first version answers during the training of the second, which takes long enough for this.
    api.client.train("life", dataset, recipe="linear", n_iter=1000, force_update=True)
    assert api.client.call("GET", "/prediction", {"model_id": "life", "text": "my rent is due"})["version"] == 1
    underway = api.request("POST", "/models", json={"id": "life", "force_update": True, **dataset})
    assert underway.status_code == 409
    assert "POST /models/life/versions/2/cancel" in underway.json()["detail"]
    assert api.client.wait("life")["live_version"] == 2
    assert api.client.call("GET", "/prediction", {"model_id": "life", "text": "my rent is due"})["version"] in {1, 2}

    deleted = api.request("DELETE", "/models/life")
    assert (deleted.status_code, deleted.json()["status"]) == (200, "deleted")
    assert api.request("GET", "/models/life").status_code == 404
    assert api.request("DELETE", "/models/life").status_code == 404
    refused_within(2, api, "life")
    assert dataset["training_object"] in api.objects(api.datasets_bucket)

    api.client.train("life", dataset, recipe="linear", n_iter=2)
    again = api.client.wait("life")
    assert (again["live_version"], again["latest_version"]) == (1, 1)
    api.request("DELETE", "/models/life")


def test_nothing_is_left_of_a_deleted_model(api: Deployed, small_dataset: bytes) -> None:
    def objects() -> list[str]:
        # A forgetting of another test may be at work.
        return [key for key in api.objects(api.models_bucket) if not key.startswith("forgettings/")]

    before = objects()
    api.client.train("gone", api.client.upload("small.jsonl", small_dataset), n_iter=1)
    api.client.wait("gone")
    assert len(objects()) > len(before)
    api.request("DELETE", "/models/gone")
    assert objects() == before


def test_a_cancelled_training_stops_and_leaves_the_live_version(api: Deployed, small_dataset: bytes) -> None:
    dataset = api.client.upload("small.jsonl", small_dataset)
    api.client.train("stopped", dataset, recipe="linear", n_iter=1)
    api.client.wait("stopped")
    api.client.train("stopped", dataset, recipe="linear", n_iter=1000, force_update=True)
    cancelled = api.request("POST", "/models/stopped/versions/2/cancel")
    assert (cancelled.status_code, cancelled.json()["status"]) == (200, "cancelled")
    model = api.client.call("GET", "/models/stopped")
    assert (model["status"], model["live_version"], model["version"]["status"]) == ("ready", 1, "cancelled")
    assert api.request("POST", "/models/stopped/versions/2/cancel").status_code == 409
    api.request("DELETE", "/models/stopped")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "empty"),
        (b'{"text": "a", "label": "b"}\n{"text": "a" "label": "b"}', "Line 2"),
        (b'{"text": "caf\x81", "label": "b"}', "not UTF-8"),
        (b'[{"text": "a", "label": "b"}, {"text": "c", "label": "b"}]', "only the label 'b'"),
    ],
)
def test_a_data_set_that_can_t_be_trained_on_says_why(api: Deployed, content: bytes, sentence: str) -> None:
    model_id = f"bad-{time.monotonic_ns()}"
    api.client.train(model_id, api.client.upload("bad.json", content))
    model = api.client.wait(model_id)
    assert (model["status"], model["version"]["status"]) == ("failed", "failed")
    assert sentence in model["version"]["error"]
    assert api.request("GET", "/prediction", json={"model_id": model_id, "text": "x"}).status_code == 409
    api.request("DELETE", f"/models/{model_id}")


def test_a_data_set_that_is_missing_or_forbidden_gives_the_same_sentence(api: Deployed) -> None:
    errors = []
    api.cloud.client("s3").create_bucket(Bucket="a-bucket-nobody-allowed")
    api.put("a-bucket-nobody-allowed", "absent.json", b"[]")
    for number, bucket in enumerate((api.datasets_bucket, "a-bucket-nobody-allowed")):
        api.client.train(f"absent-{number}", {"s3bucket": bucket, "training_object": "absent.json"})
        errors.append(api.client.wait(f"absent-{number}")["version"]["error"].replace(bucket, "BUCKET"))
        api.request("DELETE", f"/models/absent-{number}")
    assert "s3://BUCKET/absent.json can't be read" in errors[0]
    assert errors[0] == errors[1]


def test_more_trainings_than_go_on_at_once_wait_for_their_turn_and_are_made(api: Deployed, small_dataset: bytes) -> None:
    dataset = api.client.upload("small.jsonl", small_dataset)
    names = [f"in-turn-{number}" for number in range(7)]
    for name in names:
        api.client.train(name, dataset, recipe="linear", n_iter=1)
    # Sooner than the sweeper's next run: the registry's stream reports the end of a training.
    assert {api.client.wait(name, seconds=200)["status"] for name in names} == {"ready"}
    for name in names:
        api.request("DELETE", f"/models/{name}")


def test_models_survive_a_stop_and_a_start_and_are_trained_again(api: Deployed, small_dataset: bytes) -> None:
    dataset = api.client.upload("small.jsonl", small_dataset)
    api.client.train("kept", dataset, recipe="linear", n_iter=2)
    api.client.wait("kept")
    body = {"model_id": "kept", "text": "my rent is due"}
    before = api.client.call("GET", "/prediction", body)["labels"]
    port = api.cloud.port
    assert api.cloud.stop()
    api.cloud.start()
    assert api.cloud.port == port
    assert deployed(api.cloud) == api
    assert api.client.call("GET", "/prediction", body)["labels"] == before
    # The registry's stream goes on: it tells of the end of the next training.
    queue = listening(api, "kept")
    api.client.train("kept", dataset, recipe="linear", n_iter=2, force_update=True)
    assert [detail["version"] for detail in received(api, queue, 1)] == [2]
    api.request("DELETE", "/models/kept")


def refused_within(seconds: float, api: Deployed, model_id: str) -> None:
    end = time.monotonic() + seconds
    while api.request("GET", "/prediction", json={"model_id": model_id, "text": "x"}).status_code != 404:
        assert time.monotonic() < end, "a warm predictor still answers for a deleted model"
        time.sleep(0.1)
