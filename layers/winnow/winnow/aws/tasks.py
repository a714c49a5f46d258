"""Handlers of workflow tasks. If a task fails, they write the sentence that the `error` of the version or batch shows."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any

from winnow.aws import resources
from winnow.aws.log import logger
from winnow.aws.metrics import count
from winnow.domain.batch import BatchJob
from winnow.domain.errors import ArtifactError, JobSupersededError, WinnowError
from winnow.domain.job import TrainingJob

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


# Lambda.Unknown is what Step Functions says if Lambda named no error, as for a Lambda that was out of memory or time:
# https://docs.aws.amazon.com/step-functions/latest/dg/bp-lambda-serviceexception.html
_OUT_OF_RESOURCES = {"States.Timeout", "Sandbox.Timedout", "Runtime.ExitError", "Runtime.OutOfMemory", "Lambda.Unknown"}

Event = dict[str, Any]


def task[Result](work: Callable[[TrainingJob, Event, LambdaContext], Result]) -> Callable[[Event, LambdaContext], Result]:
    """Make the Lambda handler of a training task. A WinnowError is written to the registry, and then fails the workflow too."""

    @wraps(work)
    def handler(event: Event, context: LambdaContext) -> Result:
        job = TrainingJob.from_event(event["job"])
        logger.set_correlation_id(f"{job.uid}-{job.version}-{job.fence}")
        return _told(lambda: work(job, event, context), lambda sentence: resources.jobs().fail(job, sentence))

    return handler


def batch_task[Result](work: Callable[[BatchJob, Event], Result]) -> Callable[[Event, LambdaContext], Result]:
    """Make the Lambda handler of a batch prediction's task, in the same way."""

    @wraps(work)
    def handler(event: Event, context: LambdaContext) -> Result:
        job = BatchJob.from_event(event["batch"])
        logger.set_correlation_id(f"{job.uid}-{job.batch}")
        return _told(lambda: work(job, event), lambda sentence: resources.batch_predictions().fail(job, sentence))

    return handler


def _told[Result](work: Callable[[], Result], fail: Callable[[str], None]) -> Result:
    try:
        return work()
    except JobSupersededError:
        raise
    except WinnowError as error:
        if isinstance(error, ArtifactError):
            count("RefusedArtifacts")
        fail(error.sentence)
        raise


@dataclass(frozen=True, slots=True)
class Sentences:
    """The sentences that clients read after a failure that no task handled.

    out_of_resources: no time or memory left ({error}). fault: an internal error ({reason}). stopped: stopped from outside.
    timed_out: the workflow took too long.
    """

    out_of_resources: str
    fault: str
    stopped: str
    timed_out: str


OF_TRAINING = Sentences(
    "The training ran out of time or memory ({error}): train on fewer texts (n_texts) or in fewer epochs (n_iter), or ask the operator to"
    " raise TrainingMemory.",
    "The training failed with an internal error ({reason}). Train again; if it fails again, ask the operator: the log has the details.",
    "The training's workflow was stopped from outside: train again with force_update.",
    "The training took longer than three days: train on fewer texts (n_texts) or in fewer epochs (n_iter).",
)
OF_BATCH = Sentences(
    "The batch ran out of time or memory ({error}): send it as several objects.",
    "The batch failed with an internal error ({reason}). Send it again; if it fails again, ask the operator: the log has the details.",
    "The batch's workflow was stopped from outside: send it again.",
    "The batch took longer than three days: send it as several objects, or raise BatchConcurrency.",
)


def unforeseen(failure: Mapping[str, Any], said: Sentences = OF_TRAINING) -> str:
    """The sentence for a failure that no task handled. failure: a Catch's error output {"Error": name, "Cause": JSON or text}.

    https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
    """
    error, cause = str(failure.get("Error") or "unknown"), _cause(failure.get("Cause"))
    # Of a container: what ECS says about its task, such as "OutOfMemoryError: Container killed due to memory usage".
    containers = cause.get("Containers") or [{}]
    stopped = str(containers[0].get("Reason") or cause.get("StoppedReason") or "").partition(":")[0]
    if error in _OUT_OF_RESOURCES or stopped == "OutOfMemoryError":
        return said.out_of_resources.format(error=stopped or error)
    return said.fault.format(reason=cause.get("errorType") or stopped or error)


def ended(execution: Mapping[str, Any], said: Sentences = OF_TRAINING) -> str:
    """The sentence for an execution that ended as FAILED, TIMED_OUT or ABORTED, from its error and cause if it has them."""
    match execution["status"]:
        case "ABORTED":
            return said.stopped
        case "TIMED_OUT":
            return said.timed_out
    return unforeseen({"Error": execution.get("error"), "Cause": execution.get("cause")}, said)


def _cause(told: Any) -> dict[str, Any]:
    """The error of a Lambda, or the task of ECS. Empty if the cause is only text."""
    try:
        cause = json.loads(told)
    except (TypeError, ValueError):
        return {}
    return cause if isinstance(cause, dict) else {}
