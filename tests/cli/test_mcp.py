"""`winnow mcp`: its tools, through the client of the protocol's SDK. One test starts the command; the others have the server in-process."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Awaitable, Callable
from copy import deepcopy
from typing import Any
from unittest.mock import patch

import anyio
import pytest
from mcp import Client, StdioServerParameters
from mcp_types import CallToolResult, Tool

from tests.cli.conftest import MODELS, Server, Winnow, ends, environment, problem
from tests.support.contract import document
from winnow_cli import mcp_server

COMMAND = [sys.executable, "-m", "winnow_cli"]
EVALUATION: dict[str, Any] = document()["components"]["examples"]["EvaluationReport"]["value"]


def talk[Found](server: Server, ask: Callable[[Client], Awaitable[Found]], *, command: bool = False) -> Found:
    """What `ask` says, of a client of the tools for this API. command: whether it starts `winnow mcp`."""
    program, *arguments = COMMAND

    async def run() -> Found:
        started = StdioServerParameters(command=program, args=[*arguments, "mcp"], env=environment(server))
        with anyio.fail_after(60):
            async with Client(started if command else mcp_server.server()) as client:
                return await ask(client)

    with patch.dict(os.environ, environment(server)):
        return anyio.run(run)


def calls(server: Server, *asked: tuple[str, dict[str, Any]], command: bool = False) -> list[CallToolResult]:
    async def ask(client: Client) -> list[CallToolResult]:
        return [await client.call_tool(name, arguments) for name, arguments in asked]

    return talk(server, ask, command=command)


def failure(result: CallToolResult) -> str:
    assert result.is_error
    [content] = result.content
    assert content.type == "text"
    return content.text


def test_the_tools_have_schemas_and_say_whether_they_only_read(server: Server) -> None:
    async def ask(client: Client) -> list[Tool]:
        return (await client.list_tools()).tools

    tools = {tool.name: tool for tool in talk(server, ask)}

    assert set(tools) == {"list_models", "classify", "get_evaluation", "evaluate"}
    texts = tools["classify"].input_schema["properties"]["texts"]
    assert (texts["type"], texts["minItems"], texts["maxItems"]) == ("array", 1, 100)
    assert set(tools["classify"].input_schema["required"]) == {"model_id", "texts"}
    for tool in tools.values():
        assert tool.description
        assert tool.output_schema is not None
        assert tool.annotations is not None
        assert tool.annotations.read_only_hint is (tool.name != "evaluate")
    assert server.asked == []


def test_texts_are_classified_and_models_are_listed(server: Server) -> None:
    labels = [{"label": "saving", "score": 0.91, "accepted": True}, {"label": "debt", "score": 0.05, "accepted": False}]
    answer = {"model_id": "savings", "version": 2, "predictions": [{"labels": labels, "id": "p-1"}, {"labels": labels[:1], "id": "p-2"}]}
    server.gives("POST /prediction", (200, answer))
    server.gives("GET /models", (200, MODELS))

    listed, classified = calls(
        server, ("list_models", {}), ("classify", {"model_id": "savings", "texts": ["eins", "二"], "n_top": 2, "version": 2}), command=True
    )

    assert not listed.is_error
    assert listed.structured_content is not None
    [model] = listed.structured_content["models"]
    assert (model["model_id"], model["live_version"], model["labels"]) == ("savings", 2, 8)
    assert classified.structured_content == {
        "model_id": "savings",
        "version": 2,
        "predictions": [{"labels": labels}, {"labels": labels[:1]}],
    }
    [(_, _, headers, body)] = [each for each in server.asked if each[0] == "POST"]
    assert json.loads(body) == {"model_id": "savings", "texts": ["eins", "二"], "n_top": 2, "version": 2}
    assert headers["x-api-key"] == "a-key"


def test_an_evaluation_has_its_intervals_and_no_texts(server: Server) -> None:
    server.gives("GET /models/savings", (200, {"live_version": 3}))
    server.gives("GET /models/savings/versions/3/evaluation", (200, EVALUATION))

    [result] = calls(server, ("get_evaluation", {"model_id": "savings"}))

    found = result.structured_content
    assert found is not None
    assert (found["version"], found["accuracy"], found["accuracy_interval"]) == (3, 0.75, EVALUATION["intervals"]["accuracy"])
    assert [each["label"] for each in found["labels"]] == ["budget", "saving", "debt"]
    assert {"label": "budget", "answered_as": "saving", "times": 1} in found["confusions"]
    assert found["warnings"] == EVALUATION["warnings"]
    assert "most_wrong" not in json.dumps(found)


@pytest.mark.parametrize("failed", [False, True])
def test_examples_are_uploaded_measured_and_removed(server: Server, failed: bool) -> None:
    report = deepcopy(EVALUATION)
    put = {"upload_url": server.url.removesuffix("/v1") + "/s3/x", "headers": {"If-None-Match": "*"}}
    server.gives("POST /datasets", (201, put | {"name": "0f-x.jsonl", "s3bucket": "b", "training_object": "uploads/0f-x.jsonl"}))
    server.gives("PUT /s3/x", (200, b""))
    path = "/models/savings/versions/2/evaluations"
    server.gives(f"POST {path}", (202, {"evaluation": "0a", "status": "running"}))
    ended = {"status": "failed", "error": "No label of the file is known."} if failed else {"status": "ready", "error": None}
    server.gives(f"GET {path}/0a", (200, {"evaluation": "0a", "learnt": 1, "report": report} | ended))
    server.gives("DELETE /datasets/0f-x.jsonl", (200, {"name": "0f-x.jsonl", "status": "deleted"}))
    examples = [{"text": "I owe\n的 money", "labels": ["debt"]}, {"text": "b", "labels": ["saving"]}]

    [result] = calls(server, ("evaluate", {"model_id": "savings", "version": 2, "examples": examples}))

    [sent] = [body for method, _, _, body in server.asked if method == "PUT"]
    assert [json.loads(line) for line in sent.splitlines()] == examples
    assert server.calls()[-1] == "DELETE /datasets/0f-x.jsonl"
    if failed:
        assert "No label of the file is known." in failure(result)
    else:
        assert result.structured_content is not None
        assert (result.structured_content["left_out"], result.structured_content["examples"]) == (1, 8)


def test_what_goes_wrong_is_the_tools_error_in_a_sentence_and_the_next_call_is_answered(server: Server) -> None:
    server.gives("POST /prediction", problem(404, "There is no model 'other'."))
    server.gives("GET /models/savings", (200, {"live_version": None}))
    server.gives("GET /models", problem(403, "The key may not make this call."), (200, MODELS))

    unknown, none_live, no_texts, forbidden, listed = calls(
        server,
        ("classify", {"model_id": "other", "texts": ["a"]}),
        ("get_evaluation", {"model_id": "savings"}),
        ("classify", {"model_id": "savings", "texts": []}),
        ("list_models", {}),
        ("list_models", {}),
    )

    assert "There is no model 'other'." in failure(unknown)
    assert "No version of savings is live" in failure(none_live)
    assert "texts" in failure(no_texts)
    assert "winnow key" in failure(forbidden)
    assert not listed.is_error


def test_a_missing_setting_or_extra_is_said_at_once(server: Server, winnow: Winnow, monkeypatch: pytest.MonkeyPatch) -> None:
    ends(winnow("mcp", WINNOW_API_KEY=""), 2, "WINNOW_API_KEY is not set")
    monkeypatch.setitem(sys.modules, "mcp.server.mcpserver", None)
    monkeypatch.delitem(sys.modules, "winnow_cli.mcp_server", raising=False)
    monkeypatch.delattr("winnow_cli.mcp_server", raising=False)
    ends(winnow("mcp"), 2, "winnow-cli[mcp]")
