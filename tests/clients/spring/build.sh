#!/usr/bin/env bash
# The applications with Spring Cloud's client, at $THERE/spring/boot-*/client.jar.
set -euo pipefail

for line in boot-3 boot-4; do
    built="$THERE/spring/$line"
    if [ ! -e "$built/client.jar" ] || [ -n "$(find "$HERE/spring/src" "$HERE/spring/$line" -newer "$built/client.jar" -print -quit)" ]; then
        mvn --batch-mode --quiet --no-transfer-progress -f "$HERE/spring/$line/pom.xml" \
            -DbuildDirectory="$built" clean package
    fi
done
