#!/usr/bin/env bash
# Fetches and builds real Eureka clients below target/clients and runs tests/clients with them.
set -euo pipefail
cd "$(dirname "$0")/../.."

export HERE="$PWD/tests/clients"
export THERE="$PWD/target/clients"
mkdir -p "$THERE"

for build in "$HERE"/*/build.sh; do
    echo "--- building $(basename "$(dirname "$build")")"
    "$build"
done

cargo test --test clients -- --ignored --nocapture "$@"
