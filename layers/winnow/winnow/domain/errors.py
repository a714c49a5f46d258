"""Every deliberate error, with the HTTP status that it becomes. Its sentence says what to mend."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import ClassVar


class WinnowError(Exception):
    """A sentence for the client. field names what is wrong in the request, where one field is."""

    status: ClassVar[HTTPStatus] = HTTPStatus.INTERNAL_SERVER_ERROR
    kind: ClassVar[str] = "unexpected"

    def __init__(self, sentence: str, *, field: str | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.field = field


class UnreadableError(WinnowError):
    """The body can't be read at all: broken JSON, broken bytes."""

    status = HTTPStatus.BAD_REQUEST
    kind = "unreadable"


class InvalidFieldError(WinnowError):
    """The request can be read, and a field of it is missing, unknown or wrong."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    kind = "invalid-field"


class TooLargeError(WinnowError):
    """The request or the answer is larger than the API allows."""

    status = HTTPStatus.CONTENT_TOO_LARGE
    kind = "too-large"


class ForbiddenError(WinnowError):
    """The caller's key has no role, or one that may not make this call."""

    status = HTTPStatus.FORBIDDEN
    kind = "forbidden"

    def __init__(self) -> None:
        super().__init__("This API key has no role that may make this call: ask the operator for a key that has.")


class ModelNotFoundError(WinnowError):
    """No model has this id, or it was deleted."""

    status = HTTPStatus.NOT_FOUND
    kind = "model-not-found"

    def __init__(self, model_id: str) -> None:
        super().__init__(f"There is no model {model_id!r}: GET /models lists those there are.")


class VersionNotFoundError(WinnowError):
    """The model has no version of this number."""

    status = HTTPStatus.NOT_FOUND
    kind = "version-not-found"

    def __init__(self, model_id: str, version: int) -> None:
        super().__init__(f"Model {model_id!r} has no version {version}: GET /models/{model_id}/versions lists those there are.")


class DatasetNotFoundError(WinnowError):
    """Nothing was uploaded under this name, or it was deleted or has expired."""

    status = HTTPStatus.NOT_FOUND
    kind = "dataset-not-found"

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no data set {name!r}: GET /datasets lists those that were uploaded.")


class ReportNotFoundError(WinnowError):
    """There is no report of this id, or the version's data set was never read."""

    status = HTTPStatus.NOT_FOUND
    kind = "report-not-found"


class FeedbackBatchNotFoundError(WinnowError):
    """The model has no batch of feedback of this id, or it was taken back."""

    status = HTTPStatus.NOT_FOUND
    kind = "batch-not-found"

    def __init__(self, model_id: str, batch: str) -> None:
        super().__init__(f"Model {model_id!r} has no batch {batch!r}: GET /models/{model_id}/examples lists those that wait.")


class FeedbackBatchTakenError(WinnowError):
    """A version has the batch's examples, or is being trained on them: they can't be taken back any more."""

    status = HTTPStatus.CONFLICT
    kind = "batch-taken"

    def __init__(self, model_id: str, batch: str) -> None:
        super().__init__(
            f"Batch {batch!r} of model {model_id!r} is part of a version, or is being trained on, and can't be taken back: send examples"
            " with the right labels, which win over older ones of the same text, or promote another version."
        )


class BatchPredictionNotFoundError(WinnowError):
    """The model has no batch prediction of this id, or none any more."""

    status = HTTPStatus.NOT_FOUND
    kind = "batch-prediction-not-found"

    def __init__(self, model_id: str, batch: str) -> None:
        super().__init__(f"Model {model_id!r} has no batch prediction {batch!r}: GET /models/{model_id}/batches lists those there are.")


class FigureNotFoundError(WinnowError):
    """An evaluation has no figure of this name."""

    status = HTTPStatus.NOT_FOUND
    kind = "figure-not-found"

    def __init__(self, figures: Sequence[str]) -> None:
        super().__init__(f"There is no figure of this name: an evaluation has {_and(figures)}.")


class DocsFileNotFoundError(WinnowError):
    """The documentation page has no file of this name."""

    status = HTTPStatus.NOT_FOUND
    kind = "docs-file-not-found"

    def __init__(self, files: Sequence[str]) -> None:
        super().__init__(f"There is no file of this name: the page GET /docs has {_and(files)}.")


class ModelExistsError(WinnowError):
    """A model of this id exists, and the request didn't say force_update."""

    status = HTTPStatus.CONFLICT
    kind = "model-exists"

    def __init__(self, model_id: str) -> None:
        super().__init__(f'Model {model_id!r} exists: add "force_update": true to train a new version of it, or choose another id.')


class TrainingUnderwayError(WinnowError):
    """A version of the model is queued or training: one at a time."""

    status = HTTPStatus.CONFLICT
    kind = "training-underway"

    def __init__(self, model_id: str, version: int) -> None:
        super().__init__(
            f"Version {version} of model {model_id!r} is still being trained: wait for it,"
            f" or stop it with POST /models/{model_id}/versions/{version}/cancel."
        )


class ModelNotReadyError(WinnowError):
    """The model exists, and no version of it has become ready."""

    status = HTTPStatus.CONFLICT
    kind = "model-not-ready"


class VersionNotReadyError(WinnowError):
    """The version is still being trained, or its training failed or was cancelled: it has no evaluation, and can't be live."""

    status = HTTPStatus.CONFLICT
    kind = "version-not-ready"


class VersionLiveError(WinnowError):
    """The version is the live one: it answers, and can't be deleted."""

    status = HTTPStatus.CONFLICT
    kind = "version-live"

    def __init__(self, model_id: str, version: int) -> None:
        super().__init__(
            f"Version {version} of model {model_id!r} is live: promote another with PUT /models/{model_id}/live first,"
            f" or delete the whole model with DELETE /models/{model_id}."
        )


class IdempotencyKeyReusedError(WinnowError):
    """The request's Idempotency-Key stands for another request."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    kind = "idempotency-key-reused"

    def __init__(self) -> None:
        super().__init__(
            "This Idempotency-Key was sent with another request in the last 24 hours: send that one again, or a new key with this one.",
            field="Idempotency-Key",
        )


class StaleError(WinnowError):
    """The model isn't any more what the request's If-Match names."""

    status = HTTPStatus.PRECONDITION_FAILED
    kind = "stale"

    def __init__(self, model_id: str) -> None:
        super().__init__(
            f"Model {model_id!r} has changed since its ETag was read: look at it again with GET /models/{model_id},"
            " and send its ETag in If-Match."
        )


class NotCancellableError(WinnowError):
    """The version is no longer being trained, or the batch has ended."""

    status = HTTPStatus.CONFLICT
    kind = "not-cancellable"


class NothingToCompareError(WinnowError):
    """No example is left on which two versions could be compared: each is one that either was trained on."""

    status = HTTPStatus.CONFLICT
    kind = "nothing-to-compare"

    def __init__(self, model_id: str, before: int, after: int) -> None:
        super().__init__(
            f"Versions {before} and {after} of model {model_id!r} can't be compared:"
            " every example that one was measured on is one that the other was trained on."
        )


class BusyError(WinnowError):
    """Others changed the model, or something that goes with it, each time we tried: nothing is wrong with the request."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    kind = "busy"

    def __init__(self, model_id: str | None = None) -> None:
        what = "What this would change" if model_id is None else f"Model {model_id!r}"
        super().__init__(f"{what} is being changed by many at once: try again in a few seconds.")


class DatasetError(WinnowError):
    """The data set can't be trained on. The sentence says where and why; it ends up in the version's error."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    kind = "dataset"


class JobSupersededError(WinnowError):
    """The job's version or batch was cancelled, deleted, started anew, or has gone further: what this task still does must not count."""

    status = HTTPStatus.CONFLICT
    kind = "job-superseded"


class TrainingFailedError(WinnowError):
    """No recipe that was tried for the version could be trained."""

    kind = "training-failed"


class EncoderError(WinnowError):
    """A version needs a sentence encoder that this deployment doesn't have."""

    status = HTTPStatus.CONFLICT
    kind = "no-such-encoder"


class ReleaseError(WinnowError):
    """What was deployed can't be made to answer. The deployment's own error, which no client gets."""

    kind = "release"


class ArtifactError(WinnowError):
    """A version's files are missing, or are not those that its training wrote."""

    kind = "artifact"


def _and(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"
