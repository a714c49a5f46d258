"""`winnow log`: which texts a model keeps of those that it classifies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from winnow_cli.client import Client
from winnow_cli.terminal import Terminal, line


def show_or_set(client: Client, terminal: Terminal, model: str, log: Mapping[str, Any] | None, *, change: bool) -> None:
    """Show the setting, or first set it to `log` if `change`."""
    path = f"/models/{model}"
    kept = (client.call("PATCH", path, {"log": log}) if change else client.call("GET", path))["log"]
    terminal.show({"model_id": model, "log": kept}, line(f"{model} keeps {_said(kept)}."))


def _said(log: Mapping[str, Any] | None) -> str:
    if log is None:
        return "none of the texts that it classifies"
    days = "a day" if log["days"] == 1 else f"{log['days']} days"
    return f"{100 * log['share']:.4g} % of the texts that it classifies, for {days}"
