"""The Python client of Winnow. Begin with `Winnow`, or with `AsyncWinnow` under asyncio or trio."""

from winnow_client.aio import AsyncBatch, AsyncTraining, AsyncWinnow
from winnow_client.errors import (
    ApiError,
    ConflictError,
    ForbiddenError,
    InvalidError,
    NoAnswerError,
    NotFoundError,
    StaleError,
    TooManyRequestsError,
    UnexpectedAnswerError,
    WinnowError,
    WorkFailedError,
)
from winnow_client.flows import Stored
from winnow_client.sync import Batch, Training, Winnow

__all__ = [
    "ApiError",
    "AsyncBatch",
    "AsyncTraining",
    "AsyncWinnow",
    "Batch",
    "ConflictError",
    "ForbiddenError",
    "InvalidError",
    "NoAnswerError",
    "NotFoundError",
    "StaleError",
    "Stored",
    "TooManyRequestsError",
    "Training",
    "UnexpectedAnswerError",
    "Winnow",
    "WinnowError",
    "WorkFailedError",
]
