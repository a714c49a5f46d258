"""The registry, in one DynamoDB table: models, versions, jobs and their slots, feedback, batch predictions, what upkeep has still to
do, our own keys, and the roles of API keys."""

from winnow.registry.batch_predictions import BatchPredictions
from winnow.registry.feedback import Batches
from winnow.registry.idempotency import AnsweredRequests
from winnow.registry.jobs import Jobs
from winnow.registry.keys import Keys
from winnow.registry.models import Models
from winnow.registry.roles import Roles
from winnow.registry.slots import Held, Slots
from winnow.registry.upkeep import Deletion, Upkeep

__all__ = ["AnsweredRequests", "BatchPredictions", "Batches", "Deletion", "Held", "Jobs", "Keys", "Models", "Roles", "Slots", "Upkeep"]
