#!/usr/bin/env bash
# Builds real Eureka clients and runs tests/clients with them.
set -euo pipefail
cd "$(dirname "$0")/../.."

tests/clients/build.sh
cargo test --test clients -- --ignored --nocapture "$@"
