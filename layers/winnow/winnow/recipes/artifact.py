"""An artifact: the files from which our own code restores a version's classifier. They contain only data."""

from __future__ import annotations

import gc
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np

from winnow.domain.answer import ExplainedWord, Explanation, ScoredLabel
from winnow.domain.errors import ArtifactError, WinnowError
from winnow.domain.model import DESCRIPTION
from winnow.recipes.calibration import scores_of
from winnow.recipes.catalogue import COSTS, FORMS, IN_PARTS, WHOLE, ZERO_SHOT
from winnow.recipes.encoder import Find, described, find_installed
from winnow.recipes.familiarity import EARLIER_SCORE_WEIGHT, SCORE_WEIGHT, familiarity
from winnow.recipes.stages import Asking, EarlyStage, InParts, Judged, as_json, early_stage, margins

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from winnow.recipes import cnn, linear, sentence, zero_shot
    from winnow.recipes.encoder import Encoding
    from winnow.recipes.least_scores import Least
    from winnow.recipes.mixture import Mixture

    type Floats = NDArray[np.float32]

type Classifier = linear.Classifier | cnn.Classifier | sentence.Classifier | Mixture
"""What a training makes out of examples."""
type Answering = Classifier | zero_shot.Classifier

WEIGHTS = "weights.bin"
"""The file of a classifier without parts."""
# Of a score in answers. float32 has hardly more digits.
_DIGITS = 6
# Of familiarity, between the last two stages. Of texts that are strange to the last one, translations differ by about 0.5, and most others
# by less than this (docs/decisions/recipes.md, on training sets).
_STRANGER = 0.1
# The size of a float32.
_BITS = 32


@runtime_checkable
class OfSentences(Protocol):
    """A classifier with sentence encoders, the main one last."""

    @property
    def encodings(self) -> tuple[Encoding, ...]: ...


@runtime_checkable
class OfWords(Protocol):
    """A classifier whose logits are sums over the words of a text."""

    def words(self, text: str) -> list[str]: ...

    def contributions(self, text: str, label: str) -> tuple[float, list[ExplainedWord]]: ...


def recipe_of(name: str) -> Any:
    """The module of a recipe, with its `settings` and its `Classifier`. It is imported only here, because cnn needs spaCy."""
    if name not in (*COSTS, ZERO_SHOT):
        message = f"There is no recipe {name!r}"
        raise ValueError(message)
    module = f"winnow.recipes.{name.replace('-', '_')}"
    return sys.modules[module] if module in sys.modules else _import_to_stay(module)


def new_classifier(recipe: str, labels: Sequence[str], *, exclusive: bool, language: str, encodings: Sequence[Encoding] = ()) -> Any:
    """A classifier of the recipe that knows nothing yet. encodings: its sentence encoders, if it needs any."""
    given = {} if not encodings else {"encoding": encodings[-1]} if recipe in {"sentence", ZERO_SHOT} else {"encodings": encodings}
    return recipe_of(recipe).Classifier(labels, exclusive=exclusive, language=language, **given)


def _import_to_stay(module: str) -> Any:
    """Import without garbage collection, and never collect what was imported: that took a tenth of spaCy's import time."""
    # A freeze would also keep models loaded before for ever: spaCy's models are cycles.
    may_freeze = "spacy" not in sys.modules
    gc.disable()
    try:
        return import_module(module)
    finally:
        if may_freeze:
            gc.freeze()
        gc.enable()


@dataclass(frozen=True, slots=True)
class TrainedClassifier:
    """A classifier ready to answer, with its temperature and the lowest score at which each label is accepted.

    least_familiarity: the lowest familiarity at which any label is accepted. None if labels aren't exclusive or an earlier release trained
    the classifier without it. score_weight: the weight of the score in the familiarity. early: the stages before the last one, if each
    text is answered by the first stage that is sure of it (a cascade); the other fields are those of the last stage.
    """

    recipe: str
    classifier: Answering
    temperature: float
    thresholds: tuple[float, ...]
    least_familiarity: float | None = None
    score_weight: float = SCORE_WEIGHT
    early: tuple[EarlyStage, ...] = ()
    stage_names: tuple[str, ...] = field(init=False, compare=False)
    """The names of the stages, in the order in which a text is asked. Empty if it has none."""
    _least_scores: Floats = field(init=False, repr=False, compare=False)
    """The thresholds of each stage in the type that numpy compares with, of shape (stages, labels)."""
    _in_parts: InParts | None = field(init=False, repr=False, compare=False)
    """The classifier, if it has parts. To ask a protocol at each call would take longer than a short text."""

    def __post_init__(self) -> None:
        thresholds = [*(stage.thresholds for stage in self.early), self.thresholds]
        object.__setattr__(self, "_least_scores", np.array(thresholds, np.float32))
        object.__setattr__(self, "_in_parts", self.classifier if isinstance(self.classifier, InParts) else None)
        object.__setattr__(self, "stage_names", self._in_parts.stage_names if self.early and self._in_parts else ())

    @property
    def labels(self) -> tuple[str, ...]:
        return self.classifier.labels

    @property
    def exclusive(self) -> bool:
        return self.classifier.exclusive

    @property
    def encoder(self) -> dict[str, str] | None:
        """The name and digest of its main sentence encoder. None if it needs none."""
        return self.encoders[-1] if self.encoders else None

    @property
    def encoders(self) -> list[dict[str, str]]:
        """The names and digests of all sentence encoders that it needs, the cheaper one first."""
        return [described(encoding) for encoding in self.classifier.encodings] if isinstance(self.classifier, OfSentences) else []

    def scores(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Calibrated scores from 0 to 1, of shape (texts, labels). Each row adds up to 1 if labels are exclusive."""
        return self.judged(texts).scores

    def judged(self, texts: Sequence[str]) -> Judged:
        """Logits, scores and familiarity of texts."""
        if self.early and self._in_parts:
            return self._cascaded(len(texts), Asking(self._in_parts, texts).ask)
        if self.least_familiarity is None:
            return self._judged_by(self, self.classifier.logits(texts), None)
        return self._judged_by(self, *self.classifier.judged(texts))

    def judge(self, logits: Floats, nearness: Floats | None) -> Judged:
        """`judged` of texts whose logits and nearness at each stage are known. Shapes: (stages, texts, labels) and (stages, texts)."""
        if not self.early:
            return self.judge_at(0, logits, nearness)

        def known(stage: int, places: NDArray[np.intp]) -> tuple[Floats, Floats | None]:
            return logits[stage, places], None if nearness is None else nearness[stage, places]

        return self._cascaded(logits.shape[1], known)

    def judge_at(self, number: int, logits: Floats, nearness: Floats | None) -> Judged:
        """What the stage with this number says about the same texts."""
        return self._judged_by(self._stages[number], logits[number], None if nearness is None else nearness[number], number)

    def _judged_by(self, stage: TrainedClassifier | EarlyStage, logits: Floats, nearness: Floats | None, number: int = 0) -> Judged:
        """What a stage says about texts with these logits, of shape (texts, labels), and this nearness, of shape (texts,)."""
        scores = scores_of(logits, stage.temperature, exclusive=self.exclusive)
        stages = np.full(len(scores), number, np.int8) if self.early else None
        if nearness is None or stage.least_familiarity is None:
            return Judged(logits, scores, None, stages)
        return Judged(logits, scores, familiarity(nearness, scores, self.score_weight) - np.float32(stage.least_familiarity), stages)

    def _cascaded(self, texts: int, ask: Callable[[int, NDArray[np.intp]], tuple[Floats, Floats | None]]) -> Judged:
        """Ask each stage about the texts that the stages before it left. ask: from a stage and the places of texts to logits and nearness.

        The early stages answer only what they accept: a text without an accepted label goes on to the last stage. A text that is strange
        to the last stage, and clearly less so to the one before it, keeps the answer of the latter, without an accepted label: probably
        only the encoder of that stage speaks its language.
        """
        logits, scores = (np.empty((texts, len(self.labels)), np.float32) for _ in range(2))
        surplus, stages = np.zeros(texts, np.float32), np.zeros(texts, np.int8)
        left = np.arange(texts)
        for number, stage in enumerate(self._stages):
            if not len(left):
                break
            judged, kept = self._judged_by(stage, *ask(number, left), number), np.zeros(len(left), np.bool_)
            if judged.surplus is not None:
                if number == len(self.early) > 1:
                    kept = (judged.surplus < 0) & (judged.surplus < surplus[left] - np.float32(_STRANGER))
                surplus[left] = judged.surplus
            of = left[~kept]
            logits[of], scores[of], stages[of] = judged.logits[~kept], judged.scores[~kept], number
            if isinstance(stage, EarlyStage):
                left = left[self.sure(stage, judged) < np.float32(stage.margin)]
        return Judged(logits, scores, None if self.least_familiarity is None else surplus, stages)

    def sure(self, stage: EarlyStage, judged: Judged) -> Floats:
        """The margin of each text at a stage, of shape (texts,); below 0 if the stage accepts no label."""
        reached = judged.scores >= self.thresholds_of(judged)
        accepted = reached.any(axis=1) if judged.familiar is None else reached.any(axis=1) & judged.familiar
        return np.where(accepted, margins(judged.logits, stage.temperature, stage.thresholds, exclusive=self.exclusive), np.float32(-1))

    def thresholds_of(self, judged: Judged) -> Floats:
        """The thresholds of the stages that answered, of shape (texts, labels)."""
        stages = np.zeros(len(judged.scores), np.int8) if judged.stages is None else judged.stages
        return self._least_scores[stages]

    @property
    def _stages(self) -> Sequence[EarlyStage | TrainedClassifier]:
        return *self.early, self

    def accepts(self, judged: Judged) -> NDArray[np.bool_]:
        """Whether any label of each text is accepted, of shape (texts,)."""
        _, _, accepted = self._ranked(judged, 1 if self.exclusive else None)
        return accepted.any(axis=1)

    def predict(self, texts: Sequence[str], n_top: int | None = None) -> list[list[ScoredLabel]]:
        """The n_top best labels of each text (None: all), best first. With exclusive labels, only the first can be accepted."""
        return [labels for labels, _ in self.predict_by_stage(texts, n_top)]

    def predict_by_stage(
        self, texts: Sequence[str], n_top: int | None = None, least: Least | None = None
    ) -> list[tuple[list[ScoredLabel], str | None]]:
        """`predict`, and for each text the name of the stage that answered; None if there are no stages.

        least: the lowest accepted scores of a policy. They say what is accepted, whichever stage answered. Which stage answers doesn't
        depend on them.
        """
        return self.labels_of(self.judged(texts), n_top, least)

    def labels_of(self, judged: Judged, n_top: int | None = None, least: Least | None = None) -> list[tuple[list[ScoredLabel], str | None]]:
        """`predict_by_stage` for texts that were judged before."""
        return [(labels, stage) for labels, stage, _ in self._answers(judged, n_top, least)]

    def answers(
        self, texts: Sequence[str], n_top: int | None = None, least: Least | None = None
    ) -> list[tuple[list[ScoredLabel], str | None, float | None]]:
        """`predict_by_stage`, and by how much each text's familiarity exceeds the lowest accepted one; None if the classifier has none."""
        return self._answers(self.judged(texts), n_top, least)

    def _answers(self, judged: Judged, n_top: int | None, least: Least | None) -> list[tuple[list[ScoredLabel], str | None, float | None]]:
        order, scores, accepted = self._ranked(judged, n_top, least)
        rounded = scores.astype(np.float64).round(_DIGITS)
        labels, names, rows = self.labels, self.stage_names, zip(order.tolist(), rounded.tolist(), accepted.tolist(), strict=True)
        found = [[ScoredLabel(labels[number], score, taken) for number, score, taken in zip(*row, strict=True)] for row in rows]
        by = [None] * len(found) if judged.stages is None else [names[stage] for stage in judged.stages.tolist()]
        surplus = [None] * len(found) if judged.surplus is None else judged.surplus.tolist()
        return list(zip(found, by, surplus, strict=True))

    def _ranked(
        self, judged: Judged, n_top: int | None, least: Least | None = None
    ) -> tuple[NDArray[np.intp], NDArray[np.float32], NDArray[np.bool_]]:
        """The numbers of each text's n_top best labels (None: all), best first, their scores, and whether they are accepted.

        All are of shape (texts, n_top). least: as in `predict_by_stage`.
        """
        # Scores are never negative, so they sort like their bits. Subtracting the label's number below the bits puts equal scores in the
        # order of the labels. A stable argsort takes four times as long.
        keys = (judged.scores.view(np.int32).astype(np.int64) << _BITS) - np.arange(len(self.labels))
        keys.sort(axis=1)
        order = -keys[:, ::-1][:, :n_top] & ((1 << _BITS) - 1)
        scores = judged.scores[np.arange(len(order))[:, None], order]
        stages = np.int8(0) if judged.stages is None else judged.stages[:, None]
        needed = self._least_scores[stages, order]
        if least is not None:
            needed = np.where(np.isnan(least[order]), needed, least[order])
        accepted = scores >= needed
        if self.exclusive:
            # Only the best label can be accepted.
            accepted[:, 1:] = False
        if judged.familiar is not None:
            accepted &= judged.familiar[:, None]
        return order, scores, accepted

    def choose(self, texts: Sequence[str]) -> list[set[str]]:
        """The labels that a client would use for each text: the best one if labels are exclusive, otherwise all accepted ones."""
        ranked = self.predict(texts, 1 if self.exclusive else None)
        return [{scored.label for scored in row if scored.accepted or self.exclusive} for row in ranked]

    @property
    def nbytes(self) -> int:
        """The bytes in memory, without the shared sentence encoder."""
        return self.classifier.nbytes

    def explain(self, text: str, label: str) -> Explanation:
        """The contribution of each word to the label's logit: exact if logits are sums over words, otherwise by leaving words out."""
        if isinstance(self.classifier, OfWords):
            bias, words = self.classifier.contributions(text, label)
            return Explanation(label, "exact", bias + sum(word.contribution for word in words), self.temperature, bias, words, 0)
        from winnow.recipes import occlusion  # noqa: PLC0415 - few predictions need it

        logit, words, left = occlusion.explained(self.classifier.logits, text, self.labels.index(label))
        return Explanation(label, "occlusion", logit, self.temperature, None, words, left)

    def words_to_explain(self, text: str) -> int:
        """How many words `explain` tells of the text; 0 if it leaves words out, because then it tells of few."""
        return len(self.classifier.words(text)) if isinstance(self.classifier, OfWords) else 0

    @property
    def description(self) -> dict[str, Any]:
        """What it is, beside its weights."""
        description = {
            "form": WHOLE,
            "recipe": self.recipe,
            "language": self.classifier.language,
            "labels": self.labels,
            "exclusive": self.exclusive,
            "temperature": self.temperature,
            "thresholds": self.thresholds,
            "least_familiarity": self.least_familiarity,
            "score_weight": self.score_weight,
            "encoder": self.encoder,
        }
        if not self._in_parts:
            return description
        early, shares = [as_json(stage) for stage in self.early], self._in_parts.shares
        return {**description, "form": IN_PARTS, "encoders": self.encoders, "early": early, "shares": shares, "nbytes": self.nbytes}

    def to_files(self) -> dict[str, bytes]:
        if self._in_parts:
            files = {file_of(part): weights for part, weights in self._in_parts.parts().items()}
        else:
            files = {WEIGHTS: self.classifier.to_bytes()}
        return {DESCRIPTION: json.dumps(self.description, ensure_ascii=False).encode(), **files}

    @classmethod
    def from_files(cls, files: Mapping[str, bytes], find: Find = find_installed) -> TrainedClassifier:
        """Restore the classifier with our own code: the files are data, and choose only the recipe. The caller checks their digest first.

        find: finds the sentence encoder, if one is needed.

        Raises ArtifactError if this release can't read the files, and EncoderError if the encoder isn't available.
        """
        try:
            return cls._from_files(files, find)
        except WinnowError:
            raise
        except Exception as error:
            raise ArtifactError(f"The version's files can't be read by this release ({type(error).__name__}): train it again.") from error

    @classmethod
    def _from_files(cls, files: Mapping[str, bytes], find: Find) -> TrainedClassifier:
        description = json.loads(files[DESCRIPTION])
        form, recipe = description.get("form", WHOLE), description["recipe"]
        if form not in FORMS:
            raise ArtifactError(
                f"The version's files have the form {form!r}, but this release only reads {WHOLE} and {IN_PARTS}: train it again."
            )
        # Older artifacts don't have all of these.
        main, least = description.get("encoder"), description.get("least_familiarity")
        needed = description.get("encoders", [main] if main else [])
        score_weight = description.get("score_weight", EARLIER_SCORE_WEIGHT)
        classifier: Answering = new_classifier(
            recipe,
            description["labels"],
            exclusive=description["exclusive"],
            language=description["language"],
            encodings=[find(each["name"], each["digest"]) for each in needed],
        )
        early: list[EarlyStage] = []
        if form == IN_PARTS and isinstance(classifier, InParts):
            classifier.from_parts(description["shares"], lambda part: files[file_of(part)], description["nbytes"])
            early = [early_stage(stage) for stage in description["early"]]
        else:
            classifier.from_bytes(files[WEIGHTS])
        return cls(recipe, classifier, description["temperature"], tuple(description["thresholds"]), least, score_weight, tuple(early))


def file_of(part: str) -> str:
    """The file of a part's weights."""
    return f"{part}.bin"
