"""Metrics that are counted where something happens, in CloudWatch's embedded format: a line of the log each.

By the stack's name, so that two of one account are told apart.
"""

from winnow.aws import clients

NAMESPACE = "Winnow"


def count(name: str, number: int = 1) -> None:
    """Count so many of this."""
    from aws_lambda_powertools.metrics import MetricUnit, single_metric  # noqa: PLC0415 - a cold start that counts nothing pays nothing

    with single_metric(name=name, unit=MetricUnit.Count, value=number, namespace=NAMESPACE) as metric:
        metric.add_dimension("service", clients.setting("STACK"))
