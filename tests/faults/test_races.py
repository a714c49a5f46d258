"""Requests at once, interleaved at each call to AWS: 200 POSTs of one id, and pairs of requests that conflict."""

from __future__ import annotations

import json
import math
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import load_event
from tests.faults import broken
from tests.faults.interleaving import Race, interleave
from tests.faults.invariants import violations
from tests.faults.operations import begin
from tests.faults.world import MODEL
from tests.support import moments

if TYPE_CHECKING:
    from tests.conftest import Tell
    from tests.faults.world import World

POSTS, ROUNDS = 200, 20
INTERLEAVINGS = 200


@pytest.fixture(autouse=True)
def _at_once(world: World) -> Iterator[None]:
    with world.winnow.running_at_once():
        yield


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
    race = interleave(
        world.wire,
        random.Random(seed),
        {str(each): lambda: world.winnow.invoke("functions/api/create_model", event)["statusCode"] for each in range(number)},
    )
    return len(moments.executions()), Counter(race.outcomes.values())


def _sum(won: list[tuple[int, Counter[int]]]) -> Counter[int]:
    return sum((answers for _, answers in won), Counter())


# --- pairs that conflict ---


@dataclass(frozen=True)
class Pair:
    """Two requests at once. violated: yields violations, found from the answers and the state afterwards.

    leaves_work: whether they can leave work, so that each race must settle.
    """

    start: str
    actors: Callable[[World], Mapping[str, Callable[[], Any]]]
    violated: Callable[[World, Race], Iterator[str]]
    leaves_work: bool = True


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


PAIRS: Mapping[str, Pair] = {
    "promote against rollback": Pair("three versions", _both_promote, _promote_violated, leaves_work=False),
    "promote against rollback, each if unchanged": Pair(
        "three versions", _both_promote_if_unchanged, _promote_if_unchanged_violated, leaves_work=False
    ),
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
    found, orders = _race(world, PAIRS[name], INTERLEAVINGS)

    tell(f"{INTERLEAVINGS} interleavings, {orders} different ones: {len(found)} violations")
    assert found == [], "\n".join(found)


@pytest.mark.parametrize(
    ("name", "break_it"),
    [
        ("delete against commit", broken.no_fence),
        ("retrain against delete", broken.get_then_put),
        ("retrain against delete", broken.no_fence),
        ("promote against rollback, each if unchanged", broken.no_fence),
        ("promote against delete version", broken.get_then_put),
    ],
)
def test_two_at_once_find_what_is_broken_on_purpose(
    world: World, tell: Tell, monkeypatch: pytest.MonkeyPatch, name: str, break_it: Any
) -> None:
    break_it(monkeypatch)

    found, orders = _race(world, PAIRS[name], INTERLEAVINGS, enough=1)

    tell(f"{break_it.__name__}, found after {orders} interleavings: {found[0] if found else None:.200}")
    assert found


def _race(world: World, pair: Pair, number: int, enough: float = math.inf) -> tuple[list[str], int]:
    """The violations with their seeds, up to this number, and the number of different interleavings."""
    found: list[str] = []
    orders = set()
    for seed in range(number):
        if len(found) >= enough:
            break
        begin(world, pair.start)
        world.lives = {}
        race = interleave(world.wire, random.Random(seed), pair.actors(world))
        orders.add(race.order)
        world.observe()
        found += [f"seed {seed}: {violation} ({race.outcomes})" for violation in _settled(world, pair, race, whole=seed % 10 == 0)]
    return found, len(orders)


def _settled(world: World, pair: Pair, race: Race, *, whole: bool) -> Iterator[str]:
    """The violations once everything has settled. whole: a running training is finished, not cancelled."""
    if not (pair.leaves_work or whole):
        yield from pair.violated(world, race)
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
