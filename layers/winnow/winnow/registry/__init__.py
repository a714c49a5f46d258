"""The registry: models, versions and the deletions still to be finished, in one DynamoDB table."""

from winnow.registry.jobs import Jobs
from winnow.registry.models import Models

__all__ = ["Jobs", "Models"]
