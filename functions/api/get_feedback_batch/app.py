"""GET /models/{model_id}/examples/{batch}: what a batch of feedback says, page by page."""

from http import HTTPStatus

from winnow.api import paging
from winnow.api.endpoint import Answer, Request, endpoint
from winnow.api.views import feedback_line_view
from winnow.aws import resources


@endpoint("GET /models/{model_id}/examples/{batch}")
def handler(request: Request) -> Answer:
    model = resources.models().get(request.path["model_id"])
    batch = resources.feedback_batches().get(model, request.path["batch"])
    # The uid is part of the name, because a model that is created again is another one.
    name = f"batch {batch.batch} of {model.uid}"
    begin = int(paging.place(name, request.fields.get("next"), paging.PLACE) or 0)
    base = resources.versions().base_of_feedback(model)
    shows_texts = base is not None and base.hyperparameters["keep_texts"]
    lines = resources.feedback_objects().read(model.uid, batch)
    limit = int(request.fields.get("limit", 100))
    page = paging.fitting(feedback_line_view(line, model.uid, with_text=shows_texts) for line in lines[begin : begin + limit])
    end = begin + len(page)
    answer = {"pending": batch.batch > model.feedback.watermark.through, "examples": page}
    cursor = paging.cursor(name, str(end) if end < len(lines) else None)
    return Answer(HTTPStatus.OK, {"model_id": model.model_id, "batch": batch.batch, **answer, "next": cursor})
