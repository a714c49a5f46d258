"""The contract agrees with itself, template.yaml, docs/api.md, events/, and the input that the code accepts."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from layers.winnow.contract import ContractError, sources, write
from tests.support import contract
from tests.support.contract import ROOT, check_answer, check_request, operations
from winnow.api import console_files, docs_files, fields, problems
from winnow.datasets.row_problems import Kind
from winnow.domain import access, dataset, errors
from winnow.domain.batch import BatchStatus
from winnow.domain.feedback import Retrain
from winnow.domain.job import Promote, Stage
from winnow.domain.model import FIGURES, ModelStatus, VersionSource, VersionStatus
from winnow.recipes.catalogue import COSTS, RECIPES
from winnow.recipes.languages import LANGUAGES
from winnow.training import feedback

API_PAGE = ROOT / "docs" / "api.md"

# Errors that are never an answer. A version's `error` shows their sentences.
NEVER_AN_ANSWER = {errors.JobSupersededError, errors.TrainingFailedError}
FROM_API_GATEWAY = {"forbidden", "no-such-call", "throttled", "gateway"}


def error_classes() -> list[type[errors.WinnowError]]:
    return [thing for thing in vars(errors).values() if isinstance(thing, type) and issubclass(thing, errors.WinnowError)]


def component(name: str) -> dict[str, Any]:
    schema: dict[str, Any] = contract.contract()["components"]["schemas"][name]
    return schema


def with_examples() -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Everything in the contract with a schema, which also needs an example, with its place."""
    for call, operation in operations().items():
        for parameter in operation["parameters"]:
            yield f"{call} {parameter['name']}", parameter
        for media in operation.get("requestBody", {"content": {}})["content"].values():
            yield f"{call} request", media
        for status, answer in operation["responses"].items():
            for name, header in answer.get("headers", {}).items():
                yield f"{call} {status} {name}", header
            for media_type, media in answer.get("content", {}).items():
                yield f"{call} {status} {media_type}", media


def examples(holder: Mapping[str, Any]) -> list[Any]:
    return [holder["example"]] if "example" in holder else [example["value"] for example in holder.get("examples", {}).values()]


# --- the contract itself ---


def test_openapi_yaml_is_valid() -> None:
    faults = [f"{error.json_path}: {error.message}" for error in OpenAPIV31SpecValidator(contract.document()).iter_errors()]
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize(("place", "holder"), [pytest.param(*each, id=each[0]) for each in with_examples()])
def test_everything_has_examples_and_they_fit_its_schema(place: str, holder: Mapping[str, Any]) -> None:
    given = examples(holder)
    assert given, f"{place} has no example"
    faults = [fault for example in given for fault in contract.faults(example, holder["schema"])]
    assert not faults, f"{place}: {faults}"


def test_a_problem_of_an_example_has_the_status_that_it_is_an_example_of() -> None:
    wrong = [
        (call, status, example)
        for call, operation in operations().items()
        for status, answer in operation["responses"].items()
        for media in answer.get("content", {}).values()
        for example in examples(media)
        if int(status) >= 400 and example["status"] != int(status)
    ]
    assert not wrong


def test_answers_are_closed_so_that_an_unknown_field_is_noticed() -> None:
    def open_objects(schema: Mapping[str, Any], place: str, *, closed: bool = False) -> Iterator[str]:
        closed = closed or schema.get("unevaluatedProperties") is False
        if "properties" in schema and not (closed or schema.get("additionalProperties") is False):
            yield place
        if "properties" in schema and not schema.get("required"):
            yield f"{place} (nothing in it is required)"
        for part in schema.get("allOf", []):
            yield from open_objects(part, place, closed=closed)
        for part in schema.get("oneOf", []):
            yield from open_objects(part, place)
        for name, part in schema.get("properties", {}).items():
            yield from open_objects(part, f"{place}.{name}")
        if "items" in schema:
            yield from open_objects(schema["items"], f"{place}[]")

    found = {
        place
        for call, operation in operations().items()
        for status, answer in operation["responses"].items()
        for media in answer.get("content", {}).values()
        for place in open_objects(media["schema"], f"{call} {status} ")
    }
    assert not found


# --- the same calls everywhere ---


def test_the_template_routes_the_calls_of_the_contract() -> None:
    assert set(contract.events()) == set(operations())


def test_the_template_asks_for_a_key_where_the_contract_does() -> None:
    api = contract.template()["Resources"]["Api"]["Properties"]
    asked = {call: event.get("Auth", api["Auth"])["ApiKeyRequired"] for call, (_, event) in contract.events().items()}
    [everywhere] = contract.document()["security"]
    assert everywhere == {"ApiKey": []}
    assert asked == {call: "security" not in operation for call, operation in operations().items()}
    # A key is of use, but not needed.
    optional = [call for call, operation in operations().items() if operation.get("security")]
    assert (optional, operations()["GET /health"]["security"]) == (["GET /health"], [{}, {"ApiKey": []}])
    assert {call for call, key in asked.items() if not key} == access.OPEN_CALLS


def test_the_page_on_the_api_has_a_row_for_each_call() -> None:
    rows = (line for line in API_PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("|"))
    cells = (cell.strip() for row in rows for cell in row.split("|"))
    found = [match[1] for cell in cells if (match := re.fullmatch(r"`([A-Z]+ /[^`?\s]*)`", cell))]
    assert set(found) == set(operations())


def test_each_call_has_an_event_and_each_event_is_of_a_call() -> None:
    folders = {call: contract.functions()[name]["CodeUri"].rpartition("/")[2] for call, (name, _) in contract.events().items()}
    found: dict[str, list[str]] = {call: [] for call in folders}
    for file in sorted((ROOT / "events" / "api").glob("*.json")):
        event = json.loads(file.read_text(encoding="utf-8"))
        call = f"{event['httpMethod']} {event['resource']}"
        assert call in folders, f"{file.name} is an event of {call}, which is not a call of the API"
        assert file.name.startswith(folders[call]), f"{file.name} is an event of {call}: begin its name with {folders[call]}"
        found[call].append(file.name)
    assert not [call for call, files in found.items() if not files], "calls without an event in events/api"


# --- input ---


def bodies() -> dict[str, dict[str, Any]]:
    """The schemas of the calls' bodies."""
    with_body = {call: operation["requestBody"] for call, operation in operations().items() if "requestBody" in operation}
    return {call: body["content"]["application/json"]["schema"] for call, body in with_body.items()}


def test_each_function_takes_what_the_contract_says_of_a_call_that_it_answers() -> None:
    for call, (name, _) in contract.events().items():
        text = (ROOT / contract.functions()[name]["CodeUri"] / "app.py").read_text(encoding="utf-8")
        [named] = re.findall(r"^@endpoint\(\"(.+)\"\)$", text, re.MULTILINE)
        assert contract.events()[named][0] == name
        # The function names one of its calls. All of them accept the same.
        assert bodies().get(named) == bodies().get(call)


OTHER_VALUES: list[Any] = [None, True, "", " ", "1", "a", "x" * 20_001, 0, 1, 0.5, -1, 10**7 + 1, [], [{}], ["a"], {}]


def around(body: dict[str, Any], others: Iterable[str]) -> Iterator[Any]:
    """The body, and bodies that differ from it in one member: one of its own or one of `others`."""
    yield body
    yield body | {"more": 1}
    for name in body:
        yield {other: value for other, value in body.items() if other != name}
    for name in {**body, **dict.fromkeys(others)}:
        yield from (body | {name: value} for value in OTHER_VALUES)


@pytest.mark.parametrize("call", bodies())
def test_the_checks_that_are_made_out_of_the_contract_take_and_refuse_what_it_does(call: str) -> None:
    taken = fields.Taken(call)
    given_as_examples = examples(operations()[call]["requestBody"]["content"]["application/json"])
    known = [given for example in given_as_examples for given in around(example, bodies()[call]["properties"])]
    refused = 0
    for given in known:
        if contract.faults(given, bodies()[call]):
            refused += 1
            with pytest.raises(errors.InvalidFieldError):
                taken.check_fields(given)
        else:
            assert taken.check_fields(given) == given
    assert 0 < refused < len(known)


def test_the_query_parameters_of_a_call_that_takes_a_body_too_are_fields_of_it() -> None:
    [call] = [call for call in bodies() if any(it["in"] == "query" for it in operations()[call]["parameters"])]
    # A list can't be a query parameter.
    expected = {name: schema for name, schema in bodies()[call]["properties"].items() if name != "texts"}
    assert {it["name"]: it["schema"] for it in operations()[call]["parameters"] if it["in"] == "query"} == expected


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda operation: operation.pop("x-winnow-roles"), "POST /things needs x-winnow-roles, or `security: []`"),
        (lambda operation: operation.update(security=[]), "POST /things needs x-winnow-roles, or `security: []`"),
        (lambda operation: operation["x-winnow-roles"].append("owner"), "x-winnow-roles of POST /things are admin, owner"),
        (lambda operation: operation["parameters"][0]["schema"].pop("description"), "POST /things: id needs a description"),
        (lambda operation: operation["parameters"][0]["schema"].pop("pattern"), "POST /things: id needs a pattern or an enum"),
        (lambda operation: body_of(operation)["names"]["items"].pop("description"), "POST /things: names[] needs a description"),
        (
            lambda operation: body_of(operation).update(a={"$ref": "#/x", "description": "an a"}),
            "to #/x in what a call takes must stand",
        ),
        (lambda operation: body_of(operation).update(a={"$ref": "other.yaml#/x"}), "to other.yaml#/x in what a call takes must stand"),
    ],
)
def test_a_contract_without_what_functions_need_is_refused_when_the_checks_are_made(change: Any, complaint: str) -> None:
    name = {"type": "string", "description": "a name"}
    body = {"type": "object", "properties": {"names": {"type": "array", "items": name, "description": "a list of names"}}}
    operation = {
        "operationId": "createThing",
        "x-winnow-roles": ["admin"],
        "parameters": [{"name": "id", "in": "path", "schema": {"type": "string", "pattern": "^a$", "description": "an a"}}],
        "requestBody": {"content": {"application/json": {"schema": body}}},
    }
    assert sources({"paths": {"/things": {"post": operation}}}).keys() == {"__init__.py", "create_thing.py"}
    change(operation)
    with pytest.raises(ContractError, match=re.escape(complaint)):
        sources({"paths": {"/things": {"post": operation}}})


def body_of(operation: dict[str, Any]) -> dict[str, Any]:
    properties: dict[str, Any] = operation["requestBody"]["content"]["application/json"]["schema"]["properties"]
    return properties


def test_what_is_made_is_as_it_is_written_and_nothing_else(tmp_path: Path) -> None:
    write(tmp_path)
    made = {file.name: file.stat().st_mtime_ns for file in (tmp_path / "winnow_contract").iterdir()}
    (tmp_path / "winnow_contract" / "health.py").write_text("old = 1")
    (tmp_path / "winnow_contract" / "gone.py").write_text("old = 1")
    write(tmp_path)
    again = {file.name: file.stat().st_mtime_ns for file in (tmp_path / "winnow_contract").iterdir()}
    assert made.keys() == again.keys()
    assert [name for name in made if made[name] != again[name]] == ["health.py"]
    assert "old" not in (tmp_path / "winnow_contract" / "health.py").read_text()


def test_the_limits_and_words_of_requests_are_those_of_the_code() -> None:
    training, feedback_, prediction = (component(f"{name}Request")["properties"] for name in ("Training", "Feedback", "Prediction"))
    example = feedback_["examples"]["items"]["properties"]
    assert training["recipe"]["enum"] == [*RECIPES]
    assert training["spacy_model"]["enum"] == [*LANGUAGES]
    assert training["promote"]["enum"] == [*Promote]
    assert feedback_["retrain"]["enum"] == [*Retrain]
    for text in (prediction["text"], prediction["texts"]["items"], example["text"]):
        assert text["maxLength"] == dataset.MAX_TEXT_CHARACTERS
    for label in (example["label"], example["labels"]["items"]):
        assert label["maxLength"] == dataset.MAX_LABEL_CHARACTERS
    assert example["labels"]["maxItems"] == dataset.MAX_LABELS
    paths = {parameter["name"]: parameter["schema"] for operation in operations().values() for parameter in operation["parameters"]}
    assert (paths["figure"]["enum"], paths["file"]["enum"]) == ([*FIGURES], [*docs_files.FILES])
    assert paths["asset"]["enum"] == [*console_files.FILES]


@pytest.mark.parametrize("name", ["Text", "Label"])
def test_white_space_is_the_same_in_the_contract_and_in_the_code(name: str) -> None:
    # The fuzz test's validator and clients read \s as in ECMA-262, which differs from Python in six characters.
    elsewhere = jsonschema_rs.validator_for({"type": "string", "pattern": component(name)["pattern"]})
    characters = [chr(code) for code in range(0x10000) if not 0xD800 <= code <= 0xDFFF]
    assert [it for it in characters if bool(it.strip()) is not elsewhere.is_valid(it)] == []
    assert [it for it in characters if bool(it.strip()) is not bool(re.search(component(name)["pattern"], it))] == []


def test_a_limit_or_word_is_the_one_in_its_sentence() -> None:
    # An error's sentence must agree with its check.
    def parts(schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        yield schema
        for inner in (*schema.get("properties", {}).values(), *([schema["items"]] if "items" in schema else [])):
            yield from parts(inner)

    parameters = [it["schema"] for operation in operations().values() for it in operation["parameters"] if "description" in it["schema"]]
    for schema in [part for whole in (*parameters, *bodies().values()) for part in parts(whole) if "description" in part]:
        said = schema["description"]
        numbers = [schema[limit] for limit in ("minimum", "maximum", "maxLength", "maxItems") if limit in schema]
        assert all(re.search(rf"(?<![\d.]){re.escape(str(number))}(?!\d)", said) for number in numbers), schema
        assert all(str(word).lower() in said.lower() for word in schema.get("enum", [])), schema


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/models", {"id": "tc-01", "s3bucket": "albert-textcats", "training_object": "trainingSet.json"}),
        (
            "POST",
            "/models",
            {"force_update": "True", "id": "tc-01", "s3bucket": "albert-textcats-best", "training_object": "trainingSet.json"},
        ),
        ("DELETE", "/models/tc-02", None),
        ("GET", "/models", None),
        ("GET", "/prediction", {"model_id": "tc-01", "text": "I want to save for vacation!"}),
        ("GET", "/prediction", {"n_top": "1", "model_id": "tc-01", "text": "I want to save for vacation!"}),
    ],
)
def test_the_calls_of_the_first_clients_are_in_the_contract(method: str, path: str, body: Any) -> None:
    check_request(method, path, None, body)


# --- answers ---


@pytest.mark.parametrize("error", error_classes(), ids=lambda error: error.__name__)
def test_every_error_has_its_status_in_the_contract(error: type[errors.WinnowError]) -> None:
    with_it = [
        call
        for call, operation in operations().items()
        if contract.PROBLEM in operation["responses"].get(str(int(error.status)), {}).get("content", {})
    ]
    assert with_it, f"no call of the contract has the status {error.status} of {error.__name__}"


def test_the_problems_are_those_of_the_code_and_of_the_gateway() -> None:
    answered = {error.kind for error in error_classes() if error not in NEVER_AN_ANSWER}
    assert set(component("Problem")["properties"]["type"]["enum"]) == {f"urn:winnow:problem:{kind}" for kind in answered | FROM_API_GATEWAY}


@pytest.mark.parametrize("error", error_classes(), ids=lambda error: error.__name__)
def test_the_problem_that_the_code_makes_of_an_error_fits(error: type[errors.WinnowError]) -> None:
    made = error.__new__(error)
    errors.WinnowError.__init__(made, "Fix this.", field="text")
    schema = component("Problem")
    if error in NEVER_AN_ANSWER:
        schema = {**schema, "properties": {**schema["properties"], "type": {}}}
    assert not contract.faults(problems.details(made), schema)


def test_the_words_of_answers_are_those_of_the_domain() -> None:
    version, model = component("VersionFields")["properties"], component("ModelFields")["properties"]
    assert version["status"]["enum"] == [*VersionStatus]
    assert version["progress"]["properties"]["stage"]["enum"] == [*Stage]
    assert model["status"]["enum"] == [*ModelStatus]
    assert version["recipe"]["enum"] == [*RECIPES]
    candidates = component("Selection")["properties"]["candidates"]["items"]["oneOf"]
    assert [candidate["properties"]["recipe"]["enum"] for candidate in candidates] == [[*COSTS]] * 2
    assert version["promote"]["enum"] == [*Promote]
    assert component("DatasetProblem")["properties"]["kind"]["enum"] == [*Kind]
    assert component("BatchPredictionFields")["properties"]["status"]["enum"] == [*BatchStatus]
    assert version["source"]["enum"] == [*VersionSource]
    assert component("ReceivedExamples")["properties"]["retrain"]["enum"] == [*feedback.Retraining]


# --- the checks find faults ---

ANSWER = {
    "model_id": "tc-01",
    "version": 1,
    "prediction_id": "20260302T091641007-1a2b3c4d-00",
    "labels": [{"label": "saving", "score": 0.9, "accepted": True}],
}
JSON = {"Content-Type": "application/json"}


def test_an_answer_as_written_passes() -> None:
    check_answer("POST", "/prediction", 200, {"content-type": "application/json; charset=utf-8"}, ANSWER)


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        (("PUT", "/prediction", 200, JSON, ANSWER), "has no PUT /prediction"),
        (("POST", "/prediction/more", 200, JSON, ANSWER), "has no POST /prediction/more"),
        (("POST", "/prediction", 201, JSON, ANSWER), "answered 201"),
        (("POST", "/prediction", 200, {"Content-Type": "text/html"}, ANSWER), "'text/html'"),
        (("POST", "/prediction", 200, JSON, {**ANSWER, "took": 3}), "'took' was unexpected"),
        (
            ("POST", "/prediction", 200, JSON, {name: value for name, value in ANSWER.items() if name != "labels"}),
            "'labels' is a required property",
        ),
        (("POST", "/prediction", 200, JSON, {**ANSWER, "labels": [{"label": "a", "score": 1.5, "accepted": True}]}), "1.5 is greater"),
        (("POST", "/models", 202, JSON, {"model_id": "a", "version": 1, "status": "queued"}), "lacks the header Location"),
        (
            ("GET", "/models", 403, JSON, {"type": "urn:winnow:problem:forbidden", "title": "F", "status": 404, "detail": "d"}),
            "says that its status is 404",
        ),
        (("GET", "/models/tc-01", 304, {"ETag": '"ab"'}, {"model_id": "tc-01"}), "has no body"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_another_answer_is_noticed(answer: tuple[str, str, int, Mapping[str, str], Any], complaint: str) -> None:
    with pytest.raises(AssertionError, match=re.escape(complaint)):
        check_answer(*answer)


def test_an_unknown_field_in_a_model_or_its_version_is_noticed() -> None:
    ready = contract.contract()["components"]["examples"]["ReadyModel"]["value"]
    headers = JSON | {"ETag": '"5b7c1d9e0f2a4b6c-0a1b2c3d4e5f6071"'}
    check_answer("GET", "/models/tc-01", 200, headers, ready)
    for more in ({**ready, "more": 1}, {**ready, "version": {**ready["version"], "more": 1}}):
        with pytest.raises(AssertionError, match="'more' was unexpected"):
            check_answer("GET", "/models/tc-01", 200, headers, more)


@pytest.mark.parametrize(
    ("request_", "complaint"),
    [
        (("GET", "/models", {"page": "2"}, None), "takes no query parameter 'page'"),
        (("GET", "/models", {"limit": "0"}, None), "the query parameter 'limit'"),
        (("GET", "/models/-", None, None), "the path parameter 'model_id'"),
        (("DELETE", "/models/tc-01", None, {}), "takes no body"),
        (("POST", "/models", None, None), "lacks its body"),
        (("GET", "/prediction", {"model_id": "tc-01"}, None), "the query parameters"),
        (("GET", "/prediction", {"model_id": "tc-01"}, {"model_id": "tc-01", "text": "a"}), "in the query or in the body, not in both"),
        (("POST", "/prediction", None, {"model_id": "tc-01", "text": "a", "texts": ["b"]}), "the body"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_another_request_is_noticed(request_: tuple[str, str, Mapping[str, str] | None, Any], complaint: str) -> None:
    with pytest.raises(AssertionError, match=re.escape(complaint)):
        check_request(*request_)
