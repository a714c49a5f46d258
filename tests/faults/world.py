"""The world around a deployment: clients that call and repeat, a platform that runs, retries and kills, and a clock.

It records the answers to clients, so that `invariants` can check the deployment against them.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from tests.conftest import BATCH_WORKFLOW, CLIENT_BUCKET, PARAMETERS, WORKFLOW, Answer, Context, Json, load_event
from tests.faults.deeds import Deeds
from tests.faults.deployed import DIED, Deployed, PausedError, StoppedError, UnheardError, VanishedError
from tests.faults.outside import Outside, deliveries
from tests.faults.wire import Crash, Wire
from tests.support import moments
from tests.support.clock import Clock
from tests.support.contract import functions
from tests.support.feedback import labelled
from tests.support.moments import Moment
from winnow.domain.batch import ACTIVE_BATCH
from winnow.domain.model import ACTIVE
from winnow.upkeep import announce

SWEEP = "functions/upkeep/sweep"
ENDED = "functions/upkeep/execution_ended"
TAKE_FILE = "functions/upkeep/take_file"
MEASURE_DRIFT = "functions/upkeep/measure_drift"
# The functions that read the registry's stream, with the kinds of records that they get.
READERS = {"Announce": {"MODIFY", "INSERT"}, "StartWaiting": {"MODIFY", "REMOVE"}}
# Lambda repeats a failed asynchronous invocation twice.
_DELIVERIES = 3
MODEL = "tc-01"


@dataclass
class Segments(Context):
    """A Lambda whose time runs out after this number of looks at the clock, each time: trainings run in segments."""

    looks: int = 3
    looked: int = 0

    def get_remaining_time_in_millis(self) -> int:
        self.looked += 1
        return 900_000 if self.looked % self.looks else 30_000


@dataclass
class Promises:
    """The answers to clients about one life of a model id: from the first POST to a DELETE that may have succeeded."""

    accepted: list[int] = field(default_factory=list)
    cancelled: set[int] = field(default_factory=set)
    removed: set[int] = field(default_factory=set)
    unanswered: int = 0
    deleted: bool = False
    # Batches of feedback that were kept, those that were taken back, and the number of requests for a training.
    kept: set[str] = field(default_factory=set)
    taken_back: set[str] = field(default_factory=set)
    asked: int = 0
    started: set[int] = field(default_factory=set)
    # Batch predictions that were accepted, and those that were cancelled.
    batches: set[str] = field(default_factory=set)
    cancelled_batches: set[str] = field(default_factory=set)
    # The review queues that were made, and the items that were handed out, by their queue, with the number of times.
    queues: list[str] = field(default_factory=list)
    handed_out: Counter[str] = field(default_factory=Counter)
    # The last promoted version, unless another may have gone live by itself since.
    live: int | None = None
    # The aim of the last policy that was answered, None if it was ended. Ellipsis: a call got no answer, so either may count.
    aim: Any = None


@dataclass
class World:
    """A deployment, its clients and its platform."""

    winnow: Deployed
    wire: Wire
    clock: Clock
    lives: dict[str, list[Promises]] = field(default_factory=dict)
    # All versions so far by uid and number, with their creation times: this reveals a number that is used twice.
    made: dict[tuple[str, int], str] = field(default_factory=dict)
    uids: dict[str, list[str]] = field(default_factory=dict)
    found: list[str] = field(default_factory=list)
    # The results of each execution's tasks so far.
    logs: dict[str, list[Any]] = field(default_factory=dict)
    # The Lambda context of the workflow's tasks. None: one with enough time.
    lambda_context: Context | None = None
    # The version in the answer to each Idempotency-Key, 0 while it has no answer.
    keys: dict[str, int] = field(default_factory=dict)
    # The batch in the answer to each Idempotency-Key of feedback.
    batches: dict[str, str] = field(default_factory=dict)
    # The names of executions whose end was announced.
    told: set[str] = field(default_factory=set)
    # The reports of dry runs that were answered with 202.
    reports: set[str] = field(default_factory=set)
    outside: Outside = field(default_factory=Outside)
    # What was done to models, beside what their histories say.
    deeds: Deeds = field(default_factory=Deeds)
    # The answers to clients, in order.
    answers: list[str] = field(default_factory=list)
    # The texts that a client wants to be forgotten, and the forgettings that were answered with 202.
    forgotten: list[str] = field(default_factory=list)
    forgettings: set[str] = field(default_factory=set)

    # --- moments ---

    def bring_back(self, moment: Moment, lives: Mapping[str, list[Promises]]) -> None:
        """Go back to a moment and to its answers to clients."""
        moments.bring_back(self.winnow, moment)
        self.winnow.environments.clear()
        self.winnow.parameters = dict(PARAMETERS)
        self.winnow.death, self.winnow.failing, self.winnow.delivered = DIED, set(), []
        self.lambda_context, self.keys, self.batches, self.reports = None, {}, {}, set()
        self.outside.forget()
        self.clock.ahead = timedelta()
        self.lives = {model_id: [deepcopy(it) for it in told] for model_id, told in lives.items()}
        self.made, self.uids, self.found, self.answers, self.logs, self.told = {}, {}, [], [], {}, set()
        self.forgettings = set()
        self.deeds = Deeds()
        self.wire.arm({})
        self.wire.at_each_call = None
        self.observe()

    # --- clients ---

    def post(self, model_id: str = MODEL, *, force_update: bool = False, key: str | None = None, **fields: Any) -> Answer | None:
        """POST /models for a short training. key: the Idempotency-Key. Requests with the same key are one request."""
        body = {**json.loads(load_event("api/create_model")["body"]), "id": model_id, "n_iter": 1, "n_texts": 12, **fields}
        body |= {"force_update": True} if force_update else {}
        body = {name: value for name, value in body.items() if value is not None}
        headers = {"Idempotency-Key": key} if key else None
        answer = self._request(f"POST {model_id}", lambda: self.winnow.call("create_model", body=body, headers=headers))
        life = self._life(model_id)
        # The earlier answer to the key. 0 if it was sent and got no answer.
        before = self.keys.get(key) if key else None
        if answer is None or answer.status >= 500:
            life.unanswered += before is None
            self._remember(key, before or 0)
        elif answer.status == 202:
            version = answer.body["version"]
            life.unanswered -= before == 0
            if life.deleted:
                life = self._new_life(model_id)
            if not before:
                life.accepted.append(version)
            elif before != version:
                self.found.append(f"one Idempotency-Key was given the versions {before} and {version}")
            self._remember(key, version)
        self.observe()
        return answer

    def _remember(self, key: str | None, version: int) -> None:
        if key:
            self.keys[key] = version

    def dry_run(self, model_id: str = MODEL) -> Answer | None:
        """POST /models for a report on a data set that is too large to be read at once."""
        body = {**json.loads(load_event("api/create_model")["body"]), "id": model_id, "dry_run": True}
        answer = self._request(f"dry run {model_id}", lambda: self.winnow.call("create_model", body=body))
        if answer is not None and answer.status == 202:
            self.reports.add(answer.body["report_id"])
        return answer

    def cancel(self, model_id: str = MODEL, version: int = 1) -> Answer | None:
        path = {"model_id": model_id, "version": str(version)}
        answer = self._request(f"cancel {model_id}/{version}", lambda: self.winnow.call("cancel_version", path=path))
        if answer is not None and answer.status == 200:
            self._life(model_id).cancelled.add(version)
        self.observe()
        return answer

    def delete(self, model_id: str = MODEL) -> Answer | None:
        answer = self._request(f"DELETE {model_id}", lambda: self.winnow.call("delete_model", path={"model_id": model_id}))
        life = self._life(model_id)
        if answer is None or answer.status >= 500:
            # It may have succeeded: look at the state.
            life.deleted = not any(row["pk"] == "MODELS" and row["sk"] == model_id for row in self.rows())
        elif answer.status in {200, 202}:
            life.deleted = True
        self.observe()
        return answer

    def promote(self, version: int, model_id: str = MODEL, headers: Mapping[str, str] | None = None) -> Answer | None:
        """PUT /models/{model_id}/live."""
        answer = self._request(
            f"promote {model_id}/{version}",
            lambda: self.winnow.call("promote_version", body={"version": version}, path={"model_id": model_id}, headers=headers),
        )
        if answer is None or answer.status >= 500:
            self._life(model_id).live = None
        elif answer.status == 200:
            self._life(model_id).live = version
        self.observe()
        return answer

    def delete_version(self, version: int, model_id: str = MODEL) -> Answer | None:
        path = {"model_id": model_id, "version": str(version)}
        answer = self._request(f"DELETE {model_id}/{version}", lambda: self.winnow.call("delete_version", path=path))
        there = any(row["pk"].startswith("VERSIONS#") and int(row["version"]) == version for row in self._own(model_id))
        if (answer is not None and answer.status in {200, 202}) or ((answer is None or answer.status >= 500) and not there):
            self._life(model_id).removed.add(version)
        self.observe()
        return answer

    def add_examples(
        self, retrain: str = "now", key: str | None = None, model_id: str = MODEL, examples: Sequence[Json] | None = None
    ) -> Answer | None:
        """POST /models/{model_id}/examples, by default with two examples of a new label."""
        body = {"examples": labelled(2) if examples is None else examples, "retrain": retrain}
        headers = {"Idempotency-Key": key} if key else None
        path = {"model_id": model_id}
        answer = self._request(f"POST {model_id}/examples", lambda: self.winnow.call("add_examples", body=body, path=path, headers=headers))
        life = self._life(model_id)
        life.asked += retrain != "no" and (key is None or key not in self.batches)
        if key:
            self.batches.setdefault(key, "")
        if answer is not None and answer.status == 201:
            batch = answer.body["batch"]
            if key and self.batches[key] not in {"", batch}:
                self.found.append(f"one Idempotency-Key was given the batches {self.batches[key]} and {batch}")
            if key:
                self.batches[key] = batch
            life.kept.add(batch)
            life.started |= {answer.body["version"]} if answer.body["retrain"] == "started" else set()
        self.observe()
        return answer

    def take_back(self, model_id: str = MODEL) -> Answer | None:
        """DELETE /models/{model_id}/examples/{batch} for the first batch that was kept."""
        life = self._life(model_id)
        path = {"model_id": model_id, "batch": min(life.kept)}
        answer = self._request(f"DELETE {model_id}/examples", lambda: self.winnow.call("delete_examples", path=path))
        there = any(row["sk"] == path["batch"] for row in self.rows())
        # Without an answer it may have succeeded: look at the state.
        if (answer is not None and answer.status in {200, 404}) or ((answer is None or answer.status >= 500) and not there):
            life.taken_back.add(path["batch"])
        self.observe()
        return answer

    def post_batch(self, model_id: str = MODEL) -> Answer | None:
        """POST /models/{model_id}/batches for the texts in the client's bucket."""
        body = {"s3bucket": CLIENT_BUCKET, "object": "texts.jsonl"}
        path = {"model_id": model_id}
        answer = self._request(f"POST {model_id}/batches", lambda: self.winnow.call("create_batch", body=body, path=path))
        if answer is not None and answer.status == 202:
            self._life(model_id).batches.add(answer.body["batch"])
        self.observe()
        return answer

    def post_queue(self, model_id: str = MODEL, *, from_log: bool = False) -> Answer | None:
        """POST /models/{model_id}/queue for the texts in the client's bucket, or in the model's log."""
        body = {"from": "log"} if from_log else {"s3bucket": CLIENT_BUCKET, "object": "texts.jsonl"}
        path = {"model_id": model_id}
        answer = self._request(f"POST {model_id}/queue", lambda: self.winnow.call("create_queue", body=body, path=path))
        if answer is not None and answer.status == 201:
            self._life(model_id).queues.append(answer.body["queue"])
        self.observe()
        return answer

    def get_queue(self, model_id: str = MODEL) -> Answer | None:
        """GET /models/{model_id}/queue for one text."""
        path = {"model_id": model_id}
        answer = self._request(f"GET {model_id}/queue", lambda: self.winnow.call("get_queue", query={"limit": "1"}, path=path))
        if answer is not None and answer.status == 200:
            self._life(model_id).handed_out.update(item["item"] for item in answer.body["items"])
        self.observe()
        return answer

    def cancel_batch(self, batch: str, model_id: str = MODEL) -> Answer | None:
        path = {"model_id": model_id, "batch": batch}
        answer = self._request(f"cancel {model_id}'s batch", lambda: self.winnow.call("cancel_batch", path=path))
        if answer is not None and answer.status == 200:
            self._life(model_id).cancelled_batches.add(batch)
        self.observe()
        return answer

    def change(self, model_id: str = MODEL, **properties: Any) -> Answer | None:
        """PATCH /models/{model_id}."""
        path = {"model_id": model_id}
        answer = self._request(f"PATCH {model_id}", lambda: self.winnow.call("change_model", body=properties, path=path))
        self.observe()
        return answer

    def change_labels(self, model_id: str = MODEL) -> Answer | None:
        """PATCH /models/{model_id}/labels."""
        path, body = {"model_id": model_id}, {"rename": {"baking": "bread"}}
        answer = self._request(f"PATCH {model_id}/labels", lambda: self.winnow.call("change_labels", body=body, path=path))
        life = self._life(model_id)
        life.unanswered += answer is None or answer.status >= 500
        if answer is not None and answer.status == 202:
            life.accepted.append(answer.body["version"])
        self.observe()
        return answer

    def govern(self, aim: Json | None, model_id: str = MODEL) -> Answer | None:
        """PUT /models/{model_id}/policy, or DELETE without an aim."""
        function, path = "delete_policy" if aim is None else "set_policy", {"model_id": model_id}
        answer = self._request(f"{function} {model_id}", lambda: self.winnow.call(function, body=aim, path=path))
        if answer is None or answer.status >= 500:
            self._life(model_id).aim = ...
        elif answer.status == 200:
            self._life(model_id).aim = aim
        self.observe()
        return answer

    def forget(self, texts: Sequence[str], key: str | None = None) -> Answer | None:
        """POST /forget."""
        self.forgotten = list(texts)
        headers = {"Idempotency-Key": key} if key else None
        answer = self._request("POST /forget", lambda: self.winnow.call("forget", body={"texts": list(texts)}, headers=headers))
        if answer is not None and answer.status == 202:
            self.forgettings.add(answer.body["forgetting"])
        self.observe()
        return answer

    def write_note(self, version: int = 1, model_id: str = MODEL) -> Answer | None:
        """PATCH /models/{model_id}/versions/{version}."""
        path = {"model_id": model_id, "version": str(version)}
        answer = self._request(f"PATCH {model_id}/{version}", lambda: self.winnow.call("change_version", body={"note": "seen"}, path=path))
        self.observe()
        return answer

    def _own(self, model_id: str) -> list[Json]:
        """The rows of this life of the model."""
        uids = {row["uid"] for row in self.rows() if row["pk"] == "MODELS" and row["sk"] == model_id}
        return [row for row in self.rows() if row.get("uid") in uids]

    def predict(self, model_id: str = MODEL, text: str = "I want to save for vacation!") -> Answer | None:
        body = {"model_id": model_id, "text": text}
        return self._request(f"predict {model_id}", lambda: self.winnow.call("predict", "predict_get_body", body=body))

    def _request(self, what: str, call: Callable[[], Answer]) -> Answer | None:
        """The answer. None if the Lambda died: API Gateway's answer does not say whether the call had an effect."""
        before = self._truth()
        try:
            answer = call()
        except Crash:
            self.answers.append(f"{what}: none")
            return None
        self.answers.append(f"{what}: {answer.status}")
        if answer.status >= 500 and self._truth() != before:
            self.found.append(f"{what} was answered with {answer.status} after it was done")
        return answer

    def _truth(self) -> list[Json]:
        """The rows of what clients make. What else a call writes can be left to the sweeper."""
        lasting = ("MODELS", "VERSIONS#", "FEEDBACK#", "KEPT#", "POLICIES#", "BATCHES#", "REVIEW#")
        return [row for row in self.rows() if row["pk"].startswith(lasting)]

    def _life(self, model_id: str) -> Promises:
        return self.lives.setdefault(model_id, [Promises()])[-1]

    def _new_life(self, model_id: str) -> Promises:
        self.lives[model_id].append(Promises())
        return self.lives[model_id][-1]

    # --- the platform ---

    def run_executions(self) -> None:
        """Run all running executions to their ends."""
        for execution in list(moments.executions()):
            if execution.status == "RUNNING":
                self.run(execution)
        for execution in list(moments.executions("BatchWorkflow")):
            if execution.status == "RUNNING":
                self.run_batch(execution)
        self.tell_of_ends()
        self.tell_readers()
        self.make_calls()

    def run_batch(self, execution: Any) -> None:
        """Run an execution of a batch prediction to its end."""
        try:
            end = self.winnow.run_batch(json.loads(execution.execution_input))
        except Exception:
            # Its Fail state failed in each try.
            _end(execution, "FAILED")
        else:
            _end(execution, "FAILED" if BATCH_WORKFLOW["States"][end]["Type"] == "Fail" else "SUCCEEDED")
        self.observe()

    def run(self, execution: Any, tasks: float = math.inf) -> None:
        """Run an execution from its current state to its end, or for this number of tasks."""
        data = json.loads(execution.execution_input)
        self.winnow.log, self.winnow.position, self.winnow.allowance = self.logs.setdefault(execution.name, []), 0, tasks
        try:
            end = self.winnow.run_workflow(data, self.lambda_context)
        except (StoppedError, PausedError):
            pass
        except VanishedError as error:
            _end(execution, "ABORTED")
            if isinstance(error, UnheardError):
                self.told.add(execution.name)
        except Exception:
            # Its Fail state failed in each try.
            _end(execution, "FAILED")
        else:
            _end(execution, "FAILED" if WORKFLOW["States"][end]["Type"] == "Fail" else "SUCCEEDED")
            for told in self.lives.values():
                told[-1].live = None
        self.observe()

    def tell_of_ends(self) -> None:
        """EventBridge announces each execution without success once, which can take several deliveries."""
        for execution in [*moments.executions(), *moments.executions("BatchWorkflow")]:
            if execution.status in {"FAILED", "ABORTED"} and execution.name not in self.told:
                self.told.add(execution.name)
                event = load_event("upkeep/execution_ended")
                event["detail"] |= {"name": execution.name, "status": execution.status, "input": execution.execution_input}
                self.deliver(ENDED, event)
        self.observe()

    def tell_readers(self) -> None:
        """The registry's stream tells of the ends of trainings and batch predictions, and of policies."""
        records = list(self.outside.records)
        self.outside.records.clear()
        for function, kinds in READERS.items():
            if own := [record for record in records if record["eventName"] in kinds]:
                self.deliver(functions()[function]["CodeUri"], {"Records": own}, deliveries(function))
        events = list(self.outside.for_rule)
        self.outside.for_rule.clear()
        if self.winnow.setting({"Ref": "Inbox"}) == "true":
            for event in events:
                if event["detail-type"] in {announce.BATCH_ENDED, announce.DETAIL_TYPE}:
                    self.deliver(TAKE_FILE, event)
        self.observe()

    def drop(self, key: str, body: bytes) -> None:
        """Put a file into a folder. S3 tells of it twice."""
        self.winnow.s3.put_object(Bucket=self.winnow.names["Datasets"], Key=key, Body=body)
        event = load_event("upkeep/take_file")
        event["detail"]["object"]["key"] = key
        for _ in range(2):
            self.deliver(TAKE_FILE, event)
        self.observe()

    def make_calls(self) -> None:
        """Lambda makes the calls of functions that nobody waits for."""
        calls = list(self.outside.calls)
        self.outside.calls.clear()
        for folder, event in calls:
            self.deliver(folder, event)

    def deliver(self, folder: str, event: Json, times: int = _DELIVERIES) -> None:
        for _ in range(times):
            hits = len(self.wire.hits)
            try:
                self.winnow.invoke(folder, event)
            except (Crash, Exception) as error:
                if len(self.wire.hits) == hits:
                    self.found.append(f"{folder} failed without a fault: {error!r}")
                    return
            else:
                return

    def sweep(self) -> None:
        """The schedule's call, the one of a full hour. After a fault, the sweep runs again five minutes later."""
        hits = len(self.wire.hits)
        try:
            self.winnow.invoke(SWEEP, load_event("upkeep/sweep") | {"time": "2026-11-23T16:00:00Z"}, Context(seconds=900))
        except (Crash, Exception):
            if len(self.wire.hits) == hits:
                raise
            self.answers.append("sweep: failed")
        self.observe()

    def measure_drift(self) -> None:
        """The sweeper's call. After a fault, it comes again an hour later."""
        hits = len(self.wire.hits)
        try:
            self.winnow.invoke(MEASURE_DRIFT, load_event("upkeep/measure_drift"), Context(seconds=600))
        except (Crash, Exception):
            if len(self.wire.hits) == hits:
                raise
            self.answers.append("measure drift: failed")
        self.observe()

    def settle(self, *pauses: int) -> None:
        """Let time pass and sweep after each pause, in minutes, until no work is left: first leases and deletions, then days."""
        for minutes in pauses or (6, 60, 25 * 60, 25 * 60):
            # The hourly sweep would meet a day that the pause passes over. Until ten past midnight it is about the day before.
            ten_ago = self.clock() - timedelta(minutes=10)
            days = (ten_ago + timedelta(minutes=minutes)).date() - ten_ago.date()
            for pause in (minutes - 24 * 60, 24 * 60) if days > timedelta(1) else (minutes,):
                self.clock.advance(minutes=pause)
                self.sweep()
                self.run_executions()

    def during(self, function: str, operation: str, what: Callable[[], object]) -> None:
        """Do something in the middle of a function: just before its first call of this operation."""

        def at(name: str) -> None:
            if self.wire.function == function and name == operation:
                self.wire.at_each_call = None
                what()

        self.wire.at_each_call = at

    # --- the state ---

    def rows(self) -> list[Json]:
        return moments.rows(self.winnow)

    def observe(self) -> None:
        """Check what must hold at every moment, and record the versions."""
        rows = self.rows()
        self.outside.see(rows, self.winnow.table)
        self.deeds.see(rows)
        active: Counter[str] = Counter()
        for row in rows:
            if row["pk"] == "MODELS" and row.get("uid") not in self.uids.setdefault(row["sk"], []):
                self.uids[row["sk"]].append(row.get("uid", "none"))
            if not row["pk"].startswith("VERSIONS#") or "version" not in row:
                continue
            known = self.made.setdefault((row["uid"], int(row["version"])), row["created_at"])
            if known != row["created_at"]:
                self.found.append(f"version {row['version']} was made twice: its number was used again")
            active[row["uid"]] += row["status"] in ACTIVE
        self.found += [f"{number} active versions of one model" for number in active.values() if number > 1]
        at_once = {
            "MostTrainings": self._trained_at_once(rows),
            "MostBatches": self._batches_at_once(rows),
        }
        for parameter, jobs in at_once.items():
            most = int(self.winnow.setting({"Ref": parameter}))
            if len(jobs) > most:
                self.found.append(f"{sorted(jobs)} run at once, and {parameter} is {most}")

    def _batches_at_once(self, rows: list[Json]) -> set[str]:
        """The batches that have not ended and have a slot or an execution that runs, by their uid and id."""
        active = {f"{row['pk'].partition('#')[2]}-{row['sk']}" for row in rows if row.get("batch_status") in ACTIVE_BATCH}
        slots = {key.replace("#", "-") for row in rows if row["pk"] == "SLOTS" for key in row["since"]}
        running = {execution.name for execution in moments.executions("BatchWorkflow") if execution.status == "RUNNING"}
        return active & (slots | running)

    def _trained_at_once(self, rows: list[Json]) -> set[str]:
        """The active versions that have a slot or an execution that runs, as UID-VERSION."""
        versions = (row for row in rows if row["pk"].startswith("VERSIONS#") and row.get("status") in ACTIVE)
        # A row that an update made has its key alone.
        active = {f"{row['pk'].partition('#')[2]}-{int(row['sk'])}" for row in versions}
        slots = {name.replace("#", "-") for row in rows if row["pk"] == "TRAININGS" for name in row["since"]}
        running = {execution.name.rpartition("-")[0] for execution in moments.executions() if execution.status == "RUNNING"}
        return active & (slots | running)


def _end(execution: Any, status: str) -> None:
    if execution.status == "RUNNING":
        execution.status = status
