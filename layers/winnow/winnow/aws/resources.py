"""The registry and the storage of this deployment, made from the resources that the function's settings name.

Each function here imports what it needs, so that a Lambda's cold start imports only what that Lambda uses.
"""

from __future__ import annotations

import tempfile
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from winnow.aws import clients
from winnow.domain.dataset import Ceilings
from winnow.domain.job import TrainingLimits

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

    from winnow.aws.workflow import Workflow
    from winnow.domain.errors import DamagedRowError
    from winnow.registry.batch_predictions import BatchPredictions
    from winnow.registry.drift_days import DriftDays
    from winnow.registry.feedback_batches import FeedbackBatches
    from winnow.registry.forgettings import Forgettings
    from winnow.registry.history import History
    from winnow.registry.idempotency import AnsweredRequests
    from winnow.registry.kept_examples import KeptExamples
    from winnow.registry.models import Models
    from winnow.registry.pending_trainings import PendingTrainings
    from winnow.registry.policies import Policies
    from winnow.registry.review_queues import ReviewQueues
    from winnow.registry.roles import Roles
    from winnow.registry.slots import Slots
    from winnow.registry.training_jobs import Jobs
    from winnow.registry.upkeep import Upkeep
    from winnow.registry.versions import Versions
    from winnow.registry.waiting_files import WaitingFiles
    from winnow.storage.artifacts import Artifacts
    from winnow.storage.batch_objects import BatchObjects
    from winnow.storage.bucket import Bucket
    from winnow.storage.candidates import Candidates
    from winnow.storage.checkpoints import Checkpoints
    from winnow.storage.dropped_files import DroppedFiles
    from winnow.storage.dry_run_reports import DryRunReports
    from winnow.storage.every_version import EveryVersion
    from winnow.storage.feedback_objects import FeedbackObjects
    from winnow.storage.file_evaluations import FileEvaluations
    from winnow.storage.forgetting_objects import ForgettingObjects
    from winnow.storage.frozen_examples import FrozenExamples
    from winnow.storage.label_lists import LabelLists
    from winnow.storage.learnt_examples import LearntExamples
    from winnow.storage.model_objects import ModelObjects
    from winnow.storage.pipelines import Pipelines
    from winnow.storage.prediction_log import PredictionLog
    from winnow.storage.review_objects import ReviewObjects
    from winnow.storage.uploads import Datasets
    from winnow.storage.version_reports import VersionReports

# In bytes: half of a function's /tmp. The other half is for sentence encoders.
_MOST_KEPT = 256 << 20


def models() -> Models:
    from winnow.registry.models import Models

    return Models(_registry())


def versions() -> Versions:
    from winnow.registry.versions import Versions

    return Versions(_registry())


def history() -> History:
    from winnow.registry.history import History

    return History(_registry())


def pending_trainings() -> PendingTrainings:
    from winnow.registry.pending_trainings import PendingTrainings

    return PendingTrainings(_registry())


def policies() -> Policies:
    from winnow.registry.policies import Policies

    return Policies(_registry())


def jobs() -> Jobs:
    from winnow.registry.training_jobs import Jobs

    return Jobs(_registry())


def slots() -> Slots:
    """The slots of trainings."""
    from winnow.registry.slots import Slots

    return Slots.of_trainings(_registry())


def most_trainings() -> int:
    """The most trainings that run at the same time."""
    return int(clients.setting("MOST_TRAININGS"))


def longest_training() -> timedelta:
    return timedelta(minutes=int(clients.setting("LONGEST_TRAINING")))


def training_limits() -> TrainingLimits:
    return TrainingLimits(
        memory_mb=int(clients.setting("TRAINING_MEMORY")),
        seconds=int(clients.setting("TRAINING_TIMEOUT")),
        minutes=int(clients.setting("LONGEST_TRAINING")),
        containers=clients.setting("LARGE_TRAININGS") != "",
    )


def feedback_batches() -> FeedbackBatches:
    from winnow.registry.feedback_batches import FeedbackBatches

    return FeedbackBatches(_registry())


def kept_examples() -> KeptExamples:
    from winnow.registry.kept_examples import KeptExamples

    return KeptExamples(_registry())


def drift_days() -> DriftDays:
    from winnow.registry.drift_days import DriftDays

    return DriftDays(_registry())


def review_queues() -> ReviewQueues:
    from winnow.registry.review_queues import ReviewQueues

    return ReviewQueues(_registry())


def review_objects() -> ReviewObjects:
    from winnow.storage.review_objects import ReviewObjects

    return ReviewObjects(_models_bucket())


def batch_predictions() -> BatchPredictions:
    from winnow.registry.batch_predictions import BatchPredictions

    return BatchPredictions(_registry())


def batch_slots() -> Slots:
    """The slots of batch predictions."""
    from winnow.registry.slots import Slots

    return Slots.of_batches(_registry())


def most_batches() -> int:
    """The most batch predictions that run at the same time."""
    return int(clients.setting("MOST_BATCHES"))


def batch_objects() -> BatchObjects:
    from winnow.storage.batch_objects import BatchObjects

    return BatchObjects(_models_bucket())


def batch_days() -> int:
    """The number of days for which the result of a batch prediction is kept."""
    return int(clients.setting("BATCH_DAYS"))


def batch_concurrency() -> int:
    """The most shards of a batch prediction that are classified at the same time."""
    return int(clients.setting("BATCH_CONCURRENCY"))


def batch_workflow() -> Workflow:
    from winnow.aws.workflow import Workflow

    return Workflow(clients.stepfunctions(), clients.setting("BATCH_WORKFLOW_ARN"))


def training_workflow() -> Workflow:
    from winnow.aws.workflow import Workflow

    return Workflow(clients.stepfunctions(), clients.setting("WORKFLOW_ARN"))


def upkeep() -> Upkeep:
    from winnow.registry.upkeep import Upkeep

    return Upkeep(_registry())


def answered_requests() -> AnsweredRequests:
    from winnow.registry.idempotency import AnsweredRequests

    return AnsweredRequests(_registry())


def roles() -> Roles:
    from winnow.registry.roles import Roles

    return Roles(_registry())


def datasets() -> Datasets:
    from winnow.storage.uploads import Datasets

    others = [name.strip() for name in clients.setting("DATASET_BUCKETS").split(",")]
    return Datasets(clients.s3(), clients.setting("DATASETS_BUCKET"), others)


def ceilings() -> Ceilings:
    return Ceilings(
        rows=int(clients.setting("MOST_ROWS")),
        bytes=int(clients.setting("MOST_BYTES")),
        unpacked_ratio=int(clients.setting("MOST_UNPACKED_RATIO")),
        text_characters=int(clients.setting("MOST_TEXT_CHARACTERS")),
        labels=int(clients.setting("MOST_LABELS")),
    )


def has_encoder() -> bool:
    """Whether the deployment has a sentence encoder."""
    return clients.setting("ENCODER") != "none"


def encoder() -> str | None:
    """The encoder for new versions: the name of one in the layer, or the digest of one in the bucket. None if there is none."""
    name = clients.setting("ENCODER")
    return None if name == "none" else name


def encoder_languages() -> frozenset[str] | None:
    """The languages that the encoder for new versions speaks, as ISO 639-1 codes. None if there is no encoder or nobody said it."""
    from winnow.recipes.catalogue import LANGUAGES_OF_ENCODER

    said = frozenset(filter(None, clients.setting("ENCODER_LANGUAGES").split(",")))
    return LANGUAGES_OF_ENCODER.get(clients.setting("ENCODER"), said or None)


def languages_read(recipe: str) -> frozenset[str] | None:
    """The languages that the encoders of a recipe speak. None if there is no encoder or nobody said it."""
    from winnow.recipes.catalogue import LANGUAGES_OF_ENCODER

    spoken = encoder_languages()
    # Only these two recipes don't read with the multilingual encoder.
    return spoken if spoken is None or recipe in {"sentence", "linear"} else spoken | LANGUAGES_OF_ENCODER["use-multilingual"]


def encoder_bucket() -> str | None:
    """The bucket of further encoders, None if there is none."""
    return clients.setting("ENCODER_BUCKET") or None


def artifacts(*, keeps_files: bool = False) -> Artifacts:
    """keeps_files: whether to cache the files of artifacts in /tmp."""
    from winnow.storage.artifacts import Artifacts
    from winnow.storage.disk_cache import KeptFiles

    kept = KeptFiles(Path(tempfile.gettempdir()) / "winnow-artifacts", _MOST_KEPT) if keeps_files else None
    return Artifacts(_models_bucket(), kept)


def candidates() -> Candidates:
    from winnow.storage.candidates import Candidates

    return Candidates(_models_bucket())


def checkpoints() -> Checkpoints:
    from winnow.storage.checkpoints import Checkpoints

    return Checkpoints(_models_bucket())


def frozen_examples() -> FrozenExamples:
    from winnow.storage.frozen_examples import FrozenExamples

    return FrozenExamples(_models_bucket())


def learnt_examples() -> LearntExamples:
    from winnow.storage.learnt_examples import LearntExamples

    return LearntExamples(_models_bucket())


def label_lists() -> LabelLists:
    from winnow.storage.label_lists import LabelLists

    return LabelLists(_models_bucket())


def feedback_objects() -> FeedbackObjects:
    from winnow.storage.feedback_objects import FeedbackObjects

    return FeedbackObjects(_models_bucket())


def file_evaluations() -> FileEvaluations:
    from winnow.storage.file_evaluations import FileEvaluations

    return FileEvaluations(_models_bucket())


def version_reports() -> VersionReports:
    from winnow.storage.version_reports import VersionReports

    return VersionReports(_models_bucket())


def pipelines() -> Pipelines:
    from winnow.storage.pipelines import Pipelines

    return Pipelines(_models_bucket())


def prediction_log() -> PredictionLog:
    from winnow.storage.prediction_log import PredictionLog

    return PredictionLog(_models_bucket())


def forgettings() -> Forgettings:
    from winnow.registry.forgettings import Forgettings

    return Forgettings(_registry())


def forgetting_objects() -> ForgettingObjects:
    from winnow.storage.forgetting_objects import ForgettingObjects

    return ForgettingObjects(_models_bucket())


def object_versions() -> EveryVersion:
    """The objects made for models."""
    from winnow.storage.every_version import EveryVersion

    return EveryVersion(_models_bucket())


def upload_versions() -> EveryVersion:
    """The uploads of clients."""
    from winnow.storage.every_version import EveryVersion

    return EveryVersion(_datasets_bucket())


def has_inbox() -> bool:
    """Whether files in the folders inbox/ and training/ of the uploads' bucket are Winnow's to take, and those in outbox/ its own."""
    return clients.setting("INBOX") == "true"


def dropped_files() -> DroppedFiles:
    from winnow.storage.dropped_files import DroppedFiles

    return DroppedFiles(_datasets_bucket())


def waiting_files() -> WaitingFiles:
    from winnow.registry.waiting_files import WaitingFiles

    return WaitingFiles(_registry())


def hasty_prediction_log() -> PredictionLog:
    """The log for writing after the answer: a write is tried once, and ends soon."""
    from winnow.storage.bucket import Bucket
    from winnow.storage.prediction_log import PredictionLog

    return PredictionLog(Bucket(clients.s3_for_once(), clients.setting("MODELS_BUCKET")))


def model_objects() -> ModelObjects:
    from winnow.storage.model_objects import ModelObjects

    return ModelObjects(_models_bucket())


def dry_run_reports() -> DryRunReports:
    from winnow.storage.dry_run_reports import DryRunReports

    return DryRunReports(_models_bucket())


def _registry() -> Table:
    """The registry's table. Its damaged rows are logged and counted from now on."""
    from winnow.registry import decoding

    decoding.tell = _damaged
    return clients.registry_table()


def _damaged(error: DamagedRowError) -> None:
    from winnow.aws.log import logger
    from winnow.aws.metrics import count

    logger.error("damaged row", extra={"row": error.row, "fault": error.fault})
    count("DamagedRows")


def _models_bucket() -> Bucket:
    from winnow.storage.bucket import Bucket

    return Bucket(clients.s3(), clients.setting("MODELS_BUCKET"))


def _datasets_bucket() -> Bucket:
    from winnow.storage.bucket import Bucket

    return Bucket(clients.s3(), clients.setting("DATASETS_BUCKET"))


def memory() -> int:
    """The memory of the function, in bytes."""
    return int(clients.setting("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")) << 20
