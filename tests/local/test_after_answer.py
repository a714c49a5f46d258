"""Work after the answer: as an extension of Lambda's, over HTTP, and without one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from tests.support.extensions_api import ExtensionsApi
from winnow.aws.after_answer import AfterAnswer

CONTEXT: Any = SimpleNamespace()


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[ExtensionsApi]:
    api = ExtensionsApi()
    in_lambda(monkeypatch, api)
    yield api
    api.close()


def in_lambda(monkeypatch: pytest.MonkeyPatch, api: ExtensionsApi | None) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "winnow")
    if api is None:
        monkeypatch.delenv("AWS_LAMBDA_RUNTIME_API", raising=False)
    else:
        monkeypatch.setenv("AWS_LAMBDA_RUNTIME_API", api.address)


def test_it_registers_at_once_and_has_asked_before_the_first_invocation(api: ExtensionsApi) -> None:
    AfterAnswer[str](print, 2).register()
    api.wait_until_asked()
    assert api.happened == ["/register", "/event/next"]
    assert api.registered == [("winnow-after-answer", {"events": ["INVOKE"]})]


def test_the_environment_stays_awake_until_the_work_is_done(api: ExtensionsApi) -> None:
    answered = threading.Event()

    def work(item: str) -> None:
        # Lambda sends the answer while the extension works.
        assert answered.wait(5)
        api.happened.append(item)

    after_answer = AfterAnswer(work, 2)

    def handler(event: dict[str, Any], _: Any) -> dict[str, Any]:
        assert after_answer.later(event["item"])
        api.happened.append("handler")
        return {"statusCode": 200}

    after_answer.register()
    for item in ("first", "second"):
        api.wait_until_asked()
        api.invoke()
        answered.clear()
        assert after_answer.around(handler)({"item": item}, CONTEXT) == {"statusCode": 200}
        api.happened.append("answer")
        answered.set()
    api.wait_until_asked()

    each = ["/event/next", "handler", "answer"]
    # The event may be on its way while the handler works already.
    happened = [it for it in api.happened if it != "event"]
    assert happened == ["/register", *each, "first", *each, "second", "/event/next"]


def test_it_doesn_t_ask_again_before_it_has_the_event_of_an_invocation(api: ExtensionsApi) -> None:
    """The handler may be quicker than Lambda's message to the extension."""
    after_answer = AfterAnswer[str](print, 2)
    after_answer.register()
    api.wait_until_asked()
    after_answer.around(lambda *_: {})({}, CONTEXT)
    assert not api.is_asked_within(0.2)
    api.invoke()
    api.wait_until_asked()
    assert api.happened == ["/register", "/event/next", "event", "/event/next"]


@pytest.mark.parametrize("fails", [False, True])
def test_it_asks_again_after_each_invocation_also_without_work_and_after_a_fault(api: ExtensionsApi, fails: bool) -> None:
    def handler(_: dict[str, Any], __: Any) -> dict[str, Any]:
        if fails:
            raise ValueError
        return {}

    after_answer = AfterAnswer[str](print, 2)
    after_answer.register()
    for _ in range(3):
        api.wait_until_asked()
        api.invoke()
        if fails:
            with pytest.raises(ValueError):  # noqa: PT011
                after_answer.around(handler)({}, CONTEXT)
        else:
            after_answer.around(handler)({}, CONTEXT)
    api.wait_until_asked()
    assert api.happened == ["/register", *["/event/next", "event"] * 3, "/event/next"]


def test_work_that_fails_keeps_nothing_awake(api: ExtensionsApi) -> None:
    done: list[int] = []
    after_answer = AfterAnswer[int](lambda item: done.append(1 // item), 3)
    after_answer.register()
    api.wait_until_asked()
    api.invoke()
    assert after_answer.later(0)
    assert after_answer.later(1)
    after_answer.around(lambda *_: {})({}, CONTEXT)
    api.wait_until_asked()
    assert done == [1]


def test_a_connection_that_a_snapshot_has_cut_is_made_again(api: ExtensionsApi) -> None:
    done: list[str] = []
    after_answer = AfterAnswer[str](done.append, 2)
    after_answer.register()
    api.wait_until_asked()
    api.cut()
    for item in ("first", "second"):
        assert after_answer.later(item)
        after_answer.around(lambda *_: {})({}, CONTEXT)
        api.wait_until_asked()
        api.invoke()
    assert done == ["first", "second"]


@pytest.mark.parametrize("refuses", [True, False], ids=["it refuses extensions", "there is none"])
def test_without_the_api_a_thread_works(monkeypatch: pytest.MonkeyPatch, refuses: bool) -> None:
    refusing = ExtensionsApi(refuses=True) if refuses else None
    in_lambda(monkeypatch, refusing)
    done = threading.Event()
    here: list[int] = []

    def work(_: str) -> None:
        here.append(threading.get_ident())
        done.set()

    after_answer = AfterAnswer(work, 2)
    after_answer.register()
    assert after_answer.later("work")
    assert after_answer.around(lambda *_: {"statusCode": 200})({}, CONTEXT) == {"statusCode": 200}

    assert done.wait(5)
    assert here != [threading.get_ident()]
    if refusing:
        refusing.close()
        assert refusing.happened == ["/register"]


def test_an_api_that_doesn_t_answer_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = ExtensionsApi()
    gone.close()
    in_lambda(monkeypatch, gone)
    AfterAnswer[str](print, 2).register()


def test_only_so_much_may_wait() -> None:
    done: list[int] = []
    after_answer = AfterAnswer[int](done.append, 2)
    assert [after_answer.later(item) for item in (1, 2, 3)] == [True, True, False]
    # Outside Lambda nothing freezes, so the work is done at once.
    after_answer.around(lambda *_: {})({}, CONTEXT)
    assert done == [1, 2]
    assert after_answer.later(4)
