#!/usr/bin/env bash
# Builds a real Eureka server into target/differential and runs tests/differential against it.
set -euo pipefail
cd "$(dirname "$0")/../.."

there="$PWD/target/differential"
mvn --batch-mode --quiet -f tests/differential/server/pom.xml -DbuildDirectory="$there" package
export EUREKA_TEST_SERVER_JAR="$there/server.jar"

cargo test --test differential -- --ignored --nocapture "$@"
