"""What the usage plan of a key allows, and how much of it is used."""

from __future__ import annotations

from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError

from winnow.aws import clients
from winnow.aws.log import logger
from winnow.domain.access import Role
from winnow.domain.clock import utc_now


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of each key with a role."""

    requests_per_second: float
    requests_per_day: int


def limits(role: Role) -> Limits:
    """The limits of the role, as the template's parameters say them."""
    match role:
        case Role.CLASSIFY:
            second, day = clients.setting("CLASSIFY_REQUESTS_PER_SECOND"), clients.setting("CLASSIFY_REQUESTS_PER_DAY")
        case Role.PREDICT:
            second, day = clients.setting("REQUESTS_PER_SECOND"), clients.setting("REQUESTS_PER_DAY")
        case Role.ADMIN:
            second, day = clients.setting("ADMIN_REQUESTS_PER_SECOND"), clients.setting("ADMIN_REQUESTS_PER_DAY")
    return Limits(float(second), int(day))


def used_today(plan: str, key_id: str) -> int | None:
    """The requests of a key since midnight (UTC), as its usage plan counts them. None if API Gateway doesn't say it."""
    today = f"{utc_now():%Y-%m-%d}"
    try:
        usage = clients.apigateway().get_usage(usagePlanId=plan, keyId=key_id, startDate=today, endDate=today)
        # For each day the requests that were used, and those that were left.
        return int(usage["items"][key_id][-1][0])
    except (ClientError, BotoCoreError, LookupError, TypeError, ValueError) as error:
        logger.warning("usage unknown", extra={"reason": type(error).__name__})
        return None
