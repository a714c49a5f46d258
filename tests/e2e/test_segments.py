"""A training longer than one Lambda, on the real workflow: segment after segment."""

from __future__ import annotations

from tests.e2e.conftest import SEGMENT_SECONDS, Deployed


def test_a_training_longer_than_a_lambda_goes_on_in_the_next(api: Deployed, small_dataset: bytes) -> None:
    # With this many epochs only max_minutes ends it, after more than one segment.
    minutes = 1.5 * (SEGMENT_SECONDS - 60) / 60
    dataset = api.client.upload("small.jsonl", small_dataset)
    api.client.train("long", dataset, recipe="cnn", n_iter=1000, max_minutes=minutes)
    progress: list[dict[str, float]] = []
    model = api.client.wait("long", lambda model: progress.append(model["version"]["progress"]))

    assert (model["status"], model["version"]["error"]) == ("ready", None)
    assert model["version"]["evaluation"]["stopped"] == "max_minutes"
    assert [each["percent"] for each in progress] == sorted(each["percent"] for each in progress)
    assert any(each.get("epoch") and each.get("loss") is not None for each in progress)
    begun = api.tasks_begun("long")
    assert begun == ["Prepare", *["Train"] * (len(begun) - 2), "Publish"]
    assert begun.count("Train") > 1
    assert not [key for key in api.objects(api.models_bucket) if "/checkpoints/" in key]
    api.request("DELETE", "/models/long")
