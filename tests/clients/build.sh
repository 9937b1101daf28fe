#!/usr/bin/env bash
# Fetches and builds real Eureka clients below target/clients: all of them, or those that are named.
set -euo pipefail
cd "$(dirname "$0")/../.."

export HERE="$PWD/tests/clients"
export THERE="$PWD/target/clients"
mkdir -p "$THERE"

[ $# -gt 0 ] || set -- $(cd "$HERE" && dirname -- */build.sh)
for client in "$@"; do
    echo "--- building $client"
    "$HERE/$client/build.sh"
done
