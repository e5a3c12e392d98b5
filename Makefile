# Every target sets up what it needs: a fresh machine has only Python 3.11 to 3.13, git and make.
# Packages come from wherever pip and uv are configured to find them.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

VENV := .venv
BIN := $(VENV)/bin
UV_VERSION := 0.13.8
# Beside the environment and not in it: `uv pip sync` would uninstall uv itself.
UV_HOME := $(VENV)/uv-$(UV_VERSION)
UV := $(UV_HOME)/bin/uv
SYNCED := $(VENV)/.synced

# uv reads no pip configuration: where only pip knows the index, uv is told.
index = known=$${PIP_INDEX_URL:-$$($(BIN)/python -m pip config get global.index-url 2>/dev/null || true)}; \
	if [ -n "$$known" ] && [ -z "$${UV_DEFAULT_INDEX:-}$${UV_INDEX_URL:-}" ]; then export UV_DEFAULT_INDEX="$$known"; fi

# Without bytecode every start of Airflow compiles it anew, which doubles its time. Compiling what is imported,
# when it is first imported, costs the first start 5 s; compiling all 18,000 modules on installing costs 30 s.
unexport PYTHONDONTWRITEBYTECODE
export GX_ANALYTICS_ENABLED := false

.PHONY: help demo up down up-distributed down-distributed test distributed compatibility soak conformance year aborts pairs pictures bench judge chaos fuzz audit sbom lint lock

help: ## say what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

demo: $(SYNCED) ## watch releases, good and broken, and a model retrained as its data grow, under live traffic (5 minutes)
	@$(BIN)/python -m local_stack demo

up: $(SYNCED) ## start Airflow and the local SageMaker, deploy the examples, and leave them running
	@$(BIN)/python -m local_stack up

down: $(SYNCED) ## stop what `make up` started
	@$(BIN)/python -m local_stack down

# On the machine's PostgreSQL and Redis, or those of DATABASE_URL and REDIS_URL: docs/distributed.md.
up-distributed: $(SYNCED) ## start the services of docker-compose.yaml without containers: two Celery workers
	@$(BIN)/python -m local_stack.distributed up

down-distributed: $(SYNCED) ## stop them; VOLUMES=1 deletes what they have made, too
	@$(BIN)/python -m local_stack.distributed down $(if $(VOLUMES),--volumes)

test: $(SYNCED) ## run all tests; ARGS="-k planner" runs some
	$(BIN)/pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder $(ARGS)

distributed: $(SYNCED) ## kill workers in the middle of releases, on the distributed set-up (5 minutes)
	SOAK=1 $(BIN)/pytest tests/e2e/distributed $(ARGS)

compatibility: $(SYNCED) ## run some tests on Airflow 3.1 and 3.2, and on other Pythons that are here (20 minutes)
	@$(index); UV=$(abspath $(UV)) $(BIN)/python -m tests.compatibility $(ARGS)

soak: $(SYNCED) ## run all tests with every matrix whole: crashes, aborts, pairs, a year (hours)
	SOAK=1 ABORTS=1 PAIRS=50 WEEKS=52 $(BIN)/pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder $(ARGS)

# On AWS nearly all of it is waiting, and costs what its endpoints and jobs cost.
conformance: $(SYNCED) ## hold the local SageMaker to the service's facts; TARGET=aws runs the same tests there
	@$(BIN)/python -m pytest tests/conformance --confcutdir tests/conformance --target $(or $(TARGET),local) \
		--numprocesses $(or $(JOBS),2) --dist loadfile $(if $(filter aws,$(TARGET)),--timeout 14400) $(ARGS)

year: $(SYNCED) ## simulate a year of weekly retrainings and releases under retention (15 minutes)
	WEEKS=52 $(BIN)/pytest tests/retrain/test_year.py $(ARGS)

aborts: $(SYNCED) ## end a release from outside at each of its tasks, in every way (20 minutes)
	ABORTS=1 $(BIN)/pytest tests/e2e/test_aborted.py $(ARGS)

pairs: $(SYNCED) ## start two runs on one endpoint together, 50 times, and see one come after the other (20 minutes)
	PAIRS=50 $(BIN)/pytest tests/deploy/test_pairs.py -rP $(ARGS)

pictures: $(SYNCED) ## have the browser tests take the documentation's pictures anew
	PICTURES=docs/pictures $(BIN)/pytest tests/browser -k seen_and_undone $(ARGS)

bench: $(SYNCED) ## measure speed side by side with peers and limits; ARGS=pages only that; writes docs/benchmarks.md
	@$(BIN)/python -m benchmarks $(ARGS)

judge: $(SYNCED) ## simulate releases and hold the judge to its bounds; writes docs/judge.md and docs/ab-test.md (6 minutes)
	@$(BIN)/python -m benchmarks.judge

chaos: $(SYNCED) ## release while all that it stands on is killed, throttled, skewed or full; SEED=7 MINUTES=15 FAULTS=300
	@$(BIN)/python -m benchmarks.chaos $(if $(SEED),--seed $(SEED)) $(if $(MINUTES),--minutes $(MINUTES)) \
		$(if $(FAULTS),--faults $(FAULTS)) $(ARGS)

fuzz: $(SYNCED) ## mutate archives and specs for ten minutes: no crash, no hang, no memory growth; SEED=1 SECONDS=600
	@$(BIN)/python -m tests.fuzz $(if $(SECONDS),--seconds $(SECONDS)) $(if $(SEED),--seed $(SEED))

audit: $(SYNCED) ## ask what is known of the locked packages, and check the lock itself
	@$(BIN)/python -m tests.supply_chain

sbom: $(SYNCED) ## write a CycloneDX bill of materials of the lock to .local/sbom.json
	@mkdir -p .local
	@$(BIN)/cyclonedx-py requirements requirements/lock.txt --output-reproducible --of JSON -o .local/sbom.json
	@echo "wrote .local/sbom.json"

lint: $(SYNCED) ## check style, types, import contracts, the compose file and the example workflow
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yaml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows docs/examples/github-plan-comment.yaml

lock: $(UV) ## pin everything beneath the direct dependencies anew
	$(index); $(UV) pip compile requirements.txt requirements/local.txt requirements/dev.txt \
		--override requirements/overrides.txt --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-header --no-annotate -o requirements/lock.txt
	$(index); $(UV) pip compile requirements/awscli.txt --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-header --no-annotate -o requirements/awscli-lock.txt
	$(index); $(UV) pip compile requirements/aiobotocore.txt --no-deps --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-header --no-annotate -o requirements/aiobotocore-lock.txt
	$(index); $(UV) pip compile requirements/obstore.txt --no-deps --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-header --no-annotate -o requirements/obstore-lock.txt
	$(index); $(UV) pip compile requirements/dag-factory.txt --no-deps --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-header --no-annotate -o requirements/dag-factory-lock.txt

$(SYNCED): requirements/lock.txt pyproject.toml $(UV)
	@echo "installing what requirements/lock.txt pins"
	@$(index); \
	$(UV) pip sync --quiet --python $(BIN)/python --require-hashes requirements/lock.txt; \
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@

$(UV):
	@python=$$(for candidate in "$${PYTHON:-}" python3.11 python3.12 python3.13 python3; do \
		if [ -n "$$candidate" ] && "$$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' \
			2>/dev/null; then echo "$$candidate"; break; fi; done); \
	if [ -z "$$python" ]; then \
		echo "found no Python 3.11, 3.12 or 3.13: install one, or name it with PYTHON=/path/to/python" >&2; exit 1; \
	fi; \
	[ -x $(BIN)/python ] || { echo "making $(VENV) with $$python"; "$$python" -m venv $(VENV); }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip
	@$(BIN)/python -m pip install --quiet --target $(UV_HOME) "uv==$(UV_VERSION)"
	@touch $@
