"""A cascade: an early stage answers what it is sure of, never at the cost of accuracy or of unknown texts, and reads no encoder for it."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.conftest import ROOT, load_dataset
from tests.support.artifacts import stored
from tests.support.word_vectors import LIGHT, MAIN, find
from winnow.domain.dataset import Example
from winnow.domain.errors import ArtifactError, EncoderError
from winnow.domain.job import Hyperparameters
from winnow.evaluation.stages import stage_report
from winnow.recipes import best, contrast, encoder, encodings
from winnow.recipes.artifact import TrainedClassifier
from winnow.recipes.catalogue import LANGUAGES_OF_ENCODER
from winnow.recipes.encoder import MULTILINGUAL
from winnow.recipes.stages import EarlyStage
from winnow.training.calibrate import answers_of_folds, calibrated
from winnow.training.fit import Training
from winnow.training.held_out import Asked, HeldOut

EXAMPLES = {
    True: [Example(record["text"], (record["label"],)) for record in load_dataset("exclusive.json")],
    False: [Example(record["text"], tuple(record["labels"])) for record in load_dataset("multilabel.jsonl")],
}
TEXTS = ["How deep do tulip bulbs go?", "a flat tyre", "my cake", "?", "x" * 500]


def classifier(*, exclusive: bool = True, labels: int = 3) -> best.Classifier:
    names = [f"label {number}" for number in range(labels)]
    return best.Classifier(names, exclusive=exclusive, language="en", encodings=[LIGHT, MAIN])


@pytest.fixture(autouse=True)
def _few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contrast, "_STEPS", 3)


@cache
def trained(*, exclusive: bool = True) -> TrainedClassifier:
    """A version whose stages answer something: with so few examples, training chooses high margins."""
    training = Training("best", EXAMPLES[exclusive], Hyperparameters(n_iter=5), exclusive=exclusive, encoders=[LIGHT, MAIN])
    for _ in training.steps():
        pass
    result, margins = training.result(), (2.0, 1.0) if exclusive else (0.86, 1.065)
    return replace(result, early=tuple(replace(stage, margin=least) for stage, least in zip(result.early, margins, strict=True)))


# --- the margins ---


def planted(texts: int, seed: int, *, strength: float = 12.0) -> Asked:
    """Answers of three stages about texts of three labels. Their scores are about right, and each stage is surer than the one before it.

    strength: the highest logit.
    """
    chance = np.random.default_rng(seed)
    said, sure = chance.integers(0, 3, texts), strength * chance.random(texts)
    wrong = chance.random(texts) < 2 / (np.exp(sure) + 2)
    truth = np.eye(3, dtype=np.bool_)[np.where(wrong, (said + 1) % 3, said)]
    stages = []
    for share in (0.6, 0.8, 1.0):
        # A weaker stage misleads where the last one knows better.
        misled = (share < 1) & (chance.random(texts) < 2 / (np.exp(share * sure) + 2))
        stages.append(share * sure[:, None] * np.eye(3)[np.where(misled, (said + 2) % 3, said)])
    return Asked(np.array(stages, np.float32), truth, np.full((3, texts), 0.9, np.float32))


def accuracy(made: TrainedClassifier, asked: Asked) -> tuple[float, float, list[int]]:
    """Of the cascade and of its last stage, and the numbers of texts that each stage answered."""
    judged, last = made.judge(asked.logits, asked.nearness), made.judge_at(2, asked.logits, asked.nearness)
    right = [float((each.scores.argmax(axis=1) == asked.truth.argmax(axis=1)).mean()) for each in (judged, last)]
    assert judged.stages is not None
    return right[0], right[1], np.bincount(judged.stages, minlength=3).tolist()


# Nobody strange: the margins alone decide.
NO_STRANGERS = Asked(*planted(4, 0))


@pytest.mark.parametrize("seed", range(4))
def test_the_early_stages_answer_many_texts_and_lose_at_most_a_tenth_of_a_point(seed: int) -> None:
    asked = planted(2_000, seed)
    made = calibrated("best", classifier(), asked, NO_STRANGERS, min_precision=0.9)
    cascade, last, answered = accuracy(made, asked)

    assert cascade >= last - 0.001
    assert sum(answered[:2]) > 250
    # Of ten thousand texts that the margins were not chosen on, some more.
    cascade, last, _ = accuracy(made, planted(10_000, seed + 100))
    assert cascade >= last - 0.004


def test_a_few_texts_without_a_mistake_prove_nothing() -> None:
    """Forty texts, all answered right by every stage. Four thousand such texts are a proof."""
    for texts, proven in ((40, False), (4_000, True)):
        truth = np.eye(3, dtype=np.bool_)[np.arange(texts) % 3]
        logits = np.stack([3 * truth.astype(np.float32) + np.linspace(0, 0.1, texts, dtype=np.float32)[:, None] * truth] * 3)
        asked = Asked(logits, truth, np.full((3, texts), 0.9, np.float32))
        answered = accuracy(calibrated("best", classifier(), asked, NO_STRANGERS, min_precision=0.9), asked)[2]

        assert answered[2 * (not proven)] > 0.9 * texts


def test_a_stage_that_lets_a_stranger_through_answers_only_above_it() -> None:
    asked = planted(2_000, 0)
    strange = asked.of(np.arange(2_000) < 40)._replace(truth=np.zeros((40, 3), np.bool_))
    # The last stage refuses all strangers: they are far from all learnt texts there.
    assert strange.nearness is not None
    strange.nearness[2] = 0.0
    made = calibrated("best", classifier(), asked, strange, min_precision=0.9)
    judged = made.judge(strange.logits, strange.nearness)

    assert not made.accepts(judged).any()
    assert all(stage.margin >= stage.floor > 0 for stage in made.early)
    open_to_all = calibrated("best", classifier(), asked, NO_STRANGERS, min_precision=0.9)
    assert open_to_all.accepts(open_to_all.judge(strange.logits, strange.nearness)).any()


def test_the_last_stage_refuses_a_few_texts_more_before_the_early_ones_answer_fewer() -> None:
    """Three strangers pass an early stage, and ten others pass the last one, but only just."""
    asked = planted(2_000, 0)
    sure, weak = np.flatnonzero(asked.logits[0].max(axis=1) > 6)[:3], np.flatnonzero(asked.logits[2].max(axis=1) < 4)[:10]
    taken = asked.of(np.isin(np.arange(2_000), [*sure, *weak]))
    strange = taken._replace(truth=np.zeros_like(taken.truth))
    open_to_all = calibrated("best", classifier(), asked, NO_STRANGERS, min_precision=0.5)
    assert strange.nearness is not None
    assert open_to_all.least_familiarity is not None
    last = open_to_all.judge_at(2, strange.logits, strange.nearness)
    passing = strange.logits[2].max(axis=1) < 4
    just = open_to_all.least_familiarity + 0.001 - open_to_all.score_weight * last.scores.max(axis=1)
    strange.nearness[2] = np.where(passing, just, 0.0)
    made = calibrated("best", classifier(), asked, strange, min_precision=0.5)

    assert made.accepts(made.judge(strange.logits, strange.nearness)).sum() <= open_to_all.accepts(last)[passing].sum()
    assert [stage.margin for stage in made.early] == [stage.margin for stage in open_to_all.early]


def test_what_is_strange_to_the_last_encoder_alone_keeps_the_answer_before_and_is_not_accepted() -> None:
    """As a text in a language that only the multilingual encoder speaks. What is strange to both is answered by the last stage."""
    known = planted(2_000, 0)
    made = calibrated("best", classifier(), known, None, min_precision=0.9)
    asked = planted(40, 1)
    assert asked.nearness is not None
    asked.nearness[0], asked.nearness[2], asked.nearness[1, 20:] = 0.0, 0.1, 0.1
    judged, light = made.judge(asked.logits, asked.nearness), made.judge_at(1, asked.logits, asked.nearness)

    assert judged.stages is not None
    assert judged.stages.tolist() == [1] * 20 + [2] * 20
    assert judged.scores[:20].tolist() == light.scores[:20].tolist()
    assert made.accepts(light)[:20].any()
    assert not made.accepts(judged).any()


def test_without_a_measure_of_strangers_no_early_stage_answers() -> None:
    asked = planted(2_000, 0)
    assert accuracy(calibrated("best", classifier(), asked, None, min_precision=0.9), asked)[2] == [0, 0, 2_000]


def test_of_several_labels_micro_f1_counts() -> None:
    chance = np.random.default_rng(0)
    truth = chance.random((3_000, 4)) < 0.3
    sure = chance.random((3_000, 1)) * 8
    errs = (sure < 2) & (chance.random((3_000, 4)) < 0.3)
    signs = np.where(truth, 1, -1)
    logits = np.stack([np.where(errs, -signs, signs) * sure, np.where(errs, -signs, signs) * sure, signs * (sure + 1)]).astype(np.float32)
    asked = Asked(logits, truth, None)
    made = calibrated("best", classifier(exclusive=False, labels=4), asked, None, min_precision=0.9)
    judged = made.judge(logits, None)
    flags = judged.scores >= made.thresholds_of(judged)

    assert judged.stages is not None
    assert (judged.stages == 0).sum() > 300
    assert 2 * (flags & truth).sum() / (flags.sum() + truth.sum()) >= 0.999
    # A text that gets no label goes on to the last stage.
    assert flags[judged.stages < 2].any(axis=1).all()


# --- the answers ---


class Reading(Mapping[str, bytes]):
    """An artifact's files, with the names of those that were read."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.files, self.read = files, list[str]()

    def __getitem__(self, name: str) -> bytes:
        self.read.append(name)
        return self.files[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.files)

    def __len__(self) -> int:
        return len(self.files)


class Closed:
    """An encoder that nothing may read with."""

    def __init__(self, name: str, digest: str) -> None:
        self.name, self.digest = name, digest

    def vectors(self, texts: Sequence[str], windows: int = 1) -> NDArray[np.float32]:
        raise EncoderError(f"{self.name} was opened")


@pytest.mark.parametrize("exclusive", [True, False])
def test_each_text_is_answered_by_the_first_stage_that_is_sure(exclusive: bool) -> None:
    made, texts = trained(exclusive=exclusive), [*TEXTS, *(example.text for example in EXAMPLES[exclusive])]
    answers = made.predict_by_stage(texts, 1)

    assert {stage for _, stage in answers} == {"linear", "light", "best"}
    for text, (labels, stage) in zip(texts, answers, strict=True):
        [(alone, alone_stage)] = made.predict_by_stage([text], 1)
        assert (alone[0].label, alone_stage) == (labels[0].label, stage)
        assert alone[0].score == pytest.approx(labels[0].score, abs=1e-5)
        assert stage == "best" or labels[0].accepted


def test_an_easy_text_opens_no_encoder_and_reads_no_part_of_the_others() -> None:
    made, files = trained(), Reading(trained().to_files())
    loaded = TrainedClassifier.from_files(files, Closed)
    easy = [example.text for example in EXAMPLES[True] if made.predict_by_stage([example.text])[0][1] == "linear"]

    assert easy
    assert loaded.predict(easy) == made.predict(easy)
    assert files.read == ["classifier.json", "words.bin"]
    assert loaded.nbytes == made.nbytes
    with pytest.raises(EncoderError, match=f"{LIGHT.name} was opened"):
        loaded.predict([*easy, "?"])
    assert files.read[2:] == ["sentence.bin"]


def test_loaded_it_answers_as_what_was_trained() -> None:
    for exclusive in (True, False):
        made = trained(exclusive=exclusive)
        again = TrainedClassifier.from_files(made.to_files(), find)
        assert again.predict_by_stage(TEXTS) == made.predict_by_stage(TEXTS)
        assert again.nbytes == made.nbytes
        assert again.to_files() == made.to_files()
        assert (again.encoder, len(again.encoders)) == ({"name": MAIN.name, "digest": MAIN.digest}, 2)


def test_a_margin_of_infinity_is_an_answer_of_the_last_stage_after_loading_too() -> None:
    never = EarlyStage(1.0, (0.5,) * 3, None)
    made = replace(trained(), early=(never, never))
    again = TrainedClassifier.from_files(made.to_files(), find)

    assert json.loads(made.to_files()["classifier.json"])["early"][0]["margin"] is None
    assert {stage for _, stage in again.predict_by_stage(TEXTS)} == {"best"}


def test_an_artifact_of_an_earlier_release_has_one_stage_and_a_later_form_is_refused() -> None:
    [earlier] = [artifact for artifact in stored() if artifact.recipe == "best" and not artifact.has_stages]
    loaded = TrainedClassifier.from_files(earlier.files, earlier.find)

    assert (loaded.stage_names, loaded.early, len(loaded.encoders)) == ((), (), 1)
    assert loaded.predict_by_stage(["?"])[0][1] is None
    files = trained().to_files()
    about = json.loads(files["classifier.json"])
    assert about["form"] == 2
    with pytest.raises(ArtifactError, match="have the form 3, but this release only reads 1 and 2"):
        TrainedClassifier.from_files(files | {"classifier.json": json.dumps(about | {"form": 3}).encode()}, find)


def test_put_down_and_taken_up_again_both_encoders_are_remembered() -> None:
    def training() -> Training:
        return Training("best", EXAMPLES[True], Hyperparameters(n_iter=2), exclusive=True, encoders=[LIGHT, MAIN])

    whole, first, second = training(), training(), training()
    for _ in whole.steps():
        pass
    steps = first.steps()
    # Three steps encode with the first encoder.
    for _ in range(5):
        next(steps)
    file = io.BytesIO()
    first.save(file)
    file.seek(0)
    second.resume(file)
    assert [each.share for each in second._encodings] == [each.share for each in first._encodings]
    for _ in second.steps():
        pass

    assert second.result().to_files() == whole.result().to_files()


def test_folds_answer_by_stages_too() -> None:
    training = Training("best", EXAMPLES[True], Hyperparameters(n_iter=2), exclusive=True, encoders=[LIGHT, MAIN])
    for _ in training.steps():
        pass
    kept = HeldOut.from_bytes(training.folds.answers().to_bytes())
    answers = answers_of_folds(training.result(), EXAMPLES[True], kept, 0.9)

    assert kept.logits.shape == (3, 36, 3)
    assert answers.stages is not None
    assert answers.stages.shape == (36,)


def test_the_folds_of_an_earlier_release_have_one_stage() -> None:
    file = io.BytesIO()
    places, folds = np.arange(4, dtype=np.int32), np.zeros(4, np.int8)
    np.savez(file, places=places, folds=folds, logits=np.ones((4, 3), np.float32), nearness=np.ones(4, np.float32))
    found = HeldOut.from_bytes(file.getvalue())

    assert found.nearness is not None
    assert (found.logits.shape, found.nearness.shape) == ((1, 4, 3), (1, 4))


def test_the_evaluation_says_how_many_texts_each_stage_answered_and_read() -> None:
    told = stage_report(np.array([0, 0, 0, 0, 0, 0, 1, 1, 1, 2], np.int8), ("linear", "light", "best"), ["one", "other"])

    assert [(each["stage"], each["encoder"], each["texts"], each["share"], each["read"]) for each in told] == [
        ("linear", None, 6, 0.6, 1.0),
        ("light", "one", 3, 0.3, 0.4),
        ("best", "other", 1, 0.1, 0.1),
    ]


# --- the encoders ---


@pytest.mark.parametrize(
    ("recipe", "language", "spoken", "expected"),
    [
        ("linear", "en", {"en"}, []),
        ("sentence", "de", {"en"}, ["main"]),
        ("light", "en", {"en"}, [MULTILINGUAL]),
        ("best", "en", {"en"}, [MULTILINGUAL, "main"]),
        # An encoder that doesn't speak the language has no part where the other one does.
        ("best", "de", {"en"}, [MULTILINGUAL]),
        ("best", "hi", {"en"}, [MULTILINGUAL, "main"]),
        ("best", "de", {"de", "en"}, [MULTILINGUAL, "main"]),
        ("best", "de", None, [MULTILINGUAL, "main"]),
    ],
)
def test_a_recipe_reads_with_what_speaks_the_language(
    recipe: str, language: str, spoken: set[str] | None, expected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoder, "installed", lambda *_: LIGHT)
    assert [each.name for each in encodings.of_recipe(recipe, MAIN, language, spoken)] == expected


def test_best_has_two_stages_where_the_main_encoder_is_the_multilingual_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoder, "installed", lambda *_: LIGHT)
    assert encodings.of_recipe("best", LIGHT, "en", LANGUAGES_OF_ENCODER[MULTILINGUAL]) == (LIGHT,)
    assert best.Classifier(["a", "b"], exclusive=True, language="en", encodings=[LIGHT]).stage_names == ("linear", "light")


_LIGHT = """
import sys
from winnow.domain.dataset import Example
from winnow.domain.job import Hyperparameters
from winnow.recipes.artifact import TrainedClassifier
from winnow.training.fit import train
made = train("light", [Example("a flat tyre", ("a",)), Example("tulip bulbs", ("b",))], Hyperparameters(n_iter=1), exclusive=False)
TrainedClassifier.from_files(made.to_files()).predict(["tulip bulbs"])
print(sorted({"onnxruntime", "tokenizers", "spacy"} & set(sys.modules)))
"""


def test_light_needs_no_onnxruntime() -> None:
    environment: dict[str, Any] = {"PYTHONPATH": str(ROOT / "layers" / "winnow")}
    done = subprocess.run([sys.executable, "-c", _LIGHT], env=environment, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("[]\n", "")
