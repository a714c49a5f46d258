"""`winnow label`: ask for the label of one text after another, by single keys."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import typer

from winnow_cli.answers import Answers, opened
from winnow_cli.client import ApiError, Client
from winnow_cli.failures import CommandError
from winnow_cli.files import in_s3
from winnow_cli.terminal import Terminal, line, plain
from winnow_client import WinnowError

_ENTER, _UNDO, _SKIP, _NEW, _QUIT = "\r", "u", "s", "n", "q"
# An arrow or another special key is several characters, of which none is meant.
_SPECIAL = re.compile("\x1b(\\[[0-9;]*[A-Za-z~]|O[A-Z])?")
# How many texts are asked for at once.
_AT_ONCE = "10"
# Texts that were handed out longer ago may be somebody else's by now: they are for us for ten minutes.
_OURS_SECONDS = 9 * 60


def make(client: Client, terminal: Terminal, model: str, file: str | None, fields: Mapping[str, Any]) -> None:
    """Make the model's review queue of a file, or of the model's log if there is none. fields: the layout of the file."""
    if file is None:
        texts: Mapping[str, Any] = {"from": "log"}
    else:
        place = in_s3(client, terminal, file)
        texts = {"s3bucket": place["s3bucket"], "object": place["training_object"], **fields}
    made = client.call("POST", f"/models/{model}/queue", texts)
    drawn = f" of {made['rows']}" if made["looked_at"] < made["rows"] else ""
    terminal.say(line(f"Looked at {made['looked_at']}{drawn} texts by version {made['version']}. To label: {made['queued']}."))
    terminal.say(*(line(f"  {problem}", "yellow") for problem in made["problems"]))
    terminal.say(*(line(f"  perhaps a label ({group['texts']} texts): {_words(group)}") for group in made["groups"]))


def label(client: Client, terminal: Terminal, model: str, url: str, retrain: str | None) -> None:
    """Ask for labels until the user quits or no text is left. What was answered is sent, also if the command is interrupted."""
    with opened(client, model, url) as (answers, left):
        session = _Session(client, terminal, model, answers)
        with _kept(terminal, model, answers):
            for each in (*left, answers):
                if each:
                    terminal.say(line(f"Sending {len(each)} answers of an earlier time."))
                    each.send_all()
            answers.sent, answers.batches = 0, []
            try:
                session.ask_all()
            finally:
                answers.send_all(retrain)
        result = {"model_id": model, "labelled": answers.sent, "skipped": session.skipped, "batches": answers.batches}
        shown = [line(f"{_count(answers.sent)} labelled for {model}{_what_next(answers.last)}")]
        terminal.show(result, *shown)


class _Keys:
    """The keys that the user presses. A `with` has the terminal give each key at once."""

    def __init__(self) -> None:
        # A terminal may give several at once, if the user is faster than the API.
        self._typed: list[str] = []
        self._before: Any = None

    def __enter__(self) -> None:
        with suppress(ImportError):
            import termios  # noqa: PLC0415 - Windows has none
            import tty  # noqa: PLC0415

            if sys.stdin.isatty():
                self._before = termios.tcgetattr(sys.stdin)
                # Without a flush, so that no key is lost.
                tty.setcbreak(sys.stdin, termios.TCSADRAIN)

    def __exit__(self, *_: object) -> None:
        if self._before is not None:
            import termios  # noqa: PLC0415

            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, self._before)
            self._before = None

    def next(self) -> str:
        """The next key. At the end of the input, that of quitting."""
        if not self._typed:
            self._typed = list(self._read())
        return self._typed.pop(0)

    def line(self, prompt: str) -> str:
        """The next line, empty at the end of the input."""
        print(prompt, end="", file=sys.stderr, flush=True)
        typed = "".join(self._typed)
        self._typed.clear()
        if _ENTER in typed:
            typed, _, after = typed.partition(_ENTER)
            self._typed = list(after)
            return typed
        if self._before is None:
            return typed + sys.stdin.readline().strip()
        # The terminal's own line editing.
        self.__exit__()
        try:
            return typed + sys.stdin.readline().strip()
        finally:
            self.__enter__()

    def _read(self) -> str:
        if self._before is not None:
            keys = os.read(sys.stdin.fileno(), 32).decode(errors="replace")
        elif sys.stdin.isatty():
            keys = typer.getchar()
        else:
            keys = sys.stdin.read(1)
        # Ctrl-D is the end of the input.
        return _SPECIAL.sub("?", keys).replace("\n", _ENTER).replace("\x04", _QUIT) or _QUIT


@dataclass
class _Session:
    """One run of the command. history: the texts that were answered (True) or skipped, for undo."""

    client: Client
    terminal: Terminal
    model: str
    answers: Answers
    skipped: int = 0
    history: list[tuple[dict[str, Any], bool]] = field(default_factory=list)
    # Texts to ask again, the last one first.
    again: list[dict[str, Any]] = field(default_factory=list)
    exclusive: bool = True
    groups: dict[int, str] = field(default_factory=dict)
    left: int = 0
    keys: _Keys = field(default_factory=_Keys)

    def ask_all(self) -> None:
        texts = self._texts()
        with self.keys:
            while True:
                item = self.again.pop() if self.again else next(texts, None)
                if item is None or not self._ask(item):
                    return

    def _texts(self) -> Iterator[dict[str, Any]]:
        """The texts of the queue, until nothing is left for us."""
        while True:
            out = self._handed_out()
            self.exclusive, self.left = out["exclusive"], out["left"] - len(self.answers)
            self.groups = {group["group"]: _words(group) for group in out["groups"]}
            if not out["items"]:
                others = out["handed_out"] - len(self.answers)
                with_others = f"{others} are skipped or with other reviewers, for at most ten minutes" if others > 0 else "all are labelled"
                self.terminal.say(line(f"No more texts: {with_others}."))
                return
            fetched = time.monotonic()
            for item in out["items"]:
                if time.monotonic() - fetched > _OURS_SECONDS:
                    break
                # An answer that isn't sent yet is unknown to the API.
                if item["item"] not in self._answered():
                    yield item

    def _answered(self) -> set[str]:
        return {item["item"] for item, answered in self.history if answered}

    def _handed_out(self) -> Any:
        try:
            return self.client.call("GET", f"/models/{self.model}/queue", query={"limit": _AT_ONCE})
        except ApiError as error:
            if error.status == 404 and "review queue" in error.message:
                raise CommandError(
                    f"{self.model} has no review queue, or it has expired: make one with `winnow label {self.model} --file FILE`,"
                    " or with --from-log, of the texts that it keeps of those that it classifies."
                ) from error
            raise

    def _ask(self, item: dict[str, Any]) -> bool:
        """Ask for the label of a text. False to quit."""
        chosen: set[str] = set()
        self._show(item, chosen)
        while True:
            key = self.keys.next()
            names = [each["label"] for each in item["labels"]]
            if key == _QUIT:
                return False
            if key == _UNDO:
                if self._undo(item):
                    return True
            elif key == _SKIP:
                self.history.append((item, False))
                self.skipped += 1
                return True
            elif key == _NEW:
                name = self.keys.line("Label: ").strip()
                if name and self._choose(item, plain(name), chosen):
                    return True
            elif key.isdecimal() and 1 <= int(key) <= len(names):
                if self._choose(item, names[int(key) - 1], chosen):
                    return True
            elif key == _ENTER and not self.exclusive:
                self._answer(item, {"labels": sorted(chosen)})
                return True
            elif key != _ENTER:
                self.terminal.say(line(f"  no such key: {_help(len(names), exclusive=self.exclusive)}", "yellow"))

    def _choose(self, item: dict[str, Any], name: str, chosen: set[str]) -> bool:
        """Take a label. True if that is the whole answer."""
        if self.exclusive:
            self._answer(item, {"label": name})
            return True
        chosen ^= {name}
        self.terminal.say(line(f"  chosen: {', '.join(sorted(chosen)) or 'none'} (Enter to confirm)"))
        return False

    def _answer(self, item: dict[str, Any], labels: Mapping[str, Any]) -> None:
        self.terminal.say(line(f"  → {labels.get('label') or ', '.join(labels['labels']) or 'no label'}", "green"))
        self.history.append((item, True))
        self.left -= 1
        self.answers.add({"text": item["text"], **labels})

    def _undo(self, now: dict[str, Any]) -> bool:
        """Go back to the text before. False if there is none, or if its answer is sent."""
        if not self.history:
            self.terminal.say(line("  nothing to undo", "yellow"))
            return False
        item, answered = self.history[-1]
        if answered and self.answers.undo() is None:
            self.terminal.say(line("  that answer is sent already: send the text again with `winnow feedback`", "yellow"))
            return False
        self.history.pop()
        self.left += answered
        self.skipped -= not answered
        self.again += [now, item]
        return True

    def _show(self, item: Mapping[str, Any], chosen: set[str]) -> None:
        labels: Sequence[Mapping[str, Any]] = item["labels"]
        width = max((len(plain(each["label"])) for each in labels), default=0)
        shown = [line(""), line(f"“{item['text']}”", "bold")]
        if item["group"] in self.groups:
            shown.append(line(f"  perhaps a new label: {self.groups[item['group']]}"))
        shown += [line(f"  {number} {plain(each['label']):<{width}} {each['score']:.3f}") for number, each in enumerate(labels, start=1)]
        shown.append(line(f"  {_help(len(labels), exclusive=self.exclusive)}; {self.left} left", "dim"))
        self.terminal.say(*shown)


@contextmanager
def _kept(terminal: Terminal, model: str, answers: Answers) -> Iterator[None]:
    """Says where the answers are if they can't be sent."""
    try:
        yield
    except WinnowError:
        if len(answers):
            said = f"{len(answers)} answers are kept in {answers.path}: `winnow label {model}` sends them the next time."
            terminal.say(line(said, "yellow"))
        raise


def _help(labels: int, *, exclusive: bool) -> str:
    numbers = "1" if labels == 1 else f"1-{labels}"
    confirm = "" if exclusive else ", Enter confirm"
    return f"{numbers} label{confirm}, n another label, s skip, u undo, q quit"


def _words(group: Mapping[str, Any]) -> str:
    return ", ".join(map(plain, group["words"]))


def _count(texts: int) -> str:
    return "1 text" if texts == 1 else f"{texts} texts"


def _what_next(last: Mapping[str, Any] | None) -> str:
    if last is None:
        return ""
    if last["retrain"] == "waiting":
        return f"; examples pending: {last['waiting']}"
    return f"; version {last['version']} is training"
