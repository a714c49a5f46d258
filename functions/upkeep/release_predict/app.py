"""A deployment's custom resource: the alias that the API calls leads to Predict's newest code and settings, or the deployment fails."""

from collections.abc import Iterator
from typing import Any

from winnow.aws import clients, resources
from winnow.aws.custom_resource import custom_resource
from winnow.canary import Canary
from winnow.deep_check import DeepCheck
from winnow.release import Release

_MOST_MODELS = 20


@custom_resource
def handler(event: dict[str, Any], seconds: float) -> None:
    given = event["ResourceProperties"]
    function = given["Function"]
    alias, known = (given[name].rpartition(":")[2] for name in ("Alias", "Version"))
    check = DeepCheck(clients.lambda_(), function, alias, _live_models())
    canary = Canary(clients.cloudwatch(), 60 * float(given["Canary"]), given["CanaryAlarm"])
    Release(clients.lambda_(), function, alias).run(known, seconds, check, canary)


def _live_models() -> Iterator[str]:
    models, _ = resources.models().list(_MOST_MODELS)
    yield from (model.model_id for model in models if model.live_version is not None)
