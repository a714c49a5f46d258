"""The last step of a training: take the best candidate, evaluate its artifact, and make the version ready."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from winnow.aws import resources
from winnow.domain.dataset import example_id
from winnow.domain.errors import JobSupersededError
from winnow.domain.job import Hyperparameters, Progress, Promote, Stage, TrainingJob
from winnow.domain.model import Model, Version, VersionStatus
from winnow.domain.retrying import TRIES
from winnow.evaluation import figures
from winnow.evaluation.drift import usual_of
from winnow.evaluation.suspects import suspect_report
from winnow.prediction.loading import load
from winnow.recipes import pipeline
from winnow.recipes.artifact import TrainedClassifier
from winnow.recipes.catalogue import AUTO
from winnow.storage.job_objects import Digests
from winnow.training import gate
from winnow.training.calibrate import Answers
from winnow.training.choose import Candidate, Choice, choose, language_of
from winnow.training.doubting import doubting_scores
from winnow.training.fit import settings_for
from winnow.training.learnt_examples import write_examples
from winnow.training.measure import dial_of_answers, folds_answers, how_measured, measured_answers, report_of

_HEADLINE = ("examples", "accuracy", "macro_f1", "micro_f1", "weighted_f1")


def publish(job: TrainingJob, candidates: Sequence[Candidate]) -> None:
    """Take the best candidate, and evaluate it: its artifact on the test examples, exactly as it will answer, or its folds' answers.

    Then make the version ready, and live if wanted. A version without examples isn't measured.
    TrainingFailedError if no candidate could be trained.
    """
    jobs, stored = resources.jobs(), resources.candidates()
    jobs.note(job, VersionStatus.EVALUATING, Progress.of(Stage.EVALUATING))
    version = resources.versions().of_job(job)
    choice = choose(candidates, language_of(version), resources.languages_read(AUTO))
    manifest_sha256 = choice.winner.manifest_sha256
    stored.take(job, choice.winner.recipe)
    trained = load(resources.artifacts(), job, manifest_sha256)
    headline, digests = (None, {}) if version.without_examples else _measure(version, trained)
    known: dict[str, Any] = {"encoder": trained.encoder, "encoders": trained.encoders, "trained_on": choice.winner.trained_on} | (
        _chosen(version, trained, candidates, choice) if version.recipe == AUTO else {}
    )
    about = {"model_id": job.model_id, "version": job.version} | {name: (headline or {}).get(name) for name in ("accuracy", "macro_f1")}
    digests |= resources.pipelines().write(job, pipeline.archive(trained, f"{job.model_id}-{job.version}", about))
    known["digests"] = {**version.digests, **digests, **resources.version_reports().digest_of_held_out(version)}
    stored.remove_leftovers(job, manifest_sha256)
    for tries_left in reversed(range(TRIES)):
        model = resources.models().get(job.model_id)
        judged, against = None, None
        if version.forgetting is not None and version.feedback is not None:
            # It replaces the version that has to go, however good it is, and no other one.
            goes_live, against = model.live_version == version.feedback.base, version.feedback.base
        else:
            live = _live(version, model)
            judged = gate.judge(live, version, trained, model.tolerance) if live and version.promote is Promote.IF_BETTER else None
            goes_live = version.promote is not Promote.NEVER and (judged is None or judged.passed)
        compared = (None if judged is None else judged.against) if against is None else against
        try:
            known_live = against if goes_live else None
            jobs.commit(job, headline, manifest_sha256, len(trained.labels), live=goes_live, gate=judged, against=known_live, **known)
        except JobSupersededError:
            # If only the live version changed meanwhile, judge again against the new one.
            if compared is None or not tries_left or resources.models().get(job.model_id).live_version == compared:
                raise
        else:
            return


def _chosen(version: Version, trained: TrainedClassifier, candidates: Sequence[Candidate], choice: Choice) -> dict[str, Any]:
    """The facts about a version's recipe, once it is chosen."""
    chosen, texts = Hyperparameters(**version.hyperparameters), version.dataset["train_examples"]
    settings = settings_for(trained.recipe, chosen, texts, len(trained.labels), exclusive=trained.exclusive)
    return {
        "recipe": trained.recipe,
        "hyperparameters": asdict(settings),
        "chosen": version.hyperparameters,
        "selection": {"candidates": [candidate.as_dict() for candidate in candidates], "reason": choice.reason},
    }


def _measure(version: Version, trained: TrainedClassifier) -> tuple[dict[str, Any], Digests]:
    """Write the evaluation with its figures, the suspects, and the examples. Returns the headline figures, and the digests of all."""
    answers = measured_answers(version, trained)
    of_folds = answers if answers.folds is not None else folds_answers(version, trained)
    headline, digests = _evaluate(version, trained, answers)
    digests |= _write_suspects(version, trained, answers, of_folds) | _write_dial(version, trained, of_folds or answers)
    digests |= _write_usual(version, trained, answers, of_folds)
    # A version that has test examples was measured on them.
    return headline, digests | write_examples(version, trained.labels, answers if answers.folds is None else None, of_folds)


def _evaluate(version: Version, trained: TrainedClassifier, answers: Answers) -> tuple[dict[str, Any], Digests]:
    """Measure the version, and write the evaluation and its figures. Returns the headline figures, and the digests."""
    reports, job = resources.version_reports(), version.job
    report = report_of(trained, answers, keep_texts=version.hyperparameters["keep_texts"])
    word, sentence = how_measured(version, answers)
    whole = {"measured_by": word, "measured_how": sentence, **report, **reports.epochs(job)}
    digests = reports.write_evaluation(job, whole)
    for name, svg in figures.draw(whole).items():
        digests |= reports.write_figure(job, name, svg)
    headline: dict[str, Any] = {"measured_by": word} | {name: report[name] for name in _HEADLINE}
    headline |= {"ece": report["calibration"]["after"]["ece"], "accepted_share": report["accepted_share"], "warnings": report["warnings"]}
    headline["stopped"] = whole["stopped"]
    if trained.exclusive:
        headline |= {"threshold": trained.thresholds[0], "refused_share": round(1 - report["accepted_share"], 6)}
        headline |= {"least_familiarity": trained.least_familiarity, "let_through": (whole["strangers"] or {}).get("let_through")}
    return headline, digests


def _write_suspects(version: Version, trained: TrainedClassifier, measured: Answers, of_folds: Answers | None) -> Digests:
    """Write the examples whose labels look wrong: among those of the folds or, without folds, among those that measured the version."""
    answers = (folds_answers(version, trained, last_stage=True) if trained.early else of_folds) or measured
    uid = version.job.uid
    report = suspect_report(
        truth=answers.truth,
        scores=doubting_scores(trained, answers),
        labels=trained.labels,
        exclusive=trained.exclusive,
        rows=[example.row for example in answers.examples],
        texts=[example.text for example in answers.examples] if version.hyperparameters["keep_texts"] else None,
        ids=[example_id(uid, example.text) for example in answers.examples],
        kept=resources.kept_examples().ids(uid),
    )
    return resources.version_reports().write_suspects(version.job, {"checked_by": how_measured(version, answers)[0], **report})


def _write_dial(version: Version, trained: TrainedClassifier, answers: Answers) -> Digests:
    """Write the dial. answers: those of the folds, if there are any, so that a client's own test set chooses no threshold."""
    dial = dial_of_answers(trained, answers, how_measured(version, answers)[0])
    return resources.version_reports().write_dial(version.job, dial.to_bytes())


def _write_usual(version: Version, trained: TrainedClassifier, measured: Answers, of_folds: Answers | None) -> Digests:
    """Write how the version answers, for drift. Of the answers that measured it: those of the version itself, if it has test examples."""
    word, _ = how_measured(version, measured)
    # A tenth of the examples is few to know shares of labels from. A client's own test set may be of another kind than the examples.
    folds = of_folds if word == "held-out" else None
    usual = usual_of(
        trained.labels,
        word,
        scores=measured.scores,
        accepted=measured.accepted,
        surplus=measured.surplus,
        of_folds=None if folds is None else folds.scores,
    )
    return resources.version_reports().write_usual(version.job, usual)


def _live(version: Version, model: Model) -> Version | None:
    """The live version of the model, None if there is none."""
    if model.live_version is None:
        return None
    return resources.versions().of_job(replace(version.job, version=model.live_version))
