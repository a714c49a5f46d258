"""A new version gets a small share of the calls first, and the rest of them if no alarm goes off meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from winnow.aws.log import logger
from winnow.domain.errors import ReleaseError

SHARE = 0.1
_SECONDS_BETWEEN_LOOKS = 5.0


class Canary:
    """client: CloudWatch's; seconds: how long a version is watched, 0 for no canary; alarm: the name of the one that tells of faults."""

    def __init__(self, client: Any, seconds: float, alarm: str) -> None:
        self._client = client
        self._seconds = seconds
        self._alarm = alarm

    def watch(self, lead: Callable[[float], None], seconds_left: float) -> None:
        """Lead the version's share of calls to it, and wait. ReleaseError where the alarm goes off, or there isn't the time to wait.

        One that is on already tells of what answers now, maybe of that which the version is to mend: then nothing is waited for.
        """
        if not self._seconds:
            return
        if self._is_on():
            logger.warning("released without a canary", extra={"alarm": self._alarm})
            return
        if self._seconds > seconds_left:
            raise ReleaseError(
                f"The version was ready so late that {seconds_left:,.0f} seconds are left of the deployment's time, and the canary takes "
                f"{self._seconds:,.0f}: make PredictCanary smaller, and deploy again."
            )
        lead(SHARE)
        end = time.monotonic() + self._seconds
        while (left := end - time.monotonic()) > 0:
            time.sleep(min(left, _SECONDS_BETWEEN_LOOKS))
            if self._is_on():
                raise ReleaseError(f"While the new version answered a part of the calls, the alarm {self._alarm} went off.")

    def _is_on(self) -> bool:
        [alarm] = self._client.describe_alarms(AlarmNames=[self._alarm])["MetricAlarms"]
        return bool(alarm["StateValue"] == "ALARM")
