"""DELETE /models/{model_id}/policy: return to each version's own thresholds."""

from http import HTTPStatus

from winnow.api.conditional import condition_on_policy, policy_tag
from winnow.api.endpoint import Answer, Request, endpoint
from winnow.api.policy_views import governed_view
from winnow.versions.policy import remove_policy


@endpoint("DELETE /models/{model_id}/policy")
def handler(request: Request) -> Answer:
    model_id = request.path["model_id"]
    model = remove_policy(model_id, condition_on_policy(request.headers.get("if-match")))
    return Answer(HTTPStatus.OK, governed_view(model, None, None), {"ETag": policy_tag(model)})
