"""Every command of README and docs/, with the test that types it or the reason that none can.

python -m tests.contract.test_documented_commands lists them.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache

import pytest

from tests.support.contract import ROOT

PAGES = [*(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")), *sorted((ROOT / "docs").rglob("*.md"))]
_BLOCK = re.compile(r"^```(sh|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

# The first match counts: the test of the command, or what a test would need.
RULES = (
    (r"docs/guides/17-webhook.md", r"(sam deploy|aws) .*", "tests/e2e/test_webhook.py::test_an_event_is_posted_and_verified"),
    (r"docs/guides/.*", r".*", "tests/e2e/test_guides.py::test_the_commands_answer_what_the_page_says"),
    (r"docs/keys.md", r"curl .*aws-sigv4.*", "an AWS account: the local cloud signs nothing"),
    (r"README.md", r"(H=|curl |\.venv/bin/winnow ).*", "tests/e2e/test_readme.py::test_the_commands_of_the_readme_are_answered"),
    (r"docs/api.md", r"(H=|curl ).*", "tests/e2e/test_readme.py::test_the_calls_of_the_page_on_the_api_are_answered"),
    (r"docs/batches.md", r"curl .*", "tests/e2e/test_readme.py::test_the_calls_of_the_page_on_batches_are_answered"),
    (r".*", r"(make start|set -a; \. \.local/env).*", "tests/e2e/test_commands.py::test_start_says_where_it_is_and_stop_ends_it"),
    (r".*", r"make demo", "tests/e2e/test_commands.py::test_the_demo_does_the_main_job_and_leaves_nothing_running"),
    (
        r"docs/deploy.md",
        r"(echo \"# |git checkout [a-z]|ALARM=|API=).*",
        "an AWS account: it tries two releases, a canary and other limits there",
    ),
    (r"docs/deploy.md", r"sed .*", "tests/contract/test_deployments.py::test_the_documented_edit_changes_all_limits_of_calls"),
    (r".*", r"git .*", "an address of this repository, and a later release of it"),
    (r"CONTRIBUTING.md", r"make (env|check|test)", "nothing: it is how the tests are run, here and in .ci/run"),
    (r".*", r"make smoke .*", "tests/e2e/test_commands.py::test_smoke_passes_on_a_deployed_stack_and_fails_with_a_wrong_key"),
    (
        r"docs/local-container.md",
        r"docker .*",
        "a container engine: a test runs the image's command without one",
    ),
    (r"docs/exports.md", r"pip install .*", "a new environment: tests of the command say what a missing extra prints"),
    (r"docs/exports.md", r"python \S+/reader.py .*", "tests/cli/test_export.py::test_the_reader_is_a_command_too"),
    (r"docs/exports.md", r"winnow card .*", "tests/cli/test_card.py::test_it_is_saved_in_a_file_or_is_a_member_of_json"),
    (r"docs/exports.md", r"winnow (download|import) .*", "tests/cli/test_import.py::test_the_file_is_uploaded_imported_and_removed"),
    (r"docs/exports.md", r"winnow export .*", "tests/cli/test_export.py::test_linear_answers_as_the_service_does"),
    (r"docs/deployments.md", r"\S*sam (package|publish) .*", "an AWS account: a contract test holds the metadata"),
    (r".*", r"make doctor\b.*", "tests/unit/test_doctor.py::test_it_says_whose_credentials_and_which_region"),
    (r".*", r"(export WINNOW_URL=|winnow ).*", "tests/e2e/test_command_line.py::test_from_a_file_to_a_better_model"),
    (
        r".*",
        r"make (key|keys|key-remove) .*",
        "tests/scenarios/test_keys.py::test_the_command_prints_the_key_once_and_what_is_wrong_in_a_line",
    ),
    (r".*", r"make encoder .*", "tests/e2e/test_encoders.py::test_versions_keep_their_encoder_and_no_deployment_takes_it_away"),
    (r".*", r"make image .*", "tests/contract/test_large_trainings.py::test_make_gives_the_image_another_base_only_where_one_is_named"),
    (r".*", r"make build\b.*", "an AWS account to go on with; the layers that it builds are those of tests/layers"),
    (r".*", r"make deploy\b.*", "tests/unit/test_deploy.py::test_a_stage_is_deployed_by_its_section_with_what_github_gives"),
    (r".*", r"make monitoring .*", "tests/e2e/test_monitoring.py::test_alarms_watch_the_stack_and_notify_the_operator"),
    (r".*", r"WINNOW_INBOX=true make start", "tests/e2e/test_parameters.py::test_a_deployment_of_other_values_trains_and_answers"),
    (
        r".*",
        r"(aws |PREDICT=|\.venv/bin/python -c \"import boto3).*",
        "an AWS account: it changes what a stack leaves there, or the account itself",
    ),
)


@cache
def commands() -> tuple[tuple[str, str], ...]:
    """Each command, with the page that has it."""
    return tuple((str(page.relative_to(ROOT)), command) for page in PAGES for command in _commands(page.read_text(encoding="utf-8")))


def _commands(page: str) -> Iterator[str]:
    for kind, block in _BLOCK.findall(page):
        lines = re.sub(r"\\\n\s*", "", block).splitlines()
        typed = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")] if kind == "console" else lines
        yield from (line for line in typed if line.strip() and not line.startswith("#"))


def rule_of(page: str, command: str) -> str | None:
    """The test that types the command, or what a test would need."""
    return next((how for pages, typed, how in RULES if re.fullmatch(pages, page) and re.fullmatch(typed, command)), None)


@pytest.mark.parametrize(("page", "command"), commands())
def test_a_test_types_it_or_it_says_what_that_takes(page: str, command: str) -> None:
    assert rule_of(page, command) is not None


def test_every_rule_has_a_command_and_every_test_of_one_is_there() -> None:
    assert {rule_of(*each) for each in commands()} == {how for _, _, how in RULES}
    for file, name in (how.split("::") for _, _, how in RULES if "::" in how):
        module = ast.parse((ROOT / file).read_text(encoding="utf-8"))
        assert name in {node.name for node in module.body if isinstance(node, ast.FunctionDef)}


if __name__ == "__main__":
    for where, each in commands():
        print(f"{where:28}  {each[:70]:70}  {rule_of(where, each)}")
