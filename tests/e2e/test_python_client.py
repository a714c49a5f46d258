"""The Python client on the deployed API: every example of its page is run, and what the page doesn't show, sync and async."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
from pathlib import Path

import pytest

from tests.e2e.conftest import SAMPLE, Deployed
from tests.support import awaiting
from winnow_client import AsyncWinnow, ConflictError, Winnow, WorkFailedError

ROOT = Path(__file__).parents[2]
BLOCKS = re.findall(r"^```python\n(.*?)^```$", (ROOT / "docs" / "python-client.md").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def test_every_example_of_the_page_runs(
    api: Deployed, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WINNOW_URL", api.url)
    monkeypatch.setenv("WINNOW_API_KEY", api.key)
    monkeypatch.chdir(tmp_path)
    shutil.copy(SAMPLE, tmp_path / "savings.json")
    names: dict[str, object] = {}
    for block in BLOCKS:
        exec(compile(block, "docs/python-client.md", "exec"), names)  # noqa: S102
    shown = capsys.readouterr()
    assert "saving 0." in shown.out
    assert "404 model-not-found There is no model 'no-such-model'" in shown.out
    assert re.search(r"Version 1 of savings-py: ready 100 %", shown.err)
    assert (tmp_path / "result.jsonl").read_text(encoding="utf-8").count("\n") == 2
    assert "savings-py" not in {model["model_id"] for model in api.client.pages("/models", "models")}


def test_what_the_page_does_not_show(api: Deployed, small_dataset: bytes, tmp_path: Path) -> None:
    with Winnow(api.url, api.key) as client:
        stored = client.upload(small_dataset, "small.jsonl")
        assert stored.name in {each.name for each in client.datasets()}
        first = client.train("client", stored, recipe="linear", n_iter=2, tags=["a"], note="first").wait()
        assert (first.live, first.note, first.recipe) == (True, "first", "linear")
        assert [model.model_id for model in client.models(tag="a")] == ["client"]
        assert client.evaluation("client", 1).per_label.keys() == {each.label for each in client.report("client", 1).report.labels}
        assert client.figure("client", 1, "confusion.svg").lstrip().startswith("<")
        assert client.tradeoff("client", 1).curve
        assert all(each.kind for each in client.suspects("client", 1))
        assert client.save_examples("client", 1, tmp_path / "examples.gz").bytes == (tmp_path / "examples.gz").stat().st_size
        assert client.save_artifact("client", 1, tmp_path / "artifact").bytes == (tmp_path / "artifact").stat().st_size
        others = [(example["text"], example["label"]) for example in json.loads(SAMPLE.read_text(encoding="utf-8"))[:200]]
        assert client.evaluate("client", others).learnt == 20, "every tenth one"
        assert client.set_policy("client", thresholds={"saving": 0.9}).policy
        assert [policy.revision for policy in client.policies("client")] == [1]
        assert client.remove_policy("client").policy is None
        assert len(client.classify("client", [f"save {number}" for number in range(150)], n_top=1)) == 150
        assert client.classify("client", "save", explain=True).explanation

        long = client.train("client", stored, force_update=True, recipe="cnn", n_iter=1000)
        with pytest.raises(ConflictError) as underway:
            client.train("client", stored, force_update=True)
        assert underway.value.code == "training-underway"
        assert long.cancel().version == 2
        with pytest.raises(WorkFailedError, match="was cancelled"):
            long.wait()

        made = client.make_queue("client", ["my card is broken", "put it aside", "how much did I spend?"])
        assert len(client.queue("client").items) == made.queued
        kept = client.feedback("client", [("my card is broken", "card")], retrain="no")
        assert [each.text for each in client.feedback_examples("client", kept.batch)] == ["my card is broken"]
        assert client.take_back_feedback("client", kept.batch).status == "deleted"
        renamed = client.change_labels("client", rename={"saving": "savings"}).wait()
        assert renamed.version == 3
        assert client.compare("client", 1, 3).examples
        assert client.promote("client", 1).live_version == 1
        assert client.rollback("client").live_version == 3
        assert {"train", "promote", "roll-back", "cancel"} <= {entry.deed for entry in client.history("client")}
        assert client.delete_version("client", 1).version == 1
        assert client.whoami().role == "admin"
        assert client.health(deep=True).parts
        assert client.contract()["openapi"].startswith("3.1")
        assert client.delete_dataset(str(stored.name)).status == "deleted"


def test_the_async_client_does_the_same(api: Deployed, small_dataset: bytes, tmp_path: Path) -> None:
    file = tmp_path / "small.jsonl"
    file.write_bytes(small_dataset)

    async def run() -> None:
        async with AsyncWinnow(api.url, api.key) as client:
            training = await client.train("aio", file, recipe="linear", n_iter=2)
            states = [state.status async for state in training.events()]
            assert states[-1] == "ready"
            answers = await asyncio.gather(*(client.classify("aio", f"save {number}") for number in range(20)))
            assert {answer.version for answer in answers} == {1}
            batch = await client.batch("aio", ["put it aside", "my card is broken"])
            assert (await batch.wait()).progress.errors == 0
            await batch.save(tmp_path / "result.jsonl")
            received = await client.feedback("aio", [("freeze my card", "card")], retrain="now")
            assert received.version == 2
            assert (await client.training("aio", 2).wait()).status == "ready"
            await client.delete_model("aio")

    awaiting.run(run())
    assert (tmp_path / "result.jsonl").read_text(encoding="utf-8").count("\n") == 2
