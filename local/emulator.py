"""MiniStack from within: where it keeps its state, its workers and its stacks. Nothing else in local/ knows that.

It runs in MiniStack's environment. MiniStack reads its settings when it is imported, so that happens here and not at the top.
"""

from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from local.workers import queueing, sharing_layers

State = Callable[[], Any]
Hook = Callable[[dict[str, Any]], Any]


class UnreadableStateError(Exception):
    """A file of the saved state can't be read. The message names it."""


class Emulator:
    """MiniStack in this process, with workers that share layers and of which there are few."""

    def __init__(self) -> None:
        from ministack import app  # noqa: PLC0415
        from ministack.core import lambda_runtime, persistence  # noqa: PLC0415
        from ministack.services import apigateway_v1, cloudformation, lambda_svc  # noqa: PLC0415

        self.app = app
        self.version = version("ministack")
        self._persistence = persistence
        self._runtime = lambda_runtime
        self._gateway = apigateway_v1
        self._cloudformation = cloudformation
        self._functions = lambda_svc
        lambda_runtime.Worker._spawn = sharing_layers(lambda_runtime.Worker._spawn, self._unpacked)
        lambda_svc._execute_function_warm = queueing(lambda_svc._execute_function_warm)

    def states(self) -> Mapping[str, State]:
        """How to read the state of each service that was used, by the name of its file."""
        states: Mapping[str, State] = self.app._build_persistence_save_dict()
        return states

    def wrapped(self, name: str, state: Any) -> dict[str, Any]:
        """A service's state as its file has it."""
        return {"__ministack_format__": self._persistence._state_format_version(name), "payload": state}

    def encoded(self, value: Any) -> Any:
        """A value of a state that JSON doesn't have."""
        return self._persistence._json_default(value)

    def read_with(self, hook: Callable[[Hook], Hook]) -> None:
        """Change what is made of each object in the file of a state."""
        self._persistence._json_object_hook = hook(self._persistence._json_object_hook)

    def load(self, folder: Path) -> None:
        """Load the state of all services. MiniStack would go on without a state that it can't read; this raises UnreadableStateError."""
        for name, module in self.app._state_map.items():
            file = folder / f"{name}.json"
            if not file.exists():
                continue
            state = self.app.load_state(name)
            if state is None:
                raise UnreadableStateError(f"{file.name} is broken, or of a newer MiniStack")
            try:
                self.app._get_module(module).load_persisted_state(state)
            except Exception as error:
                raise UnreadableStateError(f"{file.name}: {type(error).__name__}: {error}") from error
        # MiniStack saves how far functions have read the streams of tables, and not the streams, which begin again. It would pass over as
        # many records as were read before.
        positions = self._functions._dynamodb_stream_positions._data
        positions.update(dict.fromkeys(positions, 0))

    def deploying(self) -> bool:
        """Whether a stack is being made or changed."""
        statuses = [stack["StackStatus"] for stack in list(self._cloudformation._stacks._data.values())]
        # One under review waits for its first deployment.
        return any(status.endswith("_IN_PROGRESS") and status != "REVIEW_IN_PROGRESS" for status in statuses)

    def least_bytes(self, api_id: str) -> int | None:
        """The smallest answer that an API compresses."""
        apis = self._gateway._rest_apis.all_items()
        return next((api["minimumCompressionSize"] for (_, _, stored), api in apis if stored == api_id), None)

    def kill_workers(self) -> None:
        for worker in [each for entries in list(self._runtime._workers.values()) for each in entries]:
            if worker._proc is not None:
                worker._proc.kill()

    def _unpacked(self, layer: Any) -> str:
        # MiniStack shares these folders too, between functions that it runs in containers.
        return str(self._functions._docker_extracted_dir(self._functions._resolve_layer_zip(layer), "layer"))
