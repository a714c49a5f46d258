"""`winnow mcp`: the API as tools of the Model Context Protocol (https://modelcontextprotocol.io). Needs the extra winnow-cli[mcp].

The schemas of the tools are made from the types below.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version as installed
from typing import Annotated, Any

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import ToolAnnotations
from pydantic import BaseModel, Field

from winnow_cli import tables
from winnow_cli.client import Client
from winnow_cli.connection import connected
from winnow_cli.failures import CommandError

# As the API allows in one call.
_MOST_TEXTS, _MOST_N_TOP = 100, 1000
# What a model that reads the answer can use.
_MOST_CONFUSIONS, _MOST_EXAMPLES = 20, 1000
_EVALUATION_SECONDS = 3_000
_READS = ToolAnnotations(read_only_hint=True, open_world_hint=False)
_INSTRUCTIONS = (
    "Winnow classifies texts with models that people have trained on their own examples. Call list_models first: it says which models"
    " there are. A score is from 0 to 1. If no label of a text is accepted, the honest answer is: none of these labels."
)

ModelId = Annotated[str, Field(description="The model's id, as list_models says it.", min_length=1)]
VersionNumber = Annotated[int | None, Field(description="A version of the model; without it, the live one.", ge=1)]


class Model(BaseModel):
    """A classifier. Only with a live_version it answers without naming a version."""

    model_id: str
    status: str
    live_version: int | None
    latest_version: int
    labels: int | None = Field(description="The number of labels of the live version.")
    title: str | None = None
    note: str | None = None
    tags: list[str] = []


class Models(BaseModel):
    models: list[Model]


class ScoredLabel(BaseModel):
    label: str
    score: float
    accepted: bool


class Prediction(BaseModel):
    labels: list[ScoredLabel] = Field(description="Best first.")


class Predictions(BaseModel):
    model_id: str
    version: int
    predictions: list[Prediction] = Field(description="In the order of the texts.")


class Example(BaseModel):
    text: str = Field(min_length=1)
    labels: list[str] = Field(description="The right labels: exactly one, unless a text of the model may have several.", min_length=1)


class LabelMeasures(BaseModel):
    label: str
    precision: float
    recall: float
    f1: float
    examples: int


class Confusion(BaseModel):
    label: str
    answered_as: str
    times: int


class Evaluation(BaseModel):
    """Measures on examples that the version had not learnt. Each interval holds the value with 95 % confidence."""

    model_id: str
    version: int
    measured_how: str
    examples: int
    left_out: int | None = Field(None, description="Given examples that were left out because the version has learnt their texts.")
    accuracy: float
    accuracy_interval: list[float]
    macro_f1: float
    macro_f1_interval: list[float]
    micro_f1: float
    calibration_error: float
    accepted_share: float | None = Field(description="The share of the texts with an accepted label.")
    warnings: list[str]
    labels: list[LabelMeasures] = Field(description="The worst first.")
    confusions: list[Confusion] = Field(description="The most frequent first.")


def server() -> MCPServer[Any]:
    """The server with its tools. Each call of a tool reads WINNOW_URL and WINNOW_API_KEY."""
    made: MCPServer[Any] = MCPServer("winnow", instructions=_INSTRUCTIONS, version=installed("winnow-cli"), log_level="WARNING")
    for function in (list_models, classify, get_evaluation):
        made.tool(annotations=_READS)(function)
    # It writes: the examples are uploaded, and removed again.
    made.tool(annotations=ToolAnnotations(read_only_hint=False, destructive_hint=False, open_world_hint=False))(evaluate)
    return made


def list_models(tag: Annotated[str | None, Field(description="Only the models with this tag.")] = None) -> Models:
    """List the classifiers, with the version that answers, the number of labels, and what their owners wrote about them."""
    with _api() as client:
        return Models(models=[Model.model_validate(each) for each in client.pages("/models", "models", {"tag": tag} if tag else {})])


def classify(
    model_id: ModelId,
    texts: Annotated[list[str], Field(description="The texts to classify.", min_length=1, max_length=_MOST_TEXTS)],
    n_top: Annotated[int, Field(description="Labels per text.", ge=1, le=_MOST_N_TOP)] = 3,
    version: VersionNumber = None,
) -> Predictions:
    """Classify texts with a model: for each text the best labels with scores, and whether they are accepted."""
    body = {"model_id": model_id, "texts": texts, "n_top": n_top} | ({"version": version} if version else {})
    with _api() as client:
        return Predictions.model_validate(client.call("POST", "/prediction", body))


def get_evaluation(model_id: ModelId, version: VersionNumber = None) -> Evaluation:
    """How good a model is: its accuracy and F1 with 95 % intervals, each label's measures, and the labels that it confuses."""
    with _api() as client:
        number = _number(client, model_id, version)
        return _evaluation(model_id, number, client.call("GET", f"/models/{model_id}/versions/{number}/evaluation"))


def evaluate(
    model_id: ModelId,
    examples: Annotated[list[Example], Field(description="Texts with their right labels.", min_length=1, max_length=_MOST_EXAMPLES)],
    version: VersionNumber = None,
) -> Evaluation:
    """Measure a model on other labelled examples. It takes up to some minutes, and needs a key of the role admin.

    Texts that the version has learnt are left out.
    """
    lines = "".join(json.dumps({"text": each.text, "labels": each.labels}) + "\n" for each in examples).encode()
    with _api() as client:
        number = _number(client, model_id, version)
        path = f"/models/{model_id}/versions/{number}/evaluations"
        upload = client.upload("examples.jsonl", lines)
        try:
            started = client.call("POST", path, upload)
            found = client.follow(f"{path}/{started['evaluation']}", seconds=_EVALUATION_SECONDS, longest_pause=5)
        finally:
            client.call("DELETE", f"/datasets/{upload['training_object'].rpartition('/')[2]}")
        if found["status"] != "ready":
            raise CommandError(found["error"] or "The evaluation failed.")
        return _evaluation(model_id, number, found["report"], found["learnt"])


@contextmanager
def _api() -> Iterator[Client]:
    """The client. What went wrong becomes the tool's error, in one sentence."""
    try:
        with connected(as_json=True) as (client, _):
            yield client
    except CommandError as error:
        raise ToolError(str(error)) from error


def _number(client: Client, model_id: str, version: int | None) -> int:
    number: int | None = version or client.call("GET", f"/models/{model_id}")["live_version"]
    if number is None:
        raise CommandError(f"No version of {model_id} is live: name a version.")
    return number


def _evaluation(model_id: str, version: int, report: Mapping[str, Any], left_out: int | None = None) -> Evaluation:
    labels = [
        LabelMeasures(label=label, precision=each["precision"], recall=each["recall"], f1=each["f1"], examples=each["support"])
        for label, each in report["per_label"].items()
    ]
    confused = tables.confusions(report["confusion"])[:_MOST_CONFUSIONS]
    return Evaluation(
        model_id=model_id,
        version=version,
        measured_how=report.get("measured_how", ""),
        examples=report["examples"],
        left_out=left_out,
        accuracy=report["accuracy"],
        accuracy_interval=report["intervals"]["accuracy"],
        macro_f1=report["macro_f1"],
        macro_f1_interval=report["intervals"]["macro_f1"],
        micro_f1=report["micro_f1"],
        calibration_error=report["calibration"]["after"]["ece"],
        accepted_share=report.get("accepted_share"),
        warnings=report.get("warnings", []),
        labels=sorted(labels, key=lambda each: (each.f1, each.label)),
        confusions=[Confusion(label=label, answered_as=answered, times=times) for label, answered, times in confused],
    )
