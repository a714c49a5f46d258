"""What becomes of a workflow task that fails: the sentence that the version's `error` shows."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import wraps
from typing import TYPE_CHECKING, Any

from winnow import deployment
from winnow.domain import TrainingJob
from winnow.errors import ArtifactError, JobSupersededError, WinnowError
from winnow.metrics import count

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

_OUT_OF_RESOURCES = {"States.Timeout", "Sandbox.Timedout", "Runtime.ExitError", "Runtime.OutOfMemory"}

Event = dict[str, Any]


def task[Result](work: Callable[[TrainingJob, Event, LambdaContext], Result]) -> Callable[[Event, LambdaContext], Result]:
    """Make a workflow task's Lambda handler. What fails on purpose says so in the registry itself, and then fails the workflow too."""

    @wraps(work)
    def handler(event: Event, context: LambdaContext) -> Result:
        job = TrainingJob.from_event(event["job"])
        try:
            return work(job, event, context)
        except JobSupersededError:
            raise
        except WinnowError as error:
            if isinstance(error, ArtifactError):
                count("RefusedArtifacts")
            deployment.jobs().fail(job, error.sentence)
            raise

    return handler


def unforeseen(failure: Mapping[str, Any]) -> str:
    """The sentence for a failure that no task foresaw, from a Catch's error output {"Error": name, "Cause": JSON or text}.

    https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
    """
    error = str(failure.get("Error") or "unknown")
    if error in _OUT_OF_RESOURCES:
        return f"The training ran out of time or memory ({error}): train on fewer texts (n_texts) or in fewer epochs (n_iter)."
    reason = f"{_class_name(failure.get('Cause')) or error}"
    return f"The training failed by a fault of ours ({reason}): the function's log has the details. Train again, or report it if it stays."


def ended(execution: Mapping[str, Any]) -> str:
    """The sentence for an execution that ended as FAILED, TIMED_OUT or ABORTED, with its error and cause where it has them."""
    match execution["status"]:
        case "ABORTED":
            return "The training's workflow was stopped from outside: train again with force_update."
        case "TIMED_OUT":
            return "The training took longer than three days: train on fewer texts (n_texts) or in fewer epochs (n_iter)."
    return unforeseen({"Error": execution.get("error"), "Cause": execution.get("cause")})


def _class_name(cause: Any) -> str | None:
    try:
        told = json.loads(cause)
    except (TypeError, ValueError):
        return None
    return str(told["errorType"]) if isinstance(told, Mapping) and "errorType" in told else None
