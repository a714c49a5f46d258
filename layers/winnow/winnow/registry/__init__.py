"""The registry: models, versions, their training jobs, and what upkeep has still to do, in one DynamoDB table."""

from winnow.registry.jobs import Jobs
from winnow.registry.models import Models
from winnow.registry.upkeep import Deletion, Upkeep

__all__ = ["Deletion", "Jobs", "Models", "Upkeep"]
