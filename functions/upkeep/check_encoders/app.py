"""A custom resource of the deployment, which fails if the deployment would remove a sentence encoder that a version needs."""

from typing import Any

from winnow.aws.custom_resource import custom_resource
from winnow.prediction import encoders


@custom_resource
def handler(event: dict[str, Any], seconds: float) -> None:
    encoders.check()
