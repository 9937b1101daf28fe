#!/usr/bin/env bash
# The environment with py_eureka_client, at $THERE/python.
set -euo pipefail

if [ ! -x "$THERE/python/bin/python" ] || ! cmp -s "$HERE/python/requirements.txt" "$THERE/python/installed.txt"; then
    python3 -m venv --clear "$THERE/python"
    "$THERE/python/bin/pip" install --quiet --disable-pip-version-check -r "$HERE/python/requirements.txt"
    cp "$HERE/python/requirements.txt" "$THERE/python/installed.txt"
fi
