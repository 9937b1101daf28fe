#!/usr/bin/env bash
# Builds rs-registry as one static binary that needs nothing of the x86-64 Linux it runs on, and says where it is.
# It is built twice: the first counts at work what it does (train.sh), the second is optimized for what that counted.
# Needs cargo by rustup, and the ports of train.sh; installs musl's compiler and make by Debian's apt if one is missing.
set -euo pipefail
cd "$(dirname "$0")/.."

target=x86_64-unknown-linux-musl
limit_bytes=$((15 * 1000 * 1000))
# Absolute: compilers of dependencies run elsewhere.
target_dir=$(realpath -m "${CARGO_TARGET_DIR:-target}")
profile=$target_dir/counting/train.profdata

# For the parts in C: jemalloc, and ring.
if ! command -v musl-gcc >/dev/null || ! command -v make >/dev/null; then
    as_root=()
    [ "$(id -u)" -eq 0 ] || as_root=(sudo)
    "${as_root[@]}" apt-get update -q
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends make musl-tools
fi
rustup target add "$target"
rustup component add llvm-tools

# build DIRECTORY FLAG: the binary is in DIRECTORY/$target/dist.
build() {
    # Where it may be anywhere in memory, a binary has half a megabyte of relocations, or packed next to nothing.
    local flags=(-C "link-arg=-Wl,-z,pack-relative-relocs" -C strip=symbols -C "$2")
    if [ -n "${RUSTFLAGS:-}" ]; then
        local others
        read -ra others <<<"$RUSTFLAGS"
        flags=("${others[@]}" "${flags[@]}")
    fi
    # Not by RUSTFLAGS: a directory's name may have spaces.
    CARGO_ENCODED_RUSTFLAGS=$(IFS=$'\x1f' && echo "${flags[*]}") \
        cargo build --locked --profile dist --target "$target" --target-dir "$1" --bin rs-registry
}

# Where it goes by default is of no use: all programs that are run without being told elsewhere write there.
build "$target_dir/counting" "profile-generate=$target_dir/counting/untold"
counting=$target_dir/counting/$target/dist/rs-registry
if [ ! "$profile" -nt "$counting" ]; then
    deploy/train.sh "$counting" "$profile"
fi
build "$target_dir" "profile-use=$profile"

binary=$target_dir/$target/dist/rs-registry
bytes=$(stat -c %s "$binary")
if [ "$bytes" -gt "$limit_bytes" ]; then
    echo "$binary has $bytes bytes, more than the $limit_bytes it may have" >&2
    exit 1
fi
echo "$binary: $bytes bytes"
