"""What a local cloud has saved: its state and its objects at one moment.

FOLDER/saved/000007/about.json   when and by what it was saved
FOLDER/saved/000007/state        MiniStack's state, a file for each service
FOLDER/saved/000007/objects      what S3 holds
FOLDER/answered.jsonl            the calls that were answered since that moment

A snapshot is complete or not there: it gets its name last. A server works in FOLDER/state and FOLDER/objects. Each start makes them from
the last snapshot. MiniStack writes objects at once, and its state when it ends. So after a kill only a snapshot has the registry and S3 of
the same moment. Copies are hard links: MiniStack replaces files and never writes into one.
"""

import json
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

FORMAT = 1
WORKING = ("state", "objects")
_SHOWN = 5  # calls in a message


class SnapshotError(Exception):
    """The saved state can't be used. The message is one sentence for the user."""


@dataclass(frozen=True)
class About:
    """When a snapshot was taken (seconds since 1970), whether by a stop, and by which MiniStack."""

    saved_at: float
    final: bool
    ministack: str
    format: int = FORMAT


@dataclass(frozen=True)
class Answered:
    """A call that was answered, such as "POST /models", and when (seconds since 1970)."""

    at: float
    call: str


class Snapshots:
    """The snapshots of the local cloud in a folder. One server at a time uses them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._saved = folder / "saved"
        self._answered = folder / "answered.jsonl"

    def latest(self) -> Path | None:
        """The last complete snapshot."""
        return max((each for each in self._all() if each.name.isdecimal()), key=lambda each: int(each.name), default=None)

    def about(self) -> About | None:
        """What is known about the last snapshot, or None if there is none."""
        latest = self.latest()
        if latest is None:
            return None
        try:
            return About(**json.loads((latest / "about.json").read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            raise SnapshotError(_unreadable(latest / "about.json", self._folder)) from None

    def begin(self) -> Path:
        """An empty folder for the next snapshot."""
        latest = self.latest()
        new = self._saved / f"{int(latest.name) + 1 if latest else 1:06d}.new"
        shutil.rmtree(new, ignore_errors=True)
        (new / "state").mkdir(parents=True)
        return new

    def finish(self, new: Path, about: About) -> None:
        """Make the new folder the last snapshot, and forget the others."""
        (new / "about.json").write_text(json.dumps(asdict(about)), encoding="utf-8")
        new.rename(new.with_suffix(""))
        self._forget_older()

    def note(self, call: str) -> None:
        """Note a call that was answered."""
        with self._answered.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(Answered(time.time(), call))) + "\n")

    def answered_since(self) -> list[Answered]:
        """The noted calls that may be missing in the last snapshot."""
        about = self.about()
        return [each for each in self._noted() if about is None or each.at > about.saved_at]

    def forget_saved_calls(self) -> None:
        """Keep only the notes of calls that may be missing in the last snapshot."""
        kept = self.answered_since()
        self._answered.write_text("".join(json.dumps(asdict(each)) + "\n" for each in kept), encoding="utf-8")

    def restore(self, ministack: str) -> str | None:
        """Make the working folders from the last snapshot. `ministack`: the version that will read them.

        Returns a sentence about what is missing in them after a kill.
        """
        earlier_release = not self._saved.exists()
        self._saved.mkdir(exist_ok=True)
        missing = self._adopt(ministack) if earlier_release else None
        about, latest = self.about(), self.latest()
        if about and (about.format > FORMAT or _numbers(about.ministack) > _numbers(ministack)):
            theirs, ours = f"format {about.format}, MiniStack {about.ministack}", f"format {FORMAT}, MiniStack {ministack}"
            raise SnapshotError(
                f"{self._saved} is of a newer Winnow ({theirs}; this one has {ours}): use the newer one. To start empty, run "
                f"`mv {self._folder} {self._folder}.kept`"
            )
        self._forget_older()
        for name in WORKING:
            working = self._folder / name
            shutil.rmtree(working, ignore_errors=True)
            if latest and (latest / name).exists():
                link(latest / name, working)
            working.mkdir(exist_ok=True)
        return missing or self.missing()

    def missing(self) -> str | None:
        """A sentence about what the last snapshot does not have, or None if a stop saved it and nothing was answered since."""
        about, answered = self.about(), self.answered_since()
        if about and about.final and not answered:
            return None
        if about is None:
            return f"the local cloud ended before it saved anything{_named(answered)}" if answered else None
        lost = f"what was answered later is not saved{_named(answered)}" if answered else "no later change is known"
        return f"the local cloud ended without a stop: it has its state of {_clock(about.saved_at)}; {lost}"

    def _adopt(self, ministack: str) -> str | None:
        """Make a snapshot from the working folders of an earlier release, which saved only at a stop."""
        state, objects = (self._folder / name for name in WORKING)
        if any(state.glob("*.json")):
            new = self.begin()
            for folder in (state, objects):
                link(folder, new / folder.name)
            self.finish(new, About(time.time(), final=True, ministack=ministack))
        elif objects.exists() and any(objects.iterdir()):
            # It was killed before its first stop, and a new deployment can't have the old buckets.
            aside = self._folder / "objects-without-registry"
            objects.rename(aside)
            return f"the local cloud was killed before its first stop and has lost its models; the objects that it had are in {aside}"
        return None

    def _noted(self) -> Iterator[Answered]:
        try:
            lines = self._answered.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return
        for line in lines:
            try:
                yield Answered(**json.loads(line))
            except (ValueError, TypeError):  # the kill came in the middle of the line
                continue

    def _all(self) -> Iterator[Path]:
        if self._saved.exists():
            yield from self._saved.iterdir()

    def _forget_older(self) -> None:
        latest = self.latest()
        for each in self._all():
            if each != latest:
                shutil.rmtree(each, ignore_errors=True)


def link(source: Path, target: Path) -> None:
    """Copy a folder by hard links, or by copies where the file system has no links. Half-written files are left out."""
    shutil.copytree(source, target, copy_function=link_file, ignore=shutil.ignore_patterns("*.tmp"), dirs_exist_ok=True)


def link_file(source: Path | str, target: Path | str) -> None:
    """Copy a file by a hard link, or by a copy."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdecimal())


def _named(answered: list[Answered]) -> str:
    """The calls, the last few by name."""
    if not answered:
        return ""
    last = ", ".join(f"{each.call} ({_clock(each.at)})" for each in answered[-_SHOWN:])
    return f": {last}" if len(answered) <= _SHOWN else f": {len(answered)} calls, at last {last}"


def _clock(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).astimezone().strftime("%H:%M:%S")


def _unreadable(file: Path, folder: Path) -> str:
    return f"{file} can't be read: to start empty, run `mv {folder} {folder}.kept`"
