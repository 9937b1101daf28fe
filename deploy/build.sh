#!/usr/bin/env bash
# Builds rs-registry as one static binary that needs nothing of the x86-64 Linux it runs on, and says where it is.
# Needs cargo by rustup; installs musl's compiler by Debian's apt if it is missing.
set -euo pipefail
cd "$(dirname "$0")/.."

target=x86_64-unknown-linux-musl
limit_bytes=$((15 * 1000 * 1000))

# For the parts in C: mimalloc, and ring.
if ! command -v musl-gcc >/dev/null; then
    as_root=()
    [ "$(id -u)" -eq 0 ] || as_root=(sudo)
    "${as_root[@]}" apt-get update -q
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends musl-tools
fi
rustup target add "$target"
# Where it may be anywhere in memory, a binary has half a megabyte of relocations, or packed next to nothing.
export RUSTFLAGS="${RUSTFLAGS:-} -C link-arg=-Wl,-z,pack-relative-relocs -C strip=symbols"
cargo build --locked --profile dist --target "$target" --bin rs-registry

binary=${CARGO_TARGET_DIR:-target}/$target/dist/rs-registry
bytes=$(stat -c %s "$binary")
if [ "$bytes" -gt "$limit_bytes" ]; then
    echo "$binary has $bytes bytes, more than the $limit_bytes it may have" >&2
    exit 1
fi
echo "$binary: $bytes bytes"
