"""Every deliberate error, with its HTTP status. Its sentence says what to fix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import ClassVar


class WinnowError(Exception):
    """A sentence for the client. field: the name of the wrong field, if one field is wrong. more: further members of the answer."""

    status: ClassVar[HTTPStatus] = HTTPStatus.INTERNAL_SERVER_ERROR
    kind: ClassVar[str] = "unexpected"

    def __init__(self, sentence: str, *, field: str | None = None, more: Mapping[str, object] | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.field = field
        self.more = more or {}


class UnreadableError(WinnowError):
    """The body can't be read: broken JSON or broken bytes."""

    status = HTTPStatus.BAD_REQUEST
    kind = "unreadable"


class InvalidFieldError(WinnowError):
    """The request can be read, but a field is missing, unknown or wrong."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    kind = "invalid-field"


class TooLargeError(WinnowError):
    """The request or the answer is larger than the API allows."""

    status = HTTPStatus.CONTENT_TOO_LARGE
    kind = "too-large"


class ForbiddenError(WinnowError):
    """The caller's key has no role, or its role may not make this call."""

    status = HTTPStatus.FORBIDDEN
    kind = "forbidden"

    def __init__(self) -> None:
        super().__init__("This API key may not make this call: ask the operator for a key with a role that may.")


class ModelNotFoundError(WinnowError):
    """No model has this id, or it was deleted."""

    status = HTTPStatus.NOT_FOUND
    kind = "model-not-found"

    def __init__(self, model_id: str) -> None:
        super().__init__(f"There is no model {model_id!r}: GET /models lists all models.")


class VersionNotFoundError(WinnowError):
    """The model has no version of this number."""

    status = HTTPStatus.NOT_FOUND
    kind = "version-not-found"

    def __init__(self, model_id: str, version: int) -> None:
        super().__init__(f"Model {model_id!r} has no version {version}: GET /models/{model_id}/versions lists its versions.")


class DatasetNotFoundError(WinnowError):
    """Nothing was uploaded under this name, or it was deleted or has expired."""

    status = HTTPStatus.NOT_FOUND
    kind = "dataset-not-found"

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no data set {name!r}: GET /datasets lists the uploaded data sets.")


class DatasetNotDeletedError(WinnowError):
    """S3 has more versions of the upload than one request could delete, or refused to delete one."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    kind = "dataset-not-deleted"

    def __init__(self, name: str) -> None:
        super().__init__(f"Data set {name!r} isn't completely deleted yet: send DELETE /datasets/{name} again.")


class ReportNotFoundError(WinnowError):
    """There is no report with this id, or the version's data set was never read."""

    status = HTTPStatus.NOT_FOUND
    kind = "report-not-found"


class NotMeasuredError(WinnowError):
    """The version was made from the names of its labels alone, or imported, so it has no evaluation."""

    status = HTTPStatus.NOT_FOUND
    kind = "not-measured"

    def __init__(self, model_id: str, version: int) -> None:
        super().__init__(
            f"Version {version} of model {model_id!r} was made from the names of its labels or imported, without examples to measure it on:"
            f" send some with POST /models/{model_id}/examples, and a version that learns from them is measured."
        )


class SuspectsNotFoundError(WinnowError):
    """The version's labels were not checked, because an earlier release trained it."""

    status = HTTPStatus.NOT_FOUND
    kind = "suspects-not-found"

    def __init__(self, model_id: str, version: int) -> None:
        super().__init__(
            f"The labels of version {version} of model {model_id!r} were not checked, because an earlier release trained it:"
            " train a new version to see the suspects."
        )


class ExamplesNotFoundError(WinnowError):
    """The version has no list of its examples. too_many: because it has more than a list takes, otherwise an earlier release trained it."""

    status = HTTPStatus.NOT_FOUND
    kind = "examples-not-found"

    def __init__(self, model_id: str, version: int, *, too_many: int | None = None) -> None:
        what = f"Version {version} of model {model_id!r} has no list of its examples"
        super().__init__(
            f"{what}, because an earlier release trained it: train a new version to see them."
            if too_many is None
            else f"{what}, because it has more than {too_many:,}."
        )


class ExampleNotFoundError(WinnowError):
    """The version that feedback builds on has no example with this id. name: the id; field: what has it."""

    status = HTTPStatus.NOT_FOUND
    kind = "example-not-found"

    def __init__(self, model_id: str, version: int, name: str, field: str) -> None:
        super().__init__(
            f"Version {version} of model {model_id!r}, which feedback builds on, has no example {name!r}:"
            f" GET /models/{model_id}/versions/{version}/examples lists its examples.",
            field=field,
        )


class TextsNotKeptError(WinnowError):
    """The version was trained with keep_texts false, so nobody may see its texts."""

    status = HTTPStatus.NOT_FOUND
    kind = "texts-not-kept"

    def __init__(self, model_id: str, version: int) -> None:
        super().__init__(
            f"The texts of version {version} of model {model_id!r} can't be shown, because it was trained with keep_texts false:"
            " train a new version with keep_texts true to see them."
        )


class NoDialError(WinnowError):
    """It isn't known how many texts a version answers rightly at other thresholds."""

    status = HTTPStatus.CONFLICT
    kind = "no-tradeoff"

    def __init__(self, model_id: str, version: int) -> None:
        super().__init__(
            f"Version {version} of model {model_id!r} has no trade-off, because an earlier release trained it, or because it was made"
            " without examples: train it again with `force_update`, or with examples. A policy with `thresholds` needs none."
        )


class NoDriftError(WinnowError):
    """Nothing was measured of a model's predictions, and nothing will be."""

    status = HTTPStatus.CONFLICT
    kind = "no-drift"

    def __init__(self, model_id: str) -> None:
        super().__init__(
            f"Model {model_id!r} keeps no prediction log, so its drift can't be measured: switch the log on with PATCH /models/{model_id}"
            ' {"log": {"share": 0.1, "days": 30}}.'
        )


class NoLoggedTextsError(WinnowError):
    """A model's prediction log has no text that people could label."""

    status = HTTPStatus.CONFLICT
    kind = "no-logged-texts"

    def __init__(self, model_id: str, *, is_on: bool) -> None:
        super().__init__(
            f"The log of model {model_id!r} has no text yet: it keeps a part of those that POST /prediction classifies, within a minute."
            if is_on
            else f"Model {model_id!r} keeps no texts of its predictions: switch its log on with PATCH /models/{model_id}"
            ' {"log": {"share": 0.1, "days": 30}}, and send it texts with POST /prediction.'
        )


class TooFewExamplesError(WinnowError):
    """A version's held-out examples can't show that a promised precision is kept."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    kind = "too-few-examples"


class EvaluationNotFoundError(WinnowError):
    """The version has no evaluation with this id."""

    status = HTTPStatus.NOT_FOUND
    kind = "evaluation-not-found"

    def __init__(self, model_id: str, version: int, evaluation: str) -> None:
        super().__init__(
            f"Version {version} of model {model_id!r} has no evaluation {evaluation!r}: make one with"
            f" POST /models/{model_id}/versions/{version}/evaluations."
        )


class EvaluationNotReadyError(WinnowError):
    """The evaluation still runs, or failed."""

    status = HTTPStatus.CONFLICT
    kind = "evaluation-not-ready"

    def __init__(self, model_id: str, version: int, evaluation: str, status: str) -> None:
        super().__init__(
            f"The evaluation {evaluation!r} is {status}: GET /models/{model_id}/versions/{version}/evaluations/{evaluation} says more."
        )


class FeedbackBatchNotFoundError(WinnowError):
    """The model has no feedback batch with this id, or the batch was taken back."""

    status = HTTPStatus.NOT_FOUND
    kind = "batch-not-found"

    def __init__(self, model_id: str, batch: str) -> None:
        super().__init__(f"Model {model_id!r} has no batch {batch!r}: GET /models/{model_id}/examples lists the pending batches.")


class NothingPendingError(WinnowError):
    """No feedback of the model is pending, so there is nothing to train on."""

    status = HTTPStatus.CONFLICT
    kind = "nothing-pending"

    def __init__(self, model_id: str) -> None:
        super().__init__(f"Model {model_id!r} has no pending examples: send some with POST /models/{model_id}/examples.")


class FeedbackBatchTakenError(WinnowError):
    """A version is trained on the feedback batch, or is being trained on it: the batch can't be taken back any more."""

    status = HTTPStatus.CONFLICT
    kind = "batch-taken"

    def __init__(self, model_id: str, batch: str) -> None:
        super().__init__(
            f"Batch {batch!r} of model {model_id!r} can't be taken back, because a version uses it or is being trained on it:"
            " send the same texts with the right labels, which replace the older ones, or promote another version."
        )


class PredictionNotFoundError(WinnowError):
    """The model's log doesn't have the text of this prediction. reason: why, as the end of a sentence."""

    status = HTTPStatus.NOT_FOUND
    kind = "prediction-not-found"

    def __init__(self, model_id: str, prediction_id: str, reason: str, field: str) -> None:
        super().__init__(f"Model {model_id!r} has no text of prediction {prediction_id!r}: {reason}. Send the text itself.", field=field)


class ReviewQueueNotFoundError(WinnowError):
    """The model has no review queue, or it has expired."""

    status = HTTPStatus.NOT_FOUND
    kind = "review-queue-not-found"

    def __init__(self, model_id: str) -> None:
        super().__init__(f"Model {model_id!r} has no review queue, or it has expired: make one with POST /models/{model_id}/queue.")


class ForgettingNotFoundError(WinnowError):
    """There is no forgetting with this id, or its receipt has expired."""

    status = HTTPStatus.NOT_FOUND
    kind = "forgetting-not-found"

    def __init__(self, forgetting: str) -> None:
        super().__init__(f"There is no forgetting {forgetting!r}, or its receipt has expired: POST /forget answers with new ids.")


class BatchPredictionNotFoundError(WinnowError):
    """The model has no batch prediction with this id, or it has expired."""

    status = HTTPStatus.NOT_FOUND
    kind = "batch-prediction-not-found"

    def __init__(self, model_id: str, batch: str) -> None:
        super().__init__(f"Model {model_id!r} has no batch prediction {batch!r}: GET /models/{model_id}/batches lists all of them.")


class TooManyBatchesError(WinnowError):
    """As many batch predictions wait as may. waiting: their number."""

    status = HTTPStatus.TOO_MANY_REQUESTS
    kind = "too-many-batches"

    def __init__(self, waiting: int) -> None:
        super().__init__(
            f"{waiting} batches wait for their turn already, and no more may: try again when some have ended, or cancel some"
            " (GET /models/{model_id}/batches lists those of a model). If batches wait often, the operator can raise MostBatches."
        )


class FigureNotFoundError(WinnowError):
    """An evaluation has no figure with this name."""

    status = HTTPStatus.NOT_FOUND
    kind = "figure-not-found"

    def __init__(self, figures: Sequence[str]) -> None:
        super().__init__(f"There is no figure with this name: an evaluation has {_and(figures)}.")


class DocsFileNotFoundError(WinnowError):
    """The documentation page has no file with this name."""

    status = HTTPStatus.NOT_FOUND
    kind = "docs-file-not-found"

    def __init__(self, files: Sequence[str]) -> None:
        super().__init__(f"There is no file with this name: the page GET /docs has {_and(files)}.")


class ConsoleFileNotFoundError(WinnowError):
    """The console has no file with this name."""

    status = HTTPStatus.NOT_FOUND
    kind = "console-file-not-found"

    def __init__(self, files: Sequence[str]) -> None:
        super().__init__(f"There is no file with this name: the page GET /console has {_and(files)}.")


class ModelExistsError(WinnowError):
    """A model with this id exists, and the request doesn't set force_update."""

    status = HTTPStatus.CONFLICT
    kind = "model-exists"

    def __init__(self, model_id: str) -> None:
        super().__init__(f'Model {model_id!r} exists: add "force_update": true to train a new version, or choose another id.')


class TrainingUnderwayError(WinnowError):
    """A version of the model is queued or training. A model trains one version at a time."""

    status = HTTPStatus.CONFLICT
    kind = "training-underway"

    def __init__(self, model_id: str, version: int) -> None:
        super().__init__(
            f"Version {version} of model {model_id!r} is still in training: wait until it ends,"
            f" or stop it with POST /models/{model_id}/versions/{version}/cancel."
        )


class ModelNotReadyError(WinnowError):
    """The model exists, but it has no ready or live version that the call needs."""

    status = HTTPStatus.CONFLICT
    kind = "model-not-ready"


class VersionNotReadyError(WinnowError):
    """The version is still in training, or its training failed or was cancelled. It has no evaluation and can't be live."""

    status = HTTPStatus.CONFLICT
    kind = "version-not-ready"


class VersionLiveError(WinnowError):
    """The version is live and can't be deleted."""

    status = HTTPStatus.CONFLICT
    kind = "version-live"

    def __init__(self, model_id: str, version: int) -> None:
        super().__init__(
            f"Version {version} of model {model_id!r} is live: first promote another version with PUT /models/{model_id}/live,"
            f" or delete the whole model with DELETE /models/{model_id}."
        )


class IdempotencyKeyReusedError(WinnowError):
    """Another request was sent with the same Idempotency-Key."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    kind = "idempotency-key-reused"

    def __init__(self) -> None:
        super().__init__(
            "This Idempotency-Key was used for another request in the last 24 hours: use a new key, or repeat that request unchanged.",
            field="Idempotency-Key",
        )


class GoneError(WinnowError):
    """The request with this Idempotency-Key was carried out, and what it made was deleted since. what: such as "Model 'tc-01'"."""

    status = HTTPStatus.GONE
    kind = "gone"

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} was deleted. A request with this Idempotency-Key had made it: to make it again, use a new key.")


class StaleError(WinnowError):
    """The model has changed since the state that the request's If-Match names, or there is none (exists: False)."""

    status = HTTPStatus.PRECONDITION_FAILED
    kind = "stale"

    def __init__(self, model_id: str, *, exists: bool = True) -> None:
        super().__init__(
            f"Model {model_id!r} has changed since you read its ETag: read it again with GET /models/{model_id},"
            " and send the new ETag in If-Match."
            if exists
            else f"There is no model {model_id!r}, so no ETag in If-Match can be its own: leave out If-Match to train a new model."
        )


class NotCancellableError(WinnowError):
    """The version's training or the batch prediction has already ended."""

    status = HTTPStatus.CONFLICT
    kind = "not-cancellable"


class NothingToCompareError(WinnowError):
    """Two versions can't be compared: there is no example that both can answer without having learnt it.

    relabelled: the number of those that there are, but with other labels in each version.
    """

    status = HTTPStatus.CONFLICT
    kind = "nothing-to-compare"

    def __init__(self, model_id: str, before: int, after: int, *, relabelled: int = 0) -> None:
        if relabelled:
            why = f"the labels of all {relabelled:,} examples that both can answer have changed between them."
        else:
            why = "there is no example that both can answer without having learnt it."
        super().__init__(f"Versions {before} and {after} of model {model_id!r} can't be compared: {why}")


class BusyError(WinnowError):
    """Other requests changed the same rows each time we tried. The request itself is right."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    kind = "busy"

    def __init__(self, model_id: str | None = None) -> None:
        what = "the same data" if model_id is None else f"model {model_id!r}"
        super().__init__(f"Too many requests change {what} at the same time: try again in a few seconds.")


class OverloadedError(WinnowError):
    """AWS refused a call of ours because there were too many. The request itself is right."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    kind = "overloaded"

    def __init__(self) -> None:
        super().__init__("AWS takes no more calls from this deployment at the moment: try again in a few seconds.")


class UnhealthyError(WinnowError):
    """Something that the API stands on doesn't answer. parts: "ok" or the reason, by the name of each part that was asked."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    kind = "unhealthy"

    def __init__(self, parts: Mapping[str, str]) -> None:
        failing = ", ".join(f"{name} ({told})" for name, told in parts.items() if told != "ok")
        super().__init__(f"These parts don't answer: {failing}. Ask the operator: the log has the errors.", more={"parts": parts})


class DatasetError(WinnowError):
    """The data set can't be trained on. The sentence says where and why. The version's `error` shows it."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    kind = "dataset"


class JobSupersededError(WinnowError):
    """The job's version or batch was cancelled, deleted or restarted, or is a step further: the registry refuses this task's writes."""

    status = HTTPStatus.CONFLICT
    kind = "job-superseded"


class TrainingFailedError(WinnowError):
    """None of the version's recipes could be trained."""

    kind = "training-failed"


class DamagedRowError(WinnowError):
    """A row of the registry can't be read. row: its key. fault: what is wrong with it, for the log."""

    kind = "damaged-row"

    def __init__(self, row: str, fault: str) -> None:
        super().__init__(f"The registry's row {row} is damaged: ask the operator to repair or delete it (docs/operations.md#damage).")
        self.row = row
        self.fault = fault


class EncoderError(WinnowError):
    """A version needs a sentence encoder that this deployment doesn't have."""

    status = HTTPStatus.CONFLICT
    kind = "no-such-encoder"


class ArtifactError(WinnowError):
    """A version's files are missing, or are not those that its training wrote."""

    kind = "artifact"


def _and(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"
