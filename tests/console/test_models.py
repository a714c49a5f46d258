"""Screen 1: the models."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.console.conftest import FakeApi, example, model, version

if TYPE_CHECKING:
    from tests.console.conftest import Console, Json


def listed(*models: Json) -> Json:
    return {"models": [*models], "next": None}


def test_each_model_shows_how_well_it_does(api: FakeApi, visit: Console) -> None:
    api.on(
        "GET /models",
        listed(model("tc-01", title="What customers ask", tags=["support"], waiting_examples=12), model("unready", live_version=None)),
    )
    api.on("GET /models/tc-01/versions/1", version(model_id="tc-01"))
    page = visit.open()

    row = page.get_by_role("row", name="What customers ask")
    expect(row).to_contain_text("91.2 %")
    expect(row).to_contain_text("95 % sure: 88.8 % to 93.2 %")
    assert row.locator("td").all_inner_texts()[1:] == ["82 %", "Ready", "1", "12", "Off"]
    expect(page.get_by_role("row", name="unready")).to_contain_text("none")
    assert row.get_by_role("link", name="What customers ask").get_attribute("href") == "#/models/tc-01"


def test_a_model_that_drifts_is_told_from_one_that_does_not(api: FakeApi, visit: Console) -> None:
    log = {"share": 1.0, "days": 30}
    names = ["calm", "drifting", "unmeasured"]
    api.on("GET /models", listed(*(model(name, log=log) for name in names)))
    for name in names:
        api.on(f"GET /models/{name}/versions/1", version(model_id=name))
    for name, drifted in (("calm", False), ("drifting", True)):
        drift = example("GET /models/{model_id}/drift")
        drift["days"][0]["drifted"] = drifted
        api.on(f"GET /models/{name}/drift", drift | {"model_id": name})
    api.on("GET /models/unmeasured/drift", {"model_id": "unmeasured", "log": log, "days": [], "next": None})
    page = visit.open()

    expect(page.get_by_role("row", name="calm")).to_contain_text("Steady")
    expect(page.get_by_role("row", name="drifting")).to_contain_text("Drifted")
    expect(page.get_by_role("row", name="unmeasured")).to_contain_text("not measured")


def test_the_first_model_is_made_from_the_sample(api: FakeApi, visit: Console) -> None:
    api.on("GET /models", listed())
    page = visit.open()
    assert page.get_by_role("link", name="Try it with the sample").get_attribute("href") == "#/new?sample=1"
    assert page.get_by_role("link", name="Use my own file").get_attribute("href") == "#/new"


def test_of_a_thousand_models_only_those_in_sight_are_asked_for(api: FakeApi, visit: Console) -> None:
    names = [f"model-{number:04}" for number in range(1000)]
    api.on("GET /models", listed(*(model(name) for name in names)))
    for name in names:
        api.on(f"GET /models/{name}/versions/1", version(model_id=name))
    page = visit.open()

    expect(page.locator("tbody tr").nth(3)).to_contain_text("91.2 %")
    assert page.locator("tbody tr").count() == 1000
    assert len([call for call in api.calls if "/versions/" in call.path]) < 100

    page.get_by_label("Find a model").fill("0999")
    expect(page.get_by_role("rowheader")).to_have_count(1)
    assert page.url.endswith("?find=0999")
    page.reload()
    page.get_by_label("API key").fill("again")
    page.get_by_role("button", name="Open the console").click()
    expect(page.get_by_role("rowheader")).to_have_count(1)
