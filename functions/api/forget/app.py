"""POST /forget: remove a subject, or texts, from everything that Winnow keeps."""

from http import HTTPStatus

from winnow.api.endpoint import Answer, Request, endpoint
from winnow.api.idempotency import idempotency_key
from winnow.domain.errors import InvalidFieldError
from winnow.domain.forgetting import ForgettingStatus
from winnow.domain.normal_form import is_blank
from winnow.forgetting.requests import start_forgetting


@endpoint("POST /forget")
def handler(request: Request) -> Answer:
    given = request.fields
    for place, text in enumerate(given.get("texts", ())):
        if is_blank(text):
            raise InvalidFieldError(f"texts[{place}] has only characters that nobody sees: leave it out.", field="texts")
    forgetting = start_forgetting(given.get("subject"), given.get("texts", ()), idempotency_key(request))
    return Answer(
        HTTPStatus.ACCEPTED,
        {"forgetting": forgetting, "status": ForgettingStatus.WORKING},
        {"Location": f"forget/{forgetting}", "Retry-After": "60"},
    )
