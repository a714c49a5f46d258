"""The keys of objects in the models bucket and in the encoders bucket. A key in the models bucket says who made the object.

Standard library only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from winnow.domain.prediction_log import DAYS

# The S3 prefix of everything made for models.
MODELS_PREFIX = "models/"
# The prefixes of the results and of the intermediate files of batch predictions. By the template, S3 removes both after some days.
BATCHES_PREFIX = "batches/"
SHARDS_PREFIX = "shards/"
# The prefix of the texts that prediction logs keep. The next part of a key says after how many days S3 removes the object.
LOG_PREFIX = "log/"
# The prefix of what forgettings have found so far.
_FORGETTINGS_PREFIX = "forgettings/"
_OF_A_JOB = re.compile(rf"{MODELS_PREFIX}(?P<uid>[^/]+)/versions/(?P<version>[0-9]+)/(?P<fence>[0-9]+)/(?P<name>.+)")
_OF_LABELS = re.compile(rf"{MODELS_PREFIX}(?P<uid>[^/]+)/versions/(?P<version>[0-9]+)/labels/[^/]+\.json")
_OF_REVIEW = re.compile(rf"{MODELS_PREFIX}(?P<uid>[^/]+)/queue/(?P<queue>[^/]+)\.jsonl\.gz")
_OF_FEEDBACK = re.compile(rf"{MODELS_PREFIX}(?P<uid>[^/]+)/feedback/(?P<batch>[^/]+)\.jsonl\.gz")


@dataclass(frozen=True, slots=True)
class JobObject:
    """The parts of an object's key: the job that wrote the object, and its name under the job's prefix."""

    uid: str
    version: int
    fence: int
    name: str

    @classmethod
    def from_key(cls, key: str) -> JobObject | None:
        """None if no job wrote the object."""
        found = _OF_A_JOB.fullmatch(key)
        return cls(found["uid"], int(found["version"]), int(found["fence"]), found["name"]) if found else None


def feedback_key(uid: str, batch: str) -> str:
    """The key of the object with the examples of a feedback batch."""
    return f"{model_prefix(uid)}feedback/{batch}.jsonl.gz"


def feedback_batch_of_key(key: str) -> tuple[str, str] | None:
    """The model's uid and the id of the feedback batch that has this key. None for any other key."""
    found = _OF_FEEDBACK.fullmatch(key)
    return (found["uid"], found["batch"]) if found else None


def review_queue_key(uid: str, queue: str) -> str:
    """The key of the object with the texts of a review queue."""
    return f"{review_queues_prefix(uid)}{queue}.jsonl.gz"


def review_queues_prefix(uid: str) -> str:
    """The prefix of the review queues of a model."""
    return f"{model_prefix(uid)}queue/"


def review_queue_of_key(key: str) -> tuple[str, str] | None:
    """The model's uid and the id of the review queue that has this key. None for any other key."""
    found = _OF_REVIEW.fullmatch(key)
    return (found["uid"], found["queue"]) if found else None


def label_list_key(uid: str, version: int, sha256: str) -> str:
    """The key of the label list of a request for a version.

    It belongs to no fence: the list is written with the request, and a restarted job reads it too.
    """
    return f"{version_prefix(uid, version)}labels/{sha256}.json"


def version_of_label_list_key(key: str) -> tuple[str, int] | None:
    """The model's uid and the number of the version that a label list was sent for. None for any other key."""
    found = _OF_LABELS.fullmatch(key)
    return (found["uid"], int(found["version"])) if found else None


def model_prefix(uid: str) -> str:
    """The S3 prefix of everything made for one life of a model, without its batch predictions."""
    return f"{MODELS_PREFIX}{uid}/"


def encoder_key(digest: str, name: str) -> str:
    """The key of one file of a sentence encoder, in the encoders bucket."""
    return f"encoders/{digest}/{name}"


def prefixes(uid: str) -> tuple[str, ...]:
    """The S3 prefixes of everything made for one life of a model, with its batch predictions and its prediction log."""
    logs = (f"{LOG_PREFIX}{days}/{uid}/" for days in DAYS)
    return model_prefix(uid), f"{BATCHES_PREFIX}{uid}/", f"{SHARDS_PREFIX}{uid}/", *logs


def forgetting_prefix(forgetting: str) -> str:
    """The S3 prefix of everything that a forgetting keeps while it works."""
    return f"{_FORGETTINGS_PREFIX}{forgetting}/"


def log_key(uid: str, days: int, date: str, request: str) -> str:
    """The key of the texts of a request in a model's prediction log. date: of the request, such as "2026-03-02"."""
    return f"{log_prefix(uid, days, date)}{request}.jsonl.gz"


def log_prefix(uid: str, days: int, date: str | None = None) -> str:
    """The S3 prefix of a day of a model's prediction log, or of all its texts that are kept for so many days."""
    return f"{LOG_PREFIX}{days}/{uid}/" if date is None else f"{LOG_PREFIX}{days}/{uid}/{date}/"


def result_key(uid: str, batch: str, ending: str) -> str:
    """The key of the result of a batch prediction. ending: that of its format, such as "csv"."""
    return f"{result_prefix(uid, batch)}result.{ending}"


def result_prefix(uid: str, batch: str) -> str:
    """The S3 prefix of the result of a batch prediction."""
    return f"{BATCHES_PREFIX}{uid}/{batch}/"


def shards_prefix(uid: str, batch: str) -> str:
    """The S3 prefix of the intermediate files of a batch prediction."""
    return f"{SHARDS_PREFIX}{uid}/{batch}/"


def version_prefix(uid: str, version: int) -> str:
    """The S3 prefix of everything made for one version, under any fence."""
    return f"{model_prefix(uid)}versions/{version}/"
