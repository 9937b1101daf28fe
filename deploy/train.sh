#!/usr/bin/env bash
# train.sh BINARY PROFILE: has a binary that counts what it does (`rustc -C profile-generate`) be a cluster of three that
# is under the loads of `bench`, and that starts again with what it has; makes a profile of the counts. Takes the ports
# 18761 to 18763 and 19761 to 19763.
set -euo pipefail

binary=$1
profile=$2
urls=(http://127.0.0.1:18761 http://127.0.0.1:18762 http://127.0.0.1:18763)

work=$(mktemp -d)
nodes=
end() {
    [ -z "$nodes" ] || kill -TERM "$nodes" 2>/dev/null || true
    wait
    rm -rf "$work"
}
trap end EXIT
export LLVM_PROFILE_FILE=$work/counts/%p.profraw

start() {
    "$binary" dev --data-dir "$work/state" --http-port 18761 --peer-port 19761 >>"$work/nodes.log" &
    nodes=$!
    local url
    for url in "${urls[@]}"; do
        timeout 60 bash -c "until '$binary' health --urls $url; do sleep 0.2; done" >/dev/null 2>&1 || {
            cat "$work/nodes.log" >&2
            exit 1
        }
    done
    # What answers could be somebody else's.
    kill -0 "$nodes" || {
        cat "$work/nodes.log" >&2
        exit 1
    }
}

# A process writes its counts when it ends by itself.
stop() {
    kill -TERM "$nodes"
    wait "$nodes"
    nodes=
}

# load WORKLOAD SECONDS [OPTION ...]
load() {
    echo "train: $1 for $2 s"
    "$binary" bench "$1" --urls "$(printf '%s/eureka,' "${urls[@]}" | sed 's/,$//')" --duration-secs "$2" \
        --warm-up-secs 1 --instances 20000 --keep "${@:3}" >/dev/null
}

start
load register 10
load renew 10
load fetch 3
load fetch 3 --no-gzip
load fetch 3 --resource app
load fetch 3 --resource instance
load delta 3
load visible 3
load paced 15
stop
# A start is short beside all else: twice, so that it counts for something.
for _ in 1 2; do
    start
    load renew 5
    stop
done

# With what was never called, too, which is made small for it.
"$(rustc --print target-libdir)/../bin/llvm-profdata" merge -o "$profile" "$work"/counts/*.profraw
