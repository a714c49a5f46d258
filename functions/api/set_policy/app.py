"""PUT /models/{model_id}/policy: say what is accepted, at once and without a training."""

from http import HTTPStatus

from winnow.api.conditional import condition_on_policy, policy_tag
from winnow.api.endpoint import Answer, Request, endpoint
from winnow.api.policy_views import aim_of, governed_view
from winnow.versions.policy import set_policy


@endpoint("PUT /models/{model_id}/policy")
def handler(request: Request) -> Answer:
    model_id = request.path["model_id"]
    model, policy = set_policy(model_id, aim_of(request.fields), condition_on_policy(request.headers.get("if-match")))
    return Answer(HTTPStatus.OK, governed_view(model, policy, policy.applied), {"ETag": policy_tag(model)})
