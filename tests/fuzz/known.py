"""Existing things for requests: the models that were trained before the run, and names from the run's answers."""

from __future__ import annotations

import json
import random
import threading
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import requests

if TYPE_CHECKING:
    import schemathesis

type Case = schemathesis.Case[Any]

# The run only reads these. Their answers after the run must be the same as before.
KEPT = ("kept-exclusive", "kept-multilabel")
# Trained before the run too. The run changes these.
CHANGED = ("changed-1", "changed-2", "changed-3")
# The run makes and deletes these again and again.
DOOMED = tuple(f"doomed-{number}" for number in range(1, 9))

# The number of names kept of each kind: only the last ones, so that most of them still exist.
_MOST = 40


@dataclass
class Known:
    """Names by their kind. Workers read and add them at once.

    bucket, training_object, texts, unlabelled: uploads to train on, to classify, and to choose texts to label from. dataset: the content of
    the run's own uploads. reports: the ids of reports of dry runs.
    """

    bucket: str
    training_object: str
    texts: str
    unlabelled: str
    dataset: bytes
    reports: list[str]
    _names: dict[tuple[str, ...], list[Any]] = field(default_factory=lambda: defaultdict(list))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def tell(self, name: Any, *kind: str) -> None:
        with self._lock:
            names = self._names[kind]
            names.append(name)
            del names[:-_MOST]

    def draw(self, draws: random.Random, *kind: str) -> Any:
        """A known name, more often a new one. None if there is none."""
        with self._lock:
            names = self._names[kind]
            return names[-1 - int(len(names) * draws.random() ** 3)] if names else None

    def latest_version(self, model_id: str) -> int:
        with self._lock:
            return int((self._names["version", model_id] or [1])[-1])

    def learn(self, case: Case, response: schemathesis.Response) -> None:  # noqa: PLR0912 # a case for each call
        """Keep the names in an answer. After POST /datasets, upload the data set."""
        if response.status_code not in {200, 201, 202}:
            return
        call, path = f"{case.method} {case.path}", case.path_parameters
        if etag := response.headers.get("etag"):
            self.tell(etag[0], "etag", case.formatted_path)
        if "json" not in response.headers.get("content-type", [""])[0]:
            return
        answer = json.loads(response.content)
        if not isinstance(answer, dict):
            # The console's sample data set.
            return
        if answer.get("next"):
            self.tell(answer["next"], "next", case.formatted_path)
        if call == "POST /models" and "version" in answer:
            self.tell(answer["version"], "version", answer["model_id"])
            self.tell((answer["model_id"], str(answer["version"])), "queued")
            if answer["model_id"] in DOOMED:
                self.tell(answer["model_id"], "models")
        if call == "POST /models/{model_id}/examples":
            if "batch" in answer:
                self.tell((path["model_id"], answer["batch"]), "examples")
            if answer["version"]:
                self.tell(answer["version"], "version", path["model_id"])
                self.tell((path["model_id"], str(answer["version"])), "queued")
        if call == "POST /models/{model_id}/batches":
            self.tell((path["model_id"], answer["batch"]), "batches")
        if call == "POST /forget":
            self.tell(answer["forgetting"], "forgettings")
        if call == "POST /models/{model_id}/versions/{version}/evaluations":
            self.tell((path["model_id"], path["version"], answer["evaluation"]), "evaluations")
        if call == "POST /datasets" and isinstance(case.body, dict) and "bytes" not in case.body:
            requests.put(answer["upload_url"], data=self.dataset, headers=answer["headers"], timeout=60).raise_for_status()
            self.tell(answer["name"], "name")
