"""POST /prediction in a new process: its imports, and its scores, which equal those of the version's spaCy pipeline."""

from __future__ import annotations

import base64
import io
import json
import os
import random
import subprocess
import sys
import tarfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import boto3
import pytest
import spacy

from tests.conftest import REGION, ROOT, load_event
from tests.support.extensions_api import ExtensionsApi
from winnow.aws import clients

if TYPE_CHECKING:
    from tests.conftest import Json, Ready, Winnow

TEXTS = ["I want to save for vacation!", "How deep do tulip bulbs go?", "a flat tyre", "?", "İstanbul ﬁne Straße, 🙂 x"]

HEAVY = {"spacy", "thinc", "pydantic", "onnxruntime", "tokenizers"}

# Puts the given rows and objects into its own fake cloud, and runs the function's code. Prints the answer and the imports.
_ANSWER = """
import base64, json, sys
from types import SimpleNamespace
import boto3
from moto import mock_aws

given = json.load(sys.stdin)
with mock_aws():
    boto3.client("dynamodb").create_table(**given["table"])
    for row in given["rows"]:
        boto3.client("dynamodb").put_item(TableName=given["table"]["TableName"], Item=row)
    boto3.client("s3").create_bucket(Bucket=given["bucket"])
    for key, body in given["objects"].items():
        boto3.client("s3").put_object(Bucket=given["bucket"], Key=key, Body=base64.b64decode(body))
    import app
    at_init = sorted(sys.modules)
    context = SimpleNamespace(get_remaining_time_in_millis=lambda: 28_000)
    answer = app.handler(given["event"], context)
print(json.dumps({"answer": answer, "at_init": at_init, "imported": sorted(sys.modules)}))
"""


def in_a_new_process(winnow: Winnow, script: str, given: str = "", **variables: str) -> str:
    """The last line that the script prints. It runs like the deployed function, which makes its clients on import."""
    with winnow.settings("functions/api/predict"):
        fake = {"AWS_ACCESS_KEY_ID": "fake", "AWS_SECRET_ACCESS_KEY": "fake", "AWS_DEFAULT_REGION": REGION}
        path = os.pathsep.join(map(str, (ROOT / "layers" / "winnow", ROOT / "functions" / "api" / "predict")))
        lambda_s = {"AWS_LAMBDA_FUNCTION_NAME": "winnow", "POWERTOOLS_LOG_LEVEL": "CRITICAL"}
        environment = {**os.environ, **fake, **lambda_s, "PYTHONPATH": path, **variables}
    done = subprocess.run([sys.executable, "-B", "-c", script], input=given, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


def answered(winnow: Winnow, texts: list[str], folder: Path, script: str = _ANSWER, **variables: str) -> tuple[Json, set[str]]:
    """The body of the answer, and the packages that the process imported for it. folder: its /tmp."""
    client = boto3.client("dynamodb")
    table = client.describe_table(TableName=winnow.names["Registry"])["Table"]
    given = {
        "table": {name: table[name] for name in ("TableName", "AttributeDefinitions", "KeySchema")} | {"BillingMode": "PAY_PER_REQUEST"},
        "rows": client.scan(TableName=winnow.names["Registry"])["Items"],
        "bucket": winnow.names["Models"],
        "objects": {key: base64.b64encode(body).decode() for key, body in winnow.objects().items()},
        "event": load_event("api/predict_post_texts") | {"body": json.dumps({"model_id": "tc-01", "texts": texts, "n_top": 1000})},
    }
    told = json.loads(in_a_new_process(winnow, script, json.dumps(given), TMPDIR=str(folder), **variables))
    assert told["answer"]["statusCode"] == 200, told["answer"]
    assert "numpy" in told["at_init"]
    more = {name: value for name, value in told["answer"].items() if name == "logged"}
    return json.loads(told["answer"]["body"]) | more, {name.partition(".")[0] for name in told["imported"]}


def piped(winnow: Winnow, folder: Path) -> Any:
    """The version's pipeline, as GET …/artifact links to it."""
    [archive] = [body for key, body in winnow.objects().items() if key.endswith("pipeline.tar.gz")]
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        tar.extractall(folder, filter="data")
    return spacy.load(next(folder.iterdir()))


@pytest.mark.parametrize(
    ("recipe", "imports"),
    [
        ("linear", set()),
        ("light", set()),
        ("sentence", {"onnxruntime", "tokenizers"}),
        ("best", {"onnxruntime", "tokenizers"}),
        ("cnn", HEAVY),
    ],
)
def test_a_process_imports_only_what_its_model_needs_and_scores_like_the_pipeline(
    winnow: Winnow, recipe: str, imports: set[str], tmp_path: Path
) -> None:
    winnow.parameters["Encoder"] = "minilm"
    winnow.put_dataset()
    assert winnow.train(recipe=recipe)["status"] == "ready"

    (tmp_path / "tmp").mkdir()
    answer, imported = answered(winnow, TEXTS, tmp_path / "tmp")

    assert imported & HEAVY == imports - ({"onnxruntime", "tokenizers"} if recipe == "cnn" else set())
    nlp = piped(winnow, tmp_path / "pipeline")
    for text, prediction in zip(TEXTS, answer["predictions"], strict=True):
        if prediction.get("stage", "best") != "best":
            # A pipeline answers as the last stage.
            continue
        cats = nlp(text).cats
        assert {label["label"]: label["score"] for label in prediction["labels"]} == pytest.approx(cats, abs=1e-6, rel=0)


@pytest.fixture
def hooks(monkeypatch: pytest.MonkeyPatch) -> dict[str, Callable[[], object]]:
    """The function's hooks around a snapshot, by name."""
    registered: dict[str, Callable[[], object]] = {}
    runtime = ModuleType("snapshot_restore_py")
    for name in ("before_snapshot", "after_restore"):
        setattr(runtime, f"register_{name}", partial(registered.__setitem__, name))
    monkeypatch.setitem(sys.modules, "snapshot_restore_py", runtime)
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "winnow")
    return registered


def test_nothing_of_the_registry_and_no_client_is_left_in_a_snapshot(ready: Ready, hooks: dict[str, Callable[[], object]]) -> None:
    winnow = ready("exclusive.json")
    assert winnow.call("predict", "predict_get_body").status == 200
    made = (clients.s3, clients.registry_table)
    assert all(client.cache_info().currsize for client in made)
    with winnow.settings("functions/api/predict"):
        hooks["before_snapshot"]()
        assert not any(client.cache_info().currsize for client in made)
        winnow.train(force_update=True)
        hooks["after_restore"]()
        assert all(client.cache_info().currsize for client in made)

    assert winnow.call("predict", "predict_get_body").body["version"] == 2


def test_a_process_out_of_a_snapshot_has_credentials_and_chance_of_its_own(
    ready: Ready, hooks: dict[str, Callable[[], object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    winnow = ready("exclusive.json")
    assert winnow.call("predict", "predict_get_body").status == 200
    with winnow.settings("functions/api/predict"):
        hooks["before_snapshot"]()
        chance = random.getstate()
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "its-own")
        hooks["after_restore"]()
        drawn = random.random()
        assert "Credential=its-own%2F" in clients.s3().generate_presigned_url("get_object", Params={"Bucket": "b", "Key": "k"})
        random.setstate(chance)
        hooks["after_restore"]()
        assert random.random() != drawn


# The hook before a snapshot, without the layer of the encoder and its runtime.
_SNAPSHOT = """
import sys
from types import ModuleType

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"onnxruntime", "tokenizers", "winnow_encoder"}:
            raise ModuleNotFoundError(f"{name} is in no layer of this function", name=name)

sys.meta_path.insert(0, Blocker())
hooks = sys.modules["snapshot_restore_py"] = ModuleType("snapshot_restore_py")
registered = []
hooks.register_before_snapshot = hooks.register_after_restore = registered.append
import app
for hook in registered:
    hook()
print(*sorted(sys.modules))
"""


def test_a_snapshot_without_the_encoder_s_layer_has_what_the_other_recipes_need(winnow: Winnow) -> None:
    done = in_a_new_process(winnow, _SNAPSHOT)
    assert {"spacy", "thinc"} <= {name.partition(".")[0] for name in done.split()}


# As _ANSWER. The process is kept in a snapshot before its first invocation, and ends when the log has an object.
_LOGGED = """
import sys, time
from types import ModuleType
hooks = sys.modules["snapshot_restore_py"] = ModuleType("snapshot_restore_py")
registered = []
hooks.register_before_snapshot = hooks.register_after_restore = registered.append
""" + _ANSWER.replace(
    "print(",
    """
    end = time.monotonic() + 20
    while not (logged := boto3.client("s3").list_objects_v2(Bucket=given["bucket"], Prefix="log/").get("Contents", [])):
        assert time.monotonic() < end
        time.sleep(0.01)
    answer["logged"] = [entry["Key"] for entry in logged]
print(""",
).replace("    at_init =", "    for hook in registered:\n        hook()\n    at_init =")


def test_the_function_is_an_extension_that_writes_the_log_also_out_of_a_snapshot(ready: Ready, tmp_path: Path) -> None:
    winnow = ready("exclusive.json")
    assert winnow.call("change_model", body={"log": {"share": 1, "days": 7}}).status == 200
    api = ExtensionsApi()
    # The event is on its way before the function has asked for it.
    api.invoke()

    answer, _ = answered(winnow, TEXTS[:2], tmp_path, _LOGGED, AWS_LAMBDA_RUNTIME_API=api.address)

    ids = [prediction["prediction_id"] for prediction in answer["predictions"]]
    assert all(each.endswith("-7d") for each in ids)
    [key] = answer["logged"]
    assert key.startswith("log/7/")
    assert key.endswith(f"/{ids[0].removesuffix('-00-7d')}.jsonl.gz")
    assert api.happened[:3] == ["/register", "/event/next", "event"]
    assert api.registered == [("winnow-after-answer", {"events": ["INVOKE"]})]
    api.close()
