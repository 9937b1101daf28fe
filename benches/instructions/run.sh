#!/usr/bin/env bash
# Counts the instructions of the hot parts, and compares them with those of the run before: benches/instructions/run.sh
# [FILTER]. callgrind_annotate tells more of what is left in target/gungraun. Installs valgrind and the runner if missing.
set -euo pipefail
cd "$(dirname "$0")/../.."

if ! command -v valgrind >/dev/null; then
    as_root=()
    [ "$(id -u)" -eq 0 ] || as_root=(sudo)
    "${as_root[@]}" apt-get update -q
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends valgrind
fi
version=$(cargo pkgid gungraun | sed 's/.*[@#]//')
tools="$PWD/target/tools"
export GUNGRAUN_RUNNER="$tools/bin/gungraun-runner"
[ "$("$GUNGRAUN_RUNNER" --version 2>/dev/null)" = "gungraun-runner $version" ] ||
    cargo install --quiet --locked --version "$version" --root "$tools" gungraun-runner

cargo bench -p rs-registry-benches --bench instructions -- "$@" | tee target/instructions.log

# A name that ends in a number is of so many operations.
echo
awk '
    BEGIN { printf "%-42s %12s %14s\n", "instructions", "all", "per operation" }
    /^instructions::/ { sub(/:\(.*/, ""); sub(/^instructions::[^:]*::/, ""); name = $0 }
    /Instructions:/ {
        split($2, count, "|")
        operations = match(name, /_[0-9]+$/) ? substr(name, RSTART + 1) : 1
        printf "%-42s %12d %14d\n", name, count[1], count[1] / operations
    }' target/instructions.log
