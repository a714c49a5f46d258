"""The protocol for training a classifier of any recipe: passes over examples that can be interrupted and resumed elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Fitting(Protocol):
    """A classifier that learns from examples. epochs: the number of finished passes. loss: the mean per text in the last one.

    The fitting may be interrupted where `begin` or `run_epoch` yields, several times a second. To continue, make another fitting with the
    same examples and settings, run its `begin`, and pass the result of `save` to `resume`. The final numbers are the same.
    """

    @property
    def epochs(self) -> int: ...

    @property
    def loss(self) -> float: ...

    @property
    def share(self) -> float:
        """The part of the current pass that is done: 0 to 1."""
        ...

    def begin(self) -> Iterator[None]:
        """Read the examples."""
        ...

    def run_epoch(self) -> Iterator[None]:
        """Do one pass, or the rest of one."""
        ...

    def held_out_logits(self) -> NDArray[np.float32]:
        """The current logits of the held-out texts, of shape (texts, labels)."""
        ...

    def finish(self) -> None:
        """Put the classifier into its final state. No pass can follow."""
        ...

    def save(self) -> dict[str, NDArray[Any]]: ...

    def resume(self, saved: Mapping[str, NDArray[Any]]) -> None: ...
