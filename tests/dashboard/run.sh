#!/usr/bin/env bash
# Installs Chromium and what drives it, and runs tests/dashboard. Screenshots go to target/dashboard.
set -euo pipefail
cd "$(dirname "$0")/../.."

missing=()
command -v chromium >/dev/null || missing+=(chromium fonts-dejavu-core)
command -v node >/dev/null || missing+=(nodejs)
command -v npm >/dev/null || missing+=(npm)
if [ "${#missing[@]}" -gt 0 ]; then
    as_root=()
    [ "$(id -u)" -eq 0 ] || as_root=(sudo)
    "${as_root[@]}" apt-get update -q
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "${missing[@]}"
fi

there="$PWD/target/dashboard"
if ! cmp -s tests/dashboard/browser/package-lock.json "$there/node_modules/installed.json"; then
    mkdir -p "$there"
    cp tests/dashboard/browser/package.json tests/dashboard/browser/package-lock.json "$there/"
    (cd "$there" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error)
    cp "$there/package-lock.json" "$there/node_modules/installed.json"
fi

cargo test --test dashboard -- --ignored --nocapture "$@"
