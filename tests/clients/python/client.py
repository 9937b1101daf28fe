"""An application with py_eureka_client, steered by lines on stdin.

Usage: client.py APP INSTANCE_ID EUREKA_URLS

Renews every second a lease of four seconds, and says "ready" once it has registered. Then:
  see APP   answers with the ids of that application's UP instances in the client's own registry, as JSON
  stop      unregisters, says "stopped", and ends
"""

import json
import os
import sys

# The client logs to stdout, which is for answers here; it takes the stream when it is imported.
answers, sys.stdout = sys.stdout, sys.stderr

from py_eureka_client import eureka_client  # noqa: E402


def ids_of(client, app):
    applications = client.applications
    application = applications.get_application(app) if applications else None
    return sorted(instance.instanceId for instance in application.up_instances) if application else []


def main():
    app, instance_id, urls = sys.argv[1:]
    client = eureka_client.init(
        eureka_server=urls,
        app_name=app,
        instance_id=instance_id,
        instance_host="127.0.0.1",
        instance_ip="127.0.0.1",
        instance_port=8080,
        renewal_interval_in_secs=1,
        duration_in_secs=4,
    )
    print("ready", file=answers, flush=True)
    for line in sys.stdin:
        words = line.split()
        if words[0] == "see":
            print(json.dumps(ids_of(client, words[1])), file=answers, flush=True)
        elif words[0] == "stop":
            eureka_client.stop()
            print("stopped", file=answers, flush=True)
            break
    # The client's heartbeat thread outlives stop() and would register again.
    os._exit(0)


if __name__ == "__main__":
    main()
