"""The registry, in one DynamoDB table: models, versions, jobs and their slots, feedback, batch predictions, what upkeep has still to
do, our own keys, and the roles of API keys."""
