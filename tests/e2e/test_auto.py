"""The recipe auto on the real workflow: a Map trains the candidates, and the best becomes the version."""

from __future__ import annotations

from tests.e2e.conftest import Deployed
from winnow.recipes.catalogue import AUTO, candidates


def test_what_the_deployment_has_is_trained_side_by_side_and_the_best_is_the_version(api: Deployed, small_dataset: bytes) -> None:
    tried = candidates(AUTO, has_encoder=True)
    api.client.train("chosen", api.client.upload("small.jsonl", small_dataset), n_iter=4)
    assert api.client.call("GET", "/models/chosen")["version"]["recipe"] == AUTO
    version = api.client.wait("chosen")["version"]

    assert (version["status"], version["error"]) == ("ready", None)
    assert [candidate["recipe"] for candidate in version["selection"]["candidates"]] == [*tried]
    assert all(0 <= candidate["score"] <= 1 for candidate in version["selection"]["candidates"])
    assert version["recipe"] in tried
    assert version["selection"]["reason"].startswith(f"Chose {version['recipe']}")
    assert api.tasks_begun("chosen") == ["Prepare", *["Train"] * len(tried), "Publish"]
    assert not [key for key in api.objects(api.models_bucket) if "/checkpoints/" in key]
    assert api.client.call("GET", "/prediction", {"model_id": "chosen", "text": "my rent is due"})["version"] == 1
    api.request("DELETE", "/models/chosen")


def test_a_recipe_that_is_named_is_the_only_one(api: Deployed, small_dataset: bytes) -> None:
    api.client.train("named", api.client.upload("small.jsonl", small_dataset), n_iter=4, recipe="linear")
    version = api.client.wait("named")["version"]

    assert (version["status"], version["recipe"], version["selection"]) == ("ready", "linear", None)
    assert api.tasks_begun("named") == ["Prepare", "Train", "Publish"]
    api.request("DELETE", "/models/named")
