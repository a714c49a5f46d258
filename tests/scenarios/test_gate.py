"""`"promote": "if-better"`: a version goes live only if it is at least as good as the live one on texts that are new to both."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.feedback import add
from winnow.recipes.catalogue import COSTS
from winnow.training import gate

if TYPE_CHECKING:
    from tests.conftest import Answer, Json, Ready, Winnow


def good() -> list[Json]:
    return [{"text": f"{word} {number}", "label": label} for label, word in WORDS.items() for number in range(20)]


SECRETS = ["qxv", "wzk", "jhb", "ypf", "vgd", "kqt", "zmx", "bwj", "fyh", "dkr"]
WORDS = {"baking": "flour and butter for the cake", "cycling": "a flat tyre on my bike", "gardening": "tulip bulbs in the flower bed"}


def update(winnow: Winnow, data: list[Json], promote: str = "if-better", **fields: Any) -> Json:
    winnow.put_dataset(data)
    return winnow.train(force_update=True, promote=promote, **{"n_iter": 8} | fields)


def compare(winnow: Winnow, version: int = 1, to: str = "2") -> Answer:
    return winnow.call("compare_versions", path={"model_id": "tc-01", "version": str(version)}, query={"to": to})


def test_the_first_version_needs_no_gate(winnow: Winnow) -> None:
    winnow.put_dataset()
    version = winnow.train(promote="if-better")
    assert (version["status"], version["live"], version["gate"]) == ("ready", True, None)


def test_a_better_version_goes_live(winnow: Winnow) -> None:
    # It learns so slowly that it knows nothing.
    winnow.put_dataset(good())
    winnow.train(recipe="cnn", learn_rate=1e-9)
    version = update(winnow, good())

    gate = version["gate"]
    assert (version["live"], gate["passed"], gate["against"]) == (True, True, 1)
    assert gate["macro_f1"] > gate["live_macro_f1"]
    assert "at least" in gate["reason"]


def test_a_worse_version_stays_ready_with_the_reason_and_a_person_decides(winnow: Winnow) -> None:
    winnow.put_dataset(good())
    winnow.train(n_iter=8)
    # It learns so slowly that it knows nothing.
    version = update(winnow, good(), recipe="cnn", learn_rate=1e-9, n_iter=1)

    gate = version["gate"]
    assert (version["status"], version["live"], gate["passed"]) == ("ready", False, False)
    assert gate["macro_f1"] < gate["live_macro_f1"]
    assert "less than" in gate["reason"]
    assert "The labels that got worse the most:" in gate["reason"]
    assert winnow.model()["live_version"] == 1
    assert winnow.call("predict", "predict_get_body").body["version"] == 1

    promoted = winnow.call("promote_version", path={"model_id": "tc-01"}, body={"version": 2})
    assert (promoted.status, promoted.body["live_version"]) == (200, 2)


@pytest.fixture
def held_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A part of each data set is held out, as it is of a large one."""
    monkeypatch.setattr("winnow.recipes.catalogue._MOST_CROSS_VALIDATED", dict.fromkeys(COSTS, 0))


@pytest.mark.usefixtures("held_out")
def test_both_are_measured_on_texts_that_neither_was_trained_on(winnow: Winnow) -> None:
    winnow.put_dataset(good())
    winnow.train(n_iter=8)
    # Another seed holds out other texts. Most held-out texts of version 1 are training texts of version 2.
    version = update(winnow, good(), seed=5)

    tested = [{text for text, _ in frozen(winnow, "test", number)} for number in (1, 2)]
    trained_on = {text for number in (1, 2) for text, _ in frozen(winnow, "train", number)}
    left = (tested[0] | tested[1]) - trained_on
    assert version["gate"]["examples"] == len(left) < len(tested[0])


@pytest.mark.usefixtures("held_out")
def test_where_nothing_is_left_to_measure_on_a_person_decides(winnow: Winnow) -> None:
    pairs = [{"text": f"{WORDS[label]} {number}", "label": label} for label in WORDS for number in (1, 2)]
    winnow.put_dataset(pairs)
    winnow.train(n_iter=2)
    for seed in range(1, 20):
        version = update(winnow, pairs, seed=seed)
        if version["gate"]["examples"] == 0:
            break
    gate = version["gate"]
    assert (version["status"], gate["passed"], gate["macro_f1"], gate["live_macro_f1"]) == ("ready", False, None, None)
    assert "can't be compared" in gate["reason"]
    answer = compare(winnow, gate["against"], str(version["version"]))
    assert (answer.status, answer.body["type"]) == (409, "urn:winnow:problem:nothing-to-compare")


def test_a_version_promoted_while_the_gate_was_open_is_what_counts(winnow: Winnow, monkeypatch: pytest.MonkeyPatch) -> None:
    winnow.put_dataset(good())
    winnow.train(n_iter=8)
    update(winnow, good(), promote="never")
    judged: list[int] = []
    real = gate.judge

    def slow(live: Any, *rest: Any) -> Any:
        result = real(live, *rest)
        if not judged:
            winnow.call("promote_version", path={"model_id": "tc-01"}, body={"version": 2})
        judged.append(live.job.version)
        return result

    monkeypatch.setattr(gate, "judge", slow)
    version = update(winnow, good())

    assert judged == [1, 2]
    assert version["gate"]["against"] == 2


def test_what_got_better_and_worse_is_told_label_by_label(winnow: Winnow) -> None:
    winnow.put_dataset(good())
    winnow.train(recipe="cnn", learn_rate=1e-9)
    update(winnow, good(), promote="never")

    answer = compare(winnow)

    assert answer.status == 200
    body = answer.body
    assert (body["model_id"], body["version"], body["to"], body["lost"]) == ("tc-01", 1, 2, 0)
    assert body["after"]["accuracy"] > body["before"]["accuracy"]
    assert body["gained"] == round((body["after"]["accuracy"] - body["before"]["accuracy"]) * body["examples"])
    assert {change["label"] for change in body["per_label"]} == set(WORDS)
    back = compare(winnow, 2, "1").body
    assert (back["before"], back["after"], back["lost"]) == (body["after"], body["before"], body["gained"])
    assert len(body["fixed"]) == body["gained"] > len(body["broken"]) == 0
    assert [each["example"] for each in back["broken"]] == [each["example"] for each in body["fixed"]]
    fixed = body["fixed"][0]
    assert fixed["before"] != fixed["labels"] == fixed["after"]
    assert "text" not in fixed


def test_changed_texts_are_shown_if_both_versions_kept_them(winnow: Winnow) -> None:
    winnow.put_dataset(good())
    winnow.train(recipe="cnn", learn_rate=1e-9, keep_texts=True)
    update(winnow, good(), keep_texts=True)
    update(winnow, good(), keep_texts=False)

    shown = compare(winnow).body["fixed"][0]

    assert {"text": shown["text"], "label": shown["labels"][0]} in good()
    assert not any("text" in each for each in compare(winnow, 1, "3").body["fixed"])


def test_corrected_labels_count_whichever_version_is_asked_first(winnow: Winnow) -> None:
    winnow.put_dataset(good())
    winnow.train(n_iter=8)
    before = compare(winnow, 1, "1").body
    add(winnow, [good()[0] | {"label": "cycling"}], retrain="now")
    winnow.run_workflow(winnow.started_job())

    answer, back = compare(winnow).body, compare(winnow, 2, "1").body

    # Version 1 was right about the text before its label changed.
    assert (before["labels_of"], before["before"]["accuracy"]) == (1, 1)
    assert (answer["labels_of"], back["labels_of"]) == (2, 2)
    assert answer["before"]["accuracy"] == back["after"]["accuracy"] == pytest.approx(1 - 1 / len(good()), abs=1e-6)


def test_of_learnt_texts_the_folds_answers_count_and_of_others_the_version_s_own(winnow: Winnow) -> None:
    # Nobody can guess the label of the words of "secret": only who learnt them knows it.
    secret = [{"text": f"{word} {word}", "label": "baking" if number % 2 else "cycling"} for number, word in enumerate(SECRETS)]
    winnow.put_dataset([*good(), *secret])
    winnow.train(n_iter=30)
    winnow.put_dataset(good())
    winnow.train(n_iter=30, force_update=True, promote="never")

    answer = compare(winnow).body

    # Both are asked about all texts. Version 1 knows the secrets by heart, and gains nothing by it.
    assert answer["examples"] == len(good()) + len(secret)
    assert answer["before"]["accuracy"] < 0.97
    assert answer["lost"] <= len(secret) / 2 + 2


@pytest.mark.parametrize("to", ["", "0", "x", "1000000"])
def test_another_version_must_be_a_number(ready: Ready, to: str) -> None:
    answer = compare(ready("exclusive.json"), 1, to)
    assert (answer.status, answer.body["field"]) == (422, "to")


def test_versions_that_are_not_there_or_not_ready(ready: Ready, winnow: Winnow) -> None:
    assert compare(winnow).body["type"] == "urn:winnow:problem:model-not-found"
    winnow = ready("exclusive.json")
    assert compare(winnow).body["type"] == "urn:winnow:problem:version-not-found"
    winnow.create("create_model_force_update")
    assert compare(winnow).body["type"] == "urn:winnow:problem:version-not-ready"
    assert winnow.call("compare_versions", path={"model_id": "tc-01", "version": "1"}, query={}).status == 422


def frozen(winnow: Winnow, part: str, version: int) -> list[tuple[str, str]]:
    [body] = [
        body for key, body in winnow.objects().items() if f"/versions/{version}/" in key and key.endswith(f"examples/{part}.jsonl.gz")
    ]
    records = [json.loads(line) for line in gzip.decompress(body).splitlines()]
    return [(record["text"], *record["labels"]) for record in records]
