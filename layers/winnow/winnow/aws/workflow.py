"""Executions of a workflow. Each has a unique name, is started once, and can be read and stopped by its name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from winnow.aws.log import logger

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

ENDED = {"SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"}

# arn:PARTITION:states:REGION:ACCOUNT:stateMachine:NAME, then the alias's name, if any.
_PARTS_OF_A_STATE_MACHINE = 7


class Workflow:
    """A state machine of Step Functions. arn: of the state machine or of an alias."""

    def __init__(self, client: SFNClient, arn: str) -> None:
        self._client = client
        self._arn = arn

    def try_to_start(self, name: str, given: Mapping[str, Any]) -> bool:
        """Start the execution with this name, once. False if it was started before or can't be started now."""
        try:
            self._client.start_execution(stateMachineArn=self._arn, name=name, input=json.dumps(given))
        except self._client.exceptions.ExecutionAlreadyExists:
            # It was started already: botocore repeated a call whose answer was lost, or the sweeper was faster.
            return False
        except (ClientError, BotoCoreError):
            logger.exception("not started", extra={"input": given})
            return False
        return True

    def try_to_stop(self, name: str) -> None:
        """Stop an execution whose job has ended in the registry.

        If that fails, or a Lambda of it still runs, the work goes on until its next write, which the registry refuses.
        """
        try:
            self._client.stop_execution(executionArn=self._execution(name))
        except self._client.exceptions.ExecutionDoesNotExist:
            # The job is registered and not started yet. If it starts, the registry refuses its first write.
            return
        except (ClientError, BotoCoreError):
            logger.exception("not stopped", extra={"execution": name})

    def status(self, name: str) -> str | None:
        """The status of an execution, in Step Functions' words; None if there is none. A new execution may not be visible yet."""
        try:
            return self._client.describe_execution(executionArn=self._execution(name))["status"]
        except self._client.exceptions.ExecutionDoesNotExist:
            return None

    def check(self) -> None:
        """Ask for the state machine. ClientError or BotoCoreError if it isn't there or doesn't answer."""
        self._client.describe_state_machine(stateMachineArn=self._machine)

    @property
    def _machine(self) -> str:
        """The ARN of the state machine, without the alias."""
        return ":".join(self._arn.split(":")[:_PARTS_OF_A_STATE_MACHINE])

    def _execution(self, name: str) -> str:
        # An execution's ARN has the state machine's name, not the alias's.
        return f"{self._machine.replace(':stateMachine:', ':execution:')}:{name}"
