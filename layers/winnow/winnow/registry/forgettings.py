"""Forgettings: one row for each, and a mark for the sweeper while it isn't finished. None of them holds a text or a subject."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from winnow.domain.clock import now, timestamp, utc_now
from winnow.domain.errors import ForgettingNotFoundError, JobSupersededError
from winnow.domain.forgetting import Forgetting, ForgettingStage, ForgettingStatus, Forgotten
from winnow.domain.history import Caller
from winnow.domain.job import IdempotencyKey
from winnow.registry import table as rows
from winnow.registry.decoding import decoded
from winnow.registry.history import caller_in, caller_row
from winnow.registry.idempotency import answered

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

# A receipt is kept as long as the histories of models.
_KEPT_FOR = timedelta(days=400)
# A Lambda runs for at most 15 minutes. So after this time nobody works on a forgetting any more, and what ran when it began has ended.
LAST_WRITE = timedelta(minutes=16)
_SECRETS = ["salt", "subject", "texts", "lease_until"]


class Forgettings:
    """The forgettings of a table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def create(self, forgetting: str, forgotten: Forgotten, named: int | None, by: Caller | None, key: IdempotencyKey | None) -> bool:
        """Register a forgetting. False if the key was used meanwhile."""
        row = {
            **rows.forgetting_key(forgetting),
            "status": ForgettingStatus.WORKING,
            "stage": ForgettingStage.FIND,
            "round": 1,
            "revision": 1,
            **({} if named is None else {"named": named}),
            **({} if by is None else {"by": caller_row(by)}),
            "created_at": now(),
            "final_after": timestamp(utc_now() + LAST_WRITE),
            "salt": forgotten.salt,
            **({} if forgotten.subject is None else {"subject": forgotten.subject}),
            "texts": sorted(forgotten.texts),
            "expires": int((utc_now() + _KEPT_FOR).timestamp()),
        }
        mark = {**rows.forgetting_mark_key(forgetting), "at": now()}
        known = [] if key is None else [answered(key, {"forgetting": forgetting})]
        try:
            rows.transact(self._table, rows.put_new(row), rows.put_new(mark), *known)
        except rows.ConditionFailedError:
            return False
        return True

    def get(self, forgetting: str) -> Forgetting:
        """The forgetting with this id. ForgettingNotFoundError if there is none or it has expired; DamagedRowError."""
        item = self._table.get_item(Key=rows.forgetting_key(forgetting), ConsistentRead=True).get("Item")
        found = decoded(item, _unexpired) if item else None
        if found is None:
            raise ForgettingNotFoundError(forgetting)
        return found

    def claim(self, forgetting: str) -> Forgetting | None:
        """Take the forgetting to work on it alone. None if somebody works on it, or if it is done or gone."""
        at = now()
        lease = timestamp(utc_now() + LAST_WRITE)
        claimed = rows.Update(
            rows.forgetting_key(forgetting),
            {"lease_until": lease},
            "#status <> :done AND attribute_exists(#salt) AND (attribute_not_exists(#lease_until) OR #lease_until <= :at)",
            {"done": ForgettingStatus.DONE, "at": at},
        )
        try:
            rows.update(self._table, claimed)
        except rows.ConditionFailedError:
            return None
        return self.get(forgetting)

    def note(self, known: Forgetting, **changes: Any) -> Forgetting:
        """Change a claimed forgetting. Returns it as it is now. JobSupersededError if somebody else has claimed it meanwhile."""
        change = self._own(known, changes)
        try:
            rows.update(self._table, change)
        except rows.ConditionFailedError as error:
            raise _superseded(known) from error
        return self.get(known.forgetting)

    def release(self, known: Forgetting) -> None:
        """Let others work on it: there is nothing to do now. JobSupersededError as in `note`."""
        try:
            rows.update(self._table, self._own(known, {"lease_until": now()}))
        except rows.ConditionFailedError as error:
            raise _superseded(known) from error

    def finish(self, known: Forgetting, **changes: Any) -> None:
        """End it: its digests and its mark go. JobSupersededError as in `note`."""
        done = {"status": ForgettingStatus.DONE, "finished_at": now(), "waiting_for": [], **changes}
        change = self._own(known, done, remove=_SECRETS)
        mark = rows.deleted(rows.forgetting_mark_key(known.forgetting))
        try:
            rows.transact(self._table, rows.updated(change), mark)
        except rows.ConditionFailedError as error:
            raise _superseded(known) from error

    def forget_mark(self, forgetting: str) -> None:
        """Remove the mark of a forgetting that is done or gone."""
        rows.delete(self._table, rows.forgetting_mark_key(forgetting))

    def _own(self, known: Forgetting, changes: Mapping[str, Any], remove: list[str] | None = None) -> rows.Update:
        where = {"lease": known.lease_until}
        return rows.Update(rows.forgetting_key(known.forgetting), changes, "#lease_until = :lease", where, remove or [])


def _superseded(known: Forgetting) -> JobSupersededError:
    return JobSupersededError(f"Forgetting {known.forgetting!r} is worked on elsewhere.")


def _unexpired(item: Mapping[str, Any]) -> Forgetting | None:
    """None if the row has expired: DynamoDB removes it some time after that."""
    if item["expires"] <= utc_now().timestamp():
        return None
    return Forgetting(
        forgetting=rows.forgetting_of(item),
        status=ForgettingStatus(item["status"]),
        stage=ForgettingStage(item["stage"]),
        round=item["round"],
        named=item.get("named"),
        created_at=item["created_at"],
        final_after=item["final_after"],
        by=caller_in(item, "by"),
        finished_at=item.get("finished_at"),
        waiting_for=item.get("waiting_for", ()),
        touched=item.get("touched", ()),
        more=item.get("more", 0),
        models=item.get("models", ()),
        not_done=item.get("not_done", ()),
        lease_until=item.get("lease_until"),
        salt=item.get("salt"),
        subject=item.get("subject"),
        texts=item.get("texts", ()),
        revision=item["revision"],
    )
