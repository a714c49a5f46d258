"""Every five minutes: what requests and trainings began and could not finish. Its metrics tell what it did."""

from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit

from winnow.metrics import NAMESPACE, SERVICE
from winnow.sweep import sweep

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

metrics = Metrics(namespace=NAMESPACE, service=SERVICE)

_SECONDS_TO_END = 10


@metrics.log_metrics
def handler(event: dict[str, Any], context: "LambdaContext") -> None:
    metrics.add_metric("Sweeps", MetricUnit.Count, 1)
    for name, number in sweep(context.get_remaining_time_in_millis() / 1000 - _SECONDS_TO_END).items():
        metrics.add_metric(name, MetricUnit.Count, number)
