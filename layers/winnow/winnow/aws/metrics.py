"""Metrics in CloudWatch's embedded format: one log line for each count.

The stack's name is a dimension, so that two stacks in one account have separate metrics.
"""

from winnow.aws import clients

NAMESPACE = "Winnow"


def count(name: str, number: int = 1) -> None:
    """Add a number to the metric of this name."""
    from aws_lambda_powertools.metrics import MetricUnit, single_metric  # noqa: PLC0415 - most cold starts count nothing

    with single_metric(name=name, unit=MetricUnit.Count, value=number, namespace=NAMESPACE) as metric:
        metric.add_dimension("service", clients.setting("STACK"))
