"""Registries broken on purpose: the tests of faults must find each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from winnow.aws import resources
from winnow.registry import review_queues
from winnow.registry import table as rows
from winnow.registry import training_jobs as registry_jobs
from winnow.registry.history import Recorded
from winnow.registry.slots import Held, Slots
from winnow.registry.training_jobs import Jobs
from winnow.storage.version_reports import VersionReports

# A condition that always holds.
ANYWAY = "attribute_exists(pk) OR attribute_not_exists(pk)"


def no_condition(monkeypatch: pytest.MonkeyPatch) -> None:
    """A job's writes succeed whatever the state of its version."""
    guarded = registry_jobs._guarded

    def unguarded(*arguments: Any, **more: Any) -> Any:
        return replace(guarded(*arguments, **more), condition="attribute_exists(#fence)", where={})

    monkeypatch.setattr(registry_jobs, "_guarded", unguarded)


def row_before_objects(monkeypatch: pytest.MonkeyPatch) -> None:
    """A version's figures are written after its commit."""
    later: list[tuple[Any, ...]] = []
    commit, write_figure = Jobs.commit, VersionReports.write_figure

    def commit_first(*arguments: Any, **more: Any) -> None:
        commit(*arguments, **more)
        for each in later:
            write_figure(*each)
        later.clear()

    def write_later(*arguments: Any) -> dict[str, str]:
        later.append(arguments)
        return {}

    monkeypatch.setattr(Jobs, "commit", commit_first)
    monkeypatch.setattr(VersionReports, "write_figure", write_later)


def forgotten_deletion(monkeypatch: pytest.MonkeyPatch) -> None:
    """A deletion removes the model's row, but writes no note of the objects that are still to be removed."""
    transact = rows.transact

    def is_note(write: Any) -> bool:
        return bool(write("")["Put"]["Item"]["pk"] == rows.DELETIONS if "Put" in write("") else False)

    monkeypatch.setattr(rows, "transact", lambda table, *writes: transact(table, *(write for write in writes if not is_note(write))))


def forgotten_forgetting(monkeypatch: pytest.MonkeyPatch) -> None:
    """A forgetting has no mark, so the sweeper never has it worked on."""
    mark = rows.forgetting_mark_key
    monkeypatch.setattr(rows, "forgetting_mark_key", lambda name: mark(name) | {"pk": "ELSEWHERE"})


def no_limit_of_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every batch prediction starts at once."""
    monkeypatch.setattr(resources, "most_batches", lambda: 1_000)


def no_fence(monkeypatch: pytest.MonkeyPatch) -> None:
    """An update is made even if its row has changed meanwhile or is gone."""
    arguments = rows.Update.arguments
    monkeypatch.setattr(rows.Update, "arguments", lambda change: arguments(replace(change, condition=ANYWAY, where={})))


def no_revision_of_queues(monkeypatch: pytest.MonkeyPatch) -> None:
    """A review queue is changed also if another request has changed it since it was read."""
    monkeypatch.setattr(review_queues, "_unchanged", lambda queue: ("#queue = :queue", {"queue": queue.queue}))


def no_revision_of_slots(monkeypatch: pytest.MonkeyPatch) -> None:
    """The slots are given even if they changed since they were read."""

    def give(slots: Slots, since: Mapping[str, str], _: Held) -> bool:
        rows.update(slots._table, rows.Update(slots._row, {"since": since}, ANYWAY, {}))
        return True

    monkeypatch.setattr(Slots, "give", give)


def no_check_of_another_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """A transaction is made whatever the state of a row that it only checks, such as a batch's model."""
    checked = rows.checked
    monkeypatch.setattr(rows, "checked", lambda key, condition, where: checked(key, f"{condition} OR {ANYWAY}", where))


def get_then_put(monkeypatch: pytest.MonkeyPatch) -> None:
    """Instead of one conditional transaction: check for the row, then put it, with one write after the other."""

    def one_by_one(table: Any, *writes: Any) -> None:
        made = [next(iter(write(table.name).items())) for write in writes]
        for kind, write in made:
            if kind == "Put" and "Item" in table.get_item(Key={name: write["Item"][name] for name in ("pk", "sk")}, ConsistentRead=True):
                raise rows.ConditionFailedError
        for kind, write in made:
            known = {name: value for name, value in write.items() if name != "TableName"}
            try:
                if kind == "Put":
                    table.put_item(Item=known["Item"])
                elif kind == "Update":
                    table.update_item(**known)
                elif kind == "Delete":
                    table.delete_item(**known)
            except table.meta.client.exceptions.ConditionalCheckFailedException as error:
                raise rows.ConditionFailedError from error

    monkeypatch.setattr(rows, "transact", one_by_one)


def no_history(monkeypatch: pytest.MonkeyPatch) -> None:
    """Deeds are done without an entry in the model's history."""
    transact = rows.transact
    monkeypatch.setattr(rows, "transact", lambda table, *writes: transact(table, *(write for write in writes if not _is_entry(write))))


def history_beside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Entries are written before their deeds, and not with them."""
    transact = rows.transact

    def one_after_the_other(table: Any, *writes: Any) -> None:
        for write in writes:
            if _is_entry(write):
                table.put_item(Item=write(table.name)["Put"]["Item"])
        transact(table, *(write for write in writes if not _is_entry(write)))

    monkeypatch.setattr(rows, "transact", one_after_the_other)


def history_in_any_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """A deed is done whatever has been done since the model was read."""
    monkeypatch.setattr(Recorded, "is_next", property(lambda _: ("attribute_exists(#uid)", {})))


def _is_entry(write: Any) -> bool:
    made = write("")
    return "Put" in made and str(made["Put"]["Item"]["pk"]).startswith("HISTORY#")
