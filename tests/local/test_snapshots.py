"""What a local cloud saves, and what a start makes of it: folders only, no server."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from local.snapshots import About, SnapshotError, Snapshots, link

MINISTACK = "1.5.33"


def write(folder: Path, rows: str, content: str) -> None:
    """What a server works with: its state, and an object."""
    for name, text in (("state/dynamodb.json", rows), ("objects/bucket/key", content)):
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.unlink(missing_ok=True)  # MiniStack replaces a file
        file.write_text(text)


def save(folder: Path, *, final: bool = False, ministack: str = MINISTACK) -> None:
    snapshots = Snapshots(folder)
    new = snapshots.begin()
    for name in ("state", "objects"):
        link(folder / name, new / name)
    snapshots.finish(new, About(time.time(), final, ministack))


def read(folder: Path) -> tuple[str, str]:
    return (folder / "state/dynamodb.json").read_text(), (folder / "objects/bucket/key").read_text()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a snapshot in it, and with a later change of both working folders."""
    Snapshots(tmp_path).restore(MINISTACK)
    write(tmp_path, "rows 1", "object 1")
    save(tmp_path)
    write(tmp_path, "rows 2", "object 2")
    return tmp_path


def test_registry_and_objects_are_those_of_one_moment(folder: Path) -> None:
    Snapshots(folder).restore(MINISTACK)
    assert read(folder) == ("rows 1", "object 1")


def test_a_snapshot_that_a_kill_cut_off_is_not_there(folder: Path) -> None:
    new = Snapshots(folder).begin()
    link(folder / "state", new / "state")
    Snapshots(folder).restore(MINISTACK)
    assert read(folder) == ("rows 1", "object 1")
    assert not new.exists()


def test_only_the_last_snapshot_stays(folder: Path) -> None:
    save(folder)
    assert [each.name for each in (folder / "saved").iterdir()] == ["000002"]
    Snapshots(folder).restore(MINISTACK)
    assert read(folder) == ("rows 2", "object 2")


def test_a_start_after_a_kill_names_what_is_missing(folder: Path) -> None:
    snapshots = Snapshots(folder)
    assert "no later change is known" in str(snapshots.restore(MINISTACK))
    snapshots.note("POST /models")
    missing = snapshots.restore(MINISTACK)
    assert missing is not None
    assert "POST /models" in missing
    for number in range(9):
        snapshots.note(f"PUT /datasets/{number}")
    missing = str(snapshots.restore(MINISTACK))
    assert "10 calls" in missing
    assert "PUT /datasets/8" in missing
    assert "PUT /datasets/2" not in missing


def test_a_saved_call_is_not_missing(folder: Path) -> None:
    snapshots = Snapshots(folder)
    snapshots.note("POST /models")
    save(folder)
    snapshots.note("DELETE /models/a")
    snapshots.forget_saved_calls()
    assert [each.call for each in snapshots.answered_since()] == ["DELETE /models/a"]
    (folder / "answered.jsonl").open("a").write('{"at": 12')  # the kill came in the middle of the line
    assert [each.call for each in snapshots.answered_since()] == ["DELETE /models/a"]


def test_after_a_stop_nothing_is_missing_until_the_next_change(folder: Path) -> None:
    save(folder, final=True)
    snapshots = Snapshots(folder)
    assert snapshots.restore(MINISTACK) is None
    snapshots.note("POST /models")
    assert "POST /models" in str(snapshots.restore(MINISTACK))


def test_a_folder_of_an_earlier_release_is_taken_over(tmp_path: Path) -> None:
    write(tmp_path, "rows", "object")
    assert Snapshots(tmp_path).restore(MINISTACK) is None
    assert read(tmp_path) == ("rows", "object")
    # It is saved now, so a kill before the first save loses nothing of it.
    write(tmp_path, "later", "later")
    Snapshots(tmp_path).restore(MINISTACK)
    assert read(tmp_path) == ("rows", "object")


def test_objects_whose_registry_an_earlier_release_lost_are_put_aside(tmp_path: Path) -> None:
    write(tmp_path, "rows", "object")
    (tmp_path / "state/dynamodb.json").unlink()
    missing = Snapshots(tmp_path).restore(MINISTACK)
    assert missing is not None
    assert "objects-without-registry" in missing
    assert (tmp_path / "objects-without-registry/bucket/key").read_text() == "object"
    assert not any((tmp_path / "objects").iterdir())


def test_what_was_never_saved_is_gone_and_said(tmp_path: Path) -> None:
    snapshots = Snapshots(tmp_path)
    assert snapshots.restore(MINISTACK) is None
    write(tmp_path, "rows", "object")
    snapshots.note("POST /models")
    missing = snapshots.restore(MINISTACK)
    assert missing is not None
    assert "POST /models" in missing
    assert not any((tmp_path / "objects").iterdir())


def test_the_snapshot_of_a_newer_release_is_refused_and_kept(folder: Path) -> None:
    save(folder, ministack="1.6.0")
    with pytest.raises(SnapshotError, match=r"of a newer Winnow.* `mv "):
        Snapshots(folder).restore(MINISTACK)
    about = json.loads((folder / "saved/000002/about.json").read_text())
    assert about["ministack"] == "1.6.0"
    (folder / "saved/000002/about.json").write_text(json.dumps(about | {"ministack": MINISTACK, "format": 2}))
    with pytest.raises(SnapshotError, match="newer Winnow"):
        Snapshots(folder).restore(MINISTACK)


def test_an_unreadable_snapshot_is_refused(folder: Path) -> None:
    (folder / "saved/000001/about.json").write_text("{")
    with pytest.raises(SnapshotError, match=r"about.json can't be read: to start empty, run `mv "):
        Snapshots(folder).restore(MINISTACK)
