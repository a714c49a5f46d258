"""A deployment's custom resource: whether every sentence encoder that a version needs is still to be had. If not, the deployment fails."""

from winnow.aws.custom_resource import custom_resource
from winnow.prediction import encoders


@custom_resource
def handler() -> None:
    encoders.check()
