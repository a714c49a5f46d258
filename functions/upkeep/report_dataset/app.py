"""A dry run of a large data set invokes this function. It makes the report for GET /reports/{report_id}."""

from typing import Any

from winnow.training import dry_run


def handler(event: dict[str, Any], context: object) -> None:
    dry_run.make_dry_run(event)
