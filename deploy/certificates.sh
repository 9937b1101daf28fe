#!/usr/bin/env bash
# Makes what compose.tls.yaml needs to be tried: an authority, a certificate for each node, and a user "admin" with a
# random password. For trying only: one authority for clients and peers alike, whose key lies beside it.
# Usage: certificates.sh DIR [NODE...]; needs openssl, and rs-registry in the PATH or in RS_REGISTRY.
set -euo pipefail
[ $# -ge 1 ] || { echo "usage: certificates.sh DIR [NODE...]" >&2; exit 2; }
dir=$1
shift
nodes=("$@")
[ $# -gt 0 ] || nodes=(node1 node2 node3)
[ ! -e "$dir" ] || { echo "$dir is there already: take another, or remove it" >&2; exit 1; }
umask 077
mkdir -p "$dir"

openssl rand -hex 24 >"$dir/admin.password"
hash=$("${RS_REGISTRY:-rs-registry}" hash --file "$dir/admin.password")
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj "/CN=rs-registry trial" \
    -keyout "$dir/ca.key" -out "$dir/ca.pem" 2>/dev/null
for node in "${nodes[@]}"; do
    own=$dir/$node
    mkdir "$own"
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$node" \
        -keyout "$own/node.key" -out "$own/node.csr" 2>/dev/null
    openssl x509 -req -in "$own/node.csr" -CA "$dir/ca.pem" -CAkey "$dir/ca.key" -CAcreateserial -days 30 -out "$own/node.pem" \
        -extfile <(printf 'subjectAltName=DNS:%s,DNS:localhost\nextendedKeyUsage=serverAuth,clientAuth\n' "$node") 2>/dev/null
    rm "$own/node.csr"
    cp "$dir/ca.pem" "$own/"
    printf '[[user]]\nname = "admin"\npassword_hash = "%s"\nrole = "admin"\n' "$hash" >"$own/auth.toml"
    # The user of the image, if whoever calls this may give files away.
    chown -R 65532:65532 "$own" 2>/dev/null || chmod -R a+rX "$own"
done
echo "the password of admin is in $dir/admin.password, the authority in $dir/ca.pem"
