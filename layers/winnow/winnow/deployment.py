"""The registry and the storage of this deployment, over the resources that the function's settings name."""

from winnow import aws
from winnow.batch_objects import BatchObjects
from winnow.datasets_bucket import Datasets
from winnow.domain import Ceilings
from winnow.executions import Workflow
from winnow.registry import AnsweredRequests, Batches, BatchPredictions, Jobs, Keys, Models, Upkeep
from winnow.storage import DryRunReports, Storage


def models() -> Models:
    return Models(aws.registry_table())


def jobs() -> Jobs:
    return Jobs(aws.registry_table())


def batches() -> Batches:
    return Batches(aws.registry_table())


def batch_predictions() -> BatchPredictions:
    return BatchPredictions(aws.registry_table())


def batch_objects() -> BatchObjects:
    return BatchObjects(aws.s3(), aws.setting("MODELS_BUCKET"))


def batch_days() -> int:
    """So many days the result of a batch prediction is kept."""
    return int(aws.setting("BATCH_DAYS"))


def batch_concurrency() -> int:
    """So many shards of a batch prediction are classified at once."""
    return int(aws.setting("BATCH_CONCURRENCY"))


def batch_workflow() -> Workflow:
    return Workflow(aws.stepfunctions(), aws.setting("BATCH_WORKFLOW_ARN"))


def training_workflow() -> Workflow:
    return Workflow(aws.stepfunctions(), aws.setting("WORKFLOW_ARN"))


def upkeep() -> Upkeep:
    return Upkeep(aws.registry_table())


def answered_requests() -> AnsweredRequests:
    return AnsweredRequests(aws.registry_table())


def keys() -> Keys:
    return Keys(aws.registry_table())


def datasets() -> Datasets:
    return Datasets(aws.s3(), aws.setting("DATASETS_BUCKET"))


def ceilings() -> Ceilings:
    return Ceilings(
        rows=int(aws.setting("MOST_ROWS")),
        bytes=int(aws.setting("MOST_BYTES")),
        unpacked_ratio=int(aws.setting("MOST_UNPACKED_RATIO")),
        text_characters=int(aws.setting("MOST_TEXT_CHARACTERS")),
        labels=int(aws.setting("MOST_LABELS")),
    )


def encoder_name() -> str | None:
    """The sentence encoder that the deployment was given, None where it was given none."""
    name = aws.setting("ENCODER")
    return None if name == "none" else name


def storage() -> Storage:
    return Storage(aws.s3(), aws.setting("MODELS_BUCKET"))


def dry_run_reports() -> DryRunReports:
    return DryRunReports(aws.s3(), aws.setting("MODELS_BUCKET"))
