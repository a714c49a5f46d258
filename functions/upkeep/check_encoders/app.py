"""A deployment's custom resource: whether every sentence encoder that a version needs is still to be had. If not, the deployment fails."""

from winnow import encoders
from winnow.custom_resource import custom_resource


@custom_resource
def handler() -> None:
    encoders.check()
