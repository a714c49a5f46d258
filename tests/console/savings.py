"""Answers about the model of the sample data set, as a local cloud gave them (tests/data/console.json), and larger ones made after them."""

from __future__ import annotations

import json
import random
from copy import deepcopy
from functools import cache
from typing import TYPE_CHECKING, Any

from tests.console.conftest import Reply, whoami
from tests.support.contract import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.console.conftest import Call, FakeApi

type Json = dict[str, Any]

LIVE = "/models/savings/versions/2"
HOSTILE = "<img src=x onerror=alert(1)>"
_NAMES = ("card", "loan", "rent", "wage", "tax", "fee", "gift", "fine", "toll", "bill")


@cache
def _saved() -> Json:
    saved: Json = json.loads((ROOT / "tests" / "data" / "console.json").read_text(encoding="utf-8"))
    return saved


def saved(name: str, **changes: Any) -> Json:
    """One of the answers, with other values of some of its fields."""
    answer: Json = deepcopy(_saved()[name])
    return answer | changes


def serve(api: FakeApi) -> None:
    """All that the screens of a version read. Version 2 is live."""
    api.on("GET /models/savings", saved("model"))
    api.on("GET /models/savings/versions", saved("versions"))
    api.on("GET /models/savings/history", saved("history"))
    api.on("GET /models/savings/policy", saved("no policy"))
    api.on("GET /models/savings/queue", saved("queue"))
    api.on("GET /models/savings/versions/1/compare", saved("comparison"))
    api.on("POST /prediction", explained)
    for name in ("evaluation", "tradeoff", "suspects"):
        api.on(f"GET {LIVE}/{name}", saved(name))
    api.on(f"GET {LIVE}", saved("version"))
    api.on("GET /models/savings/versions/1", saved("version 1"))
    api.on("GET /models/savings/versions/1/evaluation", saved("evaluation", version=1))
    api.on(f"GET {LIVE}/examples", saved("mistakes", next=None))
    api.on("GET /models/savings/versions/3", trained("training"))


def explained(call: Call) -> Json:
    """An explanation whose first word speaks for the label, and whose last word against it."""
    text, answer = call.body["text"], saved("explained")
    words = text.split()
    ends = [(words[0], 4.0, 0), (words[-1], -2.0, text.rindex(words[-1]))][: len(words)]
    answer["explanation"]["words"] = [
        {"word": word, "contribution": weight, "start": start, "end": start + len(word)} for word, weight, start in ends
    ]
    return answer


def trained(status: str, **changes: Any) -> Json:
    """Version 3, which received() starts."""
    answer = saved("version", version=3, status=status) | {"live": status == "ready"}
    if status != "ready":
        dataset = {name: answer["dataset"][name] for name in ("s3bucket", "training_object")}
        progress = {"stage": "training", "percent": 40, "eta_seconds": 30}
        answer |= dict.fromkeys(("selection", "evaluation", "finished_at", "gate")) | {"dataset": dataset, "progress": progress}
    return answer | changes


def reader() -> Json:
    """Who a key of the role predict is."""
    return whoami("predict", "readers")


def received(call: Call) -> Reply:
    """What the API says of feedback: version 3 trains if it should."""
    started = call.body["retrain"] == "now"
    body = {"model_id": "savings", "batch": "20261130T102003139-2f3b77e4", "examples": len(call.body["examples"]), "new_labels": []}
    return Reply(
        201, body | {"waiting": 0 if started else 1, "retrain": "started" if started else "waiting", "version": 3 if started else None}
    )


def accepted(_call: Call) -> Reply:
    """What the API says of a request that only starts the training."""
    return Reply(202, {"model_id": "savings", "version": 3, "status": "queued"})


def many_labels(count: int = 150) -> Json:
    """The evaluation of a version with `count` labels. The version often takes a label of the first half for one of the second."""
    drawn, answer = random.Random(0), saved("evaluation")
    names = [f"{_NAMES[place % 10]} {place}" for place in range(count)]
    answer["per_label"] = {name: {"precision": 0.9, "recall": 0.8, "f1": 0.85, "support": 20} for name in names}
    pairs = [{"truth": one, "predicted": other, "count": 3} for one, other in zip(names[: count // 2], names[count // 2 :], strict=True)]
    pairs += [{"truth": one, "predicted": other, "count": 1} for one, other in (drawn.sample(names, 2) for _ in range(200)) if one != other]
    told = {(pair["truth"], pair["predicted"]): pair for pair in reversed(pairs)}
    answer["confusion"] = {"top": sorted(told.values(), key=lambda pair: -pair["count"])}
    return answer | {"examples": count * 20, "accuracy": 0.8}


def many_examples(count: int) -> Callable[[Call], Json]:
    """Pages of so many examples."""

    def page(call: Call) -> Json:
        first, limit = int(call.query.get("next", "0")), int(call.query["limit"])
        one = saved("mistakes")["examples"][0]
        rows = range(first, min(count, first + limit))
        examples = [one | {"example": f"{row:016x}", "row": row, "text": f"text number {row}"} for row in rows]
        return {
            "model_id": "savings",
            "version": 2,
            "matching": count,
            "examples": examples,
            "next": str(first + limit) if first + limit < count else None,
        }

    return page


def hostile() -> Json:
    """The evaluation with a label whose name is markup, and is confused with another one."""
    answer = saved("evaluation")
    answer["confusion"]["labels"][0] = HOSTILE
    answer["confusion"]["matrix"][0][1] = 9
    answer["per_label"] = {HOSTILE if name == "account_linking" else name: measures for name, measures in answer["per_label"].items()}
    return answer
