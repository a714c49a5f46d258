"""A custom resource of the deployment, which fails if the deployment would remove a sentence encoder that a version needs.

It also fails if the layers were built for another processor.
"""

from winnow.aws import processor
from winnow.aws.custom_resource import custom_resource


@custom_resource
def handler(seconds: float) -> None:
    processor.check_layers()
    try:
        # Not at the top of the file: where numpy can't be imported, CloudFormation would wait for an answer in vain.
        from winnow.prediction import encoders  # noqa: PLC0415
    except ImportError as error:
        raise processor.not_imported(error) from error
    encoders.check(seconds)
