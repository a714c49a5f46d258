"""The versions of a model over HTTP, on the local cloud: conditions, keys, cursors and roll back, like a client."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

from tests.e2e.conftest import Deployed

ID = "versioned"


def test_train_twice_roll_back_and_delete(api: Deployed, small_dataset: bytes) -> None:
    body = {"id": ID, **api.client.upload("small.jsonl", small_dataset), "n_iter": 2}
    key = {"Idempotency-Key": str(uuid4())}

    def post(_: int) -> tuple[int, str, str]:
        answer = api.request("POST", "/models", json=body, headers=key)
        return answer.status_code, answer.text, answer.headers["Location"]

    with ThreadPoolExecutor(4) as pool:
        answers = set(pool.map(post, range(4)))
    assert len(answers) == 1
    assert answers.pop()[0] == 202
    assert api.request("POST", "/models", json=body | {"n_iter": 3}, headers=key).status_code == 422
    assert api.client.wait(ID)["live_version"] == 1

    # The second version is ready but not promoted.
    assert api.request("POST", "/models", json=body | {"force_update": True, "promote": "never"}).json()["version"] == 2
    model = api.client.wait(ID)
    assert (model["live_version"], model["version"]["status"], model["version"]["live"]) == (1, "ready", False)
    assert model["version"]["dataset"]["etag"]

    # Page by page, newest first. A changed cursor or one of another list is refused.
    first = api.request("GET", f"/models/{ID}/versions?limit=1").json()
    second = api.request("GET", f"/models/{ID}/versions?limit=1&next={first['next']}").json()
    assert [version["version"] for page in (first, second) for version in page["versions"]] == [2, 1]
    assert second["next"] is None
    assert api.request("GET", f"/models?next={first['next']}").status_code == 422
    assert api.request("GET", f"/models/{ID}/versions?next=A{first['next'][1:]}").status_code == 422

    # An unchanged model answers 304. After a promotion, a roll back fails with the old ETag and works with the new one.
    seen = api.request("GET", f"/models/{ID}").headers["ETag"]
    unchanged = api.request("GET", f"/models/{ID}", headers={"If-None-Match": seen})
    assert (unchanged.status_code, unchanged.text) == (304, "")
    promoted = api.request("PUT", f"/models/{ID}/live", json={"version": 2}, headers={"If-Match": seen})
    assert (promoted.status_code, promoted.json()["live_version"]) == (200, 2)
    assert api.request("PUT", f"/models/{ID}/live", json={"version": 1}, headers={"If-Match": seen}).status_code == 412
    assert api.request("DELETE", f"/models/{ID}/versions/2").status_code == 409
    back = api.request("PUT", f"/models/{ID}/live", json={"version": 1}, headers={"If-Match": promoted.headers["ETag"]})
    assert (back.status_code, back.json()["live_version"]) == (200, 1)

    assert api.request("GET", f"/models/{ID}/versions/2").json()["live"] is False
    before = len(api.objects(api.models_bucket))
    assert api.request("DELETE", f"/models/{ID}/versions/2").json()["status"] == "deleted"
    assert 0 < len(api.objects(api.models_bucket)) < before
    assert api.request("GET", f"/models/{ID}/versions/2").status_code == 404
    assert api.request("PUT", f"/models/{ID}/live", json={"version": 2}).status_code == 404
    prediction = {"model_id": ID, "text": "my rent is due"}
    assert api.request("POST", "/prediction", json=prediction).json()["version"] == 1
    api.request("DELETE", f"/models/{ID}")
