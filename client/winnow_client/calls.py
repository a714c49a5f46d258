"""Every call of the API, once for both clients. `Winnow` and `AsyncWinnow` have a method for each of these.

A method of `Winnow` returns what is in the brackets of Flow[…] or Items[…]: a result, or an iterator. In `AsyncWinnow` it is awaited, or
iterated with `async for`.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, TypeVar
from urllib.parse import quote
from uuid import uuid4

from winnow_client import results as r
from winnow_client.errors import ApiError, WinnowError, WorkFailedError
from winnow_client.flows import Flow, Give, Items, Pause, Send, Stored, download, json_of, one, pages, parts, request, text, until

Data = str | Path | bytes | BinaryIO | Stored | Iterable[Any]
"""A data set: the path of a local file, `s3://BUCKET/KEY`, what `upload` returned, bytes, an open file, or examples: each is a mapping such
as `{"text": …, "label": …}`, or a pair of a text and its label."""

F = TypeVar("F", bound=Callable[..., Any])
ENDED = ("ready", "failed", "cancelled")
_S3 = re.compile(r"s3://([^/]+)/(.+)", re.DOTALL)
# The API's limits. A request has at most 1 MB, an answer 5 MB: with many labels, it is much larger than its request. An answer has 28
# seconds, and an explanation takes as long as some dozen predictions.
_MOST_TEXTS, _MOST_LABELS, _N_TOP = 100, 20_000, 5
_MOST_BYTES, _MOST_EXPLAINED_BYTES = 700_000, 1_000
_MOST_EXAMPLES = 1_000
# Lambda may try an evaluation three times, each at most 15 minutes.
_EVALUATION_SECONDS = 3_000.0


class Unset:
    """The default of a setting that may be None: it stays as it is."""

    def __repr__(self) -> str:
        return "UNSET"


UNSET = Unset()


def operation(name: str, *, own: Sequence[str] = ()) -> Callable[[F], F]:
    """The operation of the contract that a method is for. own: its parameters that aren't the contract's."""

    def mark(function: F) -> F:
        function.operation, function.own = name, frozenset(own)  # type: ignore[attr-defined]
        return function

    return mark


class Calls:
    """The calls, in the order of docs/api.md."""

    # --- data sets ---

    @operation("createDataset", own=("data",))
    def upload(self, data: Data, name: str | None = None) -> Flow[Stored]:
        """Upload a data set, for `train` and other calls. They take files and examples themselves, so few programs need this.

        name: how the upload is named; its ending shows the format, such as .csv or .jsonl. By default it is the file's own.
        """
        return _stored(data, name)

    @operation("listDatasets")
    def datasets(self, limit: int | None = None) -> Items[r.DatasetsDataset]:
        """The uploads."""
        return Items(pages("/datasets", r.Datasets, "datasets", limit=limit))

    @operation("deleteDataset")
    def delete_dataset(self, name: str) -> Flow[r.DeletedDataset]:
        """Delete an upload. Versions keep the examples that they were trained on."""
        return one(request("DELETE", f"/datasets/{_q(name)}"), r.DeletedDataset)

    # --- training ---

    @operation("createModel", own=("data", "test", "s3bucket", "training_object", "test_object", "dry_run", "artifact"))
    def train(
        self,
        model_id: str,
        data: Data | None = None,
        *,
        labels: Sequence[str | Mapping[str, str]] | None = None,
        test: Data | None = None,
        text_column: str | Sequence[str] | None = None,
        label_column: str | None = None,
        label_separator: str | None = None,
        subject_column: str | None = None,
        delimiter: str | None = None,
        encoding: str | None = None,
        rare_labels: str | None = None,
        force_update: bool | None = None,
        promote: str | None = None,
        n_iter: int | None = None,
        n_texts: int | None = None,
        recipe: str | None = None,
        dropout: float | None = None,
        batch_size: int | None = None,
        learn_rate: float | None = None,
        seed: int | None = None,
        exclusive: bool | None = None,
        min_precision: float | None = None,
        keep_texts: bool | None = None,
        patience: int | None = None,
        max_minutes: float | None = None,
        spacy_model: str | None = None,
        retrain_after: int | None = None,
        tolerance: float | None = None,
        title: str | None = None,
        tags: Sequence[str] | None = None,
        note: str | None = None,
        if_match: str | None = None,
        idempotency_key: str | None = None,
    ) -> Flow[r.QueuedVersion]:
        """Train a model on a data set, or without examples on `labels`. `wait()` of what it returns waits for the end.

        force_update: train a new version of a model that exists. test: your own test set. promote: `auto` (when it is ready), `if-better`
        or `never`. The other parameters are the fields of `POST /models`, which docs/api.md describes.
        """
        fields = _given(locals(), _FIELDS_OF_TRAINING)
        body = yield from _training(model_id, data, labels, test, fields)
        step = request("POST", "/models", body=body, headers=_headers(if_match, idempotency_key or str(uuid4())))
        return (yield from one(step, r.QueuedVersion))

    @operation("createModel", own=("file", "sha256"))
    def import_artifact(
        self,
        model_id: str,
        file: str | Path | bytes | Stored,
        *,
        sha256: str | None = None,
        force_update: bool | None = None,
        promote: str | None = None,
        retrain_after: int | None = None,
        tolerance: float | None = None,
        title: str | None = None,
        tags: Sequence[str] | None = None,
        note: str | None = None,
        if_match: str | None = None,
        idempotency_key: str | None = None,
    ) -> Flow[r.QueuedVersion]:
        """Import a version of another deployment: the file that `save_artifact` has saved there.

        sha256: its digest (the answer of `save_artifact` has it); by default that of the file. A file in S3 needs it. The other parameters
        are those of `train`.
        """
        fields = _given(locals(), _FIELDS_OF_TRAINING)
        content = file if isinstance(file, bytes | Stored) or _S3.fullmatch(str(file)) else Path(file).read_bytes()
        digest = sha256 or (hashlib.sha256(content).hexdigest() if isinstance(content, bytes) else None)
        if digest is None:
            raise ValueError("Give the sha256 of a file that is in S3.")
        stored = yield from _stored(content, "artifact.tar.gz" if isinstance(file, bytes | Stored) else Path(file).name)
        artifact = {"s3bucket": stored.s3bucket, "object": stored.training_object, "sha256": digest}
        body = {"id": model_id, "artifact": artifact, **fields}
        step = request("POST", "/models", body=body, headers=_headers(if_match, idempotency_key or str(uuid4())))
        return (yield from one(step, r.QueuedVersion))

    @operation("createModel", own=("data", "test", "s3bucket", "training_object", "test_object", "dry_run", "timeout"))
    def check(
        self,
        data: Data | None = None,
        *,
        model_id: str = "check",
        labels: Sequence[str | Mapping[str, str]] | None = None,
        test: Data | None = None,
        text_column: str | Sequence[str] | None = None,
        label_column: str | None = None,
        label_separator: str | None = None,
        subject_column: str | None = None,
        delimiter: str | None = None,
        encoding: str | None = None,
        rare_labels: str | None = None,
        exclusive: bool | None = None,
        n_texts: int | None = None,
        timeout: float | None = None,
    ) -> Flow[r.DatasetReport]:
        """The report on a data set that a training would make. Nothing is trained. `trainable` says whether it could be."""
        fields = _given(locals(), _FIELDS_OF_TRAINING)
        body = yield from _training(model_id, data, labels, test, fields)
        step = request("POST", "/models", body={**body, "dry_run": True}, repeatable=True)
        answer, _ = yield from json_of(step)
        if "report" in answer:
            return r.DryRun.from_json(answer).report
        report_id = r.StartedDryRun.from_json(answer).report_id
        ended = yield from until(lambda: self.dry_run(report_id), lambda it: it.status in ENDED, timeout=timeout, what="The check")
        if ended.report is None:
            raise WorkFailedError(ended.error or "The data set could not be checked: try again.", ended)
        return ended.report

    @operation("getDryRun")
    def dry_run(self, report_id: str) -> Flow[r.DryRunReport]:
        """How far the check of a large data set is."""
        return one(request("GET", f"/reports/{_q(report_id)}"), r.DryRunReport)

    # --- models and versions ---

    @operation("listModels")
    def models(self, tag: str | None = None, limit: int | None = None) -> Items[r.Model]:
        """All models, or those with a tag."""
        return Items(pages("/models", r.Models, "models", {"tag": tag}, limit))

    @operation("getModel")
    def model(self, model_id: str) -> Flow[r.ModelWithVersion]:
        """A model with its latest version."""
        return one(request("GET", _model(model_id)), r.ModelWithVersion)

    @operation("changeModel")
    def change_model(
        self,
        model_id: str,
        *,
        retrain_after: int | Unset | None = UNSET,
        tolerance: float | Unset = UNSET,
        log: Mapping[str, float] | Unset | None = UNSET,
        schedule: str | Unset | None = UNSET,
        title: str | Unset | None = UNSET,
        note: str | Unset | None = UNSET,
        tags: Sequence[str] | Unset = UNSET,
        if_match: str | None = None,
    ) -> Flow[r.ModelWithVersion]:
        """Change settings of a model. None removes one.

        log: `{"share": 0.1, "days": 30}`, the texts that it keeps. schedule: when pending feedback is trained on, such as `rate(7 days)`.
        """
        given = {name: value for name, value in locals().items() if name not in {"self", "model_id", "if_match"}}
        body = {name: value for name, value in given.items() if not isinstance(value, Unset)}
        return one(request("PATCH", _model(model_id), body=body, headers=_headers(if_match)), r.ModelWithVersion)

    @operation("deleteModel")
    def delete_model(self, model_id: str, if_match: str | None = None) -> Flow[r.DeletedModel]:
        """Delete a model and every object made for it. `status` is `deleting` while objects are still being removed."""
        return one(request("DELETE", _model(model_id), headers=_headers(if_match)), r.DeletedModel)

    @operation("listVersions")
    def versions(self, model_id: str, limit: int | None = None) -> Items[r.Version]:
        """The versions of a model, newest first."""
        return Items(pages(_model(model_id, "versions"), r.Versions, "versions", limit=limit))

    @operation("getVersion")
    def version(self, model_id: str, version: int) -> Flow[r.VersionOfModel]:
        """One version."""
        return one(request("GET", _version(model_id, version)), r.VersionOfModel)

    @operation("changeVersion")
    def change_version(self, model_id: str, version: int, note: str | None, if_match: str | None = None) -> Flow[r.VersionOfModel]:
        """Write a note on a version. None removes it."""
        step = request("PATCH", _version(model_id, version), body={"note": note}, headers=_headers(if_match))
        return one(step, r.VersionOfModel)

    @operation("deleteVersion")
    def delete_version(self, model_id: str, version: int, if_match: str | None = None) -> Flow[r.DeletedVersion]:
        """Delete a version and its objects. The live version can't be deleted."""
        return one(request("DELETE", _version(model_id, version), headers=_headers(if_match)), r.DeletedVersion)

    @operation("cancelVersion")
    def cancel_training(self, model_id: str, version: int, if_match: str | None = None) -> Flow[r.CancelledVersion]:
        """Stop the training of a version."""
        step = request("POST", _version(model_id, version, "cancel"), headers=_headers(if_match))
        return one(step, r.CancelledVersion)

    @operation("promoteVersion")
    def promote(self, model_id: str, version: int, if_match: str | None = None) -> Flow[r.ModelWithVersion]:
        """Make a version the live one, also to roll back to it."""
        step = request("PUT", _model(model_id, "live"), body={"version": version}, headers=_headers(if_match))
        return one(step, r.ModelWithVersion)

    @operation("promoteVersion", own=("version",))
    def rollback(self, model_id: str, if_match: str | None = None) -> Flow[r.ModelWithVersion]:
        """Make the version live that was live before the present one, by the model's history."""
        live = (yield from self.model(model_id)).live_version
        history = pages(_model(model_id, "history"), r.History, "entries")
        answer = None
        # The flow of pages gives items. Here they are for us.
        while True:
            try:
                step = history.send(answer)
            except StopIteration:
                break
            if not isinstance(step, Give):
                answer = yield step
                continue
            answer, entry = None, step.item
            if entry.deed in {"go-live", "promote", "roll-back"} and entry.version == live and entry.before is not None:
                history.close()
                return (yield from self.promote(model_id, entry.before, if_match))
        raise WinnowError(f"{model_id} has no version that was live before the present one: `promote` names a version.")

    @operation("getReport")
    def report(self, model_id: str, version: int) -> Flow[r.ReportOfVersion]:
        """What the data set of a version holds, and every problem in it."""
        return one(request("GET", _version(model_id, version, "report")), r.ReportOfVersion)

    @operation("getEvaluation")
    def evaluation(self, model_id: str, version: int) -> Flow[r.EvaluationReport]:
        """All measures of a version."""
        return one(request("GET", _version(model_id, version, "evaluation")), r.EvaluationReport)

    @operation("getFigure")
    def figure(self, model_id: str, version: int, figure: str) -> Flow[str]:
        """A picture of the evaluation, as SVG: `confusion.svg`, `reliability.svg`, `learning.svg` or `examples.svg`."""
        return text(request("GET", _version(model_id, version, f"evaluation/{_q(figure)}")))

    @operation("getTradeoff")
    def tradeoff(self, model_id: str, version: int) -> Flow[r.Tradeoff]:
        """How many texts a version answers, and how many of those rightly, at each threshold."""
        return one(request("GET", _version(model_id, version, "tradeoff")), r.Tradeoff)

    @operation("compareVersions")
    def compare(self, model_id: str, version: int, to: int) -> Flow[r.Comparison]:
        """What version `to` does better and worse than `version`, on the same texts."""
        return one(request("GET", _version(model_id, version, "compare"), query={"to": to}), r.Comparison)

    @operation("getSuspects")
    def suspects(self, model_id: str, version: int, limit: int | None = None) -> Items[r.SuspectsSuspect]:
        """The examples whose labels look wrong, worst first."""
        return Items(pages(_version(model_id, version, "suspects"), r.Suspects, "suspects", limit=limit))

    @operation("listVersionExamples")
    def examples(
        self,
        model_id: str,
        version: int,
        *,
        label: str | None = None,
        predicted: str | None = None,
        wrong: bool | None = None,
        split: str | None = None,
        contains: str | None = None,
        sort: str | None = None,
        limit: int | None = None,
    ) -> Items[r.VersionExample]:
        """The examples of a version with the answers about them. sort: `row`, `score` or `margin`."""
        query = {"label": label, "predicted": predicted, "wrong": wrong, "split": split, "contains": contains, "sort": sort}
        return Items(pages(_version(model_id, version, "examples"), r.VersionExamples, "examples", query, limit))

    @operation("getVersionExamples", own=("output",))
    def save_examples(self, model_id: str, version: int, output: str | Path | BinaryIO) -> Flow[r.ArtifactLink]:
        """Save all examples of a version: JSON Lines, packed with gzip."""
        link = yield from one(request("GET", _version(model_id, version, "examples.jsonl")), r.ArtifactLink)
        yield from saved(link.url, output)
        return link

    @operation("getArtifact", own=("output",))
    def save_artifact(self, model_id: str, version: int, output: str | Path | BinaryIO) -> Flow[r.ArtifactLink]:
        """Save a version as a pipeline (tar.gz)."""
        link = yield from one(request("GET", _version(model_id, version, "artifact")), r.ArtifactLink)
        yield from saved(link.url, output)
        return link

    # --- evaluations on other files, and the policy ---

    @operation("evaluateVersion", own=("data", "s3bucket", "training_object", "timeout"))
    def evaluate(
        self,
        model_id: str,
        data: Data,
        version: int | None = None,
        *,
        text_column: str | Sequence[str] | None = None,
        label_column: str | None = None,
        label_separator: str | None = None,
        subject_column: str | None = None,
        delimiter: str | None = None,
        encoding: str | None = None,
        timeout: float | None = _EVALUATION_SECONDS,
    ) -> Flow[r.FileEvaluation]:
        """Measure a version (the live one, if none is named) on other labelled examples, and wait for that."""
        fields = _given(locals(), _LAYOUT)
        number = version if version is not None else (yield from self.model(model_id)).live_version
        if number is None:
            raise WinnowError(f"No version of {model_id} is live: say which one to measure.")
        stored = yield from _stored(data)
        body = {"s3bucket": stored.s3bucket, "training_object": stored.training_object, **fields}
        begun = yield from one(request("POST", _version(model_id, number, "evaluations"), body=body), r.RunningEvaluation)
        ended = yield from until(
            lambda: self.file_evaluation(model_id, number, begun.evaluation),
            lambda it: it.status in ENDED,
            timeout=timeout,
            what="The evaluation",
        )
        if ended.status != "ready":
            raise WorkFailedError(ended.error or "The evaluation failed: try again.", ended)
        return ended

    @operation("getEvaluationById")
    def file_evaluation(self, model_id: str, version: int, evaluation: str) -> Flow[r.FileEvaluation]:
        """An evaluation on another file."""
        return one(request("GET", _version(model_id, version, f"evaluations/{_q(evaluation)}")), r.FileEvaluation)

    @operation("getPolicy", own=("limit", "next"))
    def policy(self, model_id: str) -> Flow[r.PolicyWithHistory]:
        """What a model accepts, and its newest policies so far."""
        return one(request("GET", _model(model_id, "policy")), r.PolicyWithHistory)

    @operation("getPolicy")
    def policies(self, model_id: str, limit: int | None = None) -> Items[r.Policy]:
        """The policies of a model so far, newest first."""
        return Items(pages(_model(model_id, "policy"), r.PolicyWithHistory, "history", limit=limit))

    @operation("setPolicy")
    def set_policy(
        self,
        model_id: str,
        *,
        min_precision: float | None = None,
        cost: Mapping[str, float] | None = None,
        thresholds: Mapping[str, float] | None = None,
        evaluation: str | None = None,
        if_match: str | None = None,
    ) -> Flow[r.GovernedModel]:
        """Say what a model accepts, at once: a promised precision, costs (`{"wrong": 10, "refused": 1}`) or thresholds by label."""
        given = {"min_precision": min_precision, "cost": cost, "thresholds": thresholds, "evaluation": evaluation}
        step = request("PUT", _model(model_id, "policy"), body=_without_none(given), headers=_headers(if_match))
        return one(step, r.GovernedModel)

    @operation("deletePolicy")
    def remove_policy(self, model_id: str, if_match: str | None = None) -> Flow[r.GovernedModel]:
        """Return to each version's own thresholds."""
        return one(request("DELETE", _model(model_id, "policy"), headers=_headers(if_match)), r.GovernedModel)

    # --- classifying ---

    @operation("predict", own=("texts",))
    def classify_one(
        self, model_id: str, text: str, *, n_top: int | None = None, version: int | None = None, explain: bool | None = None
    ) -> Flow[r.Prediction]:
        """The labels of a text, best first."""
        body = {"model_id": model_id, "text": text, "n_top": n_top, "version": version, "explain": explain}
        return one(request("POST", "/prediction", body=_without_none(body), repeatable=True), r.Prediction)

    @operation("predict", own=("text",))
    def classify_many(
        self, model_id: str, texts: Iterable[str], *, n_top: int | None = None, version: int | None = None, explain: bool | None = None
    ) -> Flow[list[r.Prediction]]:
        """The labels of texts, in their order. Long lists are sent in several requests."""
        more = _without_none({"model_id": model_id, "n_top": n_top, "version": version, "explain": explain})
        most = max(1, min(_MOST_TEXTS, _MOST_LABELS // (n_top or _N_TOP)))
        waiting = parts(list(texts), most, _MOST_EXPLAINED_BYTES if explain else _MOST_BYTES)[::-1]
        found: list[r.Prediction] = []
        while waiting:
            part = waiting.pop()
            try:
                answer = yield from one(request("POST", "/prediction", body={**more, "texts": part}, repeatable=True), r.Predictions)
            except ApiError as error:
                if error.status != 413 or len(part) == 1:
                    raise
                # There is no time for so many long texts.
                waiting += [part[len(part) // 2 :], part[: len(part) // 2]]
                continue
            about = {"model_id": answer.model_id, "version": answer.version}
            found += [r.Prediction.from_json({**about, **each.raw}) for each in answer.predictions]
        return found

    # --- batch predictions ---

    @operation("createBatch", own=("data", "s3bucket", "object"))
    def batch(
        self,
        model_id: str,
        data: Data,
        *,
        text_column: str | Sequence[str] | None = None,
        delimiter: str | None = None,
        encoding: str | None = None,
        version: int | None = None,
        n_top: int | None = None,
        idempotency_key: str | None = None,
    ) -> Flow[r.QueuedBatch]:
        """Classify all texts of a file. `wait()` of what it returns waits for the end, and `save()` saves the result."""
        fields = _given(locals(), (*_LAYOUT, "version", "n_top"))
        stored = yield from _stored(data, texts_only=True)
        body = {"s3bucket": stored.s3bucket, "object": stored.training_object, **fields}
        step = request("POST", _model(model_id, "batches"), body=body, headers=_headers(None, idempotency_key or str(uuid4())))
        return (yield from one(step, r.QueuedBatch))

    @operation("listBatches")
    def batches(self, model_id: str, limit: int | None = None) -> Items[r.BatchPredictionsBatch]:
        """The batch predictions of a model, newest first."""
        return Items(pages(_model(model_id, "batches"), r.BatchPredictions, "batches", limit=limit))

    @operation("getBatch")
    def batch_state(self, model_id: str, batch: str) -> Flow[r.BatchPrediction]:
        """How far a batch prediction is, with a link to its result when it is ready."""
        return one(request("GET", _model(model_id, f"batches/{_q(batch)}")), r.BatchPrediction)

    @operation("cancelBatch")
    def cancel_batch(self, model_id: str, batch: str) -> Flow[r.CancelledBatch]:
        """Stop a batch prediction."""
        return one(request("POST", _model(model_id, f"batches/{_q(batch)}/cancel")), r.CancelledBatch)

    # --- feedback ---

    @operation("addExamples", own=("data", "examples", "s3bucket", "training_object"))
    def feedback(
        self,
        model_id: str,
        data: Data,
        *,
        retrain: str | None = None,
        text_column: str | Sequence[str] | None = None,
        label_column: str | None = None,
        label_separator: str | None = None,
        subject_column: str | None = None,
        delimiter: str | None = None,
        encoding: str | None = None,
        if_match: str | None = None,
        idempotency_key: str | None = None,
    ) -> Flow[r.ReceivedExamples]:
        """Send newly labelled examples, or corrections. All of them are kept, or none.

        data: a file, or items such as `{"text": …, "label": …}`, `{"prediction_id": …, "label": …}` and `{"example": …, "drop": True}`. All
        of more than 1,000 items must have texts. retrain: `now`, `auto` or `no`. If a training starts, `version` is its number.
        """
        fields = _given(locals(), _LAYOUT)
        is_file = isinstance(data, (str, bytes, Path, Stored)) or hasattr(data, "read")
        items: list[Any] = [] if is_file else [_example(each) for each in data]  # type: ignore[union-attr]
        if len(items) > _MOST_EXAMPLES and not all("text" in each for each in items):
            raise ValueError(f"At most {_MOST_EXAMPLES:,} examples at a time may name predictions or examples: send them in parts.")
        if len(items) <= _MOST_EXAMPLES and not is_file:
            body: dict[str, Any] = {"examples": items}
        else:
            stored = yield from _stored(items or data)
            body = {"s3bucket": stored.s3bucket, "training_object": stored.training_object, **fields}
        body |= {"retrain": retrain} if retrain else {}
        headers = _headers(if_match, idempotency_key or str(uuid4()))
        return (yield from one(request("POST", _model(model_id, "examples"), body=body, headers=headers), r.ReceivedExamples))

    @operation("listExamples")
    def feedback_batches(self, model_id: str, limit: int | None = None) -> Items[r.BatchesBatch]:
        """The pending batches of feedback."""
        return Items(pages(_model(model_id, "examples"), r.Batches, "batches", limit=limit))

    @operation("getFeedbackBatch")
    def feedback_examples(self, model_id: str, batch: str, limit: int | None = None) -> Items[r.FeedbackBatchExample]:
        """What a batch of feedback says."""
        return Items(pages(_model(model_id, f"examples/{_q(batch)}"), r.FeedbackBatch, "examples", limit=limit))

    @operation("deleteExamples")
    def take_back_feedback(self, model_id: str, batch: str, if_match: str | None = None) -> Flow[r.DeletedBatch]:
        """Take back a pending batch of feedback."""
        return one(request("DELETE", _model(model_id, f"examples/{_q(batch)}"), headers=_headers(if_match)), r.DeletedBatch)

    @operation("changeLabels")
    def change_labels(
        self,
        model_id: str,
        *,
        rename: Mapping[str, str] | None = None,
        merge: Mapping[str, Sequence[str]] | None = None,
        if_match: str | None = None,
        idempotency_key: str | None = None,
    ) -> Flow[r.QueuedVersion]:
        """Train a version with labels renamed (`{"old": "new"}`) or merged (`{"into": ["one", "other"]}`)."""
        headers = _headers(if_match, idempotency_key or str(uuid4()))
        step = request("PATCH", _model(model_id, "labels"), body=_without_none({"rename": rename, "merge": merge}), headers=headers)
        return one(step, r.QueuedVersion)

    @operation("createQueue", own=("data", "from", "s3bucket", "object"))
    def make_queue(
        self,
        model_id: str,
        data: Data | None = None,
        *,
        text_column: str | Sequence[str] | None = None,
        delimiter: str | None = None,
        encoding: str | None = None,
    ) -> Flow[r.MadeReviewQueue]:
        """Choose what people should label next, from a file of texts or, without one, from the model's log."""
        fields = _given(locals(), _LAYOUT)
        if data is None:
            body: dict[str, Any] = {"from": "log"}
        else:
            stored = yield from _stored(data, texts_only=True)
            body = {"s3bucket": stored.s3bucket, "object": stored.training_object, **fields}
        # A new queue replaces the one before.
        return (yield from one(request("POST", _model(model_id, "queue"), body=body, repeatable=True), r.MadeReviewQueue))

    @operation("getQueue")
    def queue(self, model_id: str, limit: int | None = None) -> Flow[r.ReviewQueue]:
        """The next texts to label. For ten minutes, nobody else gets them."""
        return one(request("GET", _model(model_id, "queue"), query={"limit": limit}), r.ReviewQueue)

    # --- afterwards ---

    @operation("getDrift")
    def drift(self, model_id: str, limit: int | None = None) -> Items[r.DriftDay]:
        """The measured days of a model with a log, newest first."""
        return Items(pages(_model(model_id, "drift"), r.Drift, "days", limit=limit))

    @operation("getDriftFigure")
    def drift_figure(self, model_id: str) -> Flow[str]:
        """The last 30 days as a picture (SVG)."""
        return text(request("GET", _model(model_id, "drift.svg")))

    @operation("getHistory")
    def history(self, model_id: str, limit: int | None = None) -> Items[r.HistoryEntry]:
        """Who did what to a model, newest first; also of a deleted one."""
        return Items(pages(_model(model_id, "history"), r.History, "entries", limit=limit))

    @operation("forget")
    def forget(
        self, *, subject: str | None = None, texts: Sequence[str] | None = None, idempotency_key: str | None = None
    ) -> Flow[r.StartedForgetting]:
        """Remove the examples of a subject, or whole texts, from everything that is kept. This can't be undone."""
        body, headers = _without_none({"subject": subject, "texts": texts}), _headers(None, idempotency_key or str(uuid4()))
        return one(request("POST", "/forget", body=body, headers=headers), r.StartedForgetting)

    @operation("getForgetting")
    def forgetting(self, forgetting: str) -> Flow[r.Forgetting]:
        """How far a forgetting is, and in the end its receipt."""
        return one(request("GET", f"/forget/{_q(forgetting)}"), r.Forgetting)

    @operation("whoami")
    def whoami(self) -> Flow[r.Whoami]:
        """Name, role and limits of the key, and its requests of today."""
        return one(request("GET", "/whoami"), r.Whoami)

    @operation("health")
    def health(self, deep: bool = False) -> Flow[r.Health]:
        """Whether the API answers; deep: and each of its parts."""
        return one(request("GET", "/health", query={"deep": "1" if deep else None}), r.Health)

    @operation("getContract")
    def contract(self) -> Flow[dict[str, Any]]:
        """The deployment's own contract (OpenAPI 3.1)."""
        return _json(request("GET", "/openapi.json"))

    @operation("", own=("method", "path", "body", "query", "headers"))
    def call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Flow[Any]:
        """Any call, by method and path below the URL: the parsed JSON of its answer."""
        return _json(request(method, path, body=body, query=query, headers=headers, repeatable=path == "/prediction" or None))

    @operation("", own=("url", "output"))
    def save(self, url: str, output: str | Path | BinaryIO) -> Flow[None]:
        """Save what a signed URL leads to, such as the result of a batch prediction."""
        return saved(url, output)

    @operation("", own=("path", "ended", "watch", "timeout", "longest_pause"))
    def follow(
        self,
        path: str,
        ended: Callable[[Any], bool],
        *,
        watch: Callable[[Any], None] = lambda _: None,
        timeout: float | None = None,
        longest_pause: float = 5.0,
    ) -> Flow[Any]:
        """GET a path until `ended` is true of its JSON. `watch` gets every answer. Raises TimeoutError after `timeout` seconds."""
        look = partial(self.call, "GET", path)
        return until(look, ended, timeout=timeout, what=path, watch=watch, longest_pause=longest_pause)


# --- handles ---


class Work:
    """A training or a batch prediction that has begun."""

    def __init__(self, client: Any, model_id: str, key: Any) -> None:
        self._client, self.model_id, self._key = client, model_id, key


class TrainingFlows:
    """What can be done with a training."""

    def state(self: Any) -> Flow[r.VersionOfModel]:
        """The version as it is now."""
        return Calls().version(self.model_id, self.version)

    def wait(
        self: Any, progress: bool | Callable[[r.VersionOfModel], object] = False, timeout: float | None = None
    ) -> Flow[r.VersionOfModel]:
        """Wait until the training ends, and return the ready version.

        progress: True prints how far it is to stderr; a function gets each state. Raises WorkFailedError if the training failed or was
        cancelled, and TimeoutError after `timeout` seconds.
        """
        what = f"Version {self.version} of {self.model_id}"
        with watching(progress, lambda it: f"{what}: {it.progress.stage} {it.progress.percent} %") as watch:
            ended: r.VersionOfModel = yield from until(lambda: TrainingFlows.state(self), _ended, timeout=timeout, what=what, watch=watch)
        _refuse_unready(ended, what)
        return ended

    def events(self: Any, timeout: float | None = None) -> Items[r.VersionOfModel]:
        """Each state that differs from the one before, until the training has ended."""
        return Items(_changes(lambda: TrainingFlows.state(self), f"Version {self.version} of {self.model_id}", timeout))

    def evaluation(self: Any) -> Flow[r.EvaluationReport]:
        """All measures of the version."""
        return Calls().evaluation(self.model_id, self.version)

    def cancel(self: Any) -> Flow[r.CancelledVersion]:
        """Stop the training."""
        return Calls().cancel_training(self.model_id, self.version)


class BatchFlows:
    """What can be done with a batch prediction."""

    def state(self: Any) -> Flow[r.BatchPrediction]:
        """The batch as it is now."""
        return Calls().batch_state(self.model_id, self.batch)

    def wait(
        self: Any, progress: bool | Callable[[r.BatchPrediction], object] = False, timeout: float | None = None
    ) -> Flow[r.BatchPrediction]:
        """Wait until the batch ends. progress, timeout and errors: as for a training."""
        what = f"Batch {self.batch} of {self.model_id}"
        with watching(progress, lambda it: f"{what}: {it.status} {it.progress.percent} %") as watch:
            ended: r.BatchPrediction = yield from until(lambda: BatchFlows.state(self), _ended, timeout=timeout, what=what, watch=watch)
        _refuse_unready(ended, what)
        return ended

    def events(self: Any, timeout: float | None = None) -> Items[r.BatchPrediction]:
        """Each state that differs from the one before, until the batch has ended."""
        return Items(_changes(lambda: BatchFlows.state(self), f"Batch {self.batch} of {self.model_id}", timeout))

    def save(self: Any, output: str | Path | BinaryIO) -> Flow[r.BatchPrediction]:
        """Save the result of a batch that has ended. WorkFailedError if there is none."""
        found = yield from BatchFlows.state(self)
        if found.result is None:
            why = "has been deleted" if found.status == "ready" else "isn't there: wait for the batch"
            raise WorkFailedError(f"The result of batch {self.batch} {why}.", found)
        yield from saved(found.result.url, output)
        return found

    def cancel(self: Any) -> Flow[r.CancelledBatch]:
        """Stop the batch."""
        return Calls().cancel_batch(self.model_id, self.batch)


def _ended(state: Any) -> bool:
    return state.status in ENDED


def _refuse_unready(ended: Any, what: str) -> None:
    if ended.status != "ready":
        status = "failed" if ended.status == "failed" else f"was {ended.status}"
        raise WorkFailedError(f"{what} {status}: {ended.error}" if ended.error else f"{what} {status}.", ended)


def _changes(look: Callable[[], Flow[Any]], what: str, timeout: float | None) -> Flow[None]:
    """Gives each state that differs from the one before."""
    seen: list[Any] = []
    polled = until(look, _ended, timeout=timeout, what=what, watch=seen.append)
    last, answer, failed = None, None, None
    while True:
        try:
            step = polled.throw(failed) if failed else polled.send(answer)
        except StopIteration:
            step = None
        if seen and seen[-1] != last:
            last = seen[-1]
            yield Give(last)
        if step is None:
            return
        try:
            answer, failed = (yield step), None
        except Exception as error:  # of the step, for the flow inside
            failed = error


@contextmanager
def watching(progress: bool | Callable[[Any], object], line: Callable[[Any], str]) -> Iterator[Callable[[Any], None]]:
    """What gets each state: nothing, the caller's function, or a line on stderr, which a terminal shows in place."""
    if callable(progress):
        told = progress
        yield lambda state: (told(state), None)[1]
        return
    if not progress:
        yield lambda _: None
        return
    in_place, shown = sys.stderr.isatty(), [""]

    def show(state: Any) -> None:
        told = line(state)
        if told != shown[0]:
            sys.stderr.write(f"\r\x1b[K{told}" if in_place else f"{told}\n")
            sys.stderr.flush()
            shown[0] = told

    try:
        yield show
    finally:
        if in_place and shown[0]:
            sys.stderr.write("\n")


# --- what the calls have in common ---

_LAYOUT = ("text_column", "label_column", "label_separator", "subject_column", "delimiter", "encoding")
_FIELDS_OF_TRAINING = (
    *_LAYOUT,
    *("rare_labels", "force_update", "promote", "n_iter", "n_texts", "recipe", "dropout", "batch_size", "learn_rate", "seed", "exclusive"),
    *("min_precision", "keep_texts", "patience", "max_minutes", "spacy_model", "retrain_after", "tolerance", "title", "tags", "note"),
)


def _q(part: str) -> str:
    return quote(part, safe="")


def _model(model_id: str, below: str = "") -> str:
    return f"/models/{_q(model_id)}" + (f"/{below}" if below else "")


def _version(model_id: str, version: int, below: str = "") -> str:
    return _model(model_id, f"versions/{version}" + (f"/{below}" if below else ""))


def _headers(if_match: str | None = None, idempotency_key: str | None = None) -> dict[str, str | None]:
    return {"If-Match": if_match, "Idempotency-Key": idempotency_key}


def _without_none(given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if value is not None}


def _given(values: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Those of the arguments that were given."""
    return _without_none({name: values[name] for name in names if name in values})


def _json(step: Send) -> Flow[Any]:
    parsed, _ = yield from json_of(step)
    return parsed


def _training(
    model_id: str, data: Data | None, labels: Sequence[Any] | None, test: Data | None, fields: Mapping[str, Any]
) -> Flow[dict[str, Any]]:
    """The body of a training request. Uploads what must be."""
    if (data is None) == (labels is None):
        raise ValueError("Give either a data set or, without examples, labels.")
    body: dict[str, Any] = {"id": model_id, **fields}
    if labels is not None:
        return {**body, "labels": list(labels)}
    stored = yield from _stored(data)  # type: ignore[arg-type]
    body |= {"s3bucket": stored.s3bucket, "training_object": stored.training_object}
    if test is not None:
        of_test = yield from _stored(test)
        if of_test.s3bucket != stored.s3bucket:
            raise ValueError("The data set and the test set must be in the same bucket.")
        body["test_object"] = of_test.training_object
    return body


def _stored(data: Data, name: str | None = None, *, texts_only: bool = False) -> Flow[Stored]:
    """Where the data is in S3. Uploads it if it isn't there."""
    if isinstance(data, Stored):
        return data
    if isinstance(data, str) and (known := _S3.fullmatch(data)):
        return Stored(known[1], known[2])
    if isinstance(data, (str, Path)):
        path = Path(data)
        with path.open("rb") as file:
            return (yield from uploaded(name or path.name, file))
    if isinstance(data, bytes):
        return (yield from uploaded(name or "dataset", data))
    if hasattr(data, "read"):
        return (yield from uploaded(name or Path(getattr(data, "name", "dataset")).name, data))  # type: ignore[arg-type]
    made = (({"text": each} if texts_only and isinstance(each, str) else _example(each)) for each in data)
    lines = "".join(json.dumps(each, allow_nan=False) + "\n" for each in made)
    return (yield from uploaded(name or "examples.jsonl", lines.encode()))


def uploaded(name: str, content: bytes | BinaryIO) -> Flow[Stored]:
    """Upload a data set by a presigned URL."""
    if isinstance(content, bytes):
        size = len(content)
    else:
        at = content.tell()
        size = content.seek(0, 2) - at
        content.seek(at)
    # An empty file is refused when it is read, by a sentence that says so.
    body = {"name": upload_name(name)} | ({"bytes": size} if size else {})
    target = yield from _json(request("POST", "/datasets", body=body, repeatable=True))
    # Deployments of earlier releases name no headers.
    put = Send("PUT", target["upload_url"], {}, target.get("headers") or {}, content, repeatable=True)
    try:
        yield put
    except ApiError as error:
        # The name is ours alone, so a file that is there already is this one: the answer to an earlier try was lost.
        if error.status != 412:
            raise
    return Stored(target["s3bucket"], target["training_object"], target.get("name"))


def upload_name(name: str) -> str:
    """A similar name that POST /datasets accepts. The ending stays, because it shows the format."""
    return re.sub("[\\x00-\\x1f\\x7f-\\x9f/\\\\\\ud800-\\udfff]+", "-", name)[-128:].lstrip(".") or "dataset"


def saved(url: str, output: str | Path | BinaryIO) -> Flow[None]:
    """Save what a link leads to, in one step, so that a broken download leaves no partial file."""
    if not isinstance(output, (str, Path)):
        yield from download(url, output)
        return
    path = Path(output)
    partial = path.with_name(f"{path.name}.part")
    try:
        with partial.open("wb") as file:
            yield from download(url, file)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _example(item: Any) -> Any:
    """An example as JSON has it. A pair is a text and its label, or its labels."""
    if isinstance(item, Mapping):
        return dict(item)
    example, label = item
    return {"text": example, "label": label} if isinstance(label, str) else {"text": example, "labels": list(label)}


__all__ = ["UNSET", "BatchFlows", "Calls", "Data", "Pause", "TrainingFlows", "Unset", "Work"]
