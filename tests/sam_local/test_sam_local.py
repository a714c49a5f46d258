"""The API under `sam local start-api`, in Lambda's containers, with the local cloud behind it: `make test-sam-local`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local.sam_local import NoEngineError, container_engine, sam_local
from tests.e2e.conftest import SAMPLE, Deployed

# The user's calls are in one place. Here they go to sam local.
from tests.e2e.test_original_calls import _their_buckets, test_the_original_calls  # noqa: F401


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    try:
        with container_engine() as engine, sam_local(tmp_path_factory.mktemp("sam-local"), engine) as local:
            outputs = local.cloud.outputs()
            key = local.cloud.environment()["WINNOW_API_KEY"]
            yield Deployed(local.cloud, local.url, key, outputs["DatasetsBucket"], outputs["ModelsBucket"], outputs["RegistryTable"])
    except NoEngineError as error:
        pytest.skip(str(error))


def test_the_documentation_page_is_served_with_its_files(api: Deployed) -> None:
    page = api.request("GET", "/docs", key=None)
    assert "<title>Winnow: the API</title>" in page.text
    for path in ("/openapi.json", "/docs/swagger-ui-bundle.js", "/docs/page.css"):
        answer = api.request("GET", path, key=None)
        assert (answer.status_code, bool(answer.headers["ETag"])) == (200, True)


def test_an_uploaded_data_set_is_trained_on_and_answers(api: Deployed) -> None:
    dataset = api.client.upload("savings.json", SAMPLE.read_bytes())
    api.client.train("uploaded", dataset, n_iter=5)
    model = api.client.wait("uploaded")
    assert model["version"]["status"] == "ready", model["version"]["error"]

    body = {"model_id": "uploaded", "texts": ["I want to save for vacation!", "why did you charge me 35 dollars?"], "n_top": 1}
    answer = api.request("POST", "/prediction", json=body)
    assert answer.status_code == 200
    assert [prediction["labels"][0]["label"] for prediction in answer.json()["predictions"]] == ["saving", "charges"]
    assert api.request("DELETE", "/models/uploaded").status_code == 200
