# Everything sets itself up from a machine with Rust and Python 3.11. `make help` lists the targets.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv/bin
# The engine's crates: what has tests of its own and needs no Python.
ENGINE := --workspace --exclude langgraph-py --exclude langgraph-benches
# Worker processes of the conformance run.
JOBS ?= 2
# Distributions whose tests `conformance`, its `-update` and `-upstream`, and `pictures` run, such as
# "langgraph langgraph-checkpoint"; empty: all that can run here.
SUITES ?=
# Test files for `conformance`, `conformance-update` and `pictures`; empty: all.
FILES ?=
# pytest's -k for `conformance`, `continuity`, `pictures` and `switch`: runs the matching tests and shows why they fail.
K ?=
# The programs of `differential`, `deltas`, `linear` and `stress`, such as 0:1000; empty: the first few hundred.
SEEDS ?=
# LIST=1 makes `differential` print the lines of known_seeds.toml as it found them.
LIST ?=
# The moments of `kills`, such as 0:10000; empty: the first 200.
POINTS ?=
# The command line of `workers`; empty: 120 runs on 2 workers. "--measure" measures.
WORKERS ?=
# The items that `contention` writes; empty: 400.
WRITES ?=
# The inputs of `fuzz`, such as 0:10000000; empty: the first 200000.
INPUTS ?=
# How many inputs `fuzz` looks for by the code that they reach; empty: 200000.
RUNS ?=
# Parts of paths for `docs-test`, such as "streaming README"; empty: all pages.
PAGES ?=
# The versions for `test-pythons`; empty: all that are found.
PYTHONS ?=
# PICTURES=1 makes `view-test` make the documentation's pictures again.
PICTURES ?=
# What `clients` drives, such as "uvicorn tracing/langfuse"; empty: all.
# ALONE=1 leaves upstream out of the environments in which this package runs.
CLIENTS ?=
ALONE ?=
# RAY=1 makes `executors` try Ray as well.
RAY ?=
# Patterns of benchmark cases; empty: all. QUICK=1 measures less.
CASES ?=
QUICK ?=
ROUNDS ?=
# Modules for `api`, such as langgraph.types; empty: all.
MODULES ?=
# For `sync`: the version of langgraph to move to; empty: the newest. For `sync-report`: two versions.
VERSION ?=
OLD ?=
NEW ?=

BENCH := $(PYTHON) -m benches.compare $(foreach case,$(CASES),'$(case)') $(if $(QUICK),--quick) $(if $(ROUNDS),--rounds $(ROUNDS))
CONFORMANCE := $(PYTHON) -m tests.conformance --jobs $(JOBS) $(foreach suite,$(SUITES),--suite $(suite))

.DEFAULT_GOAL := help
.PHONY: help demo test test-rust test-rust-postgres msrv publish-dry test-python test-pythons switch continuity conformance conformance-update \
	conformance-upstream differential deltas linear stress kills contention workers view-test pictures fuzz executors executors-upstream examples rust-examples clients clients-ci docs docs-test \
	api api-update sync sync-report places bench bench-publish bench-rust bench-peers lint build develop wheel-2014 clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 22

demo: build ## build, then run an agent with tools, streaming, an approval and a history
	@$(VENV)/python -m langgraph_rust examples/agent.py

test: test-rust test-rust-postgres msrv test-python switch continuity conformance differential deltas linear stress kills contention fuzz executors workers view-test examples rust-examples clients-ci docs docs-test ## every test: Rust, Python, and against upstream

test-rust: ## the engine crates' tests
	cargo test $(ENGINE) --exclude langgraph-rust-examples --exclude langgraph-continuity --all-features

test-rust-postgres: ## the Postgres crate's tests, on a server of their own, and threads handed over to Python
	@$(PYTHON) -m tests.rust_postgres

msrv: ## the crates on the oldest Rust that they promise, if rustup has it or can get it
	@$(PYTHON) -m sync.msrv

publish-dry: ## what publishing the crates would do, in order, without doing it
	cargo publish $(ENGINE) --exclude langgraph-rust-examples --exclude langgraph-continuity --dry-run --locked --allow-dirty

test-python: build ## this package's own Python tests, and those of the tools
	$(VENV)/python -m pytest tests/python sync tests/conformance tests/differential tests/stress tests/clients tests/docs tests/pictures benches

test-pythons: ## tests/python on other versions of Python that are here; PYTHONS="3.10 3.13" picks some
	@$(PYTHON) -m sync.pythons $(PYTHONS)

continuity: ## threads handed over between upstream, this package and Rust, and what all store
	@$(PYTHON) -m tests.continuity $(if $(K),-k "$(K)")

conformance: ## upstream's test suites in drop-in mode; fails when a test stops passing, or flakes
	@$(CONFORMANCE) $(FILES) $(if $(K),-k "$(K)")

conformance-update: ## the same, and store what passes now if the run came to its end
	@$(CONFORMANCE) $(FILES) --update

conformance-upstream: ## run upstream's suites on upstream; store what passes there, likewise
	@$(CONFORMANCE) --refresh-upstream

differential: ## random graphs here and on upstream; SEEDS=FIRST:END picks them, LIST=1 lists known ones
	@$(PYTHON) -m tests.differential --jobs $(JOBS) $(if $(SEEDS),--seeds $(SEEDS)) $(if $(LIST),--list)

switch: ## LANGGRAPH_RUST, its children and commands, in environments made from the wheel
	@$(PYTHON) -m tests.switch $(if $(K),-k "$(K)")

examples: ## five agents, unmodified: they print what they print on upstream
	@$(PYTHON) -m tests.examples

rust-examples: build ## the examples in Rust: what they print; one goes on with a thread of Python's
	LANGGRAPH_RUST_PYTHON=$(abspath $(VENV))/python cargo test -p langgraph-rust-examples
	cargo test --manifest-path examples/rust/rig/Cargo.toml --target-dir target/rig

executors: ## the same graphs with nodes in other processes; RAY=1 tries Ray and a cluster as well
	@$(PYTHON) -m tests.executors $(if $(RAY),--ray)

executors-upstream: ## upstream's core suite with every sync node that can travel in a process
	@$(PYTHON) -m tests.executors.upstream --jobs $(JOBS) $(FILES) $(if $(K),-k "$(K)")

docs: ## the site, into .cache/site; fails on a broken link and a public name without documentation
	@NO_MKDOCS_2_WARNING=1 $$($(PYTHON) -m sync.environments docs) -m mkdocs build --strict
	@$$($(PYTHON) -m sync.environments docs) -m tests.docs.names

docs-test: ## the programs of all pages, here and on upstream; PAGES=streaming runs some
	@$(PYTHON) -m tests.docs --jobs $(JOBS) $(PAGES)

clients: ## servers, tracers and the like that people use, here and on upstream; CLIENTS=uvicorn picks some
	@$(PYTHON) -m tests.clients $(CLIENTS) $(if $(ALONE),--alone)

clients-ci: ## the few of them that `test` runs
	@$(PYTHON) -m tests.clients --ci

deltas: ## random histories of delta channels, against a plain reducer and upstream; SEEDS=0:2000 is long
	@$(PYTHON) -m tests.deltas $(if $(SEEDS),--seeds $(SEEDS))

linear: ## the same of lists stored as changes, handed over to upstream and back; SEEDS=0:2000 is long
	@$(PYTHON) -m tests.linear $(if $(SEEDS),--seeds $(SEEDS))
	@$(PYTHON) -m tests.linear.compacted $(if $(SEEDS),--seeds $(SEEDS))

stress: build ## random programs that fail, are cancelled and run side by side; SEEDS=0:20000 is long
	@$(VENV)/python -m tests.stress --jobs $(JOBS) $(if $(SEEDS),--seeds $(SEEDS))

contention: build ## processes that write one thread at the same time; WRITES=10000 is long
	@$(VENV)/python -m tests.contention $(if $(WRITES),--writes $(WRITES))

kills: build ## processes killed or interrupted at random moments, whose threads go on; POINTS=0:10000 is long
	@$(VENV)/python -m tests.kills --jobs $(JOBS) $(if $(POINTS),--points $(POINTS))
	@$(VENV)/python -m tests.kills --jobs $(JOBS) $(if $(POINTS),--points $(POINTS)) --postgres
	@$(VENV)/python -m tests.kills --jobs $(JOBS) $(if $(POINTS),--points $(POINTS)) --signals
	@$(VENV)/python -m tests.kills --jobs $(JOBS) $(if $(POINTS),--points $(POINTS)) --signals --postgres

workers: build ## runs in a queue whose workers are killed at random moments; WORKERS="--runs 1000 --workers 4" is long
	@$(VENV)/python -m tests.workers $(WORKERS)

view-test: build ## the viewer in a browser (Debian's chromium); PICTURES=1 makes those of the documentation again
	@$(VENV)/python -m tests.view $(if $(PICTURES),--pictures)

pictures: ## pictures of all graphs that upstream's tests build, each reviewed; no part of `test`
	@$(PYTHON) -m tests.pictures --jobs $(JOBS) $(foreach suite,$(SUITES),--suite $(suite)) $(FILES) $(if $(K),-k "$(K)")

fuzz: build ## broken bytes for the decoder of stored values; INPUTS=0:10000000, RUNS=10000000 are long
	@$(VENV)/python -m tests.fuzz --jobs $(JOBS) $(if $(INPUTS),--inputs $(INPUTS))
	@$(PYTHON) -m tests.fuzz.guided --jobs $(JOBS) $(if $(RUNS),--runs $(RUNS))

api: ## what this package lacks of upstream's API or signs differently
	@$(PYTHON) -m sync.api $(MODULES)

api-update: ## read upstream's API from its wheels again
	@$(PYTHON) -m sync.api --update $(MODULES)

sync: ## move to the newest release of upstream, or to VERSION=1.2.24, and judge it
	@$(PYTHON) -m sync.update --jobs $(JOBS) $(if $(VERSION),"$(VERSION)")

sync-report: ## only report on two releases: OLD=1.2.15 NEW=1.2.22
	@$(PYTHON) -m sync.update --report "$(OLD)" "$(NEW)"

places: ## write what repeats the pins, the lists and the modules: version.py, suites/README.md, stubs
	@$(PYTHON) -m sync.places --write

bench: ## this package, upstream and the floor in turn; a quarter of an hour
	@$(BENCH)

bench-publish: ## the same, stored in benches/compare/results.json, the README's table and docs/trust/benchmarks.md
	@$(BENCH) --publish

bench-rust: ## graphs in Rust, without Python
	cargo bench --manifest-path benches/Cargo.toml

bench-peers: ## the same beside other crates that run graphs
	cargo bench --manifest-path benches/peers/Cargo.toml

lint: ## formatting and lints, Rust and Python, Python's types, workflows, what repeats the pins
	cargo fmt --all -- --check -l
	cargo fmt --manifest-path examples/rust/rig/Cargo.toml -- --check -l
	cargo clippy $(ENGINE) --all-targets --all-features --quiet -- -D warnings
	cargo clippy -p langgraph-py --quiet -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc $(ENGINE) --no-deps --all-features --quiet
	@$(PYTHON) -m sync.environments dev > /dev/null
	$(VENV)/ruff check .
	$(VENV)/basedpyright
	$(VENV)/zizmor --offline --quiet --pedantic .github/workflows
	$(VENV)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	@$(PYTHON) -m sync.places

build: ## the wheel, installed in .venv
	@$(PYTHON) -m sync.wheel dev

develop: ## put the sources into .venv: edits of Python show at once, of Rust after this
	@$(PYTHON) -m sync.develop

wheel-2014: ## the wheel as it is released for Linux with glibc 2.17 or newer, in dist/; then try it
	@$(PYTHON) -m sync.environments dev > /dev/null
	@$(PYTHON) -m sync.release wheels --compatibility manylinux2014 $(abspath $(VENV))/python
	@$(VENV)/python -m sync.release try dist

clean: ## remove everything that was built or downloaded
	cargo clean
	rm -rf .cache .venv dist
