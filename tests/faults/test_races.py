"""Requests at once, interleaved at each call to AWS: 200 POSTs of one id, and pairs of requests that conflict.

`make test-all` runs 60 interleavings of each pair. `make test-faults INTERLEAVINGS=…` runs any number.
"""

from __future__ import annotations

import json
import math
import os
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import DATA, Context, load_event
from tests.faults import broken
from tests.faults.interleaving import Race, interleave
from tests.faults.invariants import not_forgotten, violations
from tests.faults.operations import INBOX_FILE, TRAINING_FILE, begin, corrections, learnt
from tests.faults.world import MODEL, SWEEP, TAKE_FILE
from tests.support import moments
from tests.support.feedback import labelled
from tests.support.forgetting import WORK

if TYPE_CHECKING:
    from tests.conftest import Tell
    from tests.faults.world import World

POSTS, ROUNDS = 200, 20
INTERLEAVINGS = int(os.environ.get("INTERLEAVINGS") or 60)
# Each looks everywhere several times.
FORGETTINGS = INTERLEAVINGS // 2


# --- many POSTs of one id ---


def test_of_many_posts_of_one_id_exactly_one_makes_a_job(world: World, tell: Tell) -> None:
    won = [_posts_at_once(world, seed, POSTS) for seed in range(ROUNDS)]

    tell(f"{POSTS} POSTs at once, {ROUNDS} rounds: jobs {dict(Counter(jobs for jobs, _ in won))}, answers {dict(_sum(won))}")
    assert [jobs for jobs, _ in won] == [1] * ROUNDS
    assert _sum(won) == {202: ROUNDS, 409: (POSTS - 1) * ROUNDS}


def test_many_posts_find_a_get_then_put(world: World, tell: Tell, monkeypatch: pytest.MonkeyPatch) -> None:
    broken.get_then_put(monkeypatch)

    won = [_posts_at_once(world, seed, POSTS // 4) for seed in range(3)]

    tell(f"{POSTS // 4} POSTs at once, 3 rounds: jobs {[jobs for jobs, _ in won]}, answers {dict(_sum(won))}")
    assert max(jobs for jobs, _ in won) > 1


def _posts_at_once(world: World, seed: int, number: int) -> tuple[int, Counter[int]]:
    """The number of jobs that they made, and the number of answers of each status."""
    begin(world, "nothing")
    event = load_event("api/create_model")
    actors = {str(each): lambda: world.winnow.invoke("functions/api/create_model", event)["statusCode"] for each in range(number)}
    with world.winnow.running_at_once():
        race = interleave(world.wire, random.Random(seed), actors)
    return len(moments.executions()), Counter(race.outcomes.values())


def _sum(won: list[tuple[int, Counter[int]]]) -> Counter[int]:
    return sum((answers for _, answers in won), Counter())


# --- slots ---


@pytest.mark.parametrize("start", ["nothing", "ready"], ids=["first slots", "later slots"])
def test_who_read_the_slots_before_they_were_given_gives_none(world: World, start: str) -> None:
    begin(world, start)

    _give_slots_late(world)

    assert world.found == []
    assert sum(execution.status == "RUNNING" for execution in moments.executions()) == 1


def test_a_slot_that_is_given_twice_is_found(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    broken.no_revision_of_slots(monkeypatch)
    begin(world, "nothing")

    _give_slots_late(world)

    assert any("MostTrainings" in it for it in world.found)


def _give_slots_late(world: World) -> None:
    """Slots go to the oldest requests, so a slot that is lost goes to the same version again, unless an older request comes to light.

    The request of `oldest` has its time, and isn't registered yet. `late` has read that the slot is free, and is cancelled before it
    takes it. `trained` gets the slot and starts. Then `late` takes the slot after all, and `oldest` is registered.
    """

    def cancel_and_post() -> None:
        world.cancel("late")
        world.post("trained")

    def post_and_read() -> None:
        world.during("api/create_model", "UpdateItem", cancel_and_post)
        world.post("late")

    world.winnow.parameters["MostTrainings"] = "1"
    world.during("api/create_model", "TransactWriteItems", post_and_read)
    world.post("oldest")


# --- a batch whose model is deleted ---


def test_a_batch_whose_model_is_deleted_meanwhile_is_not_made(world: World) -> None:
    assert _batch_of_a_deleted_model(world) == (404, [])


def test_a_batch_that_is_made_all_the_same_is_found(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    broken.no_check_of_another_row(monkeypatch)

    status, left = _batch_of_a_deleted_model(world)

    assert status == 202
    assert len(left) == 2


def _batch_of_a_deleted_model(world: World) -> tuple[int, list[Any]]:
    """The answer to a POST whose model is deleted, with all rows and objects, just before its write; and the rows that are left."""
    begin(world, "ready")
    world.during("api/create_batch", "TransactWriteItems", world.delete)
    status = _create_batch(world)
    return status, [row for row in world.rows() if row["pk"].startswith("BATCHES")]


# --- pairs that conflict ---


@dataclass(frozen=True)
class Pair:
    """Two requests at once. violated: yields violations, found from the answers and the state afterwards.

    leaves_work: whether they can leave work, so that each race must settle. parameters: of the template, from the race on.
    number: of interleavings.
    """

    start: str
    actors: Callable[[World], Mapping[str, Callable[[], Any]]]
    violated: Callable[[World, Race], Iterator[str]]
    leaves_work: bool = True
    parameters: Mapping[str, str] = field(default_factory=dict)
    number: int = INTERLEAVINGS


def _answer(world: World, function: str, body: Any = None) -> Any:
    event = load_event(f"api/{function}") | {"pathParameters": {"model_id": MODEL}}
    if body is not None:
        event["body"] = json.dumps(body)
    raw = world.winnow.invoke(f"functions/api/{function}", event)
    return raw["statusCode"], json.loads(raw["body"])


def _delete(world: World) -> Any:
    return _answer(world, "delete_model")


def _publish(world: World) -> None:
    [execution] = moments.executions()
    world.run(execution)


def _retrain(world: World) -> Any:
    body = json.loads(load_event("api/create_model_force_update")["body"])
    return _answer(world, "create_model", {**body, "id": MODEL, "s3bucket": "albert-textcats", "n_iter": 1})


def _retrain_and_prepare(world: World) -> Any:
    """POST, and begin its workflow while others still run. Returns the answer."""
    answer = _retrain(world)
    for execution in moments.executions():
        if execution.status == "RUNNING":
            world.run(execution, tasks=1)
    return answer


def _delete_and_commit_violated(world: World, race: Race) -> Iterator[str]:
    status, _ = race.outcomes["DELETE"]
    if status not in {200, 202}:
        yield f"DELETE answered {status}"
    if any(row["pk"] == "MODELS" for row in world.rows()):
        yield "the model was deleted and is there"


def _retrain_and_delete_violated(world: World, race: Race) -> Iterator[str]:
    (deleted, _), (status, posted) = race.outcomes["DELETE"], race.outcomes["POST"]
    if (deleted not in {200, 202}) or status != 202:
        yield f"DELETE answered {deleted} and POST {status}"
        return
    # Version 2 belonged to the old model and is deleted with it. Version 1 belongs to a new model, which nobody deleted.
    there = any(row["pk"] == "MODELS" for row in world.rows())
    if there != (posted["version"] == 1):
        yield f"POST made version {posted['version']}, and the model is {'there' if there else 'gone'}"


def _promote(world: World, version: int, if_match: str | None = None) -> Any:
    event = load_event("api/promote_version")
    event["body"] = json.dumps({"version": version})
    if if_match:
        event["headers"] = event["headers"] | {"If-Match": if_match}
        event["multiValueHeaders"] = event["multiValueHeaders"] | {"If-Match": [if_match]}
    raw = world.winnow.invoke("functions/api/promote_version", event)
    return raw["statusCode"], json.loads(raw["body"])


def _both_promote(world: World) -> Mapping[str, Callable[[], Any]]:
    return {"to 1": lambda: _promote(world, 1), "to 2": lambda: _promote(world, 2)}


def _both_promote_if_unchanged(world: World) -> Mapping[str, Callable[[], Any]]:
    raw = world.winnow.invoke("functions/api/get_model", load_event("api/get_model"))
    tag = raw["headers"]["ETag"]
    return {"to 1": lambda: _promote(world, 1, tag), "to 2": lambda: _promote(world, 2, tag)}


def _live(world: World) -> int:
    return next(int(row["live_version"]) for row in world.rows() if row["pk"] == "MODELS")


def _promote_violated(world: World, race: Race) -> Iterator[str]:
    statuses = {name: status for name, (status, _) in race.outcomes.items()}
    if set(statuses.values()) != {200}:
        yield f"promoting answered {statuses}"
    if _live(world) not in {1, 2}:
        yield f"{_live(world)} is live"


def _promote_if_unchanged_violated(world: World, race: Race) -> Iterator[str]:
    statuses = {name: status for name, (status, _) in race.outcomes.items()}
    if sorted(statuses.values()) != [200, 412]:
        yield f"promoting if unchanged answered {statuses}"
    elif statuses[f"to {_live(world)}"] != 200:
        yield f"{_live(world)} is live, and promoting it was refused"


def _promote_and_delete_version(world: World) -> Mapping[str, Callable[[], Any]]:
    path = {"model_id": MODEL, "version": "1"}

    def delete() -> Any:
        raw = world.winnow.invoke("functions/api/delete_version", load_event("api/delete_version") | {"pathParameters": path})
        return raw["statusCode"], json.loads(raw["body"])

    return {"promote": lambda: _promote(world, 1), "DELETE": delete}


def _promote_and_delete_version_violated(world: World, race: Race) -> Iterator[str]:
    statuses = {name: status for name, (status, _) in race.outcomes.items()}
    promoted, deleted = statuses["promote"] == 200, statuses["DELETE"] in {200, 202}
    if promoted == deleted:
        yield f"promoting and deleting the same version answered {statuses}"
    if (_live(world) == 1) != promoted:
        yield f"{_live(world)} is live; the answers were {statuses}"


def _change_and_promote(world: World) -> Mapping[str, Callable[[], Any]]:
    return {"PATCH": lambda: _answer(world, "change_model", {"retrain_after": 7}), "promote": lambda: _promote(world, 1)}


def _change_and_promote_violated(world: World, race: Race) -> Iterator[str]:
    statuses = {name: status for name, (status, _) in race.outcomes.items()}
    if set(statuses.values()) != {200} or _live(world) != 1:
        yield f"{_live(world)} is live, and the answers were {statuses}"


# --- policies ---


def _set_policy(world: World, **aim: Any) -> Any:
    return _answer(world, "set_policy", aim)


def _policy_and_promote_violated(world: World, race: Race) -> Iterator[str]:
    """A policy is of the version that was live when it was written, which both orders allow."""
    statuses = {name: status for name, (status, _) in race.outcomes.items()}
    if set(statuses.values()) != {200}:
        yield f"a policy and a promotion answered {statuses}"
    applied = [int(row["applied"]["version"]) for row in world.rows() if row["pk"].startswith("POLICIES#")]
    if len(applied) != 1 or applied[0] not in {1, 2} or _live(world) != 1:
        yield f"policies are of the versions {applied}, and {_live(world)} is live"


def _policy_and_delete_violated(world: World, race: Race) -> Iterator[str]:
    (deleted, _), (put, _) = race.outcomes["DELETE"], race.outcomes["PUT"]
    if deleted not in {200, 202} or put not in {200, 404}:
        yield f"DELETE answered {deleted} and PUT {put}"
    yield from (f"a policy of the deleted model is left: {row['sk']}" for row in world.rows() if row["pk"].startswith("POLICIES#"))


def _two_policies_violated(world: World, race: Race) -> Iterator[str]:
    """Both count, one after the other, and the last one stays."""
    if {status for status, _ in race.outcomes.values()} != {200}:
        yield f"two policies were answered with {race.outcomes}"
    made = sorted(int(row["revision"]) for row in world.rows() if row["pk"].startswith("POLICIES#"))
    named = next(row.get("policy") for row in world.rows() if row["pk"] == "MODELS")
    if (made, named) != ([1, 2], 2):
        yield f"two policies made {made}, and the model names {named}"


# --- with one Idempotency-Key ---


def _both_with_a_key(function: str, body: Any) -> Callable[[World], Mapping[str, Callable[[], Any]]]:
    def ask(world: World) -> Any:
        path = None if function == "create_model" else {"model_id": MODEL}
        answer = world.winnow.call(function, body=body, path=path, headers={"Idempotency-Key": "a-key"})
        return answer.status, answer.body

    return lambda world: {"one": lambda: ask(world), "two": lambda: ask(world)}


def _one_answer_violated(made: str, name: str) -> Callable[[World, Race], Iterator[str]]:
    """made: the partition of the rows that the requests make. name: of a row in their answers."""

    def violated(world: World, race: Race) -> Iterator[str]:
        answers = [(status, body.get(name)) for status, body in race.outcomes.values()]
        if len(set(answers)) > 1 or answers[0][0] >= 300:
            yield f"one Idempotency-Key was answered with {answers}"
        there = [row[name] for row in world.rows() if row["pk"].startswith(made)]
        if there.count(answers[0][1]) != 1 or len(there) != len(set(there)) or len(there) > 2:
            yield f"one Idempotency-Key made {there}"

    return violated


# --- slots, feedback, batches ---


def _start_waiting(world: World) -> None:
    world.winnow.invoke("functions/upkeep/start_waiting", load_event("upkeep/start_waiting"))


def _slots_violated(world: World, race: Race) -> Iterator[str]:
    """world.found says whether too many were trained at once, also after the next look at the queue."""
    yield from (f"{name} ended with {outcome!r}" for name, outcome in race.outcomes.items() if isinstance(outcome, BaseException))
    _start_waiting(world)
    world.observe()
    yield from world.found
    wait = any(row.get("status") == "queued" for row in world.rows())
    if wait and not any(execution.status == "RUNNING" for execution in moments.executions()):
        yield "a slot is free, trainings wait, and none was started"


def _take_back(world: World) -> Any:
    [batch] = [row["batch"] for row in world.rows() if row["pk"].startswith("FEEDBACK#")]
    return lambda: world.winnow.call("delete_examples", path={"model_id": MODEL, "batch": batch}).status


def _add_examples(world: World, retrain: str) -> Any:
    return world.winnow.call("add_examples", body={"examples": labelled(3), "retrain": retrain}, path={"model_id": MODEL}).status


def _add_corrections(world: World) -> Any:
    body = {"examples": corrections(world), "retrain": "no"}
    return lambda: world.winnow.call("add_examples", body=body, path={"model_id": MODEL}).status


def _corrections_violated(world: World, race: Race) -> Iterator[str]:
    """Each batch is there with what it dismisses, or neither is."""
    batches, kept = ({row["sk"] for row in world.rows() if row["pk"].startswith(pk)} for pk in ("FEEDBACK#", "KEPT#"))
    if not kept <= batches:
        yield f"dismissed by no batch: {kept - batches}"
    if race.outcomes.get("POST", 201) not in {201, 404, *({500} if "model" in race.outcomes else ())} or race.outcomes.get(
        "DELETE", 200
    ) not in {200, 409}:
        yield f"the answers were {race.outcomes}"
    left = {"POST": race.outcomes.get("POST") == 201, "DELETE": race.outcomes.get("DELETE") != 200}
    if "model" not in race.outcomes and len(kept) != sum(left.values()):
        yield f"the answers were {race.outcomes}, and {len(kept)} batches dismiss suspects"
    if "model" in race.outcomes and (batches or kept):
        yield f"left of the deleted model: {batches | kept}"


def _feedback_violated(world: World, race: Race) -> Iterator[str]:
    """Whether each batch is counted once is a violation of its own."""
    batches = sorted(row["examples"] for row in world.rows() if row["pk"].startswith("FEEDBACK#"))
    taken_back = race.outcomes.get("DELETE") == 200
    if race.outcomes["POST"] != 201 or race.outcomes.get("DELETE", 409) not in {200, 409}:
        yield f"the answers were {race.outcomes}"
    if batches.count(2) != (not taken_back) or len(batches) != len(race.outcomes) + ("DELETE" not in race.outcomes) - taken_back:
        yield f"the batches are {batches}"


def _change_labels(world: World) -> Any:
    return world.winnow.call("change_labels", body={"rename": {"baking": "bread"}}, path={"model_id": MODEL}).status


def _labels_violated(world: World, race: Race) -> Iterator[str]:
    """A version with other labels was made if the answer says so."""
    if race.outcomes["POST"] != 201 or race.outcomes["PATCH"] not in {202, 409}:
        yield f"the answers were {race.outcomes}"
    versions = [row for row in world.rows() if row["pk"].startswith("VERSIONS#")]
    changed = sum("label_changes" in row["dataset"] for row in versions)
    # The feedback may ask for one more when that has ended.
    if len(versions) not in {2, 3} or changed != (race.outcomes["PATCH"] == 202):
        yield f"the answers were {race.outcomes}, and there are {len(versions)} versions, {changed} with other labels"


def _create_batch(world: World) -> Any:
    return world.winnow.call("create_batch", path={"model_id": MODEL}, body=A_BATCH).status


def _batch_and_delete_violated(world: World, race: Race) -> Iterator[str]:
    """The registry takes the batch before the deletion, which then removes it, or not at all."""
    if race.outcomes["DELETE"][0] not in {200, 202} or race.outcomes["POST"] not in {202, 404}:
        yield f"the answers were {race.outcomes}"
    yield from (f"a batch of the deleted model is left: {row['sk']}" for row in world.rows() if row["pk"].startswith("BATCHES"))


def _two_reviewers(world: World, *, from_log: bool = False) -> Mapping[str, Callable[[], Any]]:
    """Two reviewers ask for one text each, and there are two."""
    if from_log:
        world.predict(text="prune the roses")
    world.post_queue(from_log=from_log)
    event = load_event("api/get_queue") | {"pathParameters": {"model_id": MODEL}, "queryStringParameters": {"limit": "1"}}

    def get() -> Any:
        raw = world.winnow.invoke("functions/api/get_queue", event)
        return raw["statusCode"], [item["item"] for item in json.loads(raw["body"])["items"]]

    return {"one": get, "two": get}


def _reviewers_violated(_: World, race: Race) -> Iterator[str]:
    (status, one), (other_status, two) = race.outcomes["one"], race.outcomes["two"]
    if (status, other_status) != (200, 200) or len({*one, *two}) != len([*one, *two]) or not one or not two:
        yield f"two reviewers got {one} ({status}) and {two} ({other_status})"


def _work_and(**others: Callable[[World], Any]) -> Callable[[World], Mapping[str, Callable[[], Any]]]:
    """Work on a forgetting, against something else."""

    def actors(world: World) -> Mapping[str, Callable[[], Any]]:
        # Version 1 is there, so this is what was asked for.
        world.forgotten = [learnt(world)]
        [forgetting] = [row["sk"] for row in world.rows() if row["pk"] == "FORGETTINGS"]
        work = lambda: world.winnow.invoke(WORK, {"forgetting": forgetting}, Context(seconds=900))  # noqa: E731
        return {"work": work} | {name: partial(other, world) if other is not _work else work for name, other in others.items()}

    return actors


def _work(_: World) -> None:
    """Stands for the same work a second time."""


def _send_it_again(world: World) -> Any:
    """Feedback with the text that is being forgotten."""
    body = {"examples": [{"text": world.forgotten[0], "label": "cycling"}], "retrain": "no"}
    return world.winnow.call("add_examples", body=body, path={"model_id": MODEL}).status


def _forget_violated(world: World, race: Race) -> Iterator[str]:
    """It ends, and nothing of it is left. What comes meanwhile is forgotten too."""
    yield from (f"{name} raised {outcome!r}" for name, outcome in race.outcomes.items() if isinstance(outcome, BaseException))
    for _ in range(6):
        world.settle(20)
    yield from not_forgotten(world)


def _told_of(key: str, times: int) -> Callable[[World], Mapping[str, Callable[[], Any]]]:
    """S3 tells of a file several times at once."""

    def actors(world: World) -> Mapping[str, Callable[[], Any]]:
        body = (DATA / "exclusive.json").read_bytes() if key == TRAINING_FILE else b'"a flat tyre"\n'
        world.winnow.s3.put_object(Bucket=world.winnow.names["Datasets"], Key=key, Body=body)
        event = load_event("upkeep/take_file")
        event["detail"]["object"]["key"] = key
        return {str(each): lambda: world.winnow.invoke(TAKE_FILE, event) for each in range(times)}

    return actors


def _told_violated(world: World, race: Race) -> Iterator[str]:
    yield from (f"{name} raised {outcome!r}" for name, outcome in race.outcomes.items() if outcome is not None)
    rows = world.rows()
    begun = [row for row in rows if row.get("object") == INBOX_FILE and row["pk"].startswith("BATCHES#")]
    begun += [row for row in rows if row.get("dataset", {}).get("training_object") == TRAINING_FILE]
    if len(begun) != 1 or any(row["pk"] == "INBOX" for row in rows):
        yield f"the file has begun {len(begun)} times: {[(row['pk'], row['sk']) for row in rows]}"


def _deliver_and_delete(world: World) -> Mapping[str, Callable[[], Any]]:
    """The event that a batch has ended comes again while its model is deleted."""
    [row] = [row for row in world.rows() if row["pk"].startswith("BATCHES#")]
    result = {"s3bucket": world.winnow.names["Models"], "object": f"batches/{row['uid']}/{row['batch']}/result.jsonl"}
    detail = {"model_id": MODEL, "batch": row["batch"], "object": INBOX_FILE, "result": result}
    event = {"detail-type": "Winnow Batch Ended", "detail": detail}
    return {"deliver": lambda: world.winnow.invoke(TAKE_FILE, event), "DELETE": lambda: _delete(world)[0]}


def _deliver_and_delete_violated(world: World, race: Race) -> Iterator[str]:
    if race.outcomes["deliver"] is not None or race.outcomes["DELETE"] not in {200, 202}:
        yield f"the outcomes were {race.outcomes}"
    yield from (f"a result of the deleted model is left: {key}" for key in moments.bodies(world.winnow) if key.startswith("outbox/"))


def _two_sweeps(world: World) -> Mapping[str, Callable[[], Any]]:
    """Two sweepers find that a schedule has come."""
    world.change(schedule="rate(1 hour)")
    world.clock.advance(hours=2)
    event = load_event("upkeep/sweep") | {"time": "2026-11-23T16:00:00Z"}
    sweep = lambda: world.winnow.invoke(SWEEP, event, Context(seconds=900))  # noqa: E731
    return {"one": sweep, "two": sweep}


def _two_sweeps_violated(world: World, race: Race) -> Iterator[str]:
    versions = [row for row in world.rows() if row["pk"].startswith("VERSIONS#")]
    if len(versions) != 2 or set(race.outcomes.values()) != {None}:
        yield f"there are {len(versions)} versions, and the outcomes were {race.outcomes}"


A_BATCH = {"s3bucket": "albert-textcats", "object": "texts.jsonl"}
A_TRAINING = {"id": MODEL, "force_update": True, "s3bucket": "albert-textcats", "training_object": "trainingSet.json", "n_iter": 1}
PAIRS: Mapping[str, Pair] = {
    "one Idempotency-Key for two trainings": Pair(
        "ready", _both_with_a_key("create_model", A_TRAINING), _one_answer_violated("VERSIONS#", "version"), leaves_work=False
    ),
    "one Idempotency-Key for two feedback batches": Pair(
        "ready",
        _both_with_a_key("add_examples", {"examples": labelled(2), "retrain": "now"}),
        _one_answer_violated("FEEDBACK#", "batch"),
        leaves_work=False,
    ),
    "one Idempotency-Key for two batches": Pair(
        "ready", _both_with_a_key("create_batch", A_BATCH), _one_answer_violated("BATCHES#", "batch"), leaves_work=False
    ),
    "two that give slots against cancel": Pair(
        "three wait",
        lambda world: {
            "one": lambda: _start_waiting(world),
            "two": lambda: _start_waiting(world),
            "cancel": lambda: world.winnow.call("cancel_version", path={"model_id": MODEL, "version": "1"}).status,
        },
        _slots_violated,
        leaves_work=False,
        parameters={"MostTrainings": "1"},
    ),
    "take back against retrain": Pair(
        "feedback waits", lambda world: {"DELETE": _take_back(world), "POST": lambda: _add_examples(world, "now")}, _feedback_violated
    ),
    "feedback against retrain": Pair(
        "feedback waits",
        lambda world: {"POST": lambda: _add_examples(world, "now"), "another": lambda: _add_examples(world, "no")},
        _feedback_violated,
    ),
    "take corrections back against retrain": Pair(
        "corrections wait",
        lambda world: {"DELETE": _take_back(world), "POST": _add_corrections(world), "retrain": lambda: _add_examples(world, "now")},
        _corrections_violated,
    ),
    "corrections against delete": Pair(
        "corrections wait", lambda world: {"POST": _add_corrections(world), "model": lambda: _delete(world)[0]}, _corrections_violated
    ),
    "other labels against retrain": Pair(
        "feedback waits",
        lambda world: {"PATCH": lambda: _change_labels(world), "POST": lambda: _add_examples(world, "now")},
        _labels_violated,
    ),
    "two reviewers": Pair("texts", _two_reviewers, _reviewers_violated, leaves_work=False),
    "two reviewers of the log": Pair("logged", partial(_two_reviewers, from_log=True), _reviewers_violated, leaves_work=False),
    "one file of the inbox, told three times": Pair(
        "ready", _told_of(INBOX_FILE, 3), _told_violated, leaves_work=False, parameters={"Inbox": "true"}
    ),
    "one training file, told twice": Pair(
        "ready", _told_of(TRAINING_FILE, 2), _told_violated, leaves_work=False, parameters={"Inbox": "true"}
    ),
    "a result for the outbox against delete": Pair(
        "a file is classified", _deliver_and_delete, _deliver_and_delete_violated, parameters={"Inbox": "true"}
    ),
    "two sweeps at a schedule": Pair("feedback waits", _two_sweeps, _two_sweeps_violated, leaves_work=False),
    "batch against delete": Pair(
        "ready",
        lambda world: {"DELETE": lambda: _delete(world), "POST": lambda: _create_batch(world)},
        _batch_and_delete_violated,
        leaves_work=False,
    ),
    "promote against rollback": Pair("three versions", _both_promote, _promote_violated, leaves_work=False),
    "promote against rollback, each if unchanged": Pair(
        "three versions", _both_promote_if_unchanged, _promote_if_unchanged_violated, leaves_work=False
    ),
    "settings against promote": Pair("three versions", _change_and_promote, _change_and_promote_violated, leaves_work=False),
    "a policy against promote": Pair(
        "two versions",
        lambda world: {"PUT": lambda: _set_policy(world, thresholds={"baking": 1}), "to 1": lambda: _promote(world, 1)},
        _policy_and_promote_violated,
        leaves_work=False,
    ),
    "a policy against delete": Pair(
        "ready",
        lambda world: {"PUT": lambda: _set_policy(world, thresholds={"baking": 1}), "DELETE": lambda: _delete(world)},
        _policy_and_delete_violated,
    ),
    "two policies": Pair(
        "ready",
        lambda world: {
            "one": lambda: _set_policy(world, thresholds={"baking": 1}),
            "two": lambda: _set_policy(world, cost={"wrong": 1, "refused": 10}),
        },
        _two_policies_violated,
        leaves_work=False,
    ),
    **{
        f"a forgetting against {name}": Pair("asked to forget", _work_and(other=other), _forget_violated, number=FORGETTINGS)
        for name, other in {
            "retrain": _retrain_and_prepare,
            "feedback": _send_it_again,
            "delete": _delete,
            "batch": _create_batch,
            "itself": _work,
        }.items()
    },
    "promote against delete version": Pair("two versions", _promote_and_delete_version, _promote_and_delete_version_violated),
    "delete against commit": Pair(
        "to be published",
        lambda world: {"DELETE": lambda: _delete(world), "Publish": lambda: _publish(world)},
        _delete_and_commit_violated,
    ),
    "retrain against delete": Pair(
        "ready",
        lambda world: {"DELETE": lambda: _delete(world), "POST": lambda: _retrain_and_prepare(world)},
        _retrain_and_delete_violated,
    ),
}


@pytest.mark.parametrize("name", PAIRS)
def test_two_at_once_leave_what_one_after_the_other_could(world: World, tell: Tell, name: str) -> None:
    pair = PAIRS[name]
    found, orders = _race(world, pair, pair.number)

    tell(f"{pair.number} interleavings, {orders} different ones: {len(found)} violations")
    assert found == [], "\n".join(found)


@pytest.mark.parametrize(
    ("name", "break_it"),
    [
        ("delete against commit", broken.no_fence),
        ("retrain against delete", broken.no_fence),
        ("promote against rollback, each if unchanged", broken.no_fence),
        ("promote against delete version", broken.get_then_put),
        ("promote against rollback", broken.history_in_any_order),
        ("two reviewers", broken.no_revision_of_queues),
        ("two reviewers of the log", broken.no_revision_of_queues),
    ],
)
def test_two_at_once_find_what_is_broken_on_purpose(
    world: World, tell: Tell, monkeypatch: pytest.MonkeyPatch, name: str, break_it: Any
) -> None:
    break_it(monkeypatch)

    found, orders = _race(world, PAIRS[name], INTERLEAVINGS, enough=1)

    tell(f"{break_it.__name__}, found after {orders} interleavings: {found[:1]!s:.200}")
    assert found


def _race(world: World, pair: Pair, number: int, enough: float = math.inf) -> tuple[list[str], int]:
    """The violations with their seeds, up to this number, and the number of different interleavings."""
    found: list[str] = []
    orders = set()
    for seed in range(number):
        if len(found) >= enough:
            break
        begin(world, pair.start)
        moments.executions("BatchWorkflow").clear()
        world.lives = {}
        world.winnow.parameters.update(pair.parameters)
        with world.winnow.running_at_once():
            race = interleave(world.wire, random.Random(seed), pair.actors(world), _each_write(world))
            orders.add(race.order)
            found += [f"seed {seed}: {violation} ({race.outcomes})" for violation in _settled(world, pair, race, whole=seed % 10 == 0)]
    return found, len(orders)


def _each_write(world: World) -> Callable[[], None]:
    """Observe the world, if the last call can have changed it."""
    seen = 0

    def observe() -> None:
        nonlocal seen
        if len(world.wire.writes) > seen:
            seen = len(world.wire.writes)
            world.observe()

    return observe


def _settled(world: World, pair: Pair, race: Race, *, whole: bool) -> Iterator[str]:
    """The violations once everything has settled. whole: a running training is finished, not cancelled."""
    if not (pair.leaves_work or whole):
        yield from pair.violated(world, race)
        yield from world.deeds.faults(world.rows())
        return
    try:
        if not whole and any("training_version" in row for row in world.rows()):
            world.cancel(version=_active(world))
        world.run_executions()
        # Until deletions are final and orphans are a day old.
        world.settle(21, 25 * 60)
    except Exception as error:
        yield f"it never settles: {error!r}"
        return
    # The pair checks the answers itself: requests at once have no order that the world could record.
    world.lives = {}
    yield from pair.violated(world, race)
    yield from violations(world)


def _active(world: World) -> int:
    return next((int(row["training_version"]) for row in world.rows() if row["pk"] == "MODELS" and "training_version" in row), 1)
