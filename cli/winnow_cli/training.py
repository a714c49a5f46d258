"""`winnow train`: check a data set, train a version, and show its evaluation."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from winnow_cli import tables
from winnow_cli.client import ApiError, Client
from winnow_cli.failures import CommandError, UsageError
from winnow_cli.files import Uploads, opened
from winnow_cli.label_files import labels_in
from winnow_cli.terminal import Terminal, line, version_line
from winnow_cli.watching import followed, without_success
from winnow_client import WinnowError


@dataclass(frozen=True, slots=True)
class Asked:
    """The options of a training. fields: those of the request. Either `file` or `labels`, a file of labels without examples, is given."""

    model: str
    file: str | None
    labels: Path | None
    test: str | None
    force_update: bool
    fields: Mapping[str, Any]
    keep_upload: bool = False


def train(client: Client, terminal: Terminal, asked: Asked, *, dry_run: bool, watch: bool) -> None:
    """Upload and check the data set, and start the training. With `watch`, wait until it ends.

    Raises CommandError if the data set has errors or the training fails.
    """
    if not (asked.force_update or dry_run):
        _refuse_known(client, asked.model)
    uploads = Uploads(client, terminal, keep=asked.keep_upload)
    try:
        request = _request(uploads, asked)
        report, estimates = _dry_run(client, terminal, request)
    except (CommandError, WinnowError):
        uploads.remove()
        raise
    errors = report["errors"] + (report["test_set"] or {"errors": 0})["errors"]
    if errors or dry_run:
        uploads.remove()
    shown = [*tables.problems(report, Path(asked.file or str(asked.labels)).name)]
    if report["test_set"]:
        shown += tables.problems(report["test_set"], Path(str(asked.test)).name)
    if dry_run:
        terminal.show({"report": report, "estimates": estimates}, *shown, *(line(each["sentence"]) for each in estimates))
    else:
        terminal.say(*shown)
    if errors:
        if not dry_run:
            terminal.show({"report": report})
        raise CommandError(f"Can't train: fix the {'1 error' if errors == 1 else f'{errors} errors'} above.")
    if dry_run:
        return
    queued = client.call("POST", "/models", request, headers={"Idempotency-Key": str(uuid4())})
    if not watch:
        sentence = f"Version {queued['version']} of {asked.model} is queued. `winnow models {asked.model}` shows its progress."
        terminal.show({**queued, "report": report}, line(sentence))
        uploads.stay()
        return
    see_to_end(client, terminal, asked.model, queued["version"], {"report": report}, uploads=uploads)


def import_version(
    client: Client, terminal: Terminal, model: str, file: Path, *, sha256: str | None, fields: Mapping[str, Any], keep: bool
) -> None:
    """Upload the file of a version, import it, and wait until that ends. CommandError if it can't be imported."""
    with opened(file) as content:
        digest = sha256 or hashlib.sha256(content.read()).hexdigest()
    if not fields.get("force_update"):
        _refuse_known(client, model)
    uploads = Uploads(client, terminal, keep=keep)
    stored = uploads.in_s3(str(file))
    artifact = {"s3bucket": stored["s3bucket"], "object": stored["training_object"], "sha256": digest}
    try:
        queued = client.call("POST", "/models", {"id": model, "artifact": artifact, **fields}, headers={"Idempotency-Key": str(uuid4())})
    except WinnowError:
        uploads.remove()
        raise
    see_to_end(client, terminal, model, queued["version"], {}, uploads=uploads)


def see_to_end(
    client: Client, terminal: Terminal, model: str, number: int, more: Mapping[str, Any], *, uploads: Uploads | None = None
) -> None:
    """Wait for a version and show its evaluation. more: further fields of the JSON. Raises CommandError if it isn't ready.

    uploads: what the training reads. They are removed at the end; a training that is cut short by Ctrl-C may still read them.
    """
    path = f"/models/{model}/versions/{number}"
    goes_on = f"Version {number} of {model} is still training. `winnow models {model}` shows its progress."
    version = followed(client, terminal, path, lambda it: (it["progress"]["stage"], it["progress"]["percent"]), interrupted=goes_on)
    if uploads:
        uploads.remove()
    evaluation = evaluation_of(client, path, version)
    parts = [version_line(model, version)]
    if version["selection"]:
        parts.append(line(version["selection"]["reason"]))
    if version["gate"] and not version["live"]:
        parts.append(line(version["gate"]["reason"], "yellow"))
    parts += tables.warnings(version)
    result = {"model_id": model, "version": version, "evaluation": evaluation, **more}
    ready = version["status"] == "ready"
    terminal.show(result, *(parts if ready else ()), *(tables.evaluation(evaluation) if evaluation else ()))
    if not ready:
        raise without_success(f"Version {number} of {model}", version)


def evaluation_of(client: Client, path: str, version: Mapping[str, Any]) -> dict[str, Any] | None:
    """The evaluation of the version at this path. None if it isn't ready, or was never measured: made from labels alone, or imported."""
    if version["status"] != "ready" or version["evaluation"] is None:
        return None
    found: dict[str, Any] = client.call("GET", f"{path}/evaluation")
    return found


def _refuse_known(client: Client, model: str) -> None:
    """Stop before the upload if the model exists."""
    try:
        client.call("GET", f"/models/{model}")
    except ApiError as error:
        if error.status != 404:
            raise
    else:
        raise CommandError(f"Model {model} exists. Add --force-update to train a new version of it, or choose another id.")


def _request(uploads: Uploads, asked: Asked) -> dict[str, Any]:
    source: dict[str, Any] = {"labels": labels_in(asked.labels)} if asked.labels else uploads.in_s3(str(asked.file))
    request: dict[str, Any] = {"id": asked.model, **source}
    if asked.test:
        test_set = uploads.in_s3(asked.test)
        if test_set["s3bucket"] != request["s3bucket"]:
            raise UsageError(
                "The data set and the test set must be in the same bucket: give two files, or two s3:// objects of one bucket."
            )
        request["test_object"] = test_set["training_object"]
    return {**request, **({"force_update": True} if asked.force_update else {}), **asked.fields}


def _dry_run(client: Client, terminal: Terminal, request: Mapping[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The report on the data set, and what a training would take, for which earlier releases of the API have no estimate."""
    answer = client.call("POST", "/models", {**request, "dry_run": True})
    if "report" not in answer:
        path = f"/reports/{answer['report_id']}"
        answer = followed(
            client, terminal, path, lambda _: ("reading", 0), interrupted="The check of the data set did not finish. Nothing is training."
        )
        if answer["report"] is None:
            raise CommandError(answer["error"] or "The data set could not be checked: try again.")
    return answer["report"], answer.get("estimates") or []
