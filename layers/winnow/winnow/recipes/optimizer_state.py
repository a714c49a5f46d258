"""The state of thinc's Adam as arrays for a checkpoint."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from thinc.api import Model


def saved(optimizer: Any, model: Model[Any, Any]) -> dict[str, NDArray[Any]]:
    """The moments and the number of updates of each parameter, and the random state that dropout uses."""
    _, keys, *places = np.random.get_state()
    state: dict[str, NDArray[Any]] = {"chance": np.asarray(keys), "chance_places": np.array(places)}
    for name, key in _parameters(model):
        if key in optimizer.mom1:
            state |= {f"{name}.mom1": np.asarray(optimizer.mom1[key]), f"{name}.mom2": np.asarray(optimizer.mom2[key])}
            state[f"{name}.updates"] = np.array(optimizer.nr_update[key])
    return state


def resume(optimizer: Any, model: Model[Any, Any], state: Mapping[str, NDArray[Any]]) -> None:
    """Restore the state from `saved`."""
    position, has_gauss, gauss = state["chance_places"].tolist()
    np.random.set_state(("MT19937", state["chance"], int(position), int(has_gauss), gauss))
    for name, key in _parameters(model):
        if f"{name}.mom1" in state:
            optimizer.mom1[key], optimizer.mom2[key] = state[f"{name}.mom1"], state[f"{name}.mom2"]
            optimizer.nr_update[key] = int(state[f"{name}.updates"])


def _parameters(model: Model[Any, Any]) -> Iterator[tuple[str, tuple[int, str]]]:
    """Each parameter's name, the same in every process, and the optimizer's key for it, which differs."""
    for place, node in enumerate(model.walk()):
        yield from ((f"{place}.{parameter}", (node.id, parameter)) for parameter in node.param_names)
