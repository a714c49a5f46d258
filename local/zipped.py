"""Zip the layers of a build once, for all deployments to the local cloud. Run it with sam's Python: -m local.zipped BUILD_FOLDER

`sam deploy` zips the folder of a layer at each deployment, and that takes most of its time. This writes zipped.json beside the build's
template: the same template, except that each layer is a zip file, made by sam's own function. It is JSON because sam reads that faster.
"""

import json
import sys
from pathlib import Path

from samcli.lib.package.utils import make_zip_with_lambda_permissions
from samcli.yamlhelper import yaml_parse


def main() -> None:
    folder = Path(sys.argv[1]).resolve()
    template = yaml_parse((folder / "template.yaml").read_text(encoding="utf-8"))
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::LayerVersion":
            layer = resource["Properties"]
            make_zip_with_lambda_permissions(folder / layer["ContentUri"], folder / layer["ContentUri"])
            layer["ContentUri"] += ".zip"
    (folder / "zipped.json").write_text(json.dumps(template), encoding="utf-8")


if __name__ == "__main__":
    main()
