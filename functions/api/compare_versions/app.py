"""GET /models/{model_id}/versions/{version}/compare?to=: what got better and what got worse from one version to another."""

from http import HTTPStatus

from winnow.api.endpoint import Answer, Request, endpoint
from winnow.aws import resources
from winnow.recipes.catalogue import OF_ENCODER
from winnow.versions import compare

# The most examples without and with a sentence encoder. Both versions classify them in a fraction of the time for an answer.
_MOST_EXAMPLES, _MOST_ENCODED = 5_000, 1_000


@endpoint("GET /models/{model_id}/versions/{version}/compare")
def handler(request: Request) -> Answer:
    model_id, versions = request.path["model_id"], resources.versions()
    before, after = (versions.get_ready(model_id, int(number)) for number in (request.path["version"], request.fields["to"]))
    encodes = {before.recipe, after.recipe} & {*OF_ENCODER}
    report = compare.compare_versions(before, after, _MOST_ENCODED if encodes else _MOST_EXAMPLES)
    return Answer(HTTPStatus.OK, {"model_id": model_id, "version": before.job.version, "to": after.job.version, **report})
