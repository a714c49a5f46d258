"""Make a model's review queue: classify texts without labels, and keep those that people should label first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import chain
from time import monotonic
from typing import TYPE_CHECKING, Any

from winnow.aws import resources
from winnow.datasets.split import FEWEST_TEXTS
from winnow.domain.answer import ScoredLabel
from winnow.domain.clock import now, sortable_id, timestamp, utc_now
from winnow.domain.dataset import Example, example_id
from winnow.domain.errors import ArtifactError, DatasetError, ModelNotFoundError, ModelNotReadyError
from winnow.domain.feedback import FeedbackLine
from winnow.domain.model import Model, Version
from winnow.domain.retrying import retry_on_conflict
from winnow.domain.review import CandidateLabel, ReviewItem, ReviewQueue, ReviewTexts
from winnow.evaluation import review_order, text_groups
from winnow.prediction import encoders
from winnow.recipes.artifact import TrainedClassifier
from winnow.recipes.portions import portions
from winnow.recipes.text_vectors import Once, closeness_of, vectors_of
from winnow.review.sources import Source, SourceText

if TYPE_CHECKING:
    from winnow.evaluation.review_order import Floats
    from winnow.recipes.encoder import Encoding

MOST_ITEMS = 500
"""The most items of a queue."""
# The best labels that an item shows, one for each number key.
_N_TOP = 9
# How long a queue is kept. Its texts shouldn't lie around for ever.
_KEPT_FOR = timedelta(days=30)
# Texts are classified so many characters at a time.
_TOGETHER = 5_000
# A third of the time may be spent on reading the texts, a half on reading both the texts and the model's examples, and two thirds on
# these and the vectors of feedback.
_TO_READ = 1 / 3
_TO_LEAVE_OUT = 1 / 2
_TO_COMPARE = 2 / 3


@dataclass(frozen=True, slots=True)
class _Looked:
    """What the version says about texts. scores: of each text, of shape (labels,). accepted: whether it accepts any label of each.
    labels: the best of each.
    """

    texts: list[SourceText] = field(default_factory=list)
    scores: list[Floats] = field(default_factory=list)
    uncertain: list[float] = field(default_factory=list)
    accepted: list[bool] = field(default_factory=list)
    labels: list[Sequence[ScoredLabel]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Start:
    """What is labelled while a version without examples is live. lacking: how many texts each label lacks until a version from feedback
    knows it. labelled: the vectors of texts with labels.
    """

    lacking: Sequence[int]
    labelled: Sequence[Floats]


def make_queue(model_id: str, source: Source, seconds: float) -> dict[str, Any]:
    """Make a queue of the source's texts, in place of the model's earlier one, within about so many seconds. Returns the API's answer.

    If the time doesn't suffice for all texts, those that were looked at are an even draw.
    ModelNotFoundError; ModelNotReadyError if no version is ready; DatasetError if the texts can't be read or all are known;
    NoLoggedTextsError; EncoderError; BusyError.
    """
    began = monotonic()
    begun_at = utc_now()
    model = resources.models().get(model_id)
    version = resources.versions().base_of_feedback(model)
    if version is None:
        raise ModelNotReadyError(
            f"Model {model_id!r} has no ready version that can judge the texts: GET /models/{model_id} shows whether one is in training."
        )
    drawn = source(model, began + seconds * _TO_READ)
    new, answered = _new(model, version, drawn.texts, began + seconds * _TO_LEAVE_OUT)
    if not new:
        raise DatasetError("All texts are among the model's examples or its feedback already: send others.")
    trained = TrainedClassifier.from_files(resources.artifacts().opened(version.job, version.manifest_sha256 or ""), _found_once)
    start = _start(trained, answered, began + seconds * _TO_COMPARE) if version.without_examples else None
    looked = _looked(trained, list(new.values()), began + seconds)
    texts = _texts(trained, looked, model.uid, start)
    queue = ReviewQueue(
        queue=sortable_id(),
        sha256="",
        version=version.job.version,
        exclusive=trained.exclusive,
        texts=len(texts.items),
        created_at=timestamp(begun_at),
        expires=int((begun_at + _KEPT_FOR).timestamp()),
        leases={},
        answered={},
    )
    _keep(model, queue, texts)
    return {
        "model_id": model_id,
        "queue": queue.queue,
        "version": queue.version,
        **drawn.facts,
        "drawn": len(drawn.texts),
        "left_out": len(drawn.texts) - len(new),
        "looked_at": len(looked.texts),
        "queued": queue.texts,
        "groups": [each.as_dict() for each in texts.groups],
        "created_at": queue.created_at,
        "expires_at": timestamp(begun_at + _KEPT_FOR),
    }


def _found_once(name: str, digest: str) -> Encoding:
    return Once(encoders.find(name, digest))


def _new(model: Model, version: Version, texts: Sequence[SourceText], until: float) -> tuple[dict[str, SourceText], list[Example]]:
    """The texts by their example ids, without repeated ones, the model's examples, and feedback; and, for a version without examples, the
    feedback: the newest on each text, oldest first.

    DatasetError if the model has more examples than can be read in this time.
    """
    new: dict[str, SourceText] = {}
    for each in texts:
        before = new.setdefault(example_id(model.uid, each.text), each)
        if each.line and before.line and each.line < before.line:
            # The first of repeated texts of a file stays, whatever their order here.
            new[example_id(model.uid, each.text)] = each
    answered: dict[str, Example] = {}
    for place, known in enumerate(_known(model, version)):
        text = known if isinstance(known, str) else known.example.text
        new.pop(example_id(model.uid, text), None)
        if version.without_examples and not isinstance(known, str):
            # The newest one last.
            answered.pop(example_id(model.uid, text), None)
            answered[example_id(model.uid, text)] = known.example
        if place % 1_000 == 0 and monotonic() > until:
            raise DatasetError("The model's examples take longer to read than a call may: try again, or train the model on fewer.")
    return new, list(answered.values())


def _known(model: Model, version: Version) -> Iterator[str | FeedbackLine]:
    """The texts of the version's examples, and all feedback after them."""
    frozen, objects = resources.frozen_examples(), resources.feedback_objects()
    yield from chain(frozen.texts(version, "train"), frozen.texts(version, "test"))
    after = version.feedback.through if version.feedback else ""
    for batch in resources.feedback_batches().since(model, after):
        try:
            lines = objects.read(model.uid, batch)
        except ArtifactError:
            # It was taken back just now, or is damaged. Then its texts may be asked for once more.
            continue
        yield from lines


def _start(trained: TrainedClassifier, answered: Sequence[Example], until: float) -> _Start:
    """answered: the feedback, oldest first. Of the newest texts, as many count as a queue has, or as there is time for."""
    texts_of = Counter(label for example in answered for label in example.labels)
    labelled: list[Floats] = []
    for some in portions(list(reversed(answered[-MOST_ITEMS:])), lambda each: len(each.text), _TOGETHER):
        if monotonic() > until:
            break
        labelled.extend(vectors_of(trained, [each.text for each in some]))
    return _Start([max(FEWEST_TEXTS - texts_of[label], 0) for label in trained.labels], labelled)


def _looked(trained: TrainedClassifier, texts: Sequence[SourceText], until: float) -> _Looked:
    """Classify the texts, or as many of them as there is time for."""
    looked, longest = _Looked(), 0.0
    for some in portions(texts, lambda each: len(each.text), _TOGETHER):
        began = monotonic()
        if looked.texts and began + 2 * longest > until:
            break
        judged = trained.judged([each.text for each in some])
        uncertain = review_order.uncertainty(judged.scores, trained.thresholds_of(judged), exclusive=trained.exclusive)
        looked.texts.extend(some)
        looked.scores.extend(judged.scores)
        looked.uncertain.extend(uncertain.tolist())
        looked.accepted.extend(trained.accepts(judged).tolist())
        looked.labels.extend(best for best, _ in trained.labels_of(judged, _N_TOP))
        longest = max(longest, monotonic() - began)
    return looked


def _texts(trained: TrainedClassifier, looked: _Looked, uid: str, start: _Start | None) -> ReviewTexts:
    """The items of the queue, in order, and the candidate labels. start: of a version without examples."""
    places = review_order.least_certain(looked.uncertain, review_order.CANDIDATES)
    texts = [looked.texts[place].text for place in places]
    vectors = vectors_of(trained, texts)
    refused = [number for number, place in enumerate(places) if not looked.accepted[place]]
    close = closeness_of(trained)
    found = [[refused[number] for number in members] for members in text_groups.groups(vectors[refused], close.similar)]
    candidates = [
        CandidateLabel(number, words, len(members))
        for number, (members, words) in enumerate(zip(found, text_groups.telling_words(texts, found), strict=True), start=1)
    ]
    group_of = {places[member]: number for number, members in enumerate(found, start=1) for member in members}
    if start is None:
        chosen = review_order.spread([looked.uncertain[place] for place in places], vectors, close.same, MOST_ITEMS)
        order = [places[number] for number in chosen]
    else:
        vectors = vectors_of(trained, [each.text for each in looked.texts])
        near = review_order.nearest(vectors, start.labelled)
        order = review_order.without_examples(
            looked.scores, looked.uncertain, vectors, near, lacking=start.lacking, same=close.same, most=MOST_ITEMS
        )
    items = [
        ReviewItem(
            item=example_id(uid, source.text),
            text=source.text if source.prediction_id is None else None,
            line=source.line,
            id=source.id,
            prediction_id=source.prediction_id,
            labels=looked.labels[place],
            uncertainty=round(looked.uncertain[place], 4),
            group=group_of.get(place),
        )
        for place, source in ((place, looked.texts[place]) for place in order)
    ]
    return ReviewTexts(items, candidates)


def _keep(model: Model, queue: ReviewQueue, texts: ReviewTexts) -> None:
    """Write the object and then the row. What the earlier queue has handed out stays handed out. The sweeper removes its object."""
    sha256 = resources.review_objects().write(model.uid, queue.queue, texts)

    def try_to_replace() -> bool:
        there = resources.models().get(model.model_id)
        if there.uid != model.uid:
            raise ModelNotFoundError(model.model_id)
        before = resources.review_queues().find(there)
        leases = before.out(now()) if before else {}
        return resources.review_queues().replace(there, replace(queue, sha256=sha256, leases=leases), before)

    retry_on_conflict(try_to_replace, model.model_id)
