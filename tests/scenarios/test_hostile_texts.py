"""Any text is answered, or refused with a sentence. Logs contain no text and no key. (Times: `make bench-hostile`.)"""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

import pytest

from tests.support.hostile_texts import HOSTILE, of_scripts
from winnow.api.endpoint import MOST_REQUEST_BYTES
from winnow.domain.dataset import MAX_TEXT_CHARACTERS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.conftest import Answer, Winnow

RECIPES = ("linear", "cnn", "best")
SECRET = "quokka-93-at-the-harbour"
KEY = "a-key-that-nobody-may-read"


@pytest.fixture(params=RECIPES)
def trained(request: pytest.FixtureRequest, winnow: Winnow) -> Winnow:
    winnow.parameters["Encoder"] = "minilm"
    winnow.put_dataset()
    assert winnow.train(recipe=request.param)["status"] == "ready"
    return winnow


def ask(winnow: Winnow, texts: Sequence[str], **more: bool) -> Answer:
    return winnow.call("predict", "predict_post_texts", body={"model_id": "tc-01", "texts": list(texts), "n_top": 3, **more})


def test_each_is_answered_with_scores(trained: Winnow) -> None:
    for name, text in HOSTILE.items():
        answer = ask(trained, [text])
        assert answer.status == 200, (name, answer.body)
        assert sum(label["score"] for label in answer.body["predictions"][0]["labels"]) == pytest.approx(1, abs=1e-5), name


@pytest.mark.parametrize("name", [name for name in HOSTILE if "marks" in name])
def test_marks_are_explained(winnow: Winnow, name: str) -> None:
    winnow.put_dataset()
    winnow.train(recipe="linear")
    answer = ask(winnow, [HOSTILE[name]], explain=True)
    assert answer.status == 200, answer.body
    told = answer.body["predictions"][0]["explanation"]
    assert told["bias"] + sum(word["contribution"] for word in told["words"]) == pytest.approx(told["logit"], abs=1e-4)


def test_every_script_is_answered(trained: Winnow) -> None:
    texts = of_scripts()
    assert len(texts) >= 100
    for start in range(0, len(texts), 100):
        assert ask(trained, list(texts.values())[start : start + 100]).status == 200


def test_a_text_among_hostile_ones_has_the_scores_that_it_has_alone(trained: Winnow) -> None:
    text = "How deep do tulip bulbs go?"
    [alone] = ask(trained, [text]).body["predictions"]
    among = ask(trained, [HOSTILE["combining marks"], text, HOSTILE["opening brackets"]]).body["predictions"][1]
    assert [label["label"] for label in among["labels"]] == [label["label"] for label in alone["labels"]]
    scores = [[label["score"] for label in labels["labels"]] for labels in (alone, among)]
    assert scores[0] == pytest.approx(scores[1], abs=1e-5)


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({"text": "a" * (MAX_TEXT_CHARACTERS + 1)}, 422, f"{MAX_TEXT_CHARACTERS} characters"),
        ({"texts": ["a"] * 101}, 422, "1 to 100 texts"),
        ({"texts": ["🙂" * MAX_TEXT_CHARACTERS] * 20}, 413, "larger than"),
        ({"text": " \t\u2003\n"}, 422, "not all white space"),
        ({"text": ""}, 422, "1 to"),
        ({"text": 7}, 422, "text"),
    ],
)
def test_what_is_over_a_limit_is_refused(winnow: Winnow, body: dict[str, object], status: int, said: str) -> None:
    sent = json.dumps({"model_id": "tc-01", **body}, ensure_ascii=False)
    refused = winnow.call("predict", "predict_post_text", body=sent)
    assert (refused.status, said in refused.body["detail"]) == (status, True), refused.body


@pytest.mark.parametrize(
    "body",
    [
        '{"model_id": "tc-01", "text": "half \\ud83d"}',
        '{"model_id": "tc-01", "text": "\\udc00"}',
        '{"model_id": "tc-01", "text": "half \ud83d"}',
        '{"model_id": "tc-01", "text": "a", "half \ud83d": 1}',
    ],
    ids=["high", "low", "unescaped", "in a name"],
)
def test_half_a_surrogate_pair_is_unreadable(winnow: Winnow, body: str) -> None:
    refused = winnow.call("predict", "predict_post_text", body=body)
    assert (refused.status, "surrogate" in refused.body["detail"]) == (400, True)


@pytest.mark.parametrize("query", [{"text": "half \ud83d"}, {"text": "a", "half \ud83d": "1"}], ids=["value", "name"])
def test_half_a_surrogate_pair_in_a_query_is_unreadable(winnow: Winnow, query: dict[str, str]) -> None:
    refused = winnow.call("predict", "predict_get_query", query={"model_id": "tc-01", **query})
    assert (refused.status, "surrogate" in refused.body["detail"]) == (400, True)


def test_no_text_and_no_key_reaches_a_log(trained: Winnow, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="winnow")
    for name, body in (
        ("answered", {"model_id": "tc-01", "text": SECRET}),
        ("no such model", {"model_id": "tc-02", "text": SECRET}),
        ("unknown field", {"model_id": "tc-01", "text": "a", SECRET: SECRET}),
        ("too long", {"model_id": "tc-01", "text": SECRET * (MOST_REQUEST_BYTES // len(SECRET))}),
        ("a fault of ours", {"model_id": "tc-01", "text": SECRET}),
    ):
        if name == "a fault of ours":
            for weights in [key for key in trained.objects() if "/artifact/" in key and key.endswith(".bin")]:
                trained.s3.put_object(Bucket=trained.names["Models"], Key=weights, Body=SECRET.encode())
            trained.new_environment()
        answer = trained.call("predict", "predict_post_text", body=body, headers={"x-api-key": KEY})
        assert answer.status == {"answered": 200, "no such model": 404, "too long": 413, "a fault of ours": 500}.get(name, 422), answer.body
    trained.call("predict", "predict_get_query", query={"model_id": "tc-01", "text": SECRET}, headers={"x-api-key": KEY})

    said = capfd.readouterr()
    # Including the fields of a record other than its message.
    logged = said.out + said.err + caplog.text + "".join(str(vars(record)) for record in caplog.records)
    assert logged.count("'message': 'answered'") == 6
    assert SECRET not in logged
    assert KEY not in logged
