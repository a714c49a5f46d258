"""GET and POST /prediction."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import kept_files, load_dataset
from winnow.aws import clients, resources
from winnow.domain.errors import ModelNotFoundError, VersionNotFoundError
from winnow.prediction import predictor
from winnow.prediction.predictor import MEMORY_SHARE, SECONDS_A_POINTER_IS_TRUSTED, Predictor
from winnow.recipes.artifact import TrainedClassifier

if TYPE_CHECKING:
    from tests.conftest import Json, Once, Ready, Winnow

VACATION = {"model_id": "tc-01", "text": "I want to save for vacation!"}


@pytest.mark.parametrize(("event", "labels"), [("predict_get_body", 1), ("predict_get_query", 2), ("predict_post_text", 3)])
def test_a_text_gets_its_best_labels_first(ready: Ready, event: str, labels: int) -> None:
    answer = ready("exclusive.json").call("predict", event)

    assert answer.status == 200
    assert (answer.body["model_id"], answer.body["version"]) == ("tc-01", 1)
    scores = [label["score"] for label in answer.body["labels"]]
    assert len(scores) == labels
    assert scores == sorted(scores, reverse=True)


def test_every_way_to_ask_gives_the_same_answer(ready: Ready) -> None:
    winnow = ready("exclusive.json")

    one = winnow.call("predict", "predict_post_text").body["labels"]

    assert winnow.call("predict", "predict_get_body").body["labels"] == one[:1]
    assert winnow.call("predict", "predict_get_query").body["labels"] == one[:2]
    assert winnow.call("predict", "predict_post_texts").body["predictions"][0]["labels"] == one[:2]


def test_texts_are_answered_in_their_order(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    texts = [record["text"] for record in load_dataset("exclusive.json")] * 3
    texts = texts[:100]

    answer = winnow.call("predict", "predict_post_texts", body={"model_id": "tc-01", "texts": texts})

    assert answer.status == 200
    assert [prediction["labels"] for prediction in answer.body["predictions"]] == [
        winnow.call("predict", "predict_post_text", body={"model_id": "tc-01", "text": text}).body["labels"] for text in texts[:3]
    ] + [prediction["labels"] for prediction in answer.body["predictions"][3:]]
    assert len(answer.body["predictions"]) == 100


def test_exclusive_scores_add_up_to_one_and_only_the_first_is_accepted(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    right = 0
    for record in load_dataset("exclusive.json"):
        labels = winnow.call("predict", "predict_post_text", body={"model_id": "tc-01", "text": record["text"]}).body["labels"]
        assert sum(label["score"] for label in labels) == pytest.approx(1, abs=1e-5)
        assert not any(label["accepted"] for label in labels[1:])
        right += labels[0]["label"] == record["label"]
    # The model was trained on most of these texts, so a complete artifact knows them.
    assert right >= 24


def test_multilabel_scores_stand_for_themselves(ready: Ready) -> None:
    answer = ready("multilabel.jsonl").call("predict", "predict_post_text")

    labels = answer.body["labels"]
    assert {label["label"] for label in labels} == {"delivery", "price", "quality"}
    assert all(0 <= label["score"] <= 1 for label in labels)
    assert sum(label["score"] for label in labels) != pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize(("n_top", "labels"), [("1", 1), (2, 2), ("1000", 3)])
def test_n_top_is_a_number_or_a_string_and_may_be_more_than_there_are(ready: Ready, n_top: Any, labels: int) -> None:
    answer = ready("exclusive.json").call("predict", "predict_post_text", body=VACATION | {"n_top": n_top})

    assert len(answer.body["labels"]) == labels


def test_without_n_top_there_are_five(winnow: Winnow) -> None:
    colours = ("red", "green", "blue", "white", "black", "pink")
    winnow.put_dataset(
        [{"text": f"{thing} painted {colour}", "label": colour} for colour in colours for thing in ("door", "fence", "roof")]
    )
    winnow.train()

    assert len(winnow.call("predict", "predict_post_text").body["labels"]) == 5


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"text": ""}, "text"),
        ({"text": " \n\t"}, "text"),
        ({"text": "a" * 20_001}, "text"),
        ({"text": 7}, "text"),
        ({"text": None, "texts": []}, "texts"),
        ({"text": None, "texts": ["a"] * 101}, "texts"),
        ({"text": None, "texts": ["a", ""]}, "texts[1]"),
        ({"text": None, "texts": "a"}, "texts"),
        ({"model_id": None}, "model_id"),
        ({"model_id": "../tc-01"}, "model_id"),
        ({"n_top": 0}, "n_top"),
        ({"n_top": "1001"}, "n_top"),
        ({"n_top": "one"}, "n_top"),
        ({"top_n": 1}, "top_n"),
        ({"version": 0}, "version"),
        ({"version": "01"}, "version"),
        ({"version": "live"}, "version"),
        ({"explain": "yes"}, "explain"),
    ],
)
def test_a_field_that_is_missing_unknown_or_wrong_is_named(ready: Ready, changes: Json, field: str) -> None:
    body = {name: value for name, value in (VACATION | changes).items() if value is not None}

    answer = ready("exclusive.json").call("predict", "predict_post_text", body=body)

    assert (answer.status, answer.body["field"]) == (422, field)
    assert field in answer.body["detail"]


@pytest.mark.parametrize("changes", [{"texts": ["a"]}, {"text": None}])
def test_text_and_texts_are_one_or_the_other(ready: Ready, changes: Json) -> None:
    body = {name: value for name, value in (VACATION | changes).items() if value is not None}

    answer = ready("exclusive.json").call("predict", "predict_post_text", body=body)

    assert answer.status == 422
    assert "either text" in answer.body["detail"]


def test_fields_in_the_body_and_in_the_query_are_refused(ready: Ready) -> None:
    answer = ready("exclusive.json").call("predict", "predict_get_body", query={"n_top": "2"})

    assert answer.status == 422
    assert "not both" in answer.body["detail"]


def test_an_answer_too_large_to_send_is_refused_with_advice(winnow: Winnow) -> None:
    labels = [f"{number:03d}{'x' * 190}" for number in range(300)]
    winnow.put_dataset([{"text": f"{thing} {number}", "label": label} for number, label in enumerate(labels) for thing in ("a", "b")])
    winnow.train()

    answer = winnow.call("predict", "predict_post_texts", body={"model_id": "tc-01", "texts": ["a"] * 100, "n_top": 1000})

    assert answer.status == 413
    assert "n_top" in answer.body["detail"]


def test_a_model_that_is_not_there_is_not_found(winnow: Winnow) -> None:
    assert winnow.call("predict", "predict_get_body").status == 404


def test_a_model_without_a_live_version_says_why(winnow: Winnow) -> None:
    winnow.create()
    answer = winnow.call("predict", "predict_get_body")
    assert answer.status == 409
    assert "is training" in answer.body["detail"]

    winnow.call("cancel_version")
    winnow.environments.clear()
    answer = winnow.call("predict", "predict_get_body")
    assert answer.status == 409
    assert "force_update" in answer.body["detail"]


@pytest.fixture
def clock() -> list[float]:
    """The seconds of a predictor's clock. Tests can move it."""
    return [0.0]


def new_predictor(winnow: Winnow, clock: list[float], memory: int | None = None) -> Predictor:
    """A predictor in a new execution environment with this memory, in bytes."""
    with winnow.settings("functions/api/predict"):
        artifacts = resources.artifacts(keeps_files=True)
        return Predictor(resources.models(), resources.versions(), artifacts, memory or resources.memory(), clock=lambda: clock[0])


@contextmanager
def calls(client: Any, operation: str) -> Iterator[list[str]]:
    """The paths of the client's calls of this operation inside the `with` block."""
    asked: list[str] = []
    event = f"before-call.*.{operation}"
    client.meta.events.register(event, lambda params, **_: asked.append(params["url_path"]), unique_id="calls")
    try:
        yield asked
    finally:
        client.meta.events.unregister(event, unique_id="calls")


def test_a_deleted_model_is_refused_once_the_pointer_is_old(ready: Ready, clock: list[float]) -> None:
    winnow = ready("exclusive.json")
    predictor = new_predictor(winnow, clock)
    for version in (None, 1):
        predictor.predict("tc-01", ["What is this fee?"], 1, seconds=28, version=version)
    winnow.call("delete_model")

    clock[0] += SECONDS_A_POINTER_IS_TRUSTED + 0.01
    for version in (None, 1):
        with pytest.raises(ModelNotFoundError):
            predictor.predict("tc-01", ["What is this fee?"], 1, seconds=28, version=version)


def test_a_promoted_version_answers_within_two_seconds(ready: Ready, clock: list[float]) -> None:
    winnow = ready("exclusive.json")
    predictor = new_predictor(winnow, clock)
    assert predictor.predict("tc-01", ["What is this fee?"], 1, seconds=28)[0] == 1
    winnow.train(force_update=True)

    clock[0] += 2
    assert predictor.predict("tc-01", ["What is this fee?"], 1, seconds=28)[0] == 2


def test_the_registry_is_asked_once_a_second_for_a_model_and_for_a_version(ready: Ready, clock: list[float]) -> None:
    predictor = new_predictor(ready("exclusive.json"), clock)
    predictor.predict("tc-01", ["What is this fee?"], 1, seconds=28)
    with calls(clients.registry_table().meta.client, "GetItem") as looks:
        for tenth in range(21):
            clock[0] = tenth / 10
            predictor.predict("tc-01", ["What is this fee?"], 1, seconds=28)
        live = len(looks)
        for tenth in range(21):
            clock[0] = 10 + tenth / 10
            predictor.predict("tc-01", ["What is this fee?"], 1, seconds=28, version=1)

    assert live == 1
    assert len(looks) - live == 4


# --- a version of the client's choice ---


@pytest.fixture
def two(ready: Ready, once: Once) -> Winnow:
    """Two ready versions and a third, cancelled one. The second is live."""

    def make() -> None:
        winnow = ready("exclusive.json")
        winnow.train(force_update=True, recipe="linear")
        winnow.create(force_update=True)
        winnow.call("cancel_version", path={"model_id": "tc-01", "version": "3"})

    return once("two, and one cancelled", make)


@pytest.mark.parametrize("version", [1, "1", 1.0, 2])
def test_the_version_that_is_asked_for_answers(two: Winnow, version: Any) -> None:
    assert two.call("predict", "predict_post_text", body=VACATION).body["version"] == 2
    assert two.call("predict", "predict_post_text", body=VACATION | {"version": version}).body["version"] == int(version)
    by_query = two.call("predict", "predict_get_query", query={**VACATION, "version": str(int(version))})
    assert by_query.body["version"] == int(version)


@pytest.mark.parametrize(("version", "status", "kind"), [(3, 409, "version-not-ready"), (4, 404, "version-not-found")])
def test_a_version_that_cannot_answer_is_refused(two: Winnow, version: int, status: int, kind: str) -> None:
    answer = two.call("predict", "predict_post_text", body=VACATION | {"version": version})

    assert (answer.status, answer.body["type"]) == (status, f"urn:winnow:problem:{kind}")


def test_a_deleted_version_is_refused_within_two_seconds(two: Winnow, clock: list[float]) -> None:
    predictor = new_predictor(two, clock)
    predictor.predict("tc-01", ["What is this fee?"], 1, seconds=28, version=1)
    assert two.call("delete_version", path={"model_id": "tc-01", "version": "1"}).status == 200

    clock[0] += 2
    with pytest.raises(VersionNotFoundError):
        predictor.predict("tc-01", ["What is this fee?"], 1, seconds=28, version=1)
    assert predictor.predict("tc-01", ["What is this fee?"], 1, seconds=28)[0] == 2


# --- in memory and on the disk ---


def reads(predictor: Predictor, version: int) -> int:
    """How many objects the version's answer reads."""
    with calls(clients.s3(), "GetObject") as asked:
        predictor.predict("tc-01", ["What is this fee?"], 1, seconds=28, version=version)
    return len(asked)


def test_what_was_used_least_recently_goes_first_and_comes_back_without_s3(two: Winnow, clock: list[float]) -> None:
    two.train(force_update=True, recipe="linear", seed=4)
    # Room for two versions: each has a table of features of 2 MiB.
    predictor = new_predictor(two, clock, memory=int(5.5 * 2**20 / MEMORY_SHARE))
    # Version 4 replaces version 2, which was used before version 1.
    assert [reads(predictor, version) for version in (1, 2, 1, 4)] == [3, 3, 0, 3]
    for file in kept_files().iterdir():
        file.write_bytes(b"something else")
    assert [reads(predictor, version) for version in (1, 4)] == [0, 0]
    # The files on the disk are refused and read again: first those of 2, then those of 1, which 2 replaced.
    assert [reads(predictor, version) for version in (2, 1)] == [3, 3]
    # The files of 1 and 2 on the disk are whole again.
    assert [reads(predictor, version) for version in (2, 1, 4, 1)] == [0, 0, 3, 0]
    assert [reads(predictor, version) for version in (2, 4, 1)] == [0, 0, 0]


def test_a_model_larger_than_the_bound_answers_and_stays(two: Winnow, clock: list[float]) -> None:
    predictor = new_predictor(two, clock, memory=1)
    assert reads(predictor, 1) == 3
    assert reads(predictor, 1) == 0


def test_the_files_of_an_environment_s_first_version_are_kept_when_it_comes_back(two: Winnow, clock: list[float]) -> None:
    # Room for one version.
    predictor = new_predictor(two, clock, memory=1)
    assert reads(predictor, 1) == 3
    assert not kept_files().exists()
    assert [reads(predictor, version) for version in (2, 1, 2, 1)] == [3, 3, 0, 0]


def test_without_a_disk_it_answers_all_the_same(ready: Ready, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    winnow = ready("exclusive.json")
    (tmp_path / "a file").touch()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "a file"))

    assert winnow.call("predict", "predict_get_body").status == 200


def test_texts_that_take_too_long_together_are_refused_with_advice(ready: Ready, monkeypatch: pytest.MonkeyPatch) -> None:
    winnow = ready("exclusive.json")
    texts = ["tulip " * 2_000, "tulip bulbs", "my rent is due"]
    whole = winnow.call("predict", "predict_post_texts", body={"model_id": "tc-01", "texts": texts})
    # As if the parts took longer than an answer may.
    monkeypatch.setattr(predictor, "_SECONDS_TO_CLASSIFY", 100.0)

    answer = winnow.call("predict", "predict_post_texts", body={"model_id": "tc-01", "texts": texts})

    assert (whole.status, len(whole.body["predictions"])) == (200, 3)
    assert (answer.status, answer.body["type"]) == (413, "urn:winnow:problem:too-large")
    assert "no time for texts[1] of 3 texts. Send fewer of them at once" in answer.body["detail"]
    # Texts that fit into one part are never refused.
    assert winnow.call("predict", "predict_post_texts", body={"model_id": "tc-01", "texts": texts[1:]}).status == 200


@pytest.mark.parametrize(("takes", "answered"), [(1.0, 12), (5.0, 4), (9.0, 2), (40.0, 1)])
def test_no_text_is_begun_that_may_not_end_in_time(ready: Ready, monkeypatch: pytest.MonkeyPatch, takes: float, answered: int) -> None:
    """A call has 28 seconds. On a busy machine, or with a slow text, a part takes longer than it should."""
    winnow, now = ready("exclusive.json"), 0.0
    classify = TrainedClassifier.answers

    def slowly(*given: Any) -> Any:
        nonlocal now
        now += takes
        return classify(*given)

    monkeypatch.setattr(TrainedClassifier, "answers", slowly)
    asked = {"model_id": "tc-01", "texts": ["tulip " * 2_000] * 12}
    assert winnow.call("predict", "predict_post_texts", body={**asked, "texts": ["tulip"]}).status == 200
    function = winnow.environments["functions/api/predict"]
    monkeypatch.setattr(function.predictor(), "_clock", lambda: now)
    now = 0.0

    answer = winnow.call("predict", "predict_post_texts", body=asked)

    assert now == answered * takes
    if answered == 12:
        assert answer.status == 200
    else:
        assert (answer.status, f"texts[{answered}] of 12 texts" in answer.body["detail"]) == (413, True)


# --- why ---


@pytest.mark.parametrize("explain", [True, "True"])
def test_a_version_of_linear_says_which_words_gave_the_label(two: Winnow, explain: Any) -> None:
    text = "How deep do tulip bulbs go?"
    asked = {"model_id": "tc-01", "version": 2, "explain": explain}
    answer = two.call("predict", "predict_post_text", body={**asked, "text": text}).body
    told = answer["explanation"]

    assert told["label"] == answer["labels"][0]["label"]
    assert (told["method"], told["untried_words"]) == ("exact", 0)
    assert told["bias"] + sum(word["contribution"] for word in told["words"]) == pytest.approx(told["logit"], abs=1e-9)
    assert [text[word["start"] : word["end"]].lower() for word in told["words"]] == [word["word"] for word in told["words"]]
    first, second = two.call("predict", "predict_post_texts", body={**asked, "texts": [text, "?"]}).body["predictions"]
    assert first == {"prediction_id": first["prediction_id"], "labels": answer["labels"], "explanation": told}
    assert [word["word"] for word in second["explanation"]["words"]] == ["?"]


@pytest.mark.parametrize("explain", [False, "False", None])
def test_without_being_asked_it_says_nothing_more(two: Winnow, explain: Any) -> None:
    asked = {} if explain is None else {"explain": explain}
    assert "explanation" not in two.call("predict", "predict_post_text", body=VACATION | asked).body


def test_a_version_of_another_recipe_is_explained_by_leaving_words_out(winnow: Winnow) -> None:
    winnow.put_dataset()
    winnow.train(recipe="cnn")
    texts = ["How deep do tulip bulbs go?", "我 " * 300, "?"]

    answer = winnow.call("predict", "predict_post_texts", body={"model_id": "tc-01", "texts": texts, "explain": True})

    assert answer.status == 200
    for text, predicted in zip(texts, answer.body["predictions"], strict=True):
        told = predicted["explanation"]
        assert (told["label"], told["method"], told["bias"]) == (predicted["labels"][0]["label"], "occlusion", None)
        assert [text[word["start"] : word["end"]].lower() for word in told["words"]] == [word["word"] for word in told["words"]]
    many = answer.body["predictions"][1]["explanation"]
    assert many["untried_words"] == 300 - len(many["words"])
    assert 50 <= len(many["words"]) <= 100


def test_texts_whose_explanations_take_too_long_together_are_refused(two: Winnow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(predictor, "_SECONDS_TO_EXPLAIN", 100.0)
    asked = {"model_id": "tc-01", "version": 2, "explain": True}

    several = two.call("predict", "predict_post_texts", body={**asked, "texts": ["tulip", "rose"]})

    assert (several.status, several.body["type"]) == (413, "urn:winnow:problem:too-large")
    assert "no time for texts[1] of 2 texts. Send fewer of them at once" in several.body["detail"]
    assert two.call("predict", "predict_post_texts", body={**asked, "texts": ["tulip"]}).status == 200


def test_more_words_than_an_answer_can_explain_are_refused_before_the_work(two: Winnow, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = {"model_id": "tc-01", "version": 2, "explain": True}
    texts = ["." * 19_900] * 50
    assert two.call("predict", "predict_post_texts", body={**asked, "texts": texts[:2]}).status == 200
    monkeypatch.setattr(TrainedClassifier, "answers", None)

    answer = two.call("predict", "predict_post_texts", body={**asked, "texts": texts})

    assert (answer.status, answer.body["type"]) == (413, "urn:winnow:problem:too-large")
    assert "explains at most 50,000 words, and texts[2] of 50 texts exceeds them" in answer.body["detail"]


@pytest.mark.parametrize("name", ["classifier.json", "weights.bin", "manifest.json"])
@pytest.mark.parametrize("change", ["tampered with", "missing"])
def test_an_artifact_that_is_not_what_the_training_wrote_is_not_loaded(ready: Ready, name: str, change: str) -> None:
    winnow = ready("exclusive.json")
    stem, _, suffix = name.partition(".")
    [(key, body)] = [(key, body) for key, body in winnow.objects().items() if re.search(rf"artifact/{stem}(-[0-9a-f]+)?\.{suffix}$", key)]
    if change == "missing":
        winnow.s3.delete_object(Bucket=winnow.names["Models"], Key=key)
    else:
        winnow.s3.put_object(Bucket=winnow.names["Models"], Key=key, Body=body.replace(b"0.5", b"0.1") + b" ")

    answer = winnow.call("predict", "predict_get_body")

    assert answer.status == 500
    assert name in answer.body["detail"]
    assert "train it again" in answer.body["detail"]


def test_an_environment_loads_a_model_once(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    winnow.call("predict", "predict_get_body")
    with calls(clients.s3(), "GetObject") as warm:
        winnow.call("predict", "predict_post_text")
    winnow.new_environment()
    with calls(clients.s3(), "GetObject") as cold:
        winnow.call("predict", "predict_post_text")
        winnow.call("predict", "predict_post_text")

    assert not warm
    assert len(cold) == len(set(cold)) == 3
