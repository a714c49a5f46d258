"""A deployment's custom resource: the alias that the API calls leads to Predict's newest code and settings, or the deployment fails."""

from typing import Any

from winnow import aws
from winnow.custom_resource import custom_resource
from winnow.release import release


@custom_resource
def handler(event: dict[str, Any], seconds: float) -> None:
    given = event["ResourceProperties"]
    alias, known = (given[name].rpartition(":")[2] for name in ("Alias", "Version"))
    release(aws.lambda_(), given["Function"], alias, known, seconds)
