"""GET /models/{model_id}/policy: what is accepted at present, and the policies so far, newest first, page by page."""

from http import HTTPStatus

from winnow.api import paging
from winnow.api.conditional import policy_tag
from winnow.api.endpoint import Answer, Request, endpoint
from winnow.api.policy_views import governed_view, policy_view
from winnow.aws import resources
from winnow.versions.policy import present_policy


@endpoint("GET /models/{model_id}/policy")
def handler(request: Request) -> Answer:
    model = resources.models().get(request.path["model_id"])
    name = f"policies of {model.uid}"
    before = paging.place(name, request.fields.get("next"), paging.VERSION)
    page, more = resources.policies().list(model, int(request.fields.get("limit", 100)), None if before is None else int(before))
    history = [policy_view(policy) for policy in page]
    answer = {**governed_view(model, *present_policy(model)), "history": history}
    return Answer(HTTPStatus.OK, {**answer, "next": paging.cursor(name, more and str(more))}, {"ETag": policy_tag(model)})
