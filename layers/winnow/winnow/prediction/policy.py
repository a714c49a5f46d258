"""What a policy means for a version: the lowest scores at which its labels are accepted.

A policy keeps its aim, and was applied to the version that was live when it was set. For any other version the aim is applied again, to
that version's own dial. So a promise keeps its meaning when another version is promoted.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from winnow.aws import resources
from winnow.domain.errors import NoDialError
from winnow.domain.policy import Aim, Applied, Policy
from winnow.recipes.least_scores import Least, least_scores

if TYPE_CHECKING:
    from winnow.domain.model import Version
    from winnow.evaluation.dial import Dial

_MOST_KEPT = 1_000


class LeastScores:
    """Remembers what policies mean for versions. Neither of the two ever changes."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, int, int], Least] = OrderedDict()

    def of(self, model_id: str, uid: str, revision: int, version: int, labels: Sequence[str]) -> Least:
        """The lowest accepted scores of the version's labels under the model's policy of this revision.

        labels: those of the version. DamagedRowError if there is no such policy; VersionNotFoundError, ArtifactError.
        """
        key = (uid, revision, version)
        if key not in self._known:
            policy = resources.policies().get(uid, revision)
            found = applied_to(model_id, uid, policy, version)
            self._known[key] = least_scores(labels, found.thresholds, found.threshold)
            if len(self._known) > _MOST_KEPT:
                self._known.popitem(last=False)
        self._known.move_to_end(key)
        return self._known[key]


def applied_to(model_id: str, uid: str, policy: Policy, number: int) -> Applied:
    """What the policy means for a version of this life of a model. VersionNotFoundError, ArtifactError."""
    if policy.applied is not None and policy.applied.version == number:
        return policy.applied
    return applied(policy.aim or Aim(thresholds={}), resources.versions().of_life(model_id, uid, number))


def applied(aim: Aim, version: Version) -> Applied:
    """What the aim means for a ready version. Nothing is accepted, with a reason, if the version can't keep it. ArtifactError."""
    # Few environments need it, and only once for each version and policy.
    from winnow.evaluation.promise import TooFew, for_cost, for_precision  # noqa: PLC0415

    number, dial = version.job.version, dial_of(version, aim.evaluation)
    if aim.thresholds is not None:
        return _counted(Applied(number, thresholds=aim.thresholds), dial)
    if dial is None:
        return Applied(number, reason=NoDialError(version.job.model_id, number).sentence)
    if aim.cost is not None:
        cheapest = for_cost(dial, aim.cost)
        reason = "At these costs it is cheapest to accept nothing." if cheapest is None else None
        return _counted(Applied(number, threshold=cheapest, reason=reason), dial)
    promise = 1.0 if aim.min_precision is None else aim.min_precision
    found = for_precision(dial, promise)
    if isinstance(found, TooFew):
        return _counted(Applied(number, reason=too_few(dial, promise, found.needed)), dial)
    return _counted(Applied(number, threshold=found), dial)


def too_few(dial: Dial, promise: float, needed: int | None) -> str:
    """The sentence that says why a version can't promise a precision."""
    begins = f"The {dial.texts:,} examples that measure the version can't show that {promise} of its accepted answers are right:"
    if needed is None:
        return f"{begins} its surest answers are not so precise, however many examples there were. Promise less, or improve its examples."
    return f"{begins} about {needed:,} examples would do. Add examples and train again, or promise less."


def dial_of(version: Version, evaluation: str | None = None) -> Dial | None:
    """The version's dial. None if an earlier release trained it, or if it was made without examples. ArtifactError.

    evaluation: the id of an evaluation, whose dial is taken if it is one of this version.
    """
    from winnow.evaluation.dial import Dial  # noqa: PLC0415 # as above

    if evaluation is not None:
        evaluations = resources.file_evaluations()
        found = evaluations.find(version.job, evaluation)
        if found is not None and found["status"] == "ready":
            return Dial.from_bytes(evaluations.dial(version.job, evaluation, found["dial_sha256"]))
    archive = resources.version_reports().dial(version)
    return None if archive is None else Dial.from_bytes(archive)


def _counted(found: Applied, dial: Dial | None) -> Applied:
    """The same with what happens to the held-out examples."""
    if dial is None:
        return found
    answered, right = dial.outcome(least_scores(dial.labels, found.thresholds, found.threshold))
    return Applied(found.version, found.threshold, found.thresholds, dial.texts, answered, right, found.reason)
