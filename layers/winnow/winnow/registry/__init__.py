"""The registry: models, versions, their training jobs, feedback, what upkeep has still to do, and our own keys, in one DynamoDB table."""

from winnow.registry.feedback import Batches
from winnow.registry.idempotency import AnsweredRequests
from winnow.registry.jobs import Jobs
from winnow.registry.keys import Keys
from winnow.registry.models import Models
from winnow.registry.upkeep import Deletion, Upkeep

__all__ = ["AnsweredRequests", "Batches", "Deletion", "Jobs", "Keys", "Models", "Upkeep"]
