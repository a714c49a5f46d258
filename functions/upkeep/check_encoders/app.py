"""A custom resource of the deployment, which fails if the deployment would remove a sentence encoder that a version needs."""

from winnow.aws.custom_resource import custom_resource
from winnow.prediction import encoders


@custom_resource
def handler() -> None:
    encoders.check()
