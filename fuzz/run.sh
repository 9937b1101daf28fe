#!/usr/bin/env bash
# Fuzzes what reads untrusted input, guided by coverage: fuzz/run.sh [TARGET [SECONDS]], by default every target
# for 60 s. The inputs start from the corpus of tests/fuzz and grow in target/fuzz; an input that breaks
# something is left in target/fuzz/found and belongs into tests/fuzz/corpus once it is mended.
set -euo pipefail
cd "$(dirname "$0")/.."

version=0.13.1
tools="$PWD/target/tools"
[ -x "$tools/bin/cargo-fuzz" ] || cargo install --quiet --locked --version "$version" --root "$tools" cargo-fuzz
cargo test --quiet --test fuzz -- --ignored write_seeds

# The sanitizers' flags are unstable; this has the pinned compiler take them.
export RUSTC_BOOTSTRAP=1
targets=(register_json register_xml batch path_query header gzip)
[ $# -eq 0 ] || targets=("$1")
for target in "${targets[@]}"; do
    inputs="target/fuzz/inputs/$target"
    mkdir -p "$inputs" "target/fuzz/found/$target"
    "$tools/bin/cargo-fuzz" run --target-dir target/fuzz/build "$target" \
        "$inputs" "target/fuzz/seeds/$target" -- \
        -dict=fuzz/words.dict -max_len=16384 -timeout=10 -rss_limit_mb=1024 \
        -artifact_prefix="target/fuzz/found/$target/" -max_total_time="${2:-60}" -print_final_stats=1
done
