"""What the API answers, as dataclasses. Made from openapi.yaml by `python -m tests.support.client_results`: don't edit it.

Times are ISO 8601 in UTC, as the API writes them. Fields that an answer may lack are None then.
"""

from __future__ import annotations

from dataclasses import dataclass

from winnow_client.answers import Result


@dataclass(frozen=True, kw_only=True)
class AppliedPolicy(Result):
    """What the policy means for the live version."""

    version: int
    threshold: float | None
    """The lowest accepted score of all labels. If both this and thresholds are null, nothing is accepted."""
    thresholds: dict[str, float] | None
    reason: str | None
    """Why nothing is accepted; null if something is."""
    held_out: AppliedPolicyHeldOut | None
    """What happens to the version's held-out examples; null if it has none."""


@dataclass(frozen=True, kw_only=True)
class AppliedPolicyHeldOut(Result):
    """`AppliedPolicyHeldOut` of the contract."""

    examples: int
    """Their number."""
    answered: int
    answered_share: float
    answered_interval: list[float]
    right: int
    right_share: float | None
    right_interval: list[float] | None


@dataclass(frozen=True, kw_only=True)
class ArtifactLink(Result):
    """The link to a file of a version."""

    model_id: str
    version: int
    url: str
    bytes: int
    expires_at: str
    """When the link ends at the latest. If it ends earlier, because the service's credentials do, ask for another one."""


@dataclass(frozen=True, kw_only=True)
class BatchPredictionFields(Result):
    """What BatchPrediction, CancelledBatch and those in BatchPredictions have in common."""

    batch: str
    status: str
    """queued while it waits for its turn and until its first step begins; ready when the result is there."""
    version: int
    policy: int | None
    """The revision of the policy that says what is accepted, the model's when the batch was asked for; null without one."""
    n_top: int
    s3bucket: str
    object: str
    layout: dict[str, str | list[str]] | None = None
    lines: int | None
    """The number of texts in the object; null until it is known."""
    error: str | None
    """Why the batch failed; null if it did not."""
    warning: str | None
    """A doubt about how the object was read; null if there is none."""
    created_at: str
    finished_at: str | None
    """When it became ready, failed or was cancelled; null while it is queued or running."""


@dataclass(frozen=True, kw_only=True)
class BatchPrediction(BatchPredictionFields):
    """`BatchPrediction` of the contract."""

    model_id: str
    ahead: int | None
    """How many batches have their turn before this one; null if it has had its turn or was cancelled."""
    progress: BatchPredictionProgress
    """The finished lines, errors and shards, and the total numbers, which are null until they are known."""
    result: BatchPredictionResult | None
    """The link to the result, which needs no key; null if there is no result, or no longer."""


@dataclass(frozen=True, kw_only=True)
class BatchPredictionProgress(Result):
    """The finished lines, errors and shards, and the total numbers, which are null until they are known."""

    percent: int
    lines: int
    errors: int
    shards: int
    all_lines: int | None
    all_errors: int | None
    all_shards: int | None


@dataclass(frozen=True, kw_only=True)
class BatchPredictionResult(Result):
    """`BatchPredictionResult` of the contract."""

    url: str
    bytes: int
    expires_at: str
    """When the link ends at the latest. If it ends earlier, because the service's credentials do, ask for another one."""


@dataclass(frozen=True, kw_only=True)
class BatchPredictions(Result):
    """A page of batch predictions."""

    model_id: str
    batches: list[BatchPredictionsBatch]
    next: str | None
    """For the query parameter `next`; null on the last page."""


@dataclass(frozen=True, kw_only=True)
class BatchPredictionsBatch(BatchPredictionFields):
    """`BatchPredictionsBatch` of the contract."""


@dataclass(frozen=True, kw_only=True)
class Batches(Result):
    """A page of the pending batches of feedback."""

    model_id: str
    batches: list[BatchesBatch]
    next: str | None
    """For the query parameter `next`; null on the last page."""


@dataclass(frozen=True, kw_only=True)
class BatchesBatch(Result):
    """`BatchesBatch` of the contract."""

    batch: str
    examples: int
    labels: int
    """How many different labels they have."""
    created_at: str


@dataclass(frozen=True, kw_only=True)
class Caller(Result):
    """Who made a call."""

    kind: str
    """key: an API key; iam: a principal of IAM (`Authorizer=AWS_IAM`); winnow: Winnow by itself, such as the sweeper."""
    name: str | None
    """The name of the key, or the ARN of the principal; null if unknown."""
    key_id: str | None
    """The id of the API key in API Gateway, never the key itself; null if there was none."""


@dataclass(frozen=True, kw_only=True)
class CancelledBatch(BatchPredictionFields):
    """`CancelledBatch` of the contract."""

    status: str
    model_id: str


@dataclass(frozen=True, kw_only=True)
class VersionFields(Result):
    """What Version, VersionOfModel and CancelledVersion have in common."""

    version: int
    status: str
    live: bool
    """Whether this version is live."""
    source: str
    """What the version is trained on: the data set of a request, or feedback and the examples of another version."""
    recipe: str
    """
    How the version is made; auto until one recipe is chosen, if the request named none, and until an artifact is read; zero-
    shot if it was made from labels without examples.
    """
    selection: Selection | None
    """Which recipes were tried and why this one was chosen; null until then, and if the request named the recipe."""
    encoder: Encoder | None
    """The version's main sentence encoder, from the start of its training; null if it needs none."""
    encoders: list[Encoder]
    """All sentence encoders that the version needs, the main one last; the recipe best may need two."""
    promote: str
    """Whether the version goes live by itself when it is ready; with if-better, only if it passes the gate."""
    progress: Progress
    hyperparameters: Hyperparameters
    dataset: DatasetSummary
    evaluation: Evaluation | None
    """Null until the version is ready, and if there was nothing to measure it on (zero-shot, or imported)."""
    gate: Gate | None
    """The comparison with the version that was live; null if there was none."""
    warnings: list[str]
    """
    Sentences about what the version was made from: nothing was measured (zero-shot, or imported), names that mean nothing, or
    labels without examples (from feedback on such a version). Those about its scores are in the evaluation.
    """
    error: str | None
    """Why the training failed, or null."""
    note: str | None
    """A client's words about the version, or null."""
    trained_on: str | None = None
    """Absent until the version is ready, and in versions of earlier releases."""
    forgetting: str | None = None
    """The forgetting that it was made for, in place of a version that had to go; absent if a client asked for it."""
    created_at: str
    finished_at: str | None
    """Null while the version is queued, training or evaluating."""


@dataclass(frozen=True, kw_only=True)
class CancelledVersion(VersionFields):
    """The version whose training was stopped."""

    model_id: str


@dataclass(frozen=True, kw_only=True)
class CandidateLabel(Result):
    """`CandidateLabel` of the contract."""

    group: int
    words: list[str]
    """The commonest words by contrast to the other texts."""
    texts: int
    """The number of texts that were grouped."""


@dataclass(frozen=True, kw_only=True)
class Comparison(Result):
    """Two versions on the same examples."""

    model_id: str
    version: int
    to: int
    examples: int
    labels_of: int
    """The version whose labels of the texts count, the newer of the two; feedback may have corrected labels."""
    before: ComparisonBefore
    after: ComparisonAfter
    gained: int
    """The number of examples that only the version `to` gets completely right."""
    lost: int
    """The number that only the first version gets completely right."""
    fixed: list[ComparisonFixed]
    """
    Up to 100 of the gained (in `fixed`) or lost (in `broken`) examples, with their ids, their labels, and what each version
    says. `text` is its first 200 characters, if both versions were trained with `keep_texts`
    """
    broken: list[ComparisonBroken]
    """
    Up to 100 of the gained (in `fixed`) or lost (in `broken`) examples, with their ids, their labels, and what each version
    says. `text` is its first 200 characters, if both versions were trained with `keep_texts`
    """
    per_label: list[ComparisonPerLabel]
    """The F1 of each label that occurs, the largest loss first."""


@dataclass(frozen=True, kw_only=True)
class ComparisonAfter(Result):
    """`ComparisonAfter` of the contract."""

    accuracy: float
    macro_f1: float
    micro_f1: float


@dataclass(frozen=True, kw_only=True)
class ComparisonBefore(Result):
    """`ComparisonBefore` of the contract."""

    accuracy: float
    macro_f1: float
    micro_f1: float


@dataclass(frozen=True, kw_only=True)
class ComparisonBroken(Result):
    """`ComparisonBroken` of the contract."""

    example: str
    labels: list[str]
    before: list[str]
    after: list[str]
    text: str | None = None


@dataclass(frozen=True, kw_only=True)
class ComparisonFixed(Result):
    """`ComparisonFixed` of the contract."""

    example: str
    labels: list[str]
    before: list[str]
    after: list[str]
    text: str | None = None


@dataclass(frozen=True, kw_only=True)
class ComparisonPerLabel(Result):
    """`ComparisonPerLabel` of the contract."""

    label: str
    support: int
    before: float
    after: float
    change: float


@dataclass(frozen=True, kw_only=True)
class DatasetProblem(Result):
    """`DatasetProblem` of the contract."""

    kind: str
    refuses: bool
    """Whether this problem prevents training."""
    count: int
    """How often the problem occurs."""
    sentence: str
    """How to fix it."""
    rows: list[DatasetProblemRow]
    """The first 20 occurrences."""


@dataclass(frozen=True, kw_only=True)
class DatasetProblemRow(Result):
    """A row."""

    labels: list[str] | None = None
    row: int | None = None
    """The line, or the position in a JSON array, counted from 1; for CSV the line on which the record starts."""
    first_row: int | None = None
    """The earlier row that this row is compared with."""
    problem: str | None = None
    """The problem of this row."""


@dataclass(frozen=True, kw_only=True)
class FileReportFields(Result):
    """The report on one file."""

    format: str | None
    """The recognised format; null if it is none of these."""
    understood: dict[str, str | list[str] | None] | None = None
    bytes: int
    """The number of bytes read."""
    unpacked_bytes: int
    """The number of bytes after unpacking."""
    rows: int
    """The number of records."""
    trainable: bool
    """Whether the file can be trained on."""
    errors: int
    """The number of problems that prevent training."""
    warnings: int
    """The number of problems that don't prevent training."""
    examples: int
    """How many can be trained on."""
    languages: list[Language] | None = None
    language_texts: int | None = None
    """The number of distinct texts in the sample for `languages`, at most 500."""
    texts_in_windows: int | None = None
    """
    About how many examples are longer than 256 tokens, estimated from their words, letters and punctuation. Sentence encoders
    read them in several windows. Reports of earlier releases don't have it.
    """
    exclusive: bool
    """Whether each example has exactly one label."""
    labels: list[FileReportFieldsLabel]
    """The first 1,000 labels, by name."""
    problems: list[DatasetProblem]
    """Each kind of problem in the file, those that prevent training first."""


@dataclass(frozen=True, kw_only=True)
class DatasetReport(FileReportFields):
    """The report on a data set and on the client's own test set."""

    test_set: FileReport | None
    """Null if the request named no test set."""


@dataclass(frozen=True, kw_only=True)
class DatasetSummary(Result):
    """The data set of the version. Everything except its location is known only after it was read."""

    s3bucket: str | None
    """Null if the version has no data set, only labels or an artifact, and perhaps feedback."""
    training_object: str | None
    sha256: str | None = None
    """The SHA-256 of the file or the archive, or of the list of labels."""
    etag: str | None = None
    """The ETag of the object, without quotes; null if there is none."""
    version_id: str | None = None
    """The version id of the object; null if the bucket has no versions."""
    examples: int | None = None
    """The number of examples used, train_examples and test_examples together."""
    train_examples: int | None = None
    """0 if the version was made from labels or imported."""
    test_examples: int | None = None
    """0 if the version was measured by cross-validation."""
    labels: int | None = None
    """The number of labels."""
    exclusive: bool | None = None
    """Whether every example has exactly one label."""
    warnings: int | None = None
    """The number of warnings in the version's report."""
    languages: list[Language] | None = None
    characters: int | None = None
    """The characters of all texts that it learns from; absent in versions of earlier releases."""
    sampled_from: int | None = None
    """The number of examples before n_texts took a sample."""
    test_object: str | None = None
    """The client's own test set, if the request named one."""
    artifact: DatasetSummaryArtifact | None = None
    """The archive that the version was imported from; absent if it was trained."""
    layout: dict[str, str | list[str]] | None = None
    test_set: DatasetSummaryTestSet | None = None
    """The object of the test set, as it was read."""
    base: DatasetSummaryBase | None = None
    """
    For a version from feedback: the version whose examples it builds on. Location and digests are those of the first version's
    object.
    """
    label_changes: dict[str, str] | None = None
    """The labels that `PATCH /models/{model_id}/labels` renamed or merged, with their new names."""
    feedback_examples: int | None = None
    """The number of examples that come from feedback."""
    dropped: int | None = None
    """The number of examples that a newer example of the same text replaced, ignoring case and white space."""
    relabelled: int | None = None
    """The number of texts whose labels changed because of that."""
    lost_labels: list[str] | None = None
    """The labels that a forgetting left too few texts of, so the version doesn't know them; absent if there are none."""
    removed: int | None = None
    """The number of examples that feedback dropped; absent in versions of earlier releases."""


@dataclass(frozen=True, kw_only=True)
class DatasetSummaryArtifact(Result):
    """The archive that the version was imported from; absent if it was trained."""

    s3bucket: str
    object: str
    sha256: str


@dataclass(frozen=True, kw_only=True)
class DatasetSummaryBase(Result):
    """
    For a version from feedback: the version whose examples it builds on. Location and digests are those of the first version's
    object.
    """

    version: int


@dataclass(frozen=True, kw_only=True)
class DatasetSummaryTestSet(Result):
    """The object of the test set, as it was read."""

    sha256: str
    etag: str
    version_id: str | None


@dataclass(frozen=True, kw_only=True)
class DatasetUpload(Result):
    """Where to upload a data set, and its names for training."""

    upload_url: str
    headers: dict[str, str]
    """What the PUT must send beside Content-Length, by name."""
    name: str
    """For DELETE /datasets/{name}."""
    s3bucket: str
    training_object: str


@dataclass(frozen=True, kw_only=True)
class Datasets(Result):
    """A page of data sets."""

    datasets: list[DatasetsDataset]
    next: str | None
    """For the query parameter `next`; null on the last page."""


@dataclass(frozen=True, kw_only=True)
class DatasetsDataset(Result):
    """`DatasetsDataset` of the contract."""

    name: str
    bytes: int
    uploaded_at: str
    s3bucket: str
    training_object: str


@dataclass(frozen=True, kw_only=True)
class DeletedBatch(Result):
    """`DeletedBatch` of the contract."""

    model_id: str
    batch: str
    status: str


@dataclass(frozen=True, kw_only=True)
class DeletedDataset(Result):
    """`DeletedDataset` of the contract."""

    name: str
    status: str


@dataclass(frozen=True, kw_only=True)
class DeletedModel(Result):
    """`DeletedModel` of the contract."""

    model_id: str
    status: str


@dataclass(frozen=True, kw_only=True)
class DeletedVersion(Result):
    """`DeletedVersion` of the contract."""

    model_id: str
    version: int
    status: str


@dataclass(frozen=True, kw_only=True)
class DeletingModel(Result):
    """`DeletingModel` of the contract."""

    model_id: str
    status: str


@dataclass(frozen=True, kw_only=True)
class DeletingVersion(Result):
    """`DeletingVersion` of the contract."""

    model_id: str
    version: int
    status: str


@dataclass(frozen=True, kw_only=True)
class Drift(Result):
    """A page of the days of a model's prediction log."""

    model_id: str
    log: Log | None
    """What is kept now; null if the log is off."""
    days: list[DriftDay]
    next: str | None
    """For the query parameter `next`; null on the last page."""


@dataclass(frozen=True, kw_only=True)
class DriftDay(Result):
    """What was measured of a day. Its figures are null if the log has no text of it."""

    day: str
    """In UTC."""
    version: int | None
    """The version that answered most of the texts."""
    texts: int
    """How many texts of this version were looked at."""
    other_texts: int
    """Texts of other versions that were drawn too and are not counted."""
    accepted_share: float | None
    """The share of texts with an accepted label, also by a policy. For the held-out examples it is by the version's own thresholds."""
    mean_score: float | None
    """Of the best label of each text."""
    mean_familiarity: float | None
    """How far the texts are from being strange, on average; below 0 is strange. Null if the version doesn't know."""
    labels: list[DriftDayLabel]
    """The shares of the labels as the best one of a text, the most changed first."""
    more_labels: int
    """How many other labels there are."""
    held_out: DriftDayHeldOut | None
    """The same of the held-out examples of the version. Null if there are none, or an earlier release trained it."""
    psi: float | None
    """The population stability index of the labels; null without a judgement."""
    p_labels: float | None
    """The p-value of the labels; null without a judgement."""
    p_scores: float | None
    """The p-value of the best labels' scores; null without a judgement."""
    drifted: bool
    reason: str
    """A sentence."""
    measured_at: str


@dataclass(frozen=True, kw_only=True)
class DriftDayHeldOut(Result):
    """The same of the held-out examples of the version. Null if there are none, or an earlier release trained it."""

    measured_by: str
    texts: int
    accepted_share: float
    mean_score: float
    mean_familiarity: float | None


@dataclass(frozen=True, kw_only=True)
class DriftDayLabel(Result):
    """`DriftDayLabel` of the contract."""

    label: str
    share: float
    usual_share: float
    """Among the held-out examples; 0 if nothing is known of them."""


@dataclass(frozen=True, kw_only=True)
class DryRun(Result):
    """The answer to a dry run."""

    dry_run: bool
    report: DatasetReport
    estimates: list[Estimate]


@dataclass(frozen=True, kw_only=True)
class DryRunReport(Result):
    """`DryRunReport` of the contract."""

    report_id: str
    status: str
    report: DatasetReport | None
    """Null until it is ready."""
    estimates: list[Estimate] | None
    """Null until it is ready, and in reports of earlier releases."""
    error: str | None
    """Why there is no report, or null."""


@dataclass(frozen=True, kw_only=True)
class Encoder(Result):
    """A sentence encoder: its name, and its digest, the SHA-256 of its description."""

    name: str
    digest: str


@dataclass(frozen=True, kw_only=True)
class Estimate(Result):
    """`Estimate` of the contract."""

    recipe: str
    trained_on: str
    memory_mb: int
    """The most memory that it needs, in units of 2^20 bytes."""
    seconds: int
    """About how long it takes."""
    lambdas: int | None
    """The number of Lambdas, one after the other; null in a container, and if no number of them would be enough."""
    container: EstimateContainer | None
    """The size of the container; null in Lambdas."""
    fits: bool
    """Whether memory and time will probably suffice."""
    dollars: float
    """What AWS charges for that in us-east-1 by its list prices for arm64; for a container, if it isn't on Spot."""
    sentence: str
    """The same in a sentence, with advice if it doesn't fit."""


@dataclass(frozen=True, kw_only=True)
class EstimateContainer(Result):
    """The size of the container; null in Lambdas."""

    vcpus: int
    memory_mb: int


@dataclass(frozen=True, kw_only=True)
class Evaluation(Result):
    """The most important measures."""

    measured_by: str | None = None
    """
    cross-validation: classifiers answered examples that they had not learnt, and the version has learnt all of them. held-out:
    the version answered a part of the examples that it did not learn. test-object: it answered your test set. Versions of
    earlier releases don't say it.
    """
    examples: int
    accuracy: float
    """The share of the examples with exactly the right labels."""
    macro_f1: float
    """The mean of the labels' F1."""
    micro_f1: float
    """F1 over all decisions."""
    weighted_f1: float | None = None
    """The mean of the labels' F1, weighted by the number of examples."""
    ece: float | None = None
    """The expected calibration error of the scores."""
    threshold: float | None = None
    """The lowest score with which the best label is accepted; only for exclusive labels."""
    refused_share: float | None = None
    """The share of the texts whose best label isn't accepted; only for exclusive labels."""
    accepted_share: float | None = None
    """The share of the texts with an accepted label."""
    warnings: list[str] | None = None
    """
    Sentences about scores that can't be trusted: under half of the texts have an accepted label, the calibration error is above
    0.1, or calibration made it worse. Empty if all is well.
    """
    least_familiarity: float | None = None
    """
    The familiarity, from about 0 to 1.3, that a text must reach to have an accepted label: the nearness to the texts that the
    version learnt (linear, cnn: the share of known words, pairs and character n-grams), and the best score; null for versions
    of linear and cnn of earlier releases; only for exclusive labels.
    """
    let_through: float | None = None
    """
    The share of texts with unknown labels whose best label would still be accepted, measured by a training without some of the
    labels; null without such a training; only for exclusive labels.
    """
    stopped: str | None = None
    """Why the training ended before all epochs were done; null if it did not."""


@dataclass(frozen=True, kw_only=True)
class EvaluationReport(Result):
    """
    Everything that was measured. micro_…: over all decisions together; macro_…: the mean over the labels that occur, in the
    truth or among the predicted; weighted_…: the mean by support. A ratio with nothing below its line is 0.
    """

    model_id: str
    version: int
    measured_by: str | None = None
    """
    cross-validation: classifiers answered examples that they had not learnt, and the version has learnt all of them. held-out:
    the version answered a part of the examples that it did not learn. test-object: it answered your test set. Versions of
    earlier releases don't say it.
    """
    measured_how: str | None = None
    """The same in a sentence, with numbers."""
    examples: int
    accuracy: float
    """The share of the examples with exactly the right labels."""
    micro_precision: float
    micro_recall: float
    micro_f1: float
    macro_precision: float
    macro_recall: float
    macro_f1: float
    weighted_precision: float
    weighted_recall: float
    weighted_f1: float
    per_label: dict[str, LabelMeasures]
    """The measures of each label, by its name."""
    intervals: EvaluationReportIntervals
    """
    95 % intervals. The accuracy, which is a share, has Wilson's, and so has micro_f1 if it is the accuracy. F1 has percentile
    bootstrap intervals over 1000 resamples of the test set.
    """
    confusion: EvaluationReportConfusion | None
    """How often each label was confused with another; null if examples may have several labels."""
    calibration: EvaluationReportCalibration
    """Whether scores match the share of right answers, before and after calibration."""
    accepted_share: float | None = None
    """The share of the texts with an accepted label."""
    warnings: list[str] | None = None
    """
    Sentences about scores that can't be trusted: under half of the texts have an accepted label, the calibration error is above
    0.1, or calibration made it worse. Empty if all is well.
    """
    most_wrong: list[WrongExample]
    """The wrong examples with the highest scores, highest first."""
    epochs: list[EvaluationReportEpoch] | None = None
    """The training, epoch by epoch."""
    stopped: str | None = None
    """Why the training ended before all epochs were done; null if it did not."""
    learning_curve: EvaluationReportLearningCurve | None = None
    """
    How accuracy grows with the number of learnt examples. Null if the training had no folds, if its recipe is cnn, or if there
    are too few examples to learn from a part of them. Absent in versions of earlier releases.
    """
    stages: list[EvaluationReportStage] | None = None
    """
    How many examples each stage of the recipe best answered, and what it costs, in the order in which a text is asked. Null for
    other recipes. Absent in versions of earlier releases.
    """
    strangers: EvaluationReportStrangers | None = None
    """
    How the version treats texts that have none of its labels, measured by a separate training without a fifth of the labels;
    null if there are fewer than three labels, or if labels are not exclusive.
    """


@dataclass(frozen=True, kw_only=True)
class EvaluationReportCalibration(Result):
    """Whether scores match the share of right answers, before and after calibration."""

    before: Reliability
    after: Reliability


@dataclass(frozen=True, kw_only=True)
class EvaluationReportConfusion(Result):
    """For at most 50 labels: how often each true label (row) was predicted as each label (column)."""

    top: list[EvaluationReportConfusionTop] | None = None
    labels: list[str] | None = None
    """The labels of the rows, and of the columns."""
    matrix: list[list[int]] | None = None


@dataclass(frozen=True, kw_only=True)
class EvaluationReportConfusionTop(Result):
    """`EvaluationReportConfusionTop` of the contract."""

    truth: str
    predicted: str
    count: int


@dataclass(frozen=True, kw_only=True)
class EvaluationReportEpoch(Result):
    """`EvaluationReportEpoch` of the contract."""

    epoch: int
    loss: float | None
    """The mean loss of a training example; null where it is no number, as when the learning rate is far too high."""
    score: float | None
    """
    How good it was on examples of the training set that were held out (the mean of the folds). Of exclusive labels the
    accuracy; of others micro-F1 at the one threshold that is best for it.
    """


@dataclass(frozen=True, kw_only=True)
class EvaluationReportIntervals(Result):
    """
    95 % intervals. The accuracy, which is a share, has Wilson's, and so has micro_f1 if it is the accuracy. F1 has percentile
    bootstrap intervals over 1000 resamples of the test set.
    """

    accuracy: list[float]
    micro_f1: list[float]
    macro_f1: list[float]


@dataclass(frozen=True, kw_only=True)
class EvaluationReportLearningCurve(Result):
    """`EvaluationReportLearningCurve` of the contract."""

    points: list[EvaluationReportLearningCurvePoint]
    """At about an eighth, a quarter, a half and all of the examples that a fold learns from, the fewest first."""
    conclusion: str
    """A sentence that says whether more examples would help."""


@dataclass(frozen=True, kw_only=True)
class EvaluationReportLearningCurvePoint(Result):
    """`EvaluationReportLearningCurvePoint` of the contract."""

    examples: int
    """The number of learnt examples."""
    accuracy: float
    """The share of held-out examples that are answered right."""
    interval: list[float]
    """The 95 % interval of the accuracy."""


@dataclass(frozen=True, kw_only=True)
class EvaluationReportStage(Result):
    """`EvaluationReportStage` of the contract."""

    stage: str
    encoder: str | None
    """The name of the sentence encoder that reads the texts here; null if none does."""
    texts: int
    """The number of examples that it answered."""
    share: float
    """Their share."""
    read: float
    """The share of the examples that it had to read because no stage before it answered."""


@dataclass(frozen=True, kw_only=True)
class EvaluationReportStrangers(Result):
    """`EvaluationReportStrangers` of the contract."""

    labels: int
    """The number of labels left out."""
    texts: int
    """The number of their texts that were tried."""
    let_through: float
    """The share of these texts whose best label was accepted."""
    let_through_by_score: float
    """The same, with only the threshold of the score."""
    refused: float
    """The share of held-out texts of the other labels whose best label was not accepted."""
    refused_by_score: float
    """The same, with only the threshold of the score."""


@dataclass(frozen=True, kw_only=True)
class Explanation(Result):
    """Why a text has its first label."""

    label: str
    method: str
    """
    `exact`: `bias` and the contributions of the words add up to `logit`. `occlusion`: a contribution is what `logit` loses
    without the word.
    """
    logit: float
    temperature: float
    """The number by which logits are divided before they become scores."""
    bias: float | None
    """The label's logit without any word; null if the method is `occlusion`"""
    words: list[ExplanationWord]
    """In the order of the text."""
    untried_words: int
    """The number of further words of a long text, which were not left out."""


@dataclass(frozen=True, kw_only=True)
class ExplanationWord(Result):
    """`ExplanationWord` of the contract."""

    word: str
    """In Unicode normal form NFKC and in lower case."""
    contribution: float
    start: int | None
    """The position of its first code point in the text; null if normalization changed the text too much."""
    end: int | None
    """The position after its last code point; null like `start`"""


@dataclass(frozen=True, kw_only=True)
class FeedbackBatch(Result):
    """A page of a batch of feedback."""

    model_id: str
    batch: str
    pending: bool
    """Whether no version has used it and none is being trained on it."""
    examples: list[FeedbackBatchExample]
    next: str | None
    """For the query parameter `next`; null on the last page."""


@dataclass(frozen=True, kw_only=True)
class FeedbackBatchExample(Result):
    """`FeedbackBatchExample` of the contract."""

    example: str
    action: str
    """What it does to the text."""
    labels: list[str]
    """The labels of the text; with drop and keep, those that it had."""
    text: str | None = None
    """Present only if the version that feedback builds on keeps texts."""
    subject: str | None = None
    """Present only if the example has one."""


@dataclass(frozen=True, kw_only=True)
class FileEvaluation(Result):
    """An evaluation of a version on another file."""

    model_id: str
    version: int
    evaluation: str
    status: str
    s3bucket: str
    training_object: str
    sha256: str | None
    """The digest of the file that was read; null until it is ready."""
    learnt: int | None
    """How many of the file's texts were left out, because the version has learnt them; null until it is ready."""
    report: EvaluationReport | None
    """As in `GET …/evaluation`; null until it is ready."""
    error: str | None
    """Why it failed; null otherwise."""
    started_at: str


@dataclass(frozen=True, kw_only=True)
class FileReport(FileReportFields):
    """`FileReport` of the contract."""


@dataclass(frozen=True, kw_only=True)
class FileReportFieldsLabel(Result):
    """`FileReportFieldsLabel` of the contract."""

    label: str
    examples: int
    description: str | None = None
    """What the request says of a label without examples."""
    texts: int
    """The number of distinct texts."""


@dataclass(frozen=True, kw_only=True)
class Forgetting(Result):
    """A forgetting, and its receipt. It has no text and no subject."""

    forgetting: str
    status: str
    """`working` and `waiting` go on by themselves; `done`: a last look has found nothing more."""
    waiting_for: list[str]
    """What it waits for, as sentences."""
    texts: int | None
    """How many different texts were named; null if a subject was."""
    by: Caller | None
    """Who asked for it; null if nobody knows."""
    touched: list[ForgettingTouched]
    """The places where something was found, at most 1,000."""
    more: int
    """The number of places that the receipt has no room for."""
    models: list[ForgettingModel]
    """What became of the models whose versions learnt from it; empty until it is done."""
    not_done: list[str]
    """What Winnow could not do, and what you should do about it, as sentences."""
    created_at: str
    finished_at: str | None
    """Null until it is done."""


@dataclass(frozen=True, kw_only=True)
class ForgettingModel(Result):
    """`ForgettingModel` of the contract."""

    model_id: str
    made: int | None
    """The version that was made in place of the live one; null if there is none."""
    withdrawn: list[int]
    """The versions that are gone."""
    lost_labels: list[str]
    """The labels that had too few texts left, so the new version doesn't know them."""
    problem: str | None
    """Why no version could be made, and what to do; null if there is no problem."""


@dataclass(frozen=True, kw_only=True)
class ForgettingTouched(Result):
    """`ForgettingTouched` of the contract."""

    kind: str
    """
    `upload`: the file is removed; `version`: it is withdrawn; `feedback`: the texts are taken out of the batch; `log`: the
    requests with them are removed; `queue`: it is removed; `batch`: a batch prediction, whose files and result are removed;
    `evaluation`: on another file, the texts are taken out of it.
    """
    texts: int
    """How many texts were there to forget."""
    model_id: str | None
    """Null for an upload, and if the model was deleted before."""
    version: int | None
    """The version, or null."""
    name: str | None
    """The name of the upload, batch, queue or evaluation, or the day of a log; null for a version."""


@dataclass(frozen=True, kw_only=True)
class Gate(Result):
    """
    The comparison of a version with the live one, on examples that each answers without having learnt them. The version goes
    live if its macro-F1 isn't lower.
    """

    against: int
    passed: bool
    examples: int
    reason: str
    live_macro_f1: float | None
    """Null if no example was left to measure on."""
    macro_f1: float | None
    """Null if no example was left to measure on."""


@dataclass(frozen=True, kw_only=True)
class GovernedModel(Result):
    """A model with its policy."""

    model_id: str
    policy: Policy | None
    """The policy that counts; null if each version's own thresholds do."""
    applied: AppliedPolicy | None
    """What it means for the live version; null without a policy."""


@dataclass(frozen=True, kw_only=True)
class Health(Result):
    """`Health` of the contract."""

    status: str
    parts: dict[str, str] | None = None


@dataclass(frozen=True, kw_only=True)
class History(Result):
    """A page of a model's history."""

    model_id: str
    entries: list[HistoryEntry]
    next: str | None
    """For the query parameter `next`; null on the last page."""


@dataclass(frozen=True, kw_only=True)
class HistoryEntry(Result):
    """One deed."""

    id: str
    """Sorts by time."""
    at: str
    deed: str
    """
    What was done. `train`: a version was asked for, the first one makes the model; `go-live`: a training ended and made its
    version live; `promote`, and `roll-back` if the version is older than the one before; `cancel`: a training; `delete-
    version`, `delete-model`; `add-examples`, `take-back-examples`: feedback; `change-model`: its settings; `change-version`:
    its note; `change-policy`: what is accepted.
    """
    by: Caller | None
    """
    Who did it; of `go-live`, who asked for the training. Null if nobody knows: calls of `sam local`, and trainings that an
    earlier release began.
    """
    call: str | None
    """The call that did it, such as `PUT /models/{model_id}/live`; null if Winnow did it by itself."""
    version: int | None
    """The version that it is about; null if there is none."""
    before: int | None
    """The version that was live until then; null if there was none, and for other deeds."""
    batch: str | None
    """The batch of feedback, or null."""
    examples: int | None
    """The number of examples in the batch, or null."""
    settings: dict[str, float | None] | None
    """
    The settings of the model that were set, with their new values; null if none was. The words of a title, a note and tags are
    not kept here: their values are null.
    """


@dataclass(frozen=True, kw_only=True)
class Hyperparameters(Result):
    """The settings of the version's training."""

    n_iter: int | None
    """Epochs; null until they are chosen by the size of the data."""
    n_texts: int | None
    """The maximum number of texts; null for all."""
    spacy_model: str
    """The code of the language."""
    dropout: float | None
    """The share of features left out in training; null until it is chosen."""
    batch_size: int | None
    """Texts per step; null until it is chosen."""
    learn_rate: float | None
    """The first learning rate; null until it is chosen."""
    seed: int
    """The seed of the random numbers."""
    exclusive: bool | None
    """Whether labels are exclusive, by the request; null if the data decide."""
    rare_labels: str | None = None
    """What happens to labels with fewer than two distinct texts. Versions of earlier releases don't have it."""
    min_precision: float
    """The precision that the threshold of an exclusive model is chosen for: the share of right answers among the accepted ones."""
    keep_texts: bool
    """
    Whether the evaluation, the suspects and the list of examples may show texts. Default true if the data set is an upload,
    otherwise false.
    """
    patience: int | None
    """The training ends after this many epochs without a better held-out score, and keeps the best epoch; null to run all epochs."""
    max_minutes: float | None
    """The training ends after this many minutes and keeps the best epoch so far; null for no limit."""


@dataclass(frozen=True, kw_only=True)
class LabelMeasures(Result):
    """`LabelMeasures` of the contract."""

    precision: float
    recall: float
    f1: float
    support: int
    """The number of examples with the label."""


@dataclass(frozen=True, kw_only=True)
class LabelPoint(Result):
    """`LabelPoint` of the contract."""

    answered: int
    """How often the label is accepted."""
    right: int
    """How often rightly."""
    right_share: float | None
    right_interval: list[float] | None
    found_share: float | None
    """The share of the label's examples that are accepted with it; null without any."""


@dataclass(frozen=True, kw_only=True)
class LabelPointAt(Result):
    """`LabelPointAt` of the contract."""

    answered: int
    """How often the label is accepted."""
    right: int
    """How often rightly."""
    right_share: float | None
    right_interval: list[float] | None
    found_share: float | None
    """The share of the label's examples that are accepted with it; null without any."""
    threshold: float


@dataclass(frozen=True, kw_only=True)
class Language(Result):
    """`Language` of the contract."""

    language: str
    """Its ISO 639-1 code."""
    share: float
    """The share of the texts that have letters."""


@dataclass(frozen=True, kw_only=True)
class Limits(Result):
    """The limits of each key with this role."""

    requests_per_second: float
    requests_per_day: int


@dataclass(frozen=True, kw_only=True)
class Log(Result):
    """null, or an object such as {"share": 0.1, "days": 30}."""

    share: float
    """a number above 0, up to 1."""
    days: int
    """1, 7, 30 or 90."""


@dataclass(frozen=True, kw_only=True)
class MadeReviewQueue(Result):
    """What became of the texts of a file or a log."""

    model_id: str
    queue: str
    """The id of the queue."""
    version: int
    rows: int
    """The rows of the file, or the texts that were read of the log."""
    unreadable: int
    """How many of them have no text that can be read."""
    problems: list[str]
    """Sentences about the first of these, and about the encoding of the file."""
    drawn: int
    """The texts that were drawn from these; all, if there are at most 5,000."""
    left_out: int
    """How many of these the model knows already, or are repeated."""
    looked_at: int
    """How many of the others the version looked at."""
    queued: int
    """The texts in the queue."""
    groups: list[CandidateLabel]
    created_at: str
    expires_at: str


@dataclass(frozen=True, kw_only=True)
class ModelFields(Result):
    """What Model and ModelWithVersion have in common."""

    model_id: str
    status: str
    """
    ready: the live version answers, or, if live_version is null, the latest version is ready and can be promoted; training: no
    version is live yet, and one is in training; failed: no version is live, and the last training failed.
    """
    live_version: int | None
    """The version that answers, or null."""
    latest_version: int
    """The highest number given so far. Numbers are never used again, so that version may have been deleted."""
    labels: int | None
    """The number of labels of the live version, or null."""
    retrain_after: int | None
    """The number of new feedback examples that starts a training; null never starts one."""
    schedule: str | None
    """When a training starts by itself if examples wait, in UTC; null never starts one."""
    scheduled_for: str | None
    """The next time of the schedule, or null. A training starts within the hour after it."""
    tolerance: float
    """How much lower the macro-F1 of a version from feedback may be than that of the live version, if it is to go live."""
    log: Log | None
    """What is kept of the texts that were classified; null keeps nothing."""
    policy: int | None
    """The revision of the policy that says what is accepted; null if each version's own thresholds do."""
    title: str | None
    """A client's name for the model, or null."""
    note: str | None
    """A client's words about the model, or null."""
    tags: list[str]
    """Words by which `GET /models` can list models."""
    waiting_examples: int
    """The number of pending feedback examples, which no version has used or is training on."""
    created_at: str
    updated_at: str


@dataclass(frozen=True, kw_only=True)
class Model(ModelFields):
    """A named classifier with a history."""


@dataclass(frozen=True, kw_only=True)
class ModelWithVersion(ModelFields):
    """A model with the latest of its versions."""

    version: Version | None
    """Null if every version was deleted."""


@dataclass(frozen=True, kw_only=True)
class Models(Result):
    """A page of models."""

    models: list[Model]
    next: str | None
    """For the query parameter `next`; null on the last page."""


@dataclass(frozen=True, kw_only=True)
class PipelineLink(Result):
    """The link to a version as a pipeline."""

    model_id: str
    version: int
    url: str
    bytes: int
    sha256: str | None
    """The SHA-256 of the archive; null for versions of earlier releases."""
    expires_at: str
    """When the link ends at the latest. If it ends earlier, because the service's credentials do, ask for another one."""


@dataclass(frozen=True, kw_only=True)
class Policy(Result):
    """A policy. It never changes; a new one has the next revision. All three aims are null where a policy was ended."""

    revision: int
    min_precision: float | None
    """The promised share of right answers among the answered texts."""
    thresholds: dict[str, float] | None
    cost: PolicyCost | None
    """What a wrong answer and a refused text cost."""
    evaluation: str | None
    """The id of the evaluation whose examples choose the threshold; null if the version's held-out examples do."""
    version: int | None
    """The version that was live when the policy was set."""
    created_at: str


@dataclass(frozen=True, kw_only=True)
class PolicyCost(Result):
    """`PolicyCost` of the contract."""

    wrong: float
    refused: float


@dataclass(frozen=True, kw_only=True)
class PolicyWithHistory(Result):
    """A model with its policy and a page of all policies so far."""

    model_id: str
    policy: Policy | None
    """The policy that counts; null if each version's own thresholds do."""
    applied: AppliedPolicy | None
    """What it means for the live version; null without a policy."""
    history: list[Policy]
    """The policies, newest first."""
    next: str | None
    """For the query parameter `next`; null on the last page."""


@dataclass(frozen=True, kw_only=True)
class Prediction(Result):
    """The answer to `text`"""

    model_id: str
    version: int
    prediction_id: str
    labels: list[ScoredLabel]
    stage: str | None = None
    policy: int | None = None
    explanation: Explanation | None = None


@dataclass(frozen=True, kw_only=True)
class Predictions(Result):
    """The answer to `texts`, in the order of the request."""

    model_id: str
    version: int
    predictions: list[PredictionsPrediction]


@dataclass(frozen=True, kw_only=True)
class PredictionsPrediction(Result):
    """`PredictionsPrediction` of the contract."""

    prediction_id: str
    labels: list[ScoredLabel]
    stage: str | None = None
    policy: int | None = None
    explanation: Explanation | None = None


@dataclass(frozen=True, kw_only=True)
class Progress(Result):
    """The progress of a training job."""

    stage: str
    """The current stage of the job, or its last stage."""
    percent: int
    eta_seconds: int | None
    """The seconds left in this stage; null if that is not known yet."""
    epoch: int | None = None
    """The number of finished passes over the examples during training, including those on folds for calibration; otherwise null."""
    epochs: int | None = None
    """The number of passes, unless the training ends early."""
    loss: float | None = None
    """The mean loss of an example in the last pass."""
    score: float | None = None
    """The last score on held-out examples of the training set, as in the evaluation's epochs."""


@dataclass(frozen=True, kw_only=True)
class QueuedBatch(Result):
    """`QueuedBatch` of the contract."""

    model_id: str
    batch: str
    version: int
    status: str


@dataclass(frozen=True, kw_only=True)
class QueuedVersion(Result):
    """The version that a request for a training made."""

    model_id: str
    version: int
    status: str


@dataclass(frozen=True, kw_only=True)
class ReceivedExamples(Result):
    """The result of a request with feedback."""

    model_id: str
    batch: str
    examples: int
    new_labels: list[str]
    """The labels that the live version (or the latest ready one) doesn't know, in alphabetical order; at most 100."""
    waiting: int
    """The number of feedback examples that are now pending."""
    retrain: str
    """
    started: a version is training on all pending examples; underway: a version is already training, and the next one will use
    the remaining examples; waiting: no training was started.
    """
    version: int | None
    """The version that was started or is already training; null if the examples are pending."""
    file: ReceivedExamplesFile | None = None
    """What was read, and the warnings; only if the request names a file."""


@dataclass(frozen=True, kw_only=True)
class ReceivedExamplesFile(Result):
    """What was read, and the warnings; only if the request names a file."""

    format: str
    rows: int
    """The number of records."""
    understood: dict[str, str | list[str] | None]
    problems: list[DatasetProblem]
    """Each kind of warning."""


@dataclass(frozen=True, kw_only=True)
class Reliability(Result):
    """
    Confidence compared with accuracy, in bins of equal width. Exclusive labels: the score of the best label, and the share of
    right answers. Several labels: the score of every label of every example, and the share of examples that have the label.
    """

    ece: float
    """The expected calibration error: the mean gap between confidence and accuracy, weighted by the bins' counts."""
    bins: list[ReliabilityBin]


@dataclass(frozen=True, kw_only=True)
class ReliabilityBin(Result):
    """`ReliabilityBin` of the contract."""

    from_: float
    to: float
    """The bin contains scores above `from` and up to `to`, including `to`"""
    count: int
    confidence: float | None
    """Their mean confidence; null in an empty bin."""
    accuracy: float | None
    """The share of right answers; null in an empty bin."""


@dataclass(frozen=True, kw_only=True)
class ReportOfVersion(Result):
    """`ReportOfVersion` of the contract."""

    model_id: str
    version: int
    report: DatasetReport


@dataclass(frozen=True, kw_only=True)
class ReviewQueue(Result):
    """The next texts of a review queue."""

    model_id: str
    queue: str
    """The id of the queue."""
    version: int
    exclusive: bool
    """Whether each text has exactly one label."""
    items: list[ReviewQueueItem]
    """The texts that are yours until `handed_out_until`, the most useful first."""
    handed_out_until: str
    left: int
    """The texts without feedback, those in `items` among them."""
    handed_out: int
    """How many of these are handed out, to you or others."""
    groups: list[CandidateLabel]
    created_at: str


@dataclass(frozen=True, kw_only=True)
class ReviewQueueItem(Result):
    """`ReviewQueueItem` of the contract."""

    item: str
    """The id that the text has as an example of this model."""
    text: str
    line: int | None
    """Where the text begins in the file, from 1 (of a JSON array, the number of the element); null if it is from the log."""
    id: str | int | None
    """The file's `id` of the text."""
    prediction_id: str | None
    """The prediction that the text is from; null if it is from a file."""
    labels: list[ScoredLabel]
    """The best labels of the version's answer, best first."""
    uncertainty: float
    """
    From 0 (sure) to 1. Exclusive labels: 1 minus the difference of the two best scores; otherwise 1 minus the distance of the
    score that is nearest to its label's threshold.
    """
    group: int | None
    """The number of its group in `groups`; null if it is in none."""


@dataclass(frozen=True, kw_only=True)
class RunningEvaluation(Result):
    """`RunningEvaluation` of the contract."""

    model_id: str
    version: int
    evaluation: str
    status: str


@dataclass(frozen=True, kw_only=True)
class ScoredLabel(Result):
    """One label of a prediction."""

    label: str
    score: float
    accepted: bool
    """Whether the score reaches the label's threshold; of exclusive labels only the first can be accepted."""


@dataclass(frozen=True, kw_only=True)
class Selection(Result):
    """
    The recipes that were tried, cheapest first, and one sentence that says why this one was chosen. A more expensive recipe is
    chosen only if its score is at least 0.01 above that of the best cheaper one. The held-out examples of the evaluation are
    not used for this choice.
    """

    candidates: list[SelectionCandidate]
    reason: str


@dataclass(frozen=True, kw_only=True)
class SelectionCandidate(Result):
    """`SelectionCandidate` of the contract."""

    recipe: str
    failed: str | None = None
    """Why its training failed."""
    score: float | None = None
    """
    Accuracy, or micro-F1 if labels are not exclusive, on the folds of the training set that were held out for calibration. The
    folds are the same for all candidates. Null if nothing could be held out.
    """
    seconds: float | None = None
    """The seconds of its training."""


@dataclass(frozen=True, kw_only=True)
class StartedDryRun(Result):
    """The answer to a dry run that takes longer."""

    dry_run: bool
    report_id: str
    status: str


@dataclass(frozen=True, kw_only=True)
class StartedForgetting(Result):
    """`StartedForgetting` of the contract."""

    forgetting: str
    status: str


@dataclass(frozen=True, kw_only=True)
class Suspects(Result):
    """A page of the examples of a version whose labels look wrong."""

    model_id: str
    version: int
    checked_by: str
    """
    Which examples were checked. cross-validation: those that the version learnt, each by a classifier that had not learnt it;
    held-out: those that were held out of the training; test-object: those of the client's test set, so rows are of that one.
    """
    checked: int
    """The number of examples that were checked."""
    found: int
    """The number of findings. The list has the first 500 of them."""
    suspects: list[SuspectsSuspect]
    """Labels that are nearly always called another, largest first; then single examples, worst first."""
    next: str | None
    """For the query parameter `next`; null on the last page."""


@dataclass(frozen=True, kw_only=True)
class SuspectsSuspect(Result):
    """A label that is nearly always called another one."""

    kind: str
    label: str
    """The label."""
    proposed: str | None
    """The other label; null if examples may have several labels, and nearly all with this one seem not to have it."""
    example: str | None = None
    row: int | None = None
    """The number of the example in the data set; 0 for one of feedback."""
    label_score: float | None = None
    """The score of `label`; null if there is none."""
    proposed_score: float | None = None
    """The score of `proposed`; null if there is none."""
    text: str | None = None
    """The first 200 characters. Present only if the training request allowed keeping texts."""
    count: int | None = None
    """The number of the label's examples for which this is so."""
    of: int | None = None
    """The number of the label's examples that were checked."""
    examples: list[SuspectsSuspectExample] | None = None
    """The worst of these examples."""


@dataclass(frozen=True, kw_only=True)
class SuspectsSuspectExample(Result):
    """`SuspectsSuspectExample` of the contract."""

    example: str | None = None
    row: int
    """The number of the example in the data set; 0 for one of feedback."""
    label_score: float | None
    """The score of `label`; null if there is none."""
    proposed_score: float | None
    """The score of `proposed`; null if there is none."""
    text: str | None = None
    """The first 200 characters. Present only if the training request allowed keeping texts."""


@dataclass(frozen=True, kw_only=True)
class Tradeoff(Result):
    """The share of answered texts against the share of right answers."""

    model_id: str
    version: int
    measured_by: str
    """
    On which answers. cross-validation: about the examples that the version learnt, each by a classifier that had not learnt it;
    held-out: about those that were held out of the training; test-object: about the client's test set.
    """
    examples: int
    """The number of these examples."""
    own: TradeoffPoint
    """At the version's own thresholds."""
    curve: list[TradeoffPointAt]
    """At thresholds that are the same for all labels, from few answered texts to all."""
    per_label: list[TradeoffPerLabel]


@dataclass(frozen=True, kw_only=True)
class TradeoffPerLabel(Result):
    """`TradeoffPerLabel` of the contract."""

    label: str
    examples: int
    """How many of the examples have the label."""
    own: LabelPoint
    """At the version's own thresholds."""
    curve: list[LabelPointAt]
    """At other thresholds of this label."""


@dataclass(frozen=True, kw_only=True)
class TradeoffPoint(Result):
    """`TradeoffPoint` of the contract."""

    answered: int
    """How many texts are answered."""
    answered_share: float
    answered_interval: list[float]
    right: int
    """How many of those rightly."""
    right_share: float | None
    right_interval: list[float] | None


@dataclass(frozen=True, kw_only=True)
class TradeoffPointAt(Result):
    """`TradeoffPointAt` of the contract."""

    answered: int
    """How many texts are answered."""
    answered_share: float
    answered_interval: list[float]
    right: int
    """How many of those rightly."""
    right_share: float | None
    right_interval: list[float] | None
    threshold: float


@dataclass(frozen=True, kw_only=True)
class Version(VersionFields):
    """One trained, immutable state of a model, or its making."""


@dataclass(frozen=True, kw_only=True)
class VersionExample(Result):
    """An example with the answer of a classifier that had not learnt it."""

    example: str
    row: int
    """The number of the example in the data set or in the test set; 0 for a text of feedback."""
    source: str
    """Where its labels are from."""
    batch: str | None
    """The batch of feedback that its labels are from; null if there is none."""
    split: str
    """Whether the version learnt it, or was tested on it."""
    fold: int | None
    """The fold whose classifier had not learnt it; null if there is none."""
    labels: list[VersionExampleLabel]
    """Its labels, each with the score that the answer gives it (null without an answer)."""
    predicted: list[VersionExamplePredicted] | None
    """The predicted labels, best first; one if labels are exclusive. null without an answer."""
    accepted: bool | None
    """Whether the answer accepts a label; null without an answer."""
    wrong: bool | None
    """Whether the predicted labels are others than its labels; null without an answer."""
    score: float | None
    """
    How sure the answer is: the score of its best label or, if it is wrong, of the surest mistake (1 minus the score for a label
    that is missing); null without an answer.
    """
    margin: float | None
    """
    How far the best label is before the second or, if examples may have several labels, the label that is nearest to its
    threshold from that threshold; null without an answer.
    """
    text: str | None = None
    """Present only if the training request allowed keeping texts."""


@dataclass(frozen=True, kw_only=True)
class VersionExampleLabel(Result):
    """`VersionExampleLabel` of the contract."""

    label: str
    score: float | None


@dataclass(frozen=True, kw_only=True)
class VersionExamplePredicted(Result):
    """`VersionExamplePredicted` of the contract."""

    label: str
    score: float


@dataclass(frozen=True, kw_only=True)
class VersionExamples(Result):
    """A page of the examples of a version."""

    model_id: str
    version: int
    matching: int
    """The number of examples that match the query, `contains` apart."""
    examples: list[VersionExample]
    next: str | None
    """For the query parameter `next`; null on the last page."""


@dataclass(frozen=True, kw_only=True)
class VersionOfModel(VersionFields):
    """A version and its model."""

    model_id: str


@dataclass(frozen=True, kw_only=True)
class Versions(Result):
    """A page of the versions of a model."""

    model_id: str
    versions: list[Version]
    next: str | None
    """For the query parameter `next`; null on the last page."""


@dataclass(frozen=True, kw_only=True)
class Whoami(Result):
    """The caller."""

    kind: str | None
    """Null if nobody knows, as with `sam local`"""
    name: str | None
    """The name of the key, or the ARN of the principal; null if unknown."""
    key_id: str | None
    """The id of the API key in API Gateway, or null."""
    role: str | None
    """The role of the key; null where IAM decides."""
    limits: Limits | None
    """The limits of the key, or null."""
    used_today: int | None
    """
    The requests of the key since midnight (UTC), as API Gateway counts them, some minutes late; null if it doesn't say it, and
    for keys that an earlier release made.
    """


@dataclass(frozen=True, kw_only=True)
class WrongExample(Result):
    """`WrongExample` of the contract."""

    row: int
    """The number of the example in the data set; 0 for one of feedback."""
    truth: list[str]
    """The true labels of the example."""
    predicted: list[str]
    """The predicted labels, best first."""
    score: float
    """
    The confidence in what is wrong: the score of a label wrongly predicted or, where a label was wrongly left out, what its
    score leaves to 1; the highest of those.
    """
    text: str | None = None
    """Present only if the training request allowed keeping texts."""
