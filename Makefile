# `make` alone prints the targets. Progress goes to standard error: the output of `make -s up` is for eval.
# Arguments of demo and up: SPEED=, SIM_PORT=, OPERATOR_AWS_ENDPOINT=, OPERATOR_ARGS= (they reach the stage through the
# environment). With KUBECONFIG_TEST or KUBEBUILDER_ASSETS set that cluster is used, and Go is not needed.

export CARGO ?= cargo
# rustup fetches the version that rust-toolchain.toml pins. Where it cannot, the Rust that is installed is taken.
ifeq ($(shell $(CARGO) --version 2>/dev/null),)
export RUSTUP_TOOLCHAIN ?= stable
endif
BIN := $(or $(CARGO_TARGET_DIR),target)/debug
TOOLS := target/tools
CLUSTER := $(if $(KUBECONFIG_TEST)$(KUBEBUILDER_ASSETS),,$(TOOLS)/kubectl)
IMAGE ?= playout:dev

# `--examples` (there are none) makes cargo choose the features of dependencies as for tests: without it `make up` and
# `make test` would compile kube and all behind it twice.
ONE_BUILD := --workspace --locked --bins --examples

TEST := $(CARGO) test --workspace --locked --no-fail-fast
# The programs of tests, as cargo finds them: a file, or a folder that has a main.rs.
FOLDERS := $(patsubst %/main.rs,%,$(wildcard tests/*/main.rs crates/*/tests/*/main.rs))
TESTS := $(sort $(basename $(notdir $(wildcard tests/*.rs tests/stage/tests/*.rs crates/*/tests/*.rs))) $(notdir $(FOLDERS)))
# T= of `make test`: one of those programs, a file of one, or a part of the names of tests.
HAVE := $(if $(T),$(notdir $(foreach folder,$(FOLDERS),$(if $(wildcard $(folder)/$(T).rs),$(folder)))))
ONLY := $(if $(filter $(T),$(TESTS)),--test $(T),$(if $(HAVE),$(HAVE:%=--test %) $(T)::,$(T)))
# Of crates/core, without what takes minutes.
QUICK := $(filter-out convergence,$(basename $(notdir $(wildcard crates/core/tests/*.rs $(filter crates/core/%,$(FOLDERS))))))
# These reckon all the time; what talks to an API server waits most of it. So they run beside the others, and give way.
BUSY := convergence in_process

DENY_VERSION := 0.20.2
# Tools outlive the checkout that builds them, as the API server does (tests/cluster/build.sh).
CACHE := $(or $(PLAYOUT_CACHE),$(XDG_CACHE_HOME:%=%/playout),$(HOME:%=%/.cache/playout),$(TOOLS))
DENY := $(CACHE)/cargo-deny-$(DENY_VERSION)/bin/cargo-deny

.PHONY: help
help: ## Print the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# Run

.PHONY: demo
demo: programs $(CLUSTER) ## See it work: API server, AWS simulator and operator on loopback, an example; Ctrl-C ends it
	@$(BIN)/stage demo

.PHONY: up
up: programs $(CLUSTER) ## The same three in the background: eval "$(make -s up)"
	@$(BIN)/stage up

.PHONY: down
down: $(BIN)/stage ## End what `make up` has started, and remove its state
	@$(BIN)/stage down

.PHONY: status
status: $(BIN)/stage ## Show what `make up` runs
	@$(BIN)/stage status

# Develop

.PHONY: quick
quick: format ## The minute loop: format, lints and tests of crates/api and crates/core (the first time builds for minutes)
	@$(CARGO) clippy --package playout-api --package playout-core --all-targets --locked -- -D warnings
	@$(CARGO) test --package playout-api --package playout-core --locked --lib $(QUICK:%=--test %)

.PHONY: test
test: tests $(CLUSTER) ## Run all tests, or T=: one program of them, one file of a program, or a part of their names
ifdef T
	@$(TEST) $(ONLY)
else
	@mkdir -p target && { nice $(TEST) $(BUSY:%=--test %) > target/busy-tests.log 2>&1 & } && busy=$$! && \
	rc=0; $(TEST) --lib --bins $(patsubst %,--test %,$(filter-out $(BUSY),$(TESTS))) || rc=$$?; $(TEST) --doc || rc=$$?; \
	wait $$busy || rc=$$?; cat target/busy-tests.log; exit $$rc
endif

.PHONY: check
check: format lint docs deny generated cluster-check ## Check format, lints, docs, dependencies and generated files

.PHONY: crds
crds: programs ## Generate crds/ from the Rust types
	@$(BIN)/playout crds --dir crds

.PHONY: reference
reference: programs ## Generate docs/reference/ from the code
	@$(BIN)/playout reference --dir docs/reference

.PHONY: image
image: ## Build the container image, IMAGE=playout:dev
	@docker build -f deploy/Dockerfile -t $(IMAGE) .

.PHONY: bench
bench: rust $(CLUSTER) ## Run the benchmarks
	@$(CARGO) build $(ONE_BUILD) --release
	@$(BIN:debug=release)/stage bench

# What those are made of.

.PHONY: rust go programs tests
rust:
	@tests/stage/preflight.sh cargo

go:
	@tests/stage/preflight.sh go

programs: rust
	@test -e $(BIN)/stage || echo "building operator, simulator and stage; some minutes, the first time" >&2
	@$(CARGO) build $(ONE_BUILD)

# The programs that tests start, and the tests: built in one go, so that nothing is compiled twice.
tests: rust
	@test -e $(BIN)/stage || echo "building operator, simulator, stage and tests; some minutes, the first time" >&2
	@$(CARGO) build $(ONE_BUILD) --tests

# For down and status, which must work while the sources do not compile.
$(BIN)/stage:
	@$(MAKE) --no-print-directory programs

$(TOOLS)/kubectl: $(wildcard tests/cluster/*.go) tests/cluster/go.mod tests/cluster/go.sum tests/cluster/build.sh | go
	@echo "building the API server and kubectl from Go modules; about 5 minutes on 2 cores, once" >&2
	@tests/cluster/build.sh $(CURDIR)/$(TOOLS) >&2
	@touch $@

.PHONY: format lint docs deny generated cluster-check

format: rust
	@$(CARGO) fmt --all --check

lint: rust
	@$(CARGO) clippy --workspace --all-targets --locked -- -D warnings

docs: rust
	@RUSTDOCFLAGS="-D warnings" $(CARGO) doc $(ONE_BUILD) --lib --no-deps

# Not `advisories`: that fetches a database from GitHub, so its verdict changes without a change of ours and it needs
# a network that builds do not have. Run it by hand: $(DENY) check advisories
deny: $(DENY)
	@$(DENY) --locked --log-level error check bans licenses sources

$(DENY): | rust
	@echo "building cargo-deny; about 2 minutes on 2 cores, once" >&2
	@$(CARGO) install cargo-deny --version $(DENY_VERSION) --locked --debug --quiet --root $(CACHE)/cargo-deny-$(DENY_VERSION)

generated: tests
	@rm -rf target/crds && $(BIN)/playout crds --dir target/crds
	@diff -r crds target/crds || { echo "crds/ is not what the Rust types say; generate it with: make crds" >&2; exit 1; }
	@rm -rf target/reference && $(BIN)/playout reference --dir target/reference
	@diff -r docs/reference target/reference || { echo "docs/reference/ is not what the code says; generate it with: make reference" >&2; exit 1; }

# With the flags of build.sh, so that vet uses what that has compiled.
cluster-check: | go
	@test -z "$$(gofmt -l tests/cluster)" || { gofmt -d tests/cluster; exit 1; }
	@cd tests/cluster && GOTOOLCHAIN=local CGO_ENABLED=0 go vet -trimpath ./...
