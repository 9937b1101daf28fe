#!/usr/bin/env bash
# eureka-js-client and what it needs, at $THERE/javascript/node_modules.
set -euo pipefail

if ! cmp -s "$HERE/javascript/package-lock.json" "$THERE/javascript/node_modules/installed.json"; then
    mkdir -p "$THERE/javascript"
    cp "$HERE/javascript/package.json" "$HERE/javascript/package-lock.json" "$THERE/javascript/"
    cd "$THERE/javascript"
    npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
    cp package-lock.json node_modules/installed.json
fi
