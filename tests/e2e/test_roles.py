"""The role matrix: every call of the API with no key, an unknown key, one without a role, and one of each role. docs/keys.md shows it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from operations.keys import Deployment
from tests.e2e.conftest import Deployed
from tests.support.contract import events
from winnow.domain.access import Role

TABLE = Path(__file__).parents[2] / "docs" / "keys.md"
COLUMNS = ("no key", "unknown key", "key without a role", *Role)
# None of these exist, so an allowed call changes nothing.
NAMES = {
    "model_id": "nobody",
    "version": "1",
    "figure": "confusion.svg",
    "batch": "20260302T091641007-1a2b3c4d",
    "name": "0-x.json",
    "file": "page.js",
    "asset": "app.js",
    "evaluation": "0" * 32,
    "forgetting": "20260302T091641007-1a2b3c4d",
}
REPORT = "00000000-0000-4000-8000-000000000000"


@pytest.fixture(scope="module")
def deployment(api: Deployed) -> Deployment:
    return api.cloud.keys()


@pytest.fixture(scope="module")
def keys(deployment: Deployment) -> Iterator[dict[str, str | None]]:
    """The key of each column, as `make key` makes it."""
    given: dict[str, str | None] = {"no key": None, "unknown key": "0" * 40}
    given |= {str(role): deployment.add(f"matrix-{role}", role) for role in Role}
    gateway = deployment.gateway
    made = gateway.create_api_key(name="by hand", value="a-key-without-a-role-in-the-registry", enabled=True)
    gateway.create_usage_plan_key(usagePlanId=deployment.plans[Role.ADMIN], keyId=made["id"], keyType="API_KEY")
    yield given | {"key without a role": made["value"]}
    gateway.delete_api_key(apiKey=made["id"])
    for role in Role:
        deployment.remove(f"matrix-{role}")


def answer(api: Deployed, call: str, key: str | None) -> str:
    method, _, path = call.partition(" ")
    sent = api.request(method, path.format(**NAMES, report_id=REPORT), key=key)
    return str(sent.status_code) if sent.status_code in {401, 403} else "yes"


def test_who_may_call_what(api: Deployed, keys: dict[str, str | None]) -> None:
    matrix = {call: tuple(answer(api, call, keys[column]) for column in COLUMNS) for call in events()}
    print("\n".join(f"| `{call}` | {' | '.join(answers)} |" for call, answers in matrix.items()))
    rows = re.findall(r"^\| `([A-Z]+ /\S*)` \| (.*) \|$", TABLE.read_text(encoding="utf-8"), re.MULTILINE)
    assert matrix == {call: tuple(answers.split(" | ")) for call, answers in rows}


def test_a_key_that_was_taken_back_is_refused_at_once(api: Deployed, deployment: Deployment) -> None:
    key = deployment.add("leaving", Role.PREDICT)
    assert api.request("GET", "/models", key=key).status_code == 200
    deployment.remove("leaving")
    # The authorizer's answer is still cached, but the key is gone.
    assert api.request("GET", "/models", key=key).status_code == 403


def test_a_forged_header_gives_no_role(api: Deployed, keys: dict[str, str | None]) -> None:
    forged = {"role": "admin", "x-amzn-authorizer-role": "admin"}
    refused = api.request("DELETE", "/models/nobody", key=keys[Role.PREDICT], headers=forged)
    assert refused.status_code == 403
    # The authorizer's policy refuses it, before the function's own check.
    assert "docs/keys.md" in refused.json()["detail"]


def test_a_deep_look_at_health_is_for_keys_with_a_role(api: Deployed, keys: dict[str, str | None]) -> None:
    statuses = {column: api.request("GET", "/health?deep=1", key=key).status_code for column, key in keys.items()}
    refused = dict.fromkeys(("no key", "unknown key", "key without a role", "classify"), 403)
    assert statuses == refused | {"predict": 200, "admin": 200}
    parts = api.request("GET", "/health?deep=1").json()["parts"]
    assert parts == dict.fromkeys(("registry", "datasets", "models", "training", "batches"), "ok")


def test_who_uses_up_an_open_call_leaves_the_others_to_everyone(api: Deployed) -> None:
    def ask(method: str, path: str) -> int:
        return requests.request(method, api.url + path, timeout=60).status_code

    with ThreadPoolExecutor(8) as pool:
        # 10 a second and 40 at once.
        refused = next((status for status in pool.map(lambda _: ask("GET", "/docs"), range(400)) if status == 429), None)
    assert refused == 429
    assert {ask("OPTIONS", "/prediction"), ask("OPTIONS", "/docs"), ask("GET", "/health"), ask("GET", "/openapi.json")} == {200}
    assert api.request("GET", "/models").status_code == 200
