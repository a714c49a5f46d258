"""What was done to models, as the rows of models, versions and feedback show it; and whether the histories say that and nothing else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.conftest import Json

type Deed = tuple[str, str, Any]

SETTINGS = ("retrain_after", "schedule", "tolerance", "log", "title", "note", "tags")
# These aren't in the order of the changes to the model, because they don't change what a deed is decided on.
UNORDERED = {"add-examples", "take-back-examples", "change-version"}


@dataclass(frozen=True)
class _State:
    """The models by their uids; the versions by uid and number; the ids of feedback batches by uid."""

    models: dict[str, Json] = field(default_factory=dict)
    versions: dict[str, dict[int, Json]] = field(default_factory=dict)
    batches: dict[str, set[str]] = field(default_factory=dict)

    @staticmethod
    def of(rows: Sequence[Json]) -> _State:
        state = _State()
        for row in rows:
            kind, _, uid = row["pk"].partition("#")
            if kind == "MODELS" and "uid" in row:
                state.models[row["uid"]] = row
            elif kind == "VERSIONS" and "version" in row:
                state.versions.setdefault(uid, {})[int(row["version"])] = row
            elif kind == "FEEDBACK":
                state.batches.setdefault(uid, set()).add(row["sk"])
        return state


@dataclass
class Deeds:
    """The deeds since the first look, in order: the model's id, the deed, and the version or batch that it is about."""

    seen: list[Deed] = field(default_factory=list)
    _before: _State | None = None
    _known: set[tuple[str, str]] = field(default_factory=set)

    def see(self, rows: Sequence[Json]) -> None:
        """Look what was done since the last look."""
        now = _State.of(rows)
        if self._before is None:
            self._known = {(row["pk"], row["sk"]) for row in rows if row["pk"].startswith("HISTORY#")}
        else:
            for uid in self._before.models | now.models:
                self.seen += _between(uid, self._before, now)
        self._before = now

    def faults(self, rows: Sequence[Json]) -> Iterator[str]:
        """What the histories say wrongly."""
        entries = sorted((row for row in rows if row["pk"].startswith("HISTORY#")), key=lambda row: str(row["sk"]))
        told = [_told(row) for row in entries if (row["pk"], row["sk"]) not in self._known]
        for deed in sorted({*told, *self.seen}, key=str):
            if told.count(deed) != self.seen.count(deed):
                yield f"{deed} was done {self.seen.count(deed)} times, and the history has it {told.count(deed)} times"
        for model_id in {deed[0] for deed in told}:
            if Counter(told) == Counter(self.seen) and _in_order(told, model_id) != _in_order(self.seen, model_id):
                yield f"{model_id} has the history {_in_order(told, model_id)}, and what happened is {_in_order(self.seen, model_id)}"
        yield from (f"an entry without an end: {row['sk']}" for row in entries if "expires" not in row)


def _in_order(deeds: Sequence[Deed], model_id: str) -> list[Deed]:
    return [deed for deed in deeds if deed[0] == model_id and deed[1] not in UNORDERED]


def _told(row: Json) -> Deed:
    about = row.get("batch") or (int(row["version"]) if "version" in row else None)
    return row["pk"].partition("#")[2], row["deed"], about


def _between(uid: str, before: _State, now: _State) -> Iterator[Deed]:
    old, new = before.models.get(uid), now.models.get(uid)
    model_id = (old or new or {})["sk"]
    if new is None:
        yield model_id, "delete-model", None
        return
    versions, earlier = now.versions.get(uid, {}), before.versions.get(uid, {})
    yield from ((model_id, "train", number) for number in versions.keys() - earlier.keys())
    # If several are gone, a forgetting withdrew them, the oldest first.
    yield from ((model_id, "delete-version", number) for number in sorted(earlier.keys() - versions.keys()))
    for number in versions.keys() & earlier.keys():
        if versions[number]["status"] == "cancelled" != earlier[number]["status"]:
            yield model_id, "cancel", number
        if versions[number].get("note") != earlier[number].get("note"):
            yield model_id, "change-version", number
    yield from _of_live(model_id, old or {}, new, earlier, versions)
    if old is not None and new["latest_version"] == old["latest_version"] and _settings(new) != _settings(old):
        yield model_id, "change-model", None
    if old is not None and new.get("policies") != old.get("policies"):
        yield model_id, "change-policy", None
    batches, gone = now.batches.get(uid, set()), before.batches.get(uid, set())
    yield from ((model_id, "add-examples", batch) for batch in batches - gone)
    yield from ((model_id, "take-back-examples", batch) for batch in gone - batches)


def _of_live(model_id: str, old: Json, new: Json, earlier: dict[int, Json], versions: dict[int, Json]) -> Iterator[Deed]:
    was, live = old.get("live_version"), new.get("live_version")
    if live is None or live == was:
        return
    number = int(live)
    just_ready = versions.get(number, {}).get("status") == "ready" != earlier.get(number, {}).get("status")
    yield model_id, "go-live" if just_ready else "roll-back" if was is not None and was > live else "promote", number


def _settings(model: Json) -> list[Any]:
    return [model.get(name) for name in SETTINGS]
