# Needs only make and Python 3.12 or newer (or uv, which can fetch one).

VENV := .venv
BIN := $(VENV)/bin
ROOMS := accounts config embedded invites kit operations outbox sso

# The environment of production, so that checks meet the strict settings and the deployment checks.
STRICT := env -u DEBUG SECRET_KEY=0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJKLMNOPQRSTUVWXYZ SITE_URL=https://frontdoor.example \
    DATABASE_URL=postgres://frontdoor@localhost/frontdoor REDIS_URL=redis://localhost/0 EMAIL_URL=smtp+tls://localhost
# The environment of a bare terminal, in which manage.py brings its own database.
BARE := env -u DEBUG -u SECRET_KEY -u SITE_URL -u DATABASE_URL -u REDIS_URL
EXPORT := uv export --quiet --frozen --no-emit-project --no-annotate --no-header
MANAGE := $(BIN)/python -W error manage.py

# One lane of the tests, by its name, its mark and its number of processes. It has a pytest cache of its own, in which
# the file "ended" holds its exit code. With ARGS one of two lanes may have nothing to run: pytest's exit code 5. Slow
# tests mostly wait, so two lanes with two processes each keep two cores busy.
define LANE
@lane=.pytest_cache/$(1); mkdir -p $$lane; rm -rf $$lane/v/frontdoor; echo running >$$lane/ended; \
FRONTDOOR_TEST_LANE=$(1) $(BIN)/python -m pytest -o cache_dir=$$lane -m $(2) -n $(3) $(ARGS); code=$$?; echo $$code >$$lane/ended; \
[ "$${code}$(MAY_BE_EMPTY)" = 5yes ] || exit $$code
endef

.PHONY: help run example test test-quick test-slow test-long bench bench-mail bench-desk bench-strangers check lock sbom docs messages clean \
    installed-run installed-dev openid-client

help: ## list these targets
	@sed -n 's/^\([a-z-]*\):.* ## /\1\t/p' $(MAKEFILE_LIST) | expand -t 17

run: installed-run ## start the whole site on http://localhost:8000 (PORT=...), until Ctrl-C
	@$(BIN)/python -m embedded.run

example: installed-run ## start the site with two small products behind it, on http://localhost:8000 (PORT=..., needs nginx)
	@$(BIN)/python -m embedded.example

test: installed-dev ## run all tests, both lanes at once (ARGS="-k name")
	@$(MAKE) --no-print-directory --keep-going --jobs 2 --output-sync test-quick test-slow $(if $(ARGS),MAY_BE_EMPTY=yes); code=$$?; \
	[ "$$(sort -u .pytest_cache/quick/ended .pytest_cache/slow/ended)" != 5 ] || code=5; \
	$(BIN)/python -m tests.tools.skipped; exit $$code

test-quick: installed-dev ## run the lane of tests that wait for nothing
	$(call LANE,quick,"not slow",2)

test-slow: installed-dev openid-client ## run the lane of tests that start processes, wait or measure, Chromium among them
	$(call LANE,slow,slow,2)

test-long: installed-dev ## send thousands of odd requests to each JSON door, and guess ten thousand codes: twenty minutes
	@SCHEMA_CASES=3000 GUESSERS=1000 $(BIN)/python -m pytest -n 2 tests/config/test_openapi.py tests/invites/test_elsewhere.py $(ARGS)

# A client of OpenID Connect, by which tests sign in. Where npm can't fetch it, they are skipped.
openid-client: tests/clients/node/node_modules/.package-lock.json
tests/clients/node/node_modules/.package-lock.json: tests/clients/node/package-lock.json
	@if command -v npm >/dev/null; then npm ci --silent --prefix tests/clients/node && touch $@ || echo "npm could not fetch openid-client."; fi

# The lanes share a lock, so that a test that measures has the machine to itself.
test-quick test-slow test-long: export FRONTDOOR_TEST_LOCK := $(abspath $(VENV))/tests.lock
# Tests start Python by the dozen, and a site by the half dozen. Images of Python often set this variable, which would
# have each start compile again.
run example test-quick test-slow test-long: export PYTHONDONTWRITEBYTECODE :=

bench: installed-dev ## measure requests, as multiples of what Django needs: minutes, on loopback (ARGS="--only forward-auth")
	@$(BIN)/python -W error -m tests.bench.requests $(ARGS)

bench-mail: installed-dev ## count mail under kill -9, measure its speed and memory: minutes, on loopback (ARGS="--only kills")
	@$(BIN)/python -W error -m tests.bench.mail $(ARGS)

bench-desk: installed-dev ## measure desk and commands among a million people: minutes, on loopback (ARGS="--only desk")
	@$(BIN)/python -W error -m tests.bench.desk $(ARGS)

bench-strangers: installed-dev ## measure whether response times tell strangers who has an account: minutes (ARGS="--each 1000")
	@$(BIN)/python -W error -m tests.bench.strangers $(ARGS)

check: installed-dev ## check style, types, imports between rooms, migrations, deployment settings and translations
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet .
	@$(STRICT) $(BIN)/mypy $(ROOMS) manage.py examples/frontdoor_client.py examples/board.py
	@find $(ROOMS) examples templates -name '*.html' -print0 | xargs -0 $(BIN)/djade --check --target-version 6.1
	@$(BIN)/lint-imports --no-logo
	@$(BARE) $(MANAGE) makemigrations --check --dry-run
	@$(STRICT) $(MANAGE) check --deploy --fail-level WARNING
	@if command -v msgfmt >/dev/null; then $(STRICT) .ci/check-messages; \
	else echo "Translations are not checked: gettext is not installed."; fi

lock: ## renew the lock files with uv: versions and hashes, no addresses
	@uv --version >/dev/null 2>&1 || { echo "make lock needs uv." >&2; exit 1; }
	@uv lock --quiet --upgrade --python "$(or $(wildcard $(BIN)/python),>=3.12)"
	@$(EXPORT) --no-dev --output-file requirements.lock >/dev/null
	@$(EXPORT) --no-dev --group run --output-file requirements-run.lock >/dev/null
	@$(EXPORT) --output-file requirements-dev.lock >/dev/null
	@printf 'cyclonedx-bom\n' | uv pip compile --quiet --universal --python-version 3.12 --generate-hashes --no-annotate --no-header \
	  --no-emit-index-url --output-file requirements-sbom.lock - >/dev/null
	@printf 'zensical\n' | uv pip compile --quiet --universal --python-version 3.12 --generate-hashes --no-annotate --no-header \
	  --no-emit-index-url --output-file requirements-docs.lock - >/dev/null
	@! grep -n '://' requirements*.lock

# In an environment of its own: what lists our dependencies is none of them.
sbom: installed-dev ## list all packages that production installs, with hashes, as CycloneDX: sbom.json
	@$(BIN)/python -m venv $(VENV)/sbom
	@$(VENV)/sbom/bin/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements-sbom.lock
	@$(VENV)/sbom/bin/cyclonedx-py requirements requirements.lock --pyproject pyproject.toml --mc-type application \
	  --output-reproducible --output-format JSON --output-file sbom.json

# In an environment of its own, as above. Links and anchors that lead nowhere fail the build.
docs: installed-run ## build docs/ as a site that loads nothing from other hosts: site/index.html
	@$(BIN)/python -m venv $(VENV)/docs
	@$(VENV)/docs/bin/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements-docs.lock
	@$(BIN)/python scripts/pages.py $(VENV)/pages
	@$(VENV)/docs/bin/zensical build --clean --strict >$(VENV)/docs.log 2>&1 || { cat $(VENV)/docs.log; exit 1; }
	@echo "The pages are in site/index.html."

messages: installed-dev ## collect strings for all translations and compile them (needs gettext)
	@$(STRICT) .ci/collect-messages
	@$(STRICT) $(MANAGE) compilemessages --ignore '$(VENV)' --verbosity 0

clean: ## remove .venv and caches; .frontdoor with its data stays
	@rm -rf $(VENV) site .cache .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# What a target needs installed: the packages of requirements-run.lock, or all.
installed-run installed-dev: installed-%:
	@sh scripts/install.sh $*
