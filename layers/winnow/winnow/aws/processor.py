"""The processor of this function, and the one that its layers were built for."""

from __future__ import annotations

import platform
import re
from importlib.metadata import PackageNotFoundError, distribution

from winnow.domain.errors import WinnowError

# A package with machine code of spaCy's layer, and one of the encoder's.
_PACKAGES = ("numpy", "onnxruntime")
# The platform of a wheel, as the build installed it: https://packaging.python.org/en/latest/specifications/platform-compatibility-tags/
_LINUX = re.compile(r"^Tag: .*linux.*_(x86_64|aarch64)$", re.MULTILINE)
# By platform.machine(), the value of the parameter Architecture.
_ARCHITECTURES = {"x86_64": "x86_64", "aarch64": "arm64"}


class ProcessorError(WinnowError):
    """The layers can't be imported on this function's processor. For the operator: no call of the API answers it."""


def check_layers() -> None:
    """Raise ProcessorError if a layer was built for another processor. Imports nothing of the layers."""
    for package in _PACKAGES:
        built_for = set(_LINUX.findall(_wheel(package)))
        if built_for and platform.machine() not in built_for:
            built, here = _ARCHITECTURES[built_for.pop()], architecture()
            raise ProcessorError(
                f"The layers were built for {built} ({package}), and the parameter Architecture is {here}:"
                f" deploy with Architecture={built}, or build them by `make build ARCHITECTURE={here}`."
            )


def not_imported(error: ImportError) -> ProcessorError:
    """The error for layers that can't be imported, whatever they were built for."""
    return ProcessorError(
        f"The layers can't be imported ({error}): build them for the parameter Architecture by `make build ARCHITECTURE={architecture()}`."
    )


def architecture() -> str:
    """The parameter Architecture, by the processor that this is."""
    return _ARCHITECTURES.get(platform.machine(), platform.machine())


def _wheel(package: str) -> str:
    """What the package's wheel says about itself. Empty if the package isn't there."""
    try:
        return distribution(package).read_text("WHEEL") or ""
    except PackageNotFoundError:
        return ""
