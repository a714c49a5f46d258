"""The receipt of a forgetting, as the API shows it. It has no text and no subject."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from winnow.domain.forgetting import Forgetting


def forgetting_view(forgetting: Forgetting) -> dict[str, Any]:
    by = forgetting.by
    return {
        "forgetting": forgetting.forgetting,
        "status": forgetting.status,
        "waiting_for": list(forgetting.waiting_for),
        "texts": forgetting.named,
        "by": None if by is None else {"kind": by.kind, "name": by.name, "key_id": by.key_id},
        "touched": [dict(place) for place in forgetting.touched],
        "more": forgetting.more,
        "models": [dict(model) for model in forgetting.models],
        "not_done": list(forgetting.not_done),
        "created_at": forgetting.created_at,
        "finished_at": forgetting.finished_at,
    }
