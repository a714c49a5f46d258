"""The worker processes of the functions: how many there are, and what they share. It runs in MiniStack's environment."""

import os
import time
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from threading import BoundedSemaphore
from typing import Any

# A worker of Predict takes 275 MB. More workers than processors answer no faster; with four, one may wait for S3.
MOST_WORKERS = max(4, os.cpu_count() or 1)
# API Gateway waits for 29 s.
_CALL_SECONDS = 28.0

Execute = Callable[[dict[str, Any], Any, str], dict[str, Any]]


@dataclass
class Turn:
    """The time that a call of the API may wait for its workers: the authorizer's, and its function's. refused: one had none."""

    until: float = field(default_factory=lambda: time.monotonic() + _CALL_SECONDS)
    refused: bool = False


# The call of the API that this thread works for.
turn: ContextVar[Turn | None] = ContextVar("turn", default=None)


def queueing(execute: Execute, most: int = MOST_WORKERS) -> Execute:
    """A function's call, with at most `most` of one function at once. The others wait, a task as long as it may run, and then fail.

    MiniStack starts a worker for each call that finds none free. Waiting can't block a worker for ever: no function calls another one.
    """
    free: dict[str, BoundedSemaphore] = {}

    def executed(function: dict[str, Any], event: Any, request_id: str) -> dict[str, Any]:
        config = function.get("config") or function
        one, call = free.setdefault(config["FunctionName"], BoundedSemaphore(most)), turn.get()
        if not one.acquire(timeout=max(0.0, call.until - time.monotonic()) if call else config.get("Timeout", 30)):
            if call:
                call.refused = True
            # The name by which a workflow knows that it may try again.
            reason = {"errorType": "Lambda.TooManyRequestsException", "errorMessage": "All workers of the function are busy."}
            return {"error": True, "log": "", "body": reason}
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
