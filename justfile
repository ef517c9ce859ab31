# List the recipes
default:
    @just --list

# Run every test of every crate
test *ARGS:
    cargo test {{ARGS}}

# Format and lint, as CI does
lint:
    cargo fmt --check && cargo clippy --workspace --all-targets -- -D warnings

# Build the documentation, warnings denied
doc:
    RUSTDOCFLAGS=-Dwarnings cargo doc --workspace --no-deps

# Check the incidents and the bundled log
check *ARGS:
    cargo run --release --quiet -- check {{ARGS}}

# Show an incident or a figure in full
show NAME:
    cargo run --release --quiet -- show {{NAME}}

# Write every report anew; read `git diff snapshots/incidents` and commit what you can explain
review:
    INSTA_UPDATE=always cargo test --package natlaw-snapshots
    INSTA_UPDATE=always cargo test --package natlaw-oracle --test suite

# Hold the model against this machine's kernel for a million steps, and fill the story's pools
oracle *ARGS:
    cargo run --release --quiet -- oracle --walks 9200 --capacity {{ARGS}}

# Those that are named, or else all that can be had here: linux, linux-wire, ovs
# Record anew what real devices answer, and write the tables of laws; read the difference
record *DEVICES:
    cargo run --release --package natlaw-oracle --example record -- oracle/transcripts {{DEVICES}}
    INSTA_UPDATE=always cargo test --package natlaw-oracle --test suite

# Write the schema of scenario files anew, once a field, device or law is new
schema:
    SCHEMA=write cargo test --package natlaw --test schema

# Make a counterexample an incident: copy it under its name, then write its report
adopt PATH NAME:
    sed -e '1i #:schema ../../docs/scenario.schema.json' -e '/^#:schema /d; /^name = /d; s/^kind = .*/&\nname = "{{NAME}}"/' '{{PATH}}' > 'snapshots/scenarios/{{NAME}}.toml'
    INSTA_UPDATE=always cargo test --package natlaw-snapshots

# Try other scenarios than the usual ones: a seed of your own, more cases
explore SEED CASES:
    PROPTEST_RNG_SEED={{SEED}} PROPTEST_CASES={{CASES}} cargo test --package natlaw-properties

# Judge every event from every reachable state; in a scope of SIZE source ports (2 takes a minute)
exhaustive SIZE="2":
    cargo run --release --package natlaw-properties --example exhaustive -- {{SIZE}}

# Needs cargo-mutants (cargo install --locked cargo-mutants). Most changes are compiled at once and judged
# by the model's own tests within minutes; what is left is given to cargo-mutants, with the tests of
# properties and snapshots too (model/mutants/src/lib.rs says how). Commit first: README takes the count
# with the commit, and is to be committed after it. The line printed last says how many changes no test
# notices, and target/mutants/outcomes.txt what came of each: give an unnoticed one a test in
# model/tests/suite, or an entry with its reason in .cargo/mutants.toml. Arguments go to cargo-mutants, so
# `just mutants --file model/src/ports.rs` judges the changes of one file, and leaves README alone.
# Change the model in every place where cargo-mutants knows how, and count what no test notices
mutants *ARGS:
    cargo run --quiet --locked --target-dir target/mutants/tool --manifest-path model/mutants/Cargo.toml -- {{ARGS}}

# Time a long run, with and without judging, and weigh it: ten million events, a million live flows
stream *ARGS:
    cargo bench --package natlaw-benches --bench stream -- {{ARGS}}

# Time allocators
bench *ARGS:
    cargo bench --package natlaw-benches --bench allocation -- {{ARGS}}

# Time walks, sweeps and selections
bench-routing *ARGS:
    cargo bench --package natlaw-benches --bench routing -- {{ARGS}}

# Time plans
bench-planning *ARGS:
    cargo bench --package natlaw-benches --bench planning -- {{ARGS}}

# Keep today's times under a name
bench-save NAME:
    cargo bench --package natlaw-benches --bench allocation -- --save-baseline {{NAME}}

# Compare with the times kept under a name
bench-diff NAME:
    cargo bench --package natlaw-benches --bench allocation -- --baseline {{NAME}}

# Fuzz a reader of bytes, by the name of its target in cli/fuzz/fuzz_targets; the corpus is real files
fuzz READER SECONDS="60":
    mkdir -p cli/fuzz/corpus/{{READER}}
    cargo +nightly fuzz run --fuzz-dir cli/fuzz --sanitizer none {{READER}} cli/fuzz/corpus/{{READER}} cli/data/zeek cli/data/conntrack cli/tests/cmd snapshots/scenarios docs/plans properties/data/topologies -- -max_total_time={{SECONDS}}

# Everything that CI runs
ci:
    .ci/run
