"""What fitting a classifier is, whatever the recipe: passes over examples, which can be put down anywhere and taken up elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Fitting(Protocol):
    """A classifier that learns from examples. epochs: the passes over them that are done; loss: the mean of a text in the last of these.

    Where `begin` or `run_epoch` yields, the fitting may be put down: `save` gives what another of the same examples and settings needs,
    after its own `begin`, to `resume`. It then goes on to the same numbers. Each yields several times a second.
    """

    @property
    def epochs(self) -> int: ...

    @property
    def loss(self) -> float: ...

    @property
    def share(self) -> float:
        """Of the pass that runs, how much is done: 0 to 1."""
        ...

    def begin(self) -> Iterator[None]:
        """Read the examples."""
        ...

    def run_epoch(self) -> Iterator[None]:
        """Do one pass, or what is left of one."""
        ...

    def held_out_logits(self) -> NDArray[np.float32]:
        """Of the texts that were held out, as the classifier is now: of shape (texts, labels)."""
        ...

    def finish(self) -> None:
        """Make the classifier what it shall be from now on. No pass can follow."""
        ...

    def save(self) -> dict[str, NDArray[Any]]: ...

    def resume(self, saved: Mapping[str, NDArray[Any]]) -> None: ...
