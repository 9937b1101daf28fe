#!/usr/bin/env bash
# Fetches real Eureka clients into target/clients and runs tests/clients with them.
set -euo pipefail
cd "$(dirname "$0")/../.."

here=tests/clients
there="$PWD/target/clients"
mkdir -p "$there"

if [ ! -x "$there/python/bin/python" ] || ! cmp -s "$here/python/requirements.txt" "$there/python/installed.txt"; then
    python3 -m venv --clear "$there/python"
    "$there/python/bin/pip" install --quiet --disable-pip-version-check -r "$here/python/requirements.txt"
    cp "$here/python/requirements.txt" "$there/python/installed.txt"
fi
export EUREKA_TEST_PYTHON="$there/python/bin/python"

mvn --batch-mode --quiet -f "$here/spring/pom.xml" -DbuildDirectory="$there/spring" package
export EUREKA_TEST_JAR="$there/spring/client.jar"

cargo test --test clients -- --ignored --nocapture "$@"
