"""The async client, for asyncio and trio."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from types import TracebackType
from typing import Any, TypeVar, overload

import anyio
import httpx

from winnow_client import results as r
from winnow_client.calls import BatchFlows, Calls, TrainingFlows, Work
from winnow_client.driving import Settings, async_chunks, timeouts
from winnow_client.flows import Answer, Flow, Give, Items, Patience, Pause, Save, Send, Step, exchange
from winnow_client.methods import async_items, awaited, awaited_handle

T = TypeVar("T")


class AsyncTraining(Work):
    """A training that has begun. version: the number of the version that it makes."""

    @property
    def version(self) -> int:
        """The version's number."""
        return int(self._key)

    state = awaited(TrainingFlows.state)
    wait = awaited(TrainingFlows.wait)
    events = async_items(TrainingFlows.events)
    evaluation = awaited(TrainingFlows.evaluation)
    cancel = awaited(TrainingFlows.cancel)


class AsyncBatch(Work):
    """A batch prediction that has begun. batch: its id."""

    @property
    def batch(self) -> str:
        """The batch's id."""
        return str(self._key)

    state = awaited(BatchFlows.state)
    wait = awaited(BatchFlows.wait)
    events = async_items(BatchFlows.events)
    save = awaited(BatchFlows.save)
    cancel = awaited(BatchFlows.cancel)


class AsyncWinnow(Settings):
    """The API of a deployment, for asyncio and trio: calls are awaited, and lists iterated with `async for`.

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
        http: httpx.AsyncClient | None = None,
    ) -> None:
        super().__init__(url, api_key, Patience(retries, longest_wait))
        self._http = http or httpx.AsyncClient(timeout=timeouts(timeout))

    async def __aenter__(self) -> AsyncWinnow:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    upload = awaited(Calls.upload)
    datasets = async_items(Calls.datasets)
    delete_dataset = awaited(Calls.delete_dataset)

    train = awaited_handle(Calls.train, lambda client, begun: AsyncTraining(client, begun.model_id, begun.version))
    import_artifact = awaited_handle(Calls.import_artifact, lambda client, begun: AsyncTraining(client, begun.model_id, begun.version))
    check = awaited(Calls.check)
    dry_run = awaited(Calls.dry_run)

    models = async_items(Calls.models)
    model = awaited(Calls.model)
    change_model = awaited(Calls.change_model)
    delete_model = awaited(Calls.delete_model)
    versions = async_items(Calls.versions)
    version = awaited(Calls.version)
    change_version = awaited(Calls.change_version)
    delete_version = awaited(Calls.delete_version)
    cancel_training = awaited(Calls.cancel_training)
    promote = awaited(Calls.promote)
    rollback = awaited(Calls.rollback)
    report = awaited(Calls.report)
    evaluation = awaited(Calls.evaluation)
    figure = awaited(Calls.figure)
    tradeoff = awaited(Calls.tradeoff)
    compare = awaited(Calls.compare)
    suspects = async_items(Calls.suspects)
    examples = async_items(Calls.examples)
    save_examples = awaited(Calls.save_examples)
    save_artifact = awaited(Calls.save_artifact)

    evaluate = awaited(Calls.evaluate)
    file_evaluation = awaited(Calls.file_evaluation)
    policy = awaited(Calls.policy)
    policies = async_items(Calls.policies)
    set_policy = awaited(Calls.set_policy)
    remove_policy = awaited(Calls.remove_policy)

    classify_one = awaited(Calls.classify_one)
    classify_many = awaited(Calls.classify_many)

    batch = awaited_handle(Calls.batch, lambda client, begun: AsyncBatch(client, begun.model_id, begun.batch))
    batches = async_items(Calls.batches)
    batch_state = awaited(Calls.batch_state)
    cancel_batch = awaited(Calls.cancel_batch)

    feedback = awaited(Calls.feedback)
    feedback_batches = async_items(Calls.feedback_batches)
    feedback_examples = async_items(Calls.feedback_examples)
    take_back_feedback = awaited(Calls.take_back_feedback)
    change_labels = awaited_handle(Calls.change_labels, lambda client, begun: AsyncTraining(client, begun.model_id, begun.version))
    make_queue = awaited(Calls.make_queue)
    queue = awaited(Calls.queue)

    drift = async_items(Calls.drift)
    drift_figure = awaited(Calls.drift_figure)
    history = async_items(Calls.history)
    forget = awaited(Calls.forget)
    forgetting = awaited(Calls.forgetting)
    whoami = awaited(Calls.whoami)
    health = awaited(Calls.health)
    contract = awaited(Calls.contract)
    call = awaited(Calls.call)
    follow = awaited(Calls.follow)
    save = awaited(Calls.save)

    @overload
    async def classify(  # type: ignore[overload-overlap] # a string is a sequence of strings, and the first one counts
        self, model_id: str, text: str, *, n_top: int | None = None, version: int | None = None, explain: bool | None = None
    ) -> r.Prediction: ...
    @overload
    async def classify(
        self, model_id: str, text: Sequence[str], *, n_top: int | None = None, version: int | None = None, explain: bool | None = None
    ) -> list[r.Prediction]: ...
    async def classify(self, model_id: str, text: str | Sequence[str], **more: Any) -> r.Prediction | list[r.Prediction]:
        """The labels of a text, best first; or of each of several texts, in their order.

        n_top: how many labels (the API's default is 5). version: instead of the live one. explain: what each word adds to the first label.
        """
        if isinstance(text, str):
            return await self.classify_one(model_id, text, **more)
        return await self.classify_many(model_id, text, **more)

    def training(self, model_id: str, version: int) -> AsyncTraining:
        """A training that has begun elsewhere, to wait for it here."""
        return AsyncTraining(self, model_id, version)

    def running_batch(self, model_id: str, batch: str) -> AsyncBatch:
        """A batch prediction that has begun elsewhere, to wait for it here."""
        return AsyncBatch(self, model_id, batch)

    async def _run(self, flow: Flow[T]) -> T:
        return await _done(flow, self._step)

    async def _iterate(self, items: Items[T]) -> AsyncIterator[T]:
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
                answer, failed = await self._step(step), None
            except Exception as error:  # for the flow
                failed = error

    async def _step(self, step: Step) -> Any:
        return await (_done(exchange(step, self.patience), self._wire) if isinstance(step, Send) else self._wire(step))

    async def _wire(self, step: Step) -> Any:
        if isinstance(step, Send):
            content = step.content if step.content is None or isinstance(step.content, bytes) else async_chunks(step.content)
            answer = await self._http.request(step.method, content=content, **self.arguments(step))
            return Answer(answer.status_code, answer.headers, answer.content)
        if isinstance(step, Save):
            async with self._http.stream("GET", step.url) as answer:
                if answer.is_error:
                    return Answer(answer.status_code, answer.headers, await answer.aread())
                async for piece in answer.aiter_bytes():
                    step.file.write(piece)
                return Answer(answer.status_code, answer.headers, b"")
        if isinstance(step, Pause):
            return await anyio.sleep(step.seconds)
        raise TypeError(step)


async def _done(flow: Flow[T], do: Callable[[Step], Awaitable[Any]]) -> T:
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
            answer, failed = await do(step), None
        except Exception as error:  # for the flow
            failed = error
