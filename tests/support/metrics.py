"""The metrics that functions write into their logs."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from tests.conftest import Context, load_event

if TYPE_CHECKING:
    import pytest

    from tests.conftest import Winnow


def sweep(winnow: Winnow, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """Run the sweep. Returns its metrics about work that was found."""
    capsys.readouterr()
    winnow.invoke("functions/upkeep/sweep", load_event("upkeep/sweep"), Context(seconds=240))
    return counted(capsys.readouterr().out)


def counted(output: str) -> dict[str, Any]:
    """The sums of the metrics in the printed lines (CloudWatch's embedded format)."""
    sums: Counter[str] = Counter()
    for line in output.splitlines():
        if '"_aws"' in line:
            metrics = json.loads(line)
            [directive] = metrics["_aws"]["CloudWatchMetrics"]
            assert (directive["Namespace"], metrics["service"]) == ("Winnow", "AWS::StackName")
            sums.update({metric["Name"]: int(sum(metrics[metric["Name"]])) for metric in directive["Metrics"]})
    return dict(sums)
