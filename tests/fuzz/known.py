"""What is there to be hit: the models that were trained before the run, and what the run's own answers have named since."""

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

# Read and classified by, and never changed: they have to answer as before when the run is over.
KEPT = ("kept-exclusive", "kept-multilabel")
# Trained before the run as well, and changed by it.
CHANGED = ("changed-1", "changed-2", "changed-3")
# Made and deleted by it over and over.
DOOMED = tuple(f"doomed-{number}" for number in range(1, 9))

# The last so many of each kind, so that most of what is drawn is still there.
_MOST = 40


@dataclass
class Known:
    """Names by their kind. Workers ask and tell it at once.

    bucket, training_object, texts: uploads, one to train on and one to classify; dataset: what is uploaded where the run makes a place
    for it; reports: ids of dry runs' reports.
    """

    bucket: str
    training_object: str
    texts: str
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
        """One that is known, the newest rather than an old one; None if there is none."""
        with self._lock:
            names = self._names[kind]
            return names[-1 - int(len(names) * draws.random() ** 3)] if names else None

    def latest_version(self, model_id: str) -> int:
        with self._lock:
            return int((self._names["version", model_id] or [1])[-1])

    def learn(self, case: Case, response: schemathesis.Response) -> None:
        """Keep what an answer names. What POST /datasets gives a place for is uploaded."""
        if response.status_code not in {200, 201, 202}:
            return
        call, path = f"{case.method} {case.path}", case.path_parameters
        if etag := response.headers.get("etag"):
            self.tell(etag[0], "etag", case.formatted_path)
        if "json" not in response.headers.get("content-type", [""])[0]:
            return
        answer = json.loads(response.content)
        if answer.get("next"):
            self.tell(answer["next"], "next", case.formatted_path)
        if call == "POST /models" and "version" in answer:
            self.tell(answer["version"], "version", answer["model_id"])
            self.tell((answer["model_id"], str(answer["version"])), "queued")
            if answer["model_id"] in DOOMED:
                self.tell(answer["model_id"], "models")
        if call == "POST /models/{model_id}/examples":
            self.tell((path["model_id"], answer["batch"]), "examples")
            if answer["version"]:
                self.tell(answer["version"], "version", path["model_id"])
                self.tell((path["model_id"], str(answer["version"])), "queued")
        if call == "POST /models/{model_id}/batches":
            self.tell((path["model_id"], answer["batch"]), "batches")
        if call == "POST /datasets" and isinstance(case.body, dict) and "bytes" not in case.body:
            requests.put(answer["upload_url"], data=self.dataset, timeout=60).raise_for_status()
            self.tell(answer["name"], "name")
