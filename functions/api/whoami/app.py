"""GET /whoami: the caller's name, role and limits, and how much of them is used today."""

from dataclasses import asdict
from http import HTTPStatus

from winnow.api.endpoint import Answer, Request, endpoint
from winnow.aws import clients, resources
from winnow.aws.usage import limits, used_today
from winnow.domain import access
from winnow.domain.access import Role
from winnow.domain.history import calling


@endpoint("GET /whoami")
def handler(request: Request) -> Answer:
    caller, key = calling.get(), request.headers.get("x-api-key")
    known = None if key is None else resources.roles().find(access.digest(key))
    # The key's plan limits and counts its requests also where IAM decides.
    limited = None if known is None or known.role not in set(Role) else limits(Role(known.role))
    used = used_today(known.plan, known.key_id) if known is not None and known.plan else None
    by_iam = clients.setting("AUTHORIZER") == access.BY_IAM
    return Answer(
        HTTPStatus.OK,
        {
            "kind": None if caller is None else caller.kind,
            "name": None if caller is None else caller.name,
            # The local cloud's events don't have it.
            "key_id": None if caller is None else caller.key_id or (known.key_id if known else None),
            "role": None if known is None or by_iam else known.role,
            "limits": None if limited is None else asdict(limited),
            "used_today": used,
        },
    )
