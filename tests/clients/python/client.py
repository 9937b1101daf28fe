"""An application with py_eureka_client, steered by lines on stdin as tests/clients/application.rs tells."""

import asyncio
import json
import os
import sys
import time
from urllib.parse import unquote

# The client logs to stdout, which is for answers here; it takes the stream when it is imported.
answers, sys.stdout = sys.stdout, sys.stderr

from py_eureka_client import eureka_basic, eureka_client, http_client  # noqa: E402


class CountingHttpClient(http_client.HttpClient):
    """Counts the reads of the registry that the client makes by itself."""

    def __init__(self):
        self.fetches = {"full": 0, "delta": 0}

    async def urlopen(self, request=None, data=None, timeout=None):
        if isinstance(request, str):
            if request.endswith("/apps/"):
                self.fetches["full"] += 1
            elif request.endswith("/apps/delta"):
                self.fetches["delta"] += 1
        return await super().urlopen(request, data, timeout)


class Application:
    def __init__(self, name, instance_id, vip, urls, metadata):
        self.name, self.instance_id, self.urls = name, instance_id, urls.split(",")
        self.http = CountingHttpClient()
        http_client.set_http_client(self.http)
        self.client = eureka_client.init(
            eureka_server=urls,
            app_name=name,
            instance_id=instance_id,
            instance_host="127.0.0.1",
            instance_ip="127.0.0.1",
            instance_port=8080,
            vip_adr=vip,
            secure_vip_addr=vip + "-secure",
            renewal_interval_in_secs=int(os.environ.get("RENEWAL_SECS", 1)),
            duration_in_secs=int(os.environ.get("LEASE_SECS", 4)),
            metadata=json.loads(metadata),
        )
        self.loop = asyncio.new_event_loop()

    def answer(self, command, names):
        return getattr(self, command)(*names)

    def application(self, app):
        return self.client.applications.get_application(app)

    def see(self, app):
        return json.dumps([instance.instanceId for instance in self.application(app).up_instances])

    def metadata(self, app, instance_id):
        return json.dumps(self.application(app).get_instance(instance_id).metadata)

    def hash(self):
        # The client tells nobody the hash that it compares.
        return json.dumps(self.client._EurekaClient__get_applications_hash())

    def fetches(self):
        return json.dumps(self.http.fetches)

    def read(self, what, *names):
        calls = {
            "all": eureka_basic.get_applications,
            "delta": eureka_basic.get_delta,
            "app": eureka_basic.get_application,
            "instance": eureka_basic.get_app_instance,
            "vip": eureka_basic.get_vip,
            "svip": eureka_basic.get_secure_vip,
        }
        return json.dumps(ids_in(self.at_any_node(calls[what], names)))

    def at_any_node(self, call, names):
        """Makes a call that takes one URL, and leaves walking through the others to its caller."""
        for url in self.urls:
            try:
                return self.loop.run_until_complete(call(url, *names))
            except (http_client.HTTPError, http_client.URLError) as error:
                last = error
        raise last

    def status(self, status):
        # Not by the client's own methods: they share an asyncio lock with its heartbeat thread, which
        # has another event loop, and when both want it while they walk through the URLs, neither wakes.
        if status == "UP":
            # The renewal after it gets a 404, and the client registers as what it is.
            self.at_any_node(eureka_basic.delete_status_override, [self.name, self.instance_id, 0])
        else:
            self.at_any_node(eureka_basic.status_update, [self.name, self.instance_id, 0, status])
        return "done"

    def stop(self):
        # The same lock: a stop that finds it taken by the heartbeat's loop never returns.
        while self.client._EurekaClient__net_lock.locked():
            time.sleep(0.001)
        eureka_client.stop()
        return "stopped"


def ids_in(found):
    if isinstance(found, eureka_basic.Instance):
        return [found.instanceId]
    if isinstance(found, eureka_basic.Application):
        return [instance.instanceId for instance in found.instances]
    return [instance_id for application in found.applications for instance_id in ids_in(application)]


def main():
    application = Application(*sys.argv[1:])
    print("ready", file=answers, flush=True)
    for line in sys.stdin:
        command, *names = [unquote(word) for word in line.split()]
        try:
            answer = application.answer(command, names)
        except Exception as error:  # noqa: BLE001: whatever a call fails with is the answer
            answer = f"failed: {error!r}".replace("\n", " ")
        print(answer, file=answers, flush=True)
        if answer == "stopped":
            break
    # The client's heartbeat thread outlives stop() and would register again.
    os._exit(0)


if __name__ == "__main__":
    main()
