"""Actors that run at once, one call to AWS at a time, in an order from a seed: so each run of a race is the same."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.faults.wire import Wire


@dataclass(frozen=True)
class Race:
    """The course of a race. outcomes: what each actor returned or raised. order: the actor of each call."""

    outcomes: Mapping[str, Any]
    order: tuple[str, ...]


class _Actor(threading.Thread):
    """A thread that stops before each call to AWS until `go_on`."""

    def __init__(self, name: str, act: Callable[[], Any]) -> None:
        super().__init__(name=name, daemon=True)
        self._act = act
        self._go = threading.Semaphore(0)
        self._stands = threading.Semaphore(0)
        self.ended = False
        self.outcome: Any = None

    def run(self) -> None:
        self._go.acquire()
        try:
            self.outcome = self._act()
        except BaseException as error:
            self.outcome = error
        self.ended = True
        self._stands.release()

    def stand(self) -> None:
        self._stands.release()
        self._go.acquire()

    def go_on(self) -> None:
        """Let it make its next call, and run until the one after."""
        self._go.release()
        self._stands.acquire()


def interleave(
    wire: Wire, chance: random.Random, actors: Mapping[str, Callable[[], Any]], watch: Callable[[], None] = lambda: None
) -> Race:
    """Run the actors to their ends, one call at a time. No other code may make calls meanwhile. watch: called after each call."""
    threads = [_Actor(name, act) for name, act in actors.items()]

    def stop(_: str) -> None:
        thread = threading.current_thread()
        assert isinstance(thread, _Actor)
        thread.stand()

    wire.at_each_call = stop
    for thread in threads:
        thread.start()
    order: list[str] = []
    running = list(threads)
    while running:
        thread = chance.choice(running)
        thread.go_on()
        order.append(thread.name)
        watch()
        if thread.ended:
            thread.join()
            running.remove(thread)
    wire.at_each_call = None
    return Race({thread.name: thread.outcome for thread in threads}, tuple(order))
