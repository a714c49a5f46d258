"""The drill: export, lose and import everything. Then nothing is missing, and the sweeper finds no work."""

from __future__ import annotations

import base64
import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tests.faults.invariants import violations
from tests.support import moments

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Tell
    from tests.faults.world import World


def test_what_was_exported_and_lost_is_there_again_after_the_import(world: World, tell: Tell, tmp_path: Path) -> None:
    _a_little_of_everything(world)
    before = _all(world)
    answers = [_answer(world, model_id) for model_id in ("tc-01", "tc-02", "tc-03")]
    assert [status for status, _ in answers] == [200, 200, 409]

    exported = _export(world, tmp_path / "backup")
    _wipe(world)
    assert _answer(world, "tc-01")[0] == 404
    _import(world, tmp_path / "backup")
    imported = _all(world)
    world.sweep()

    tell(f"{exported[0]} rows and {exported[1]} objects exported, lost and imported: {len(_difference(before, imported))} differences")
    assert _difference(before, imported) == []
    assert [_answer(world, model_id) for model_id in ("tc-01", "tc-02", "tc-03")] == answers
    swept = _difference(before, _all(world))
    # The first sweep writes the time of its search for orphans.
    assert [it for it in swept if "UPKEEP" not in it] == []
    world.settle()
    assert violations(world) == []
    assert [_answer(world, model_id) for model_id in ("tc-01", "tc-02")] == answers[:2]


def _a_little_of_everything(world: World) -> None:
    """A model with two versions, a model with one, a failed one, and one whose deletion isn't finished."""
    world.post()
    world.run_executions()
    world.post(force_update=True)
    world.run_executions()
    world.post("tc-02")
    world.run_executions()
    world.post("tc-03", training_object="absent.json")
    world.run_executions()
    world.post("tc-04")
    world.run_executions()
    world.delete("tc-04")


def _answer(world: World, model_id: str) -> tuple[int, Any]:
    world.winnow.environments.clear()
    answer = world.predict(model_id)
    assert answer is not None
    # Each answer has an id of its own.
    return answer.status, {name: value for name, value in answer.body.items() if name != "prediction_id"}


def _all(world: World) -> dict[str, Any]:
    """All rows and objects, by name."""
    rows = {f"row {row['pk']} {row['sk']}": row for row in world.rows()}
    return rows | {f"object {key}": body for key, body in world.winnow.objects().items()}


def _difference(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))


# Like the `aws` command line: a scan, and a copy of the bucket.


def _export(world: World, folder: Path) -> tuple[int, int]:
    client = world.winnow.table.meta.client
    folder.mkdir()
    rows = [item for page in client.get_paginator("scan").paginate(TableName=world.winnow.table.name) for item in page["Items"]]
    (folder / "rows.json").write_text(json.dumps(rows, default=_number), encoding="utf-8")
    objects = world.winnow.objects()
    encoded = {key: base64.b64encode(body).decode() for key, body in objects.items()}
    (folder / "objects.json").write_text(json.dumps(encoded), encoding="utf-8")
    return len(rows), len(objects)


def _number(value: Any) -> Any:
    assert isinstance(value, Decimal)
    return {"N": str(value)}


def _wipe(world: World) -> None:
    moments.bring_back(world.winnow, moments.nothing(world.winnow))
    assert _all(world) == {}


def _import(world: World, folder: Path) -> None:
    objects = json.loads((folder / "objects.json").read_text(encoding="utf-8"))
    for key, body in objects.items():
        world.winnow.s3.put_object(Bucket=world.winnow.names["Models"], Key=key, Body=base64.b64decode(body))
    rows = json.loads(
        (folder / "rows.json").read_text(encoding="utf-8"), object_hook=lambda it: Decimal(it["N"]) if set(it) == {"N"} else it
    )
    with world.winnow.table.batch_writer() as batch:
        for row in rows:
            batch.put_item(Item=row)
