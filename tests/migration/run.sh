#!/usr/bin/env bash
# Builds a real Eureka server and real clients, and runs tests/migration with them.
set -euo pipefail
cd "$(dirname "$0")/../.."

tests/clients/build.sh python javascript go spring
echo "--- building the Eureka server"
tests/migration/server/build.sh
# Most of the time JVMs are waited for, and leases that must not end.
cargo test --test migration -- --ignored --nocapture --test-threads=3 "$@"
