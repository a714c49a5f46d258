"""What requests and trainings began and could not finish, finished; by the clock and not by anybody's request."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

from aws_lambda_powertools import Logger

from winnow import deletion, deployment, jobs
from winnow.errors import JobSupersededError

logger = Logger(service="winnow")


def sweep(seconds: float) -> Counter[str]:
    """One round within so many seconds; the rest is the next round's. Returns what was done, by the names of the metrics."""
    done: Counter[str] = Counter()
    time_left = deletion.time_left(seconds)

    def each(names: Iterable[str], care: Callable[[str], str | None]) -> None:
        for name in names:
            if not next(time_left):
                return
            try:
                found = care(name)
            except JobSupersededError:
                # It changed between our look and our write: somebody sees to it.
                continue
            except Exception:
                # Whatever is wrong with one row must not keep the sweeper from the others.
                logger.exception("passed over", extra={"row": name})
                found = "SweepFaults"
            if found:
                done[found] += 1

    each(deployment.models().training(), jobs.care_for)
    each(deployment.upkeep().deletions(), lambda name: "DeletionsFinished" if deletion.finish(name, time_left) else None)
    return done
