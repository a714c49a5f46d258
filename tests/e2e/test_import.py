"""A version that is taken out of the deployed API and imported again, by the commands of docs/exports.md."""

from __future__ import annotations

import re
from pathlib import Path

from tests.e2e.conftest import Deployed
from tests.e2e.test_command_line import run, told

TEXTS = ["I want to save for vacation!", "why did you charge me 35 dollars?", "🙂 İstanbul", "?"]


def test_an_imported_version_gives_the_same_scores(api: Deployed, small_dataset: bytes, tmp_path: Path) -> None:
    api.client.train("exported", api.client.upload("small.jsonl", small_dataset), recipe="linear", n_iter=2)
    assert api.client.wait("exported")["version"]["status"] == "ready"
    file = tmp_path / "exported-1.tar.gz"
    [digest] = re.findall(r"[0-9a-f]{64}", told(api, "download", "exported", "--output", file))
    uploads = api.client.call("GET", "/datasets")
    imported = run(api, "import", file, "--model", "imported", "--sha256", digest)
    assert imported.returncode == 0, imported.stderr
    version = api.request("GET", "/models/imported").json()["version"]
    assert (version["version"], version["status"], version["live"], version["recipe"]) == (1, "ready", True, "linear")
    assert version["dataset"]["artifact"]["sha256"] == digest
    assert api.client.call("GET", "/datasets") == uploads

    here, there = (
        api.request("POST", "/prediction", json={"model_id": name, "texts": TEXTS, "n_top": 1000}).json()
        for name in ("exported", "imported")
    )
    assert [each["labels"] for each in here["predictions"]] == [each["labels"] for each in there["predictions"]]
    for name in ("exported", "imported"):
        assert api.request("DELETE", f"/models/{name}").status_code == 200
