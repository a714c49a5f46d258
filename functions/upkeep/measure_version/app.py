"""POST /models/{model_id}/versions/{version}/evaluations invokes this function. It measures the version on the file."""

from typing import Any

from winnow.versions import measure_file


def handler(event: dict[str, Any], context: object) -> None:
    measure_file.make_evaluation(event)
