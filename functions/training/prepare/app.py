"""The workflow's first task: read, check, part and freeze the examples."""

from typing import Any

from winnow.domain import TrainingJob
from winnow.preparation import prepare


def handler(event: dict[str, Any], context: object) -> None:
    prepare(TrainingJob.from_event(event["job"]))
