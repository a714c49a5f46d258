"""Metrics that are counted where something happens, in CloudWatch's embedded format: a line of the log each.

Of those who count something rarely, import this only then: it costs a cold start some hundredths of a second.
"""

from aws_lambda_powertools.metrics import MetricUnit, single_metric

NAMESPACE, SERVICE = "Winnow", "winnow"


def count(name: str) -> None:
    """Count one of this."""
    with single_metric(name=name, unit=MetricUnit.Count, value=1, namespace=NAMESPACE) as metric:
        metric.add_dimension("service", SERVICE)
