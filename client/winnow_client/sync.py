"""The sync client."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import Any, TypeVar, overload

import httpx

from winnow_client import results as r
from winnow_client.calls import BatchFlows, Calls, TrainingFlows, Work
from winnow_client.driving import Settings, chunks, timeouts
from winnow_client.flows import Answer, Flow, Give, Items, Patience, Pause, Save, Send, Step, exchange
from winnow_client.methods import sync, sync_handle, sync_items

T = TypeVar("T")


class Training(Work):
    """A training that has begun. version: the number of the version that it makes."""

    @property
    def version(self) -> int:
        """The version's number."""
        return int(self._key)

    state = sync(TrainingFlows.state)
    wait = sync(TrainingFlows.wait)
    events = sync_items(TrainingFlows.events)
    evaluation = sync(TrainingFlows.evaluation)
    cancel = sync(TrainingFlows.cancel)


class Batch(Work):
    """A batch prediction that has begun. batch: its id."""

    @property
    def batch(self) -> str:
        """The batch's id."""
        return str(self._key)

    state = sync(BatchFlows.state)
    wait = sync(BatchFlows.wait)
    events = sync_items(BatchFlows.events)
    save = sync(BatchFlows.save)
    cancel = sync(BatchFlows.cancel)


class Winnow(Settings):
    """The API of a deployment.

    url, api_key: by default WINNOW_URL and WINNOW_API_KEY of the environment. timeout: seconds for one answer. retries: how often a call is
    repeated after a lost connection, and after 429, 502, 503 and 504; only calls that do nothing twice are repeated after their answer was
    lost. longest_wait: if an answer asks to wait longer, its error is raised at once. http: your own client of httpx, for a proxy or
    signatures.
    """

    def __init__(
        self,
        url: str | None = None,
        api_key: str | None = None,
        *,
        timeout: float = 60.0,
        retries: int = 3,
        longest_wait: float = 30.0,
        http: httpx.Client | None = None,
    ) -> None:
        super().__init__(url, api_key, Patience(retries, longest_wait))
        self._http = http or httpx.Client(timeout=timeouts(timeout))

    def __enter__(self) -> Winnow:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    upload = sync(Calls.upload)
    datasets = sync_items(Calls.datasets)
    delete_dataset = sync(Calls.delete_dataset)

    train = sync_handle(Calls.train, lambda client, begun: Training(client, begun.model_id, begun.version))
    import_artifact = sync_handle(Calls.import_artifact, lambda client, begun: Training(client, begun.model_id, begun.version))
    check = sync(Calls.check)
    dry_run = sync(Calls.dry_run)

    models = sync_items(Calls.models)
    model = sync(Calls.model)
    change_model = sync(Calls.change_model)
    delete_model = sync(Calls.delete_model)
    versions = sync_items(Calls.versions)
    version = sync(Calls.version)
    change_version = sync(Calls.change_version)
    delete_version = sync(Calls.delete_version)
    cancel_training = sync(Calls.cancel_training)
    promote = sync(Calls.promote)
    rollback = sync(Calls.rollback)
    report = sync(Calls.report)
    evaluation = sync(Calls.evaluation)
    figure = sync(Calls.figure)
    tradeoff = sync(Calls.tradeoff)
    compare = sync(Calls.compare)
    suspects = sync_items(Calls.suspects)
    examples = sync_items(Calls.examples)
    save_examples = sync(Calls.save_examples)
    save_artifact = sync(Calls.save_artifact)

    evaluate = sync(Calls.evaluate)
    file_evaluation = sync(Calls.file_evaluation)
    policy = sync(Calls.policy)
    policies = sync_items(Calls.policies)
    set_policy = sync(Calls.set_policy)
    remove_policy = sync(Calls.remove_policy)

    classify_one = sync(Calls.classify_one)
    classify_many = sync(Calls.classify_many)

    batch = sync_handle(Calls.batch, lambda client, begun: Batch(client, begun.model_id, begun.batch))
    batches = sync_items(Calls.batches)
    batch_state = sync(Calls.batch_state)
    cancel_batch = sync(Calls.cancel_batch)

    feedback = sync(Calls.feedback)
    feedback_batches = sync_items(Calls.feedback_batches)
    feedback_examples = sync_items(Calls.feedback_examples)
    take_back_feedback = sync(Calls.take_back_feedback)
    change_labels = sync_handle(Calls.change_labels, lambda client, begun: Training(client, begun.model_id, begun.version))
    make_queue = sync(Calls.make_queue)
    queue = sync(Calls.queue)

    drift = sync_items(Calls.drift)
    drift_figure = sync(Calls.drift_figure)
    history = sync_items(Calls.history)
    forget = sync(Calls.forget)
    forgetting = sync(Calls.forgetting)
    whoami = sync(Calls.whoami)
    health = sync(Calls.health)
    contract = sync(Calls.contract)
    call = sync(Calls.call)
    follow = sync(Calls.follow)
    save = sync(Calls.save)

    @overload
    def classify(  # type: ignore[overload-overlap] # a string is a sequence of strings, and the first one counts
        self, model_id: str, text: str, *, n_top: int | None = None, version: int | None = None, explain: bool | None = None
    ) -> r.Prediction: ...
    @overload
    def classify(
        self, model_id: str, text: Sequence[str], *, n_top: int | None = None, version: int | None = None, explain: bool | None = None
    ) -> list[r.Prediction]: ...
    def classify(self, model_id: str, text: str | Sequence[str], **more: Any) -> r.Prediction | list[r.Prediction]:
        """The labels of a text, best first; or of each of several texts, in their order.

        n_top: how many labels (the API's default is 5). version: instead of the live one. explain: what each word adds to the first label.
        """
        return self.classify_one(model_id, text, **more) if isinstance(text, str) else self.classify_many(model_id, text, **more)

    def training(self, model_id: str, version: int) -> Training:
        """A training that has begun elsewhere, to wait for it here."""
        return Training(self, model_id, version)

    def running_batch(self, model_id: str, batch: str) -> Batch:
        """A batch prediction that has begun elsewhere, to wait for it here."""
        return Batch(self, model_id, batch)

    def _run(self, flow: Flow[T]) -> T:
        return _done(flow, self._step)

    def _iterate(self, items: Items[T]) -> Iterator[T]:
        answer: Any = None
        failed: Exception | None = None
        while True:
            try:
                step = items.flow.throw(failed) if failed else items.flow.send(answer)
            except StopIteration:
                return
            if isinstance(step, Give):
                yield step.item
                answer = failed = None
                continue
            try:
                answer, failed = self._step(step), None
            except Exception as error:  # for the flow
                failed = error

    def _step(self, step: Step) -> Any:
        return _done(exchange(step, self.patience), self._wire) if isinstance(step, Send) else self._wire(step)

    def _wire(self, step: Step) -> Any:
        if isinstance(step, Send):
            content = step.content if step.content is None or isinstance(step.content, bytes) else chunks(step.content)
            answer = self._http.request(step.method, content=content, **self.arguments(step))
            return Answer(answer.status_code, answer.headers, answer.content)
        if isinstance(step, Save):
            with self._http.stream("GET", step.url) as answer:
                if answer.is_error:
                    return Answer(answer.status_code, answer.headers, answer.read())
                for piece in answer.iter_bytes():
                    step.file.write(piece)
                return Answer(answer.status_code, answer.headers, b"")
        if isinstance(step, Pause):
            return time.sleep(step.seconds)
        raise TypeError(step)


def _done(flow: Flow[T], do: Callable[[Step], Any]) -> T:
    """Do the steps of a flow, and return its result."""
    answer: Any = None
    failed: Exception | None = None
    while True:
        try:
            step = flow.throw(failed) if failed else flow.send(answer)
        except StopIteration as end:
            result: T = end.value
            return result
        try:
            answer, failed = do(step), None
        except Exception as error:  # for the flow
            failed = error
