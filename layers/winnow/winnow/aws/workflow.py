"""Executions of a workflow, each under a name of its own: started once, looked at, stopped."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from winnow.aws.log import logger

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

ENDED = {"SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"}

# arn:PARTITION:states:REGION:ACCOUNT:stateMachine:NAME, and for an alias its name after that.
_PARTS_OF_A_STATE_MACHINE = 7


class Workflow:
    """A state machine of Step Functions, or an alias of one: arn."""

    def __init__(self, client: SFNClient, arn: str) -> None:
        self._client = client
        self._arn = arn

    def try_to_start(self, name: str, given: Mapping[str, Any]) -> bool:
        """Start the execution of this name, once. False where it was started before, or doesn't start now."""
        try:
            self._client.start_execution(stateMachineArn=self._arn, name=name, input=json.dumps(given))
        except self._client.exceptions.ExecutionAlreadyExists:
            # An answer was lost and botocore sent the request again, or the request and the sweeper met: the workflow was started.
            return False
        except (ClientError, BotoCoreError):
            logger.exception("not started", extra={"input": given})
            return False
        return True

    def try_to_stop(self, name: str) -> None:
        """Stop an execution that the registry has ended. Where that fails, it goes on until its next write, which is refused; so does a
        Lambda of it that runs."""
        try:
            self._client.stop_execution(executionArn=self._execution(name))
        except self._client.exceptions.ExecutionDoesNotExist:
            # Registered, and not started yet: when it starts, its first write is refused.
            return
        except (ClientError, BotoCoreError):
            logger.exception("not stopped", extra={"execution": name})

    def status(self, name: str) -> str | None:
        """Where an execution is, in Step Functions' words; None where there is none. What just began may not be seen yet."""
        try:
            return self._client.describe_execution(executionArn=self._execution(name))["status"]
        except self._client.exceptions.ExecutionDoesNotExist:
            return None

    def _execution(self, name: str) -> str:
        # An execution's ARN has the state machine's name and not the alias's.
        machine = ":".join(self._arn.split(":")[:_PARTS_OF_A_STATE_MACHINE])
        return f"{machine.replace(':stateMachine:', ':execution:')}:{name}"
