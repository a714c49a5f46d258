"""The prediction log: the ids of predictions, what is kept when, and feedback that names a prediction."""

from __future__ import annotations

import gzip
import json
import random
import re
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import Context, load_event
from tests.support.feedback import add, set_properties
from tests.support.metrics import counted
from tests.support.races import before_write
from winnow.aws import clients
from winnow.domain.prediction_log import DAYS, PredictionId

if TYPE_CHECKING:
    from tests.conftest import Answer, Json, Ready, Winnow
    from tests.support.clock import Clock

SWEEP = "functions/upkeep/sweep"
ALL = {"share": 1, "days": 30}
TEXTS = ["I want to save for vacation!", "my rent is due", "xylograph"]


def predict(winnow: Winnow, texts: str | list[str] = TEXTS[0], **fields: Any) -> Answer:
    given = {"text": texts} if isinstance(texts, str) else {"texts": texts}
    return winnow.call("predict", "predict_post_text", body={"model_id": "tc-01", **given, **fields})


def objects(winnow: Winnow) -> dict[str, list[Json]]:
    """What lies in logs, by key."""
    return {
        key: [json.loads(line) for line in gzip.decompress(body).splitlines()]
        for key, body in winnow.objects().items()
        if key.startswith("log/")
    }


def logged(winnow: Winnow) -> list[Json]:
    return [line for lines in objects(winnow).values() for line in lines]


def switch_on(winnow: Winnow, log: Json | None = None) -> None:
    set_properties(winnow, log=log or ALL)
    # The row is trusted for a second.
    winnow.new_environment()


# --- the setting ---


def test_it_is_off_and_each_model_has_its_own_setting(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    assert winnow.model()["log"] is None

    answer = winnow.call("change_model", body={"log": {"share": 0.1, "days": 30}})

    assert (answer.status, answer.body["log"]) == (200, {"share": 0.1, "days": 30})
    assert winnow.model()["log"] == {"share": 0.1, "days": 30}
    assert winnow.call("list_models").body["models"][0]["log"] == {"share": 0.1, "days": 30}
    tag = winnow.call("get_model").headers["ETag"]
    assert winnow.call("change_model", body={"log": {"share": 0.1, "days": 30.0}}).headers["ETag"] == tag
    assert winnow.call("change_model", body={"log": None}).body["log"] is None
    assert winnow.call("get_model").headers["ETag"] != tag


@pytest.mark.parametrize(
    ("log", "field"),
    [
        ({"share": 0, "days": 30}, "log.share"),
        ({"share": 1.1, "days": 30}, "log.share"),
        ({"share": "0.1", "days": 30}, "log.share"),
        ({"share": 0.1, "days": 31}, "log.days"),
        ({"share": 0.1}, "log"),
        ({"days": 30}, "log"),
        ({"share": 0.1, "days": 30, "texts": True}, "log"),
        (True, "log"),
    ],
)
def test_other_settings_are_refused(ready: Ready, log: Any, field: str) -> None:
    winnow = ready("exclusive.json")
    answer = winnow.call("change_model", body={"log": log})
    assert (answer.status, answer.body["field"]) == (422, field)
    assert winnow.model()["log"] is None


def test_a_row_with_days_for_which_nothing_removes_texts_is_damaged(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    [row] = [row for row in winnow.table.scan()["Items"] if row["pk"] == "MODELS"]
    winnow.table.put_item(Item=row | {"log": {"share": 1, "days": 5}})
    assert predict(winnow).status == 500
    assert winnow.call("get_model").body["type"] == "urn:winnow:problem:damaged-row"


# --- ids ---


def test_each_answer_has_an_id_that_sorts_by_time_also_when_the_log_is_off(ready: Ready, clock: Clock) -> None:
    winnow = ready("exclusive.json")
    ids = []
    for body in (predict(winnow).body, winnow.call("predict", "predict_get_query").body, winnow.call("predict", "predict_get_body").body):
        ids.append(body["prediction_id"])
        clock.advance(milliseconds=5)
    ids += [each["prediction_id"] for each in predict(winnow, TEXTS * 33).body["predictions"]]

    assert len(set(ids)) == len(ids) == 102
    assert ids == sorted(ids)
    assert all(re.fullmatch(r"\d{8}T\d{9}-[0-9a-f]{8}-\d\d", each) for each in ids)
    assert objects(winnow) == {}


def test_ids_read_what_they_wrote_and_nothing_else() -> None:
    for days in (None, *DAYS):
        made = PredictionId("20260302T091641007-1a2b3c4d", 7, days)
        assert PredictionId.read(str(made)) == made
    for other in (
        "",
        "20260302T091641007-1a2b3c4d",
        "20260302T091641007-1a2b3c4d-00-31d",
        "20261302T091641007-1a2b3c4d-00",
        "20260302T091641007-1a2b3c4d-00 ",
        "٢0260302T091641007-1a2b3c4d-00",
    ):
        assert PredictionId.read(other) is None


# --- what is kept ---


def test_a_kept_text_has_its_answer(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    switch_on(winnow)

    body = predict(winnow, TEXTS, n_top=1).body

    [(key, lines)] = objects(winnow).items()
    request = body["predictions"][0]["prediction_id"].removesuffix("-00-30d")
    [uid] = [row["uid"] for row in winnow.table.scan()["Items"] if row["pk"] == "MODELS"]
    assert key == f"log/30/{uid}/{request[:4]}-{request[4:6]}-{request[6:8]}/{request}.jsonl.gz"
    assert [line["prediction_id"] for line in lines] == [f"{request}-0{place}-30d" for place in range(3)]
    assert [line["prediction_id"] for line in lines] == [each["prediction_id"] for each in body["predictions"]]
    assert [line["text"] for line in lines] == TEXTS
    for line, told in zip(lines, body["predictions"], strict=True):
        [best, second] = line["labels"]
        assert [best] == [[label["label"], label["score"], label["accepted"]] for label in told["labels"]]
        assert best[1] >= second[1]
        assert line["version"] == 1
    # What the version has never seen is strange to it.
    assert lines[2]["familiarity"] < 0


def test_the_log_has_the_labels_that_the_client_asked_for_if_they_are_more(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    switch_on(winnow)
    body = predict(winnow, n_top=3).body
    assert [label for label, _, _ in logged(winnow)[0]["labels"]] == [label["label"] for label in body["labels"]]


def test_a_version_that_is_asked_for_is_logged_with_its_number(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    winnow.train(force_update=True, promote="never")
    switch_on(winnow)
    predict(winnow, version=2)
    predict(winnow)
    assert sorted(line["version"] for line in logged(winnow)) == [1, 2]


def test_about_the_asked_share_of_texts_is_kept_and_the_ids_tell_which(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    switch_on(winnow, {"share": 0.3, "days": 7})
    random.seed(5)

    predictions = [each for _ in range(5) for each in predict(winnow, TEXTS[:2] * 50, n_top=1).body["predictions"]]

    kept = {each["prediction_id"] for each in predictions if each["prediction_id"].endswith("-7d")}
    assert {line["prediction_id"] for line in logged(winnow)} == kept
    # Five standard deviations of 500 draws.
    assert 100 < len(kept) < 200


def test_off_nothing_is_kept_from_a_second_later_on(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    switch_on(winnow)
    predict(winnow)
    set_properties(winnow, log=None)
    winnow.new_environment()

    assert not predict(winnow, "planted").body["prediction_id"].endswith("-30d")

    assert [line["text"] for line in logged(winnow)] == TEXTS[:1]
    assert not any(b"planted" in gzip.decompress(body) for key, body in winnow.objects().items() if key.endswith(".gz"))


def test_a_refused_request_keeps_nothing(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    switch_on(winnow)
    assert predict(winnow, TEXTS[0], n_top=0).status == 422
    assert predict(winnow, TEXTS[0], version=9).status == 404
    assert objects(winnow) == {}


# --- a log that can't be written ---


def refuse(monkeypatch: pytest.MonkeyPatch, times: int) -> list[str]:
    """S3 refuses so many of the next writes. The list has the keys that were tried."""
    tried: list[str] = []
    s3 = clients.s3_for_once()
    put = s3.put_object

    def refused(**given: Any) -> Any:
        tried.append(given["Key"])
        if len(tried) <= times:
            raise ClientError({"Error": {"Code": "SlowDown", "Message": "Please reduce your request rate."}}, "PutObject")
        return put(**given)

    monkeypatch.setattr(s3, "put_object", refused)
    return tried


def test_a_write_that_fails_is_tried_again_once(ready: Ready, monkeypatch: pytest.MonkeyPatch) -> None:
    winnow = ready("exclusive.json")
    switch_on(winnow)
    tried = refuse(monkeypatch, 1)
    assert predict(winnow).status == 200
    assert len(tried) == 2
    assert len(logged(winnow)) == 1


def test_a_log_that_can_t_be_written_fails_no_prediction_and_is_counted(
    ready: Ready, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    winnow = ready("exclusive.json")
    switch_on(winnow)
    refuse(monkeypatch, 2)
    capsys.readouterr()

    assert predict(winnow, TEXTS).status == 200

    assert counted(capsys.readouterr().out) == {"PredictionsNotLogged": 3}
    assert objects(winnow) == {}


def test_a_text_that_comes_late_is_not_written(
    ready: Ready, clock: Clock, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A frozen environment goes on after hours, when its model may be gone."""
    winnow = ready("exclusive.json")
    switch_on(winnow)
    capsys.readouterr()
    predict(winnow)
    after_answer = winnow.environments["functions/api/predict"].prediction_log.after_answer
    later = after_answer.later

    def late(item: Any) -> bool:
        clock.advance(seconds=61)
        return bool(later(item))

    monkeypatch.setattr(after_answer, "later", late)

    assert predict(winnow, "too late").status == 200

    assert [line["text"] for line in logged(winnow)] == TEXTS[:1]
    assert counted(capsys.readouterr().out) == {"PredictionsNotLogged": 1}


# --- the end of the model ---


def test_the_log_goes_with_the_model_with_every_version_of_its_objects(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    bucket = winnow.names["Models"]
    winnow.s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    for days in DAYS:
        switch_on(winnow, {"share": 1, "days": days})
        predict(winnow)
    assert len(objects(winnow)) == 4
    winnow.s3.delete_object(Bucket=bucket, Key=next(iter(objects(winnow))))

    assert winnow.call("delete_model").status == 200

    left = winnow.s3.list_object_versions(Bucket=bucket)
    assert left.get("Versions", []) + left.get("DeleteMarkers", []) == []


def test_another_model_s_log_stays(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    switch_on(winnow)
    predict(winnow)
    winnow.train(id="tc-02")
    winnow.call("delete_model", path={"model_id": "tc-02"})
    assert len(logged(winnow)) == 1


def test_what_is_written_while_the_model_is_deleted_is_removed_by_the_sweeper(ready: Ready, clock: Clock) -> None:
    winnow = ready("exclusive.json")
    switch_on(winnow)
    predict(winnow)

    with before_write(lambda: winnow.call("delete_model").status, "s3.PutObject") as deleted:
        assert predict(winnow, "late").status == 200
    assert deleted == [200]
    assert [line["text"] for line in logged(winnow)] == ["late"]

    clock.advance(minutes=17)
    winnow.invoke(SWEEP, load_event("upkeep/sweep"), Context(seconds=240))

    assert winnow.objects() == {}
    assert {row["pk"] for row in winnow.table.scan()["Items"]} <= {"TRAININGS", "UPKEEP", "HISTORY#tc-01"}


# --- feedback ---


def examples_of(winnow: Winnow) -> list[tuple[str, list[str]]]:
    found = [body for key, body in winnow.objects().items() if "/feedback/" in key]
    lines = [json.loads(line) for body in found for line in gzip.decompress(body).splitlines()]
    return [(line["text"], line["labels"]) for line in lines]


def test_feedback_may_name_predictions_beside_texts(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    switch_on(winnow)
    ids = [each["prediction_id"] for each in predict(winnow, TEXTS).body["predictions"]]
    # What was kept stays to be named.
    set_properties(winnow, log=None)

    answer = add(
        winnow,
        [{"prediction_id": ids[2], "label": "card"}, {"text": "freeze it", "label": "card"}, {"prediction_id": ids[0], "labels": ["atm"]}],
    )

    assert (answer.status, answer.body["examples"]) == (201, 3)
    assert examples_of(winnow) == [("xylograph", ["card"]), ("freeze it", ["card"]), (TEXTS[0], ["atm"])]


def test_a_prediction_whose_text_is_not_in_the_log_is_404(ready: Ready, clock: Clock) -> None:
    winnow = ready("exclusive.json")
    off = predict(winnow).body["prediction_id"]
    switch_on(winnow, {"share": 1, "days": 7})
    kept = predict(winnow).body["prediction_id"]
    winnow.train(id="tc-02")
    winnow.call("change_model", path={"model_id": "tc-02"}, body={"log": ALL})
    other = winnow.call("predict", "predict_post_text", body={"model_id": "tc-02", "text": "theirs"}).body["prediction_id"]
    moved = kept.replace("-7d", "-30d")
    elsewhere = kept.replace("-00-7d", "-01-7d")

    for name, reason in (
        ("seven", "not an id"),
        (off, "its log was off, or did not keep this text"),
        (other, "another model's"),
        (moved, "another model's"),
        (elsewhere, "another model's"),
    ):
        answer = add(winnow, [{"text": "fine", "label": "card"}, {"prediction_id": name, "label": "card"}])
        assert (answer.status, answer.body["type"]) == (404, "urn:winnow:problem:prediction-not-found")
        assert answer.body["field"] == "examples[1].prediction_id"
        assert reason in answer.body["detail"]
    assert examples_of(winnow) == []

    clock.advance(days=6, hours=23)
    assert add(winnow, [{"prediction_id": kept, "label": "card"}]).status == 201
    clock.advance(hours=1)
    answer = add(winnow, [{"prediction_id": kept, "label": "card"}])
    assert (answer.status, "kept it for 7 days" in answer.body["detail"]) == (404, True)


def test_a_damaged_object_has_no_texts(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    switch_on(winnow)
    name = predict(winnow).body["prediction_id"]
    [key] = objects(winnow)
    winnow.s3.put_object(Bucket=winnow.names["Models"], Key=key, Body=b"no gzip")
    assert add(winnow, [{"prediction_id": name, "label": "card"}]).status == 404


def test_a_repeated_request_is_answered_as_before_though_the_text_has_expired(ready: Ready, clock: Clock) -> None:
    winnow = ready("exclusive.json")
    switch_on(winnow, {"share": 1, "days": 1})
    name = predict(winnow).body["prediction_id"]
    clock.advance(hours=12)
    first = add(winnow, [{"prediction_id": name, "label": "card"}], key="a-key-of-the-client")
    clock.advance(hours=13)
    assert add(winnow, [{"prediction_id": name, "label": "card"}], key="a-key-of-the-client").body == first.body


@pytest.mark.parametrize(
    "example",
    [
        {"prediction_id": "20260302T091641007-1a2b3c4d-00-30d"},
        {"prediction_id": "20260302T091641007-1a2b3c4d-00-30d", "text": "both", "label": "card"},
        {"prediction_id": 7, "label": "card"},
        {"prediction_id": "", "label": "card"},
        {"label": "card"},
    ],
)
def test_an_example_is_a_text_or_a_prediction_with_a_label(ready: Ready, example: Json) -> None:
    winnow = ready("exclusive.json")
    answer = add(winnow, [example])
    assert (answer.status, answer.body["field"].partition(".")[0]) == (422, "examples[0]")


def test_a_request_names_at_most_200_predictions(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    answer = add(winnow, [{"prediction_id": "20260302T091641007-1a2b3c4d-00-30d", "label": "card"}] * 201)
    assert (answer.status, answer.body["field"]) == (422, "examples")
    assert "at most 200" in answer.body["detail"]


def test_labels_of_a_named_prediction_are_checked_as_others(ready: Ready) -> None:
    winnow = ready("exclusive.json")
    switch_on(winnow)
    name = predict(winnow).body["prediction_id"]
    answer = add(winnow, [{"prediction_id": name, "labels": ["a", "b"]}])
    assert (answer.status, answer.body["field"]) == (422, "examples[0]")
