"""The worker processes of the functions: how many there are, and what they share. It runs in MiniStack's environment."""

import json
import os
from collections.abc import Callable
from threading import BoundedSemaphore
from typing import Any

# A worker of Predict takes 275 MB. More workers than processors answer no faster; with four, one may wait for S3.
MOST_WORKERS = max(4, os.cpu_count() or 1)

Execute = Callable[[dict[str, Any], Any, str], dict[str, Any]]

# As the template's answer THROTTLED. A workflow finds errorType, and tries again.
_BUSY = {
    "error": True,
    "log": "",
    "body": {
        "errorType": "Lambda.TooManyRequestsException",
        "errorMessage": "All workers of the function are busy.",
        "statusCode": 429,
        "headers": {"Content-Type": "application/json", "Retry-After": "1"},
        "body": json.dumps(
            {
                "type": "urn:winnow:problem:throttled",
                "title": "Too many requests",
                "status": 429,
                "detail": "All workers of the local cloud are busy: slow down and try again.",
            }
        ),
    },
}


def queueing(execute: Execute, most: int = MOST_WORKERS) -> Execute:
    """A function's call, with at most `most` of one function at once. The others wait, each as long as the function may run; then 429.

    MiniStack starts a worker for each call that finds none free. Waiting can't block a worker for ever: no function calls another one.
    """
    free: dict[str, BoundedSemaphore] = {}

    def executed(function: dict[str, Any], event: Any, request_id: str) -> dict[str, Any]:
        config = function.get("config") or function
        one = free.setdefault(config["FunctionName"], BoundedSemaphore(most))
        if not one.acquire(timeout=config.get("Timeout", 30)):
            return _BUSY
        try:
            return execute(function, event, request_id)
        finally:
            one.release()

    return executed


def sharing_layers(spawn: Callable[[Any], None], unpacked: Callable[[Any], str]) -> Callable[[Any], None]:
    """A worker's start, with the folders of layers that are unpacked once. MiniStack unpacks them for each worker: 200 MB with spaCy.

    unpacked: the folder of a layer that a function's configuration names.
    """

    def spawned(worker: Any) -> None:
        own = worker.config
        folders = os.pathsep.join(unpacked(layer) for layer in own.get("Layers", []))
        variables = {**own.get("Environment", {}).get("Variables", {}), "_LAMBDA_LAYERS_DIRS": folders}
        worker.config = {**own, "Layers": [], "Environment": {"Variables": variables}}
        try:
            spawn(worker)
        finally:
            worker.config = own

    return spawned
