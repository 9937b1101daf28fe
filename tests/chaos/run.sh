#!/usr/bin/env bash
# Installs the tools that tests/chaos breaks things with, and runs it. With --no-run it is only built.
set -euo pipefail
cd "$(dirname "$0")/../.."

missing=()
compgen -G '/usr/lib/*/faketime/libfaketimeMT.so.1' >/dev/null || missing+=(libfaketime)
command -v ip >/dev/null || missing+=(iproute2)
command -v strace >/dev/null || missing+=(strace)
if [ "${#missing[@]}" -gt 0 ]; then
    as_root=()
    [ "$(id -u)" -eq 0 ] || as_root=(sudo)
    "${as_root[@]}" apt-get update -q
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "${missing[@]}"
fi

# Each client and each node has up to a thousand connections.
ulimit -Sn "$(ulimit -Hn)"

# What is released is what has to stand this.
test=(cargo test --release --test chaos)
[ "${1:-}" != --no-run ] || exec "${test[@]}" --no-run
"${test[@]}" -- --ignored --nocapture --test-threads=1 "$@"
