"""Type the calls of README, docs/api.md and docs/batches.md, exactly and in order, and check that each is answered."""

from __future__ import annotations

import gzip
import json
import os
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from local.cloud import PROJECT
from tests.e2e.conftest import SAMPLE, Deployed

MODEL = "savings"
_BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# Not the one of an upload, which is "*".
_KNOWN_TAG = 'If-None-Match: "'
_CALL = re.compile(r"^(?:curl|\.venv/bin/winnow) (?:.*\\\n)*.*$", re.MULTILINE)
# Calls that come too late or too early for the page's story, with their statuses.
OTHERWISE = {
    # The sample's report is in the answer itself, without an id.
    "/reports/REPORT_ID": {422},
    _KNOWN_TAG: {304},
    # The version is ready already, and so is the batch.
    "/versions/2/cancel": {409},
    "/batches/BATCH/cancel": {200, 409},
    # This batch is no longer pending: version 3 has it.
    "/examples/20260302T091641007-1a2b3c4d": {404, 409},
    # The log was switched off again, and no day was measured.
    "/drift": {409},
    # The log writes after the answer, perhaps later than the next call.
    "PREDICTION": {201, 404},
}


def calls(page: str) -> list[str]:
    text = (PROJECT / page).read_text(encoding="utf-8")
    return [call for block in _BLOCK.findall(text) for call in _CALL.findall(block)]


@dataclass
class Reader:
    """A reader who types the calls of a page and fills in values of earlier answers."""

    api: Deployed
    folder: Path
    known: dict[str, str] = field(default_factory=dict)
    sample: Path = SAMPLE

    def type(self, call: str) -> int:
        """Make a call and wait for the end of what it started. Returns its status."""
        if _KNOWN_TAG in call:
            # The ETag comes from an earlier answer.
            self.type(re.sub(" -H 'If-None-Match[^']*'", "", call))
        filled = call.replace("local/sample/savings.json", str(self.sample))
        for name, value in self.known.items():
            filled = filled.replace(name, value)
        # The file for the answer's body, unless the call names one.
        kept = "" if " -o " in call else f"-o {self.folder}/body"
        told = f"curl -sS -w '%{{http_code}}' -D {self.folder}/headers {kept}"
        script = f"H='x-api-key: '$WINNOW_API_KEY\n{filled.replace('curl', told, 1)}"
        settings = {"WINNOW_URL": self.api.url, "WINNOW_API_KEY": self.api.key, "PATH": "/usr/bin:/bin"}
        done = subprocess.run(["/bin/bash", "-c", script], cwd=self.folder, env=settings, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        self._learn(call)
        return int(done.stdout)

    def wrong(self, call: str) -> list[tuple[int, str, str]]:
        """Make a call. Returns its status and answer if the status is wrong."""
        expected = next((statuses for part, statuses in OTHERWISE.items() if part in call), {200, 201, 202})
        status = self.type(call)
        return [] if status in expected else [(status, call, (self.folder / "body").read_text(encoding="utf-8"))]

    @property
    def bucket(self) -> str:
        return f'"s3bucket": "{self.api.datasets_bucket}"'

    def _learn(self, call: str) -> None:
        headers = (self.folder / "headers").read_text(encoding="utf-8")
        if tag := re.search(r'^ETag: ("[^"]+")', headers, re.MULTILINE | re.IGNORECASE):
            self.known['"…"\''] = f"{tag[1]}'"
        answer = self._answer()
        if "upload_url" in answer:
            self.known |= {"UPLOAD_URL": answer["upload_url"], "datasets/NAME": f"datasets/{answer['name']}"}
            for bucket, key in (("…", "…"), ("BUCKET", "OBJECT")):
                self.known[f'"s3bucket": "{bucket}", "training_object": "{key}"'] = (
                    f'"s3bucket": "{answer["s3bucket"]}", "training_object": "{answer["training_object"]}"'
                )
        if "/versions/1/examples?" in call:
            self.known["EXAMPLE_ID"] = answer["examples"][0]["example"]
        if isinstance(answer.get("forgetting"), str):
            self.known["FORGETTING"] = answer["forgetting"]
        if isinstance(answer.get("evaluation"), str):
            self.known["EVALUATION"] = answer["evaluation"]
        if "prediction_id" in answer:
            self.known["PREDICTION"] = answer["prediction_id"]
        if "/batches" in call and "batch" in answer:
            self.known["BATCH"] = answer["batch"]
        if (answer.get("status") == "queued" and "batch" not in answer) or answer.get("retrain") == "started":
            self.api.client.wait(answer["model_id"])

    def _answer(self) -> dict[str, Any]:
        try:
            answer = json.loads((self.folder / "body").read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return {}
        return answer if isinstance(answer, dict) else {}


@pytest.fixture(scope="module")
def reader(api: Deployed, tmp_path_factory: pytest.TempPathFactory) -> Reader:
    api.put(api.datasets_bucket, "texts.jsonl", b'{"text": "my rent is due"}\n')
    known = {'"s3bucket": "…", "object": "…"': f'"s3bucket": "{api.datasets_bucket}", "object": "texts.jsonl"', "SOME-UUID": "a-reader"}
    return Reader(api, tmp_path_factory.mktemp("reader"), known)


def quarter_of_the_sample(folder: Path) -> Path:
    file = folder / "quarter.json"
    file.write_text(json.dumps(json.loads(SAMPLE.read_text())[::4]))
    return file


def test_the_commands_of_the_readme_are_answered(reader: Reader, tmp_path: Path) -> None:
    typed = calls("README.md")
    by_command = [each for each in typed if each.startswith(".venv/bin/winnow")]
    assert len(by_command) == 2
    settings = os.environ | {"WINNOW_URL": reader.api.url, "WINNOW_API_KEY": reader.api.key}
    for command in by_command:
        done = subprocess.run(["/bin/bash", "-c", command], cwd=PROJECT, env=settings, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    assert "saving" in done.stdout.splitlines()[1]
    # The command trained on the whole sample. The calls by curl get a quarter of it.
    reader.sample = quarter_of_the_sample(tmp_path)
    by_curl = [each for each in typed if each not in by_command]
    assert len(by_curl) == 5
    assert not [fault for call in by_curl for fault in reader.wrong(call)]
    answer = json.loads((reader.folder / "body").read_text(encoding="utf-8"))
    assert (answer["model_id"], answer["labels"][0]["label"], answer["labels"][0]["accepted"]) == ("bank", "bills", True)
    for model_id in ("savings", "bank"):
        reader.api.client.call("DELETE", f"/models/{model_id}")


def test_the_calls_of_the_page_on_the_api_are_answered(reader: Reader, tmp_path: Path) -> None:
    typed = calls("docs/api.md")
    assert len(typed) > 30
    # The page's trainings get a quarter of the texts: only their statuses matter. (For its policy, 153 are needed.)
    reader.sample = quarter_of_the_sample(tmp_path)
    wrong = []
    for call in typed:
        wrong += reader.wrong(call)
        if "DELETE" in call and "/datasets/" in call:
            # The story still needs these uploads.
            for again in typed[:2]:
                reader.type(again)
    assert not wrong


def test_the_calls_of_the_page_on_batches_are_answered(reader: Reader) -> None:
    reader.api.put(reader.api.datasets_bucket, "texts.jsonl.gz", gzip.compress(b'{"text": "my rent is due"}\n'))
    reader.api.client.train(MODEL, reader.api.client.upload("savings.json", SAMPLE.read_bytes()), recipe="linear")
    reader.api.client.wait(MODEL)
    reader.known["SOME-UUID"] = "another-reader"
    typed = calls("docs/batches.md")
    assert len(typed) == 4
    assert not [fault for call in typed for fault in reader.wrong(call.replace('"s3bucket": "…"', reader.bucket))]
    reader.api.client.call("DELETE", f"/models/{MODEL}")
