"""The registry: models, versions, the deletions still to be finished, and the deployment's own keys, in one DynamoDB table."""

from winnow.registry.jobs import Jobs
from winnow.registry.keys import Keys
from winnow.registry.models import Models

__all__ = ["Jobs", "Keys", "Models"]
