"""The requests of a run: schemathesis makes them from the contract, and `lead` points them at existing things.

Each call gets schemathesis' coverage cases (limits, enums, missing parts, wrong types), then random ones. Half of those are valid by the
contract. schemathesis validates changed parts of a request again, so it still knows which requests are valid.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import suppress
from copy import deepcopy
from itertools import chain, cycle, islice
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote
from uuid import UUID

import hypothesis
import schemathesis
from hypothesis import HealthCheck, Phase
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.core import NOT_SET
from schemathesis.core.parameters import ParameterLocation
from schemathesis.core.result import Ok

from tests.fuzz.known import CHANGED, DOOMED, KEPT, Case, Known
from tests.support.contract import document

if TYPE_CHECKING:
    from schemathesis import APIOperation, BaseSchema

_LAYOUT = ("text_column", "label_column", "label_separator", "delimiter", "encoding")
_LONGEST_ADDRESS = 60_000
# Epochs of a training. The contract's maximum, 1,000, would take longer than the run.
_MOST_EPOCHS = 5
_CONFIG = {
    # run.py adds the keys: by role, wrong, or none.
    "generation": {"with-security-parameters": False},
    # An unknown method never reaches a function: the gateway answers it, and the local cloud's is not API Gateway.
    "phases": {"coverage": {"unexpected-methods": []}},
    # Curl commands must work as printed. The cloud with their key is gone after the run.
    "output": {"sanitization": {"enabled": False}},
}


def schema() -> BaseSchema:
    return schemathesis.openapi.from_dict(document(), config=schemathesis.Config.from_dict(_CONFIG))


def plan(contract: BaseSchema, count: int, seed: int) -> list[Case]:
    """This number of requests, equally many per call, in an order from the seed."""
    operations = [result.ok() for result in contract.get_all_operations() if isinstance(result, Ok)]
    shares = [count // len(operations) + (place < count % len(operations)) for place in range(len(operations))]
    cases = list(chain.from_iterable(_cases(*each, seed) for each in zip(operations, shares, strict=True)))
    random.Random(seed).shuffle(cases)
    return cases


def _cases(operation: APIOperation[Any, Any, Any, Any], share: int, seed: int) -> Iterator[Case]:
    """This number of requests of a call. A call with fewer different ones repeats them."""
    config = operation.schema.config.generation_for(operation=operation)
    covering = list(operation.schema.iter_coverage_cases(operation, generation_modes=list(GenerationMode), generation_config=config))
    # If they are more than half of the share, as in a short run, take an even sample.
    covering = covering[:: max(1, -(-len(covering) * 2 // share))]
    left = share - len(covering)
    drawn = [_drawn(operation, mode, -(-left // 2), seed) for mode in GenerationMode]
    found = [case for case in [*covering, *drawn[0], *drawn[1]] if _reaches_the_api(case)]
    return islice((_copy(case) for case in cycle(found)), share)


def _drawn(operation: APIOperation[Any, Any, Any, Any], mode: GenerationMode, count: int, seed: int) -> list[Case]:
    drawn: list[Case] = []
    settings = hypothesis.settings(
        max_examples=count, database=None, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
    )

    @hypothesis.seed(seed)
    @settings
    @hypothesis.given(operation.as_strategy(generation_mode=mode))
    def draw(case: Case) -> None:
        drawn.append(case)

    with suppress(Unsatisfiable):  # a call without input has no invalid requests
        draw()
    return drawn


def _reaches_the_api(case: Case) -> bool:
    """Whether the request reaches its call. MiniStack decodes a path before it looks for the route, so an encoded slash splits it. And
    requests resolves "." and ".." before it sends, like browsers. A server refuses long addresses by itself: the local one above 64 KB, API
    Gateway above 10 KB."""
    values = [unquote(str(value)) for value in case.path_parameters.values()]
    of_address = quote(str(case.query or ""), errors="replace")
    return all(value not in {"", ".", ".."} and "/" not in value for value in values) and len(of_address) < _LONGEST_ADDRESS


def _copy(case: Case) -> Case:
    """A copy of the case, with its own parts and its own record of the valid ones."""
    copy = case.derive()
    copy._meta = deepcopy(case.meta)
    return copy


def lead(case: Case, known: Known, draws: random.Random) -> None:
    """Let most of a request's valid parts name existing things."""
    if _valid(case, ParameterLocation.PATH) and draws.random() < 0.85:
        case.path_parameters = {**case.path_parameters, **_path(case, known, draws)}
    if _valid(case, ParameterLocation.QUERY):
        case.query = _query(case, known, draws)
    if _valid(case, ParameterLocation.HEADER):
        _set_headers(case, known, draws)
    if isinstance(case.body, dict) and _valid(case, ParameterLocation.BODY):
        case.body = _body(case, known, draws)
    if case.path == "/prediction" and case.method == "GET" and case.query and isinstance(case.body, dict) and draws.random() < 0.9:
        # Only the contract's words say that it must be one of the two.
        if draws.random() < 0.5:
            case.query = {}
        elif _valid(case, ParameterLocation.BODY):
            case.query = {"text": "my rent is due", **case.query, "model_id": draws.choice(KEPT)}
            case.body = NOT_SET
            if case.meta:
                case.meta.components.pop(ParameterLocation.BODY)  # otherwise it counts as an invalid body


def _valid(case: Case, location: ParameterLocation) -> bool:
    meta = case.meta
    part = meta.components.get(location) if meta else None
    return part is None or part.mode.is_positive


def _model(case: Case, known: Known, draws: random.Random) -> str:
    """A model for the call, which usually exists."""
    doomed = known.draw(draws, "models") or DOOMED[0]
    if f"{case.method} {case.path}" == "DELETE /models/{model_id}":
        return doomed if draws.random() < 0.98 else draws.choice(CHANGED)
    if draws.random() < 0.1:
        return doomed
    return draws.choice(KEPT if case.method == "GET" and draws.random() < 0.6 else CHANGED)


def _version(known: Known, model_id: str, draws: random.Random) -> int:
    return draws.randint(max(1, known.latest_version(model_id) - 3), known.latest_version(model_id))


def _path(case: Case, known: Known, draws: random.Random) -> dict[str, str]:
    names: dict[str, str] = {}
    given = case.path_parameters
    if "model_id" in given:
        names["model_id"] = _model(case, known, draws)
    if "batch" in given:
        pair = known.draw(draws, "examples" if "/examples/" in case.path else "batches")
        names |= dict(zip(("model_id", "batch"), pair, strict=True)) if pair else {}
    if case.path.endswith("/versions/{version}/cancel") and draws.random() < 0.7 and (queued := known.draw(draws, "queued")):
        names["model_id"], names["version"] = queued
    elif "version" in given:
        names["version"] = str(_version(known, names["model_id"], draws))
    if "evaluation" in given and (triple := known.draw(draws, "evaluations")):
        names |= dict(zip(("model_id", "version", "evaluation"), triple, strict=True))
    if "forgetting" in given and (forgetting := known.draw(draws, "forgettings")):
        names["forgetting"] = forgetting
    if "name" in given and (name := known.draw(draws, "name")):
        names["name"] = name
    if "report_id" in given:
        names["report_id"] = draws.choice(known.reports)
    return names


def _query(case: Case, known: Known, draws: random.Random) -> dict[str, Any]:
    query = dict(case.query)
    if "next" in query:
        query.pop("next")
        if cursor := known.draw(draws, "next", case.formatted_path):
            query["next"] = cursor
    if "to" in query:
        query["to"] = str(_version(known, case.path_parameters["model_id"], draws))
    if "model_id" in query:
        query["model_id"] = _model(case, known, draws)
        if "version" in query:
            query["version"] = str(_version(known, query["model_id"], draws))
    return query


def _set_headers(case: Case, known: Known, draws: random.Random) -> None:
    if "If-Match" in case.headers and draws.random() < 0.7:
        # A model changes often, so with a condition hardly any call would change it.
        del case.headers["If-Match"]
    for name in ("If-Match", "If-None-Match"):
        if name in case.headers and (tag := known.draw(draws, "etag", case.formatted_path)) and draws.random() < 0.6:
            case.headers[name] = tag
    if "Idempotency-Key" in case.headers and draws.random() < 0.8:
        # The keys of the contract's examples are soon used up.
        case.headers["Idempotency-Key"] = str(UUID(int=draws.getrandbits(128)))


def _body(case: Case, known: Known, draws: random.Random) -> dict[str, Any]:  # noqa: PLR0912 # a case for each call
    body: dict[str, Any] = dict(case.body)  # type: ignore[arg-type]
    if draws.random() < 0.1:
        return body
    if draws.random() < 0.8:
        # With random columns and encodings no object could be read.
        body = {name: value for name, value in body.items() if name not in _LAYOUT}
    match f"{case.method} {case.path}":
        case "POST /models":
            body |= {"id": draws.choice((*CHANGED, *DOOMED)), "s3bucket": known.bucket, "training_object": known.training_object}
            if "test_object" in body:
                body["test_object"] = known.training_object
            body["n_iter"] = draws.randint(1, _MOST_EPOCHS)
            if draws.random() < 0.5:
                body["force_update"] = True
        case "POST /models/{model_id}/examples":
            body |= _feedback(body, known)
        case "POST /models/{model_id}/batches":
            body |= {"s3bucket": known.bucket, "object": known.texts}
            if "version" in body:
                body["version"] = _version(known, case.path_parameters["model_id"], draws)
        case "POST /models/{model_id}/queue":
            body = {"from": "log"} if "from" in body else body | {"s3bucket": known.bucket, "object": known.unlabelled}
        case "PUT /models/{model_id}/live":
            body["version"] = _version(known, case.path_parameters["model_id"], draws)
        case "PUT /models/{model_id}/policy" if draws.random() < 0.6:
            # Labels and evaluations of the contract's examples are of no model, and few models have examples enough for a promise.
            body = {"cost": {"wrong": draws.randint(1, 20), "refused": 1}}
        case "POST /models/{model_id}/versions/{version}/evaluations":
            body |= {"s3bucket": known.bucket, "training_object": known.training_object}
        case "GET /prediction" | "POST /prediction":
            body["model_id"] = draws.choice((*KEPT, *KEPT, *CHANGED))
            if "version" in body and draws.random() < 0.8:
                body["version"] = _version(known, str(body["model_id"]), draws)
    return body


def _feedback(body: dict[str, Any], known: Known) -> dict[str, Any]:
    if "examples" not in body:
        return {"s3bucket": known.bucket, "training_object": known.training_object}
    # The models in CHANGED have exclusive labels. No log has the texts of made-up predictions.
    return {"examples": [{"text": each.get("text", "put aside"), "label": each.get("label", "new")} for each in body["examples"]]}
