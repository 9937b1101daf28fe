#!/usr/bin/env bash
# The programs with Netflix's own client, at $THERE/netflix/jersey*/client.jar, and what they need beside it in lib.
set -euo pipefail

built="$THERE/netflix"
newer() { find "$HERE/netflix" ! -name '*.rs' -newer "$built/done" -print -quit; }
if [ ! -e "$built/done" ] || [ -n "$(newer)" ]; then
    mvn --batch-mode --quiet --no-transfer-progress -f "$HERE/netflix/pom.xml" -DbuildDirectory="$built" clean package
    touch "$built/done"
fi
