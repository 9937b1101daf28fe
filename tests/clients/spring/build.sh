#!/usr/bin/env bash
# The applications with Spring Cloud's client, at $THERE/spring/boot-*/application/client.jar, and
# beside each an archive of its classes, with which it starts in half the time.
set -euo pipefail

for line in boot-3 boot-4; do
    built="$THERE/spring/$line"
    archive="$built/application/classes.jsa"
    sources=("$HERE/spring/src" "$HERE/spring/$line" "$HERE/spring/build.sh")
    if [ -e "$archive" ] && [ -z "$(find "${sources[@]}" -newer "$archive" -print -quit)" ]; then
        continue
    fi
    mvn --batch-mode --quiet --no-transfer-progress -f "$HERE/spring/$line/pom.xml" \
        -DbuildDirectory="$built" clean package
    java -Djarmode=tools -jar "$built/client.jar" extract --destination "$built/application" >"$built/extract.log"
    # Ends once its context is set up, before it looks for a registry.
    java -XX:ArchiveClassesAtExit="$archive" -Dspring.context.exit=onRefresh \
        -jar "$built/application/client.jar" name id vip http://127.0.0.1/ '{}' >"$built/archive.log" 2>&1 ||
        { cat "$built/archive.log"; exit 1; }
done
