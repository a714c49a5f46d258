"""The workflow's last task: evaluate the artifact, and make the version live."""

from typing import Any

from winnow import trainer
from winnow.domain import TrainingJob


def handler(event: dict[str, Any], context: object) -> None:
    trainer.publish(TrainingJob.from_event(event["job"]), event["artifact"]["manifest_sha256"])
