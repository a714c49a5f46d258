"""The registry and the storage of this deployment, over the resources that the function's settings name."""

from winnow import aws
from winnow.registry import AnsweredRequests, Batches, Jobs, Keys, Models, Upkeep
from winnow.storage import Datasets, Storage


def models() -> Models:
    return Models(aws.registry_table())


def jobs() -> Jobs:
    return Jobs(aws.registry_table())


def batches() -> Batches:
    return Batches(aws.registry_table())


def upkeep() -> Upkeep:
    return Upkeep(aws.registry_table())


def answered_requests() -> AnsweredRequests:
    return AnsweredRequests(aws.registry_table())


def keys() -> Keys:
    return Keys(aws.registry_table())


def datasets() -> Datasets:
    return Datasets(aws.s3(), aws.setting("DATASETS_BUCKET"))


def storage() -> Storage:
    return Storage(aws.s3(), aws.setting("MODELS_BUCKET"))
