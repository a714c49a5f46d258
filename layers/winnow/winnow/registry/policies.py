"""The policies of models: set, remove and list them. A policy's row never changes, and is removed with its model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from itertools import islice
from typing import TYPE_CHECKING, Any

from winnow.domain.errors import DamagedRowError
from winnow.domain.history import Deed
from winnow.domain.policy import Aim, Applied, Cost, Policy
from winnow.registry import table as rows
from winnow.registry.decoding import decoded, each_decoded, each_of_images
from winnow.registry.history import recorded

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

    from winnow.domain.model import Model


class Policies:
    """The policies of a table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def get(self, uid: str, revision: int) -> Policy:
        """A policy of this life of a model. DamagedRowError if it is missing: a model names only policies that were written with it."""
        item = self._table.get_item(Key=rows.policy_key(uid, revision), ConsistentRead=True).get("Item")
        if not item:
            raise DamagedRowError(rows.name_of(rows.policy_key(uid, revision)), "it is missing")
        return decoded(item, _policy)

    def list(self, model: Model, limit: int, before: int | None = None) -> tuple[list[Policy], int | None]:
        """At most `limit` policies of the model before the revision `before`, newest first; and the `before` of the next page.

        Without damaged rows.
        """
        start = {} if before is None else {"ExclusiveStartKey": rows.policy_key(model.uid, before)}
        found = rows.partition(self._table, rows.policies_partition(model.uid), Limit=limit + 1, ScanIndexForward=False, **start)
        policies: list[Policy] = list(islice(each_decoded(found, _policy), limit + 1))
        return policies[:limit], policies[limit - 1].revision if len(policies) > limit else None

    def add(self, model: Model, policy: Policy, *, exactly: bool) -> bool:
        """Write the model's next policy, which counts from now on. False if it was deleted, or a deed came between.

        exactly: or if the model changed in any way. Another policy has taken the revision, so its row exists.
        """
        condition, where = rows.of_life(model.uid, model.revision if exactly else None)
        counts = {"policies": policy.revision, "updated_at": policy.created_at}
        change = rows.Update(
            key=rows.model_key(model.model_id),
            assign=counts if policy.aim is None else {**counts, "policy": policy.revision},
            remove=["policy"] if policy.aim is None else [],
            condition=f"{condition} AND #live_version = :live_version",
            where={**where, "live_version": model.live_version},
        )
        settings = {"policy": None if policy.aim is None else policy.revision}
        entry = recorded(model.model_id, model.history, Deed.CHANGE_POLICY, settings=settings)
        try:
            rows.transact(self._table, rows.updated(entry.named_in(change)), rows.put_new(_item(model, policy)), entry.row)
        except rows.ConditionFailedError:
            return False
        return True


def policies_of_images(images: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, Policy]]:
    """The policies from rows of the table's stream, with the ids of their models. Without damaged rows."""
    return each_of_images(images, lambda item: (str(item["model_id"]), _policy(item)))


def _item(model: Model, policy: Policy) -> dict[str, Any]:
    told = {} if policy.aim is None else {"aim": _told(policy.aim.as_dict())}
    applied = {} if policy.applied is None else {"applied": _told(asdict(policy.applied))}
    about = {"uid": model.uid, "model_id": model.model_id, "revision": policy.revision, "created_at": policy.created_at}
    return {**rows.policy_key(model.uid, policy.revision), **about, **told, **applied}


def _told(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


def _policy(item: Mapping[str, Any]) -> Policy:
    return Policy(
        revision=item["revision"],
        created_at=item["created_at"],
        aim=_aim(item["aim"]) if "aim" in item else None,
        applied=Applied(**item["applied"]) if "applied" in item else None,
    )


def _aim(item: Mapping[str, Any]) -> Aim:
    return Aim(item.get("min_precision"), item.get("thresholds"), Cost(**item["cost"]) if "cost" in item else None, item.get("evaluation"))
