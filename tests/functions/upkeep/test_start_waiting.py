"""Which records of the registry's stream make the function look for waiting trainings and batch predictions."""

from __future__ import annotations

import json
from collections.abc import Collection

import pytest

from tests.support.contract import functions
from winnow.domain.batch import ACTIVE_BATCH, BatchStatus
from winnow.domain.model import ACTIVE, VersionStatus


@pytest.mark.parametrize(
    ("name", "statuses", "active"),
    [("status", VersionStatus, ACTIVE), ("batch_status", BatchStatus, ACTIVE_BATCH)],
    ids=["trainings", "batches"],
)
def test_the_filters_let_the_end_of_a_job_through_and_its_removal_before_that(
    name: str, statuses: Collection[str], active: Collection[str]
) -> None:
    criteria = functions()["StartWaiting"]["Events"]["Ended"]["Properties"]["FilterCriteria"]["Filters"]
    patterns = [json.loads(each["Pattern"]) for each in criteria]
    # Lambda takes at most five: https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html
    assert len(patterns) <= 5
    ended, removed = [pattern for pattern in patterns if name in pattern["dynamodb"]["OldImage"]]
    assert (ended["eventName"], removed["eventName"]) == (["MODIFY"], ["REMOVE"])
    assert set(ended["dynamodb"]["NewImage"][name]["S"]) == {*statuses} - {*active}
    for pattern in (ended, removed):
        assert set(pattern["dynamodb"]["OldImage"][name]["S"]) == {*active}
