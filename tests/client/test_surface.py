"""Every operation of the contract has a method, in both clients, with the contract's parameters and results."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import pytest

from tests.client.conftest import FakeApi, both, example_of
from tests.support import client_results
from tests.support.contract import operations
from winnow_client import AsyncWinnow, Stored, Winnow
from winnow_client.answers import Result
from winnow_client.calls import Calls

STORED = Stored("albert-textcats", "texts.csv")
BATCH, FORGETTING, EVALUATION = "20260302T091641007-1a2b3c4d", "20260302T091641007-1a2b3c4d", "0f8fad5bd9cb469fa16570867728950e"
# What no program needs a method for.
LEFT_OUT = {
    "predictWithGet": "POST /prediction does the same, and its texts are in no log of an address",
    **dict.fromkeys(("getDocs", "getDocsFile", "getConsole", "getConsoleFile"), "pages for browsers"),
}
# The client does these by itself, or gives them another form.
OF_ALL = {"next": "iterators go on by themselves", "If-None-Match": "only a cache needs it", "bytes": "the size of an upload is known"}
CALLS: dict[str, tuple[str, tuple[Any, ...], dict[str, Any]]] = {
    "upload": ("POST /datasets", (b"text,label\na,b\n",), {"name": "texts.csv"}),
    "datasets": ("GET /datasets", (), {}),
    "delete_dataset": ("DELETE /datasets/{name}", ("0f8fad5bd9cb469fa16570867728950e-texts.json",), {}),
    "train": ("POST /models", ("tc-01", STORED), {"recipe": "linear", "n_iter": 4, "tags": ["a"], "if_match": "*", "idempotency_key": "k"}),
    "import_artifact": ("POST /models", ("tc-01", STORED), {"sha256": "0" * 64, "promote": "never"}),
    "check": ("POST /models", (STORED,), {"delimiter": ";"}),
    "dry_run": ("GET /reports/{report_id}", ("0f8fad5bd9cb469fa16570867728950e",), {}),
    "models": ("GET /models", (), {"tag": "support"}),
    "model": ("GET /models/{model_id}", ("tc-01",), {}),
    "change_model": ("PATCH /models/{model_id}", ("tc-01",), {"log": None, "tolerance": 0.01, "if_match": "*"}),
    "delete_model": ("DELETE /models/{model_id}", ("tc-01",), {}),
    "versions": ("GET /models/{model_id}/versions", ("tc-01",), {}),
    "version": ("GET /models/{model_id}/versions/{version}", ("tc-01", 2), {}),
    "change_version": ("PATCH /models/{model_id}/versions/{version}", ("tc-01", 2, "with the tickets of May"), {}),
    "delete_version": ("DELETE /models/{model_id}/versions/{version}", ("tc-01", 2), {}),
    "cancel_training": ("POST /models/{model_id}/versions/{version}/cancel", ("tc-01", 2), {}),
    "promote": ("PUT /models/{model_id}/live", ("tc-01", 2), {"if_match": "*"}),
    "report": ("GET /models/{model_id}/versions/{version}/report", ("tc-01", 2), {}),
    "evaluation": ("GET /models/{model_id}/versions/{version}/evaluation", ("tc-01", 2), {}),
    "figure": ("GET /models/{model_id}/versions/{version}/evaluation/{figure}", ("tc-01", 2, "confusion.svg"), {}),
    "tradeoff": ("GET /models/{model_id}/versions/{version}/tradeoff", ("tc-01", 2), {}),
    "compare": ("GET /models/{model_id}/versions/{version}/compare", ("tc-01", 1, 2), {}),
    "suspects": ("GET /models/{model_id}/versions/{version}/suspects", ("tc-01", 2), {}),
    "examples": ("GET /models/{model_id}/versions/{version}/examples", ("tc-01", 2), {"wrong": True, "sort": "score", "limit": 3}),
    "file_evaluation": (
        "GET /models/{model_id}/versions/{version}/evaluations/{evaluation}",
        ("tc-01", 2, EVALUATION),
        {},
    ),
    "policy": ("GET /models/{model_id}/policy", ("tc-01",), {}),
    "policies": ("GET /models/{model_id}/policy", ("tc-01",), {}),
    "set_policy": ("PUT /models/{model_id}/policy", ("tc-01",), {"cost": {"wrong": 10, "refused": 1}}),
    "remove_policy": ("DELETE /models/{model_id}/policy", ("tc-01",), {}),
    "classify_one": ("POST /prediction", ("tc-01", "I want to save"), {"n_top": 2, "version": 1}),
    "batch": ("POST /models/{model_id}/batches", ("tc-01", STORED), {"n_top": 2}),
    "batches": ("GET /models/{model_id}/batches", ("tc-01",), {}),
    "batch_state": ("GET /models/{model_id}/batches/{batch}", ("tc-01", BATCH), {}),
    "cancel_batch": ("POST /models/{model_id}/batches/{batch}/cancel", ("tc-01", BATCH), {}),
    "feedback": ("POST /models/{model_id}/examples", ("tc-01", [("put it aside", "saving")]), {"retrain": "now", "if_match": "*"}),
    "feedback_batches": ("GET /models/{model_id}/examples", ("tc-01",), {}),
    "feedback_examples": ("GET /models/{model_id}/examples/{batch}", ("tc-01", BATCH), {}),
    "take_back_feedback": ("DELETE /models/{model_id}/examples/{batch}", ("tc-01", BATCH), {}),
    "change_labels": ("PATCH /models/{model_id}/labels", ("tc-01",), {"rename": {"budget": "limits"}}),
    "make_queue": ("POST /models/{model_id}/queue", ("tc-01", STORED), {"text_column": ["subject", "body"]}),
    "queue": ("GET /models/{model_id}/queue", ("tc-01",), {"limit": 10}),
    "drift": ("GET /models/{model_id}/drift", ("tc-01",), {}),
    "drift_figure": ("GET /models/{model_id}/drift.svg", ("tc-01",), {}),
    "history": ("GET /models/{model_id}/history", ("tc-01",), {}),
    "forget": ("POST /forget", (), {"subject": "customer-17"}),
    "forgetting": ("GET /forget/{forgetting}", (FORGETTING,), {}),
    "whoami": ("GET /whoami", (), {}),
    "health": ("GET /health", (), {"deep": True}),
    "contract": ("GET /openapi.json", (), {}),
}


def methods() -> Iterator[tuple[str, Any]]:
    """The methods of Calls that are for an operation."""
    yield from ((name, it) for name, it in vars(Calls).items() if getattr(it, "operation", ""))


def test_the_results_are_those_of_the_contract() -> None:
    assert client_results.PAGE.read_text(encoding="utf-8") == client_results.formatted(), "python -m tests.support.client_results"


def test_each_operation_has_a_method_in_both_clients() -> None:
    named = {operation["operationId"] for operation in operations().values()}
    assert {it.operation for _, it in methods()} == named - LEFT_OUT.keys()
    for name in vars(Calls):
        if not name.startswith("_"):
            assert hasattr(Winnow, name), name
            assert hasattr(AsyncWinnow, name), name


@pytest.mark.parametrize("operation", sorted({it.operation for _, it in methods()}))
def test_parameters_are_those_of_the_contract(operation: str) -> None:
    described = next(it for it in operations().values() if it["operationId"] == operation)
    schema = described.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    contract = {each["name"] for each in described["parameters"]} | set(schema.get("properties", {}))
    given: set[str] = set()
    own: set[str] = set()
    for _, it in methods():
        if it.operation == operation:
            given |= {_in_contract(name, contract) for name in inspect.signature(it).parameters} - {"self"}
            own |= it.own
    assert given - own <= contract, "parameters that the contract lacks"
    assert contract - own - OF_ALL.keys() <= given, "parameters that no method has"


@pytest.mark.parametrize("name", sorted(CALLS))
def test_both_clients_ask_and_understand_it(api: FakeApi, name: str) -> None:
    call, arguments, named = CALLS[name]
    if name in {"train", "import_artifact", "change_labels"}:
        api.says(call.replace("{model_id}", "tc-01"), (202, example_of(call, "202")))
    answer = both(api, name, *arguments, **named)
    method, _, path = call.partition(" ")
    wanted = path.split("{")[0]
    assert any(each.method == method and each.path.startswith(wanted.rstrip("/")) for each in api.asked)
    for each in answer if isinstance(answer, list) else [answer]:
        if isinstance(each, Result):
            assert each.raw, "the JSON as it came"


def test_every_method_is_called_here_or_has_a_test_of_its_own() -> None:
    elsewhere = {"rollback", "save_examples", "save_artifact", "evaluate", "classify_many"}
    assert {name for name, _ in methods()} == CALLS.keys() | elsewhere


def test_help_says_what_a_method_takes_and_gives() -> None:
    signature = inspect.signature(Winnow.model)
    assert list(signature.parameters) == ["self", "model_id"]
    assert signature.return_annotation == "r.ModelWithVersion"
    assert Winnow.model.__doc__ == AsyncWinnow.model.__doc__ == "A model with its latest version."


def _in_contract(name: str, contract: set[str]) -> str:
    if name == "model_id" and "model_id" not in contract:
        return "id"
    return {"if_match": "If-Match", "idempotency_key": "Idempotency-Key"}.get(name, name)
