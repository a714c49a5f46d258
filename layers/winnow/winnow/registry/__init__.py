"""The registry, in one DynamoDB table: models, versions, their training jobs, feedback, batch predictions, what upkeep has still to do, and
our own keys."""
