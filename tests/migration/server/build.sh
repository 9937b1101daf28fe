#!/usr/bin/env bash
# Spring Cloud's Eureka server, at target/migration/server/application/server.jar, and beside it an archive
# of its classes, with which it starts in half the time.
set -euo pipefail
cd "$(dirname "$0")"

built="$(cd ../../.. && pwd)/target/migration/server"
archive="$built/application/classes.jsa"
if [ -e "$archive" ] && [ -z "$(find . -newer "$archive" -print -quit)" ]; then
    exit
fi
mvn --batch-mode --quiet --no-transfer-progress -f pom.xml -DbuildDirectory="$built" clean package
java -Djarmode=tools -jar "$built/server.jar" extract --destination "$built/application" >"$built/extract.log"
# Ends once its context is set up, before it looks for its peers.
java -XX:ArchiveClassesAtExit="$archive" -Dspring.context.exit=onRefresh -jar "$built/application/server.jar" \
    --server.address=127.0.0.1 --eureka.client.service-url.defaultZone=http://127.0.0.1/ >"$built/archive.log" 2>&1 ||
    { cat "$built/archive.log"; exit 1; }
