#!/usr/bin/env bash
# The programs with fargo, go-kit and Prometheus' discovery, in $THERE/go.
set -euo pipefail

cd "$HERE/go"
mkdir -p "$THERE/go"

# An older Go fetches the version that go.mod asks for, from 1.21 on by itself.
export GOTOOLCHAIN=auto GOFLAGS=-mod=readonly CGO_ENABLED=0
go=go
if [ "$(go env GOVERSION | sed -E 's/^go1\.([0-9]+).*/\1/')" -lt 21 ]; then
    version="v0.0.1-go$(sed -n 's/^go //p' go.mod).$(go env GOOS)-$(go env GOARCH)"
    cd "$THERE"
    toolchain="$(go mod download -json "golang.org/toolchain@$version" | sed -n 's/^.*"Dir": "\(.*\)".*$/\1/p')"
    cd "$HERE/go"
    # A module's files cannot be run.
    chmod +x "$toolchain"/bin/* "$toolchain"/pkg/tool/*/*
    go="$toolchain/bin/go"
fi

"$go" build -buildvcs=false -o "$THERE/go/" ./fargo ./gokit ./prometheus
