"""The prediction logs of models: the texts that they keep, with their answers, one object for each request.

The days for which a text is kept are the first part of its key, because S3 removes objects by the beginning of their keys.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import batched, islice
from typing import TYPE_CHECKING, Any

from winnow.domain.answer import Prediction, ScoredLabel
from winnow.domain.keys import log_key, log_prefix
from winnow.domain.logged_prediction import LoggedPrediction
from winnow.domain.prediction_log import DAYS, PredictionId, Sampled
from winnow.storage.example_lines import UNREADABLE, packed, unpacked

if TYPE_CHECKING:
    from random import Random

    from winnow.storage.bucket import Bucket

_DIGITS = 6
# Of 1,000 keys each.
_MOST_PAGES = 50
# boto3 has ten connections.
_READERS, _READ_TOGETHER = 10, 50


class PredictionLog:
    """The prediction logs in a bucket, by the model's uid."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def write(self, sampled: Sampled) -> None:
        """Keep the texts of a request."""
        lines = zip(sampled.ids, sampled.texts, sampled.predictions, strict=True)
        self._bucket.put(_key(sampled.uid, sampled.ids[0]), packed(_record(sampled.version, *line) for line in lines))

    def read(self, uid: str, of: PredictionId) -> list[LoggedPrediction]:
        """What `write` kept of the request that this prediction is of. Empty if nothing is kept, or the object is damaged."""
        return [] if of.days is None else self._read(_key(uid, of))

    def newest_first(self, uid: str, random: Random) -> Iterator[list[LoggedPrediction]]:
        """What is kept of all requests, as `of_day`, the newest day first. Several objects are read at a time."""
        with ThreadPoolExecutor(_READERS) as readers:
            for day in sorted(self._days_with_texts(uid), reverse=True):
                for keys in batched(self._keys(uid, day, random), _READ_TOGETHER, strict=False):
                    yield from readers.map(self._read, keys)

    def of_day(self, uid: str, day: str, random: Random) -> Iterator[list[LoggedPrediction]]:
        """What is kept of the requests of a day, one after another in random order. Without damaged objects. day: such as "2026-03-02".

        It looks at the first 50,000 requests for each number of days.
        """
        return (self._read(key) for key in self._keys(uid, day, random))

    def _keys(self, uid: str, day: str, random: Random) -> list[str]:
        """The keys of a day, in random order."""
        keys: list[str] = []
        for days in DAYS:
            pages = self._bucket.s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket.name, Prefix=log_prefix(uid, days, day))
            for page in islice(pages, _MOST_PAGES):
                keys += [entry["Key"] for entry in page.get("Contents", [])]
        random.shuffle(keys)
        return keys

    def _days_with_texts(self, uid: str) -> set[str]:
        """Such as "2026-03-02"."""
        found: set[str] = set()
        for days in DAYS:
            # At most 90 days, so they are on one page.
            page = self._bucket.s3.list_objects_v2(Bucket=self._bucket.name, Prefix=log_prefix(uid, days), Delimiter="/")
            found |= {prefix["Prefix"].split("/")[-2] for prefix in page.get("CommonPrefixes", [])}
        return found

    def _read(self, key: str) -> list[LoggedPrediction]:
        body = self._bucket.find(key)
        try:
            return [] if body is None else [_prediction(record) for record in unpacked(body)]
        except UNREADABLE:
            return []


def _key(uid: str, of: PredictionId) -> str:
    return log_key(uid, of.days or 0, f"{of.at:%Y-%m-%d}", of.request)


def _record(version: int, of: PredictionId, text: str, prediction: Prediction) -> dict[str, Any]:
    """A line of the object. The log of a version without stages, or without a familiarity, has no such members."""
    staged = {} if prediction.stage is None else {"stage": prediction.stage}
    familiar = {} if prediction.familiarity is None else {"familiarity": round(prediction.familiarity, _DIGITS)}
    return {"prediction_id": str(of), "text": text, "version": version, "labels": prediction.labels, **staged, **familiar}


def _prediction(record: Mapping[str, Any]) -> LoggedPrediction:
    labels = tuple(ScoredLabel(*label) for label in record["labels"])
    stage, familiarity = record.get("stage"), record.get("familiarity")
    return LoggedPrediction(record["prediction_id"], record["text"], record["version"], labels, stage, familiarity)
