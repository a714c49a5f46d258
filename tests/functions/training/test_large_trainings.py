"""Trainings too large for a Lambda (parameter LargeTrainings): where they run, interruptions, failures, and what a dry run says."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.state_machine import TaskFailedError
from winnow.training import container

if TYPE_CHECKING:
    from tests.conftest import Json, Winnow

TOO_LITTLE_MB = "100"


@pytest.fixture(autouse=True)
def _handler() -> Iterator[None]:
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def large(winnow: Winnow) -> Winnow:
    """A deployment whose Lambdas are too small for any training, and that has containers."""
    winnow.parameters |= {"LargeTrainings": "an image", "TrainingMemory": TOO_LITTLE_MB}
    winnow.put_dataset()
    return winnow


def spot(code: int | None) -> TaskFailedError:
    """Spot took a container back. code: its exit code, None if it was killed before it had one."""
    containers = [{"ContainerArn": "arn", "Name": "training"} | ({} if code is None else {"ExitCode": code})]
    return failed(StopCode="SpotInterruption", StoppedReason="Your Spot Task was interrupted.", Containers=containers)


def ended(code: int, reason: str | None = None) -> TaskFailedError:
    """A container ended by itself, or its machine is switched off, with this exit code."""
    told = {"ContainerArn": "arn", "ExitCode": code, "Name": "training"} | ({"Reason": reason} if reason else {})
    return failed(StopCode="EssentialContainerExited", StoppedReason="Essential container in task exited", Containers=[told])


def failed(**task: Any) -> TaskFailedError:
    """As Step Functions tells of a task: https://docs.aws.amazon.com/step-functions/latest/dg/connect-ecs.html"""
    return TaskFailedError("States.TaskFailed", json.dumps(task, separators=(",", ":")))


NO_ROOM = TaskFailedError("ECS.AmazonECSException", "Capacity is unavailable at this time.")


class Containers:
    """The containers that a workflow starts: each has the next of these fates, and the others train."""

    def __init__(self, winnow: Winnow, *fates: TaskFailedError) -> None:
        self.asked: list[Json] = []
        self._winnow, self._fates = winnow, list(fates)
        winnow.run_container = self._run

    @property
    def providers(self) -> list[str]:
        return [strategy["CapacityProvider"] for each in self.asked for strategy in each["CapacityProviderStrategy"]]

    def _run(self, parameters: Json) -> None:
        self.asked.append(parameters)
        if self._fates:
            raise self._fates.pop(0)
        [overrides] = parameters["Overrides"]["ContainerOverrides"]
        with self._winnow.settings("functions/training/train"):
            code = container.main(overrides["Command"])
        if code:
            raise ended(code)


def test_a_large_training_runs_in_a_container_on_spot(large: Winnow) -> None:
    containers = Containers(large)
    version = large.train(recipe="linear")
    assert (version["status"], version["live"], version["trained_on"]) == ("ready", True, "fargate")
    assert containers.providers == ["FARGATE_SPOT"]
    [asked] = containers.asked
    assert (asked["Overrides"]["Cpu"], asked["Overrides"]["Memory"]) == ("1024", "2048")
    assert asked["Overrides"]["ContainerOverrides"][0]["Command"][1] == "linear"
    assert large.call("predict", "predict_get_body").status == 200


def test_a_container_makes_what_a_lambda_makes(large: Winnow) -> None:
    Containers(large)
    in_container = large.train(recipe="linear")
    large.parameters["LargeTrainings"] = ""
    in_lambda = large.train(recipe="linear", force_update=True)
    assert (in_container["trained_on"], in_lambda["trained_on"]) == ("fargate", "lambda")
    assert in_container["evaluation"] == in_lambda["evaluation"]


@pytest.mark.parametrize("interruptions", [(spot(75), spot(137)), (spot(None), NO_ROOM), (ended(75), ended(75))])
def test_after_two_interruptions_it_is_not_on_spot(large: Winnow, interruptions: tuple[TaskFailedError, ...]) -> None:
    containers = Containers(large, *interruptions)
    version = large.train(recipe="linear")
    assert (version["status"], version["error"], version["trained_on"]) == ("ready", None, "fargate")
    assert containers.providers == ["FARGATE_SPOT", "FARGATE_SPOT", "FARGATE"]


def test_a_training_that_gets_no_container_fails_in_the_end(large: Winnow) -> None:
    containers = Containers(large, *[NO_ROOM] * 9)
    version = large.train(recipe="linear")
    assert (version["status"], len(containers.asked)) == ("failed", 5)
    assert "ECS.AmazonECSException" in version["error"]


@pytest.mark.parametrize(
    ("fate", "said"),
    [
        (ended(1), "internal error"),
        (ended(137, "OutOfMemoryError: Container killed due to memory usage"), "ran out of time or memory (OutOfMemoryError)"),
        (failed(StopCode="TaskFailedToStart", StoppedReason="CannotPullContainerError: pull image manifest"), "CannotPullContainerError"),
    ],
    ids=["the program", "memory", "the image"],
)
def test_a_failure_of_the_container_is_not_repeated(large: Winnow, fate: TaskFailedError, said: str) -> None:
    containers = Containers(large, fate)
    version = large.train(recipe="linear")
    assert (version["status"], len(containers.asked)) == ("failed", 1)
    assert said in version["error"]


def test_a_container_that_ended_without_a_result_fails_the_training(large: Winnow) -> None:
    large.run_container = lambda _: None
    version = large.train(recipe="linear")
    assert version["status"] == "failed"


def test_without_containers_every_training_is_in_lambdas(winnow: Winnow) -> None:
    winnow.parameters["TrainingMemory"] = TOO_LITTLE_MB
    winnow.put_dataset()
    version = winnow.train(recipe="linear")
    assert (version["status"], version["trained_on"]) == ("ready", "lambda")


def test_where_enough_memory_is_a_training_is_in_lambdas(winnow: Winnow) -> None:
    winnow.parameters["LargeTrainings"] = "an image"
    winnow.put_dataset()
    assert winnow.train(recipe="linear")["trained_on"] == "lambda"


def test_a_repeated_prepare_decides_the_same(large: Winnow) -> None:
    assert large.create(recipe="linear").status == 202
    job = large.started_job()
    first = large.run_task("prepare", job)
    assert first["candidates"] == [{"recipe": "linear", "large": {"cpu": "1024", "memory": "2048"}}]
    assert large.run_task("prepare", job) == first


def test_a_version_on_feedback_may_be_large_too(large: Winnow) -> None:
    Containers(large)
    large.train(recipe="linear")
    examples = [{"text": "Where is my new card?", "label": "saving"}]
    answer = large.call("add_examples", path={"model_id": "tc-01"}, body={"examples": examples, "retrain": "now"})
    assert answer.status == 201, answer.body
    large.run_workflow(large.started_job())
    version = large.version()
    assert (version["version"], version["status"], version["trained_on"]) == (2, "ready", "fargate")


def test_a_dry_run_says_where_it_would_be_trained_and_what_it_costs(winnow: Winnow) -> None:
    winnow.put_dataset()
    winnow.parameters["Encoder"] = "minilm"
    [linear, best] = winnow.create("create_model_dry_run").body["estimates"]
    assert (linear["recipe"], linear["trained_on"], linear["lambdas"], linear["container"]) == ("linear", "lambda", 1, None)
    assert best["recipe"] == "best"
    assert linear["fits"]
    assert 0 < linear["dollars"] < 0.01

    winnow.parameters |= {"LargeTrainings": "an image", "TrainingMemory": TOO_LITTLE_MB}
    [linear] = winnow.create("create_model_dry_run", recipe="linear").body["estimates"]
    assert (linear["trained_on"], linear["lambdas"]) == ("fargate", None)
    assert linear["container"] == {"vcpus": 1, "memory_mb": 2048}
    assert "Spot" in linear["sentence"]


def test_a_dry_run_without_containers_advises_what_to_do(winnow: Winnow) -> None:
    winnow.parameters["TrainingMemory"] = TOO_LITTLE_MB
    winnow.put_dataset()
    [linear] = winnow.create("create_model_dry_run", recipe="linear").body["estimates"]
    assert (linear["trained_on"], linear["fits"]) == ("lambda", False)
    assert "n_texts" in linear["sentence"]
    assert "LargeTrainings" in linear["sentence"]


def test_what_cannot_be_trained_has_no_estimate(winnow: Winnow) -> None:
    winnow.put_dataset([{"text": "one", "label": "only"}])
    assert winnow.create("create_model_dry_run").body["estimates"] == []
