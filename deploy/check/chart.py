"""Renders the Helm chart in several ways and holds what comes out against Kubernetes' own schemas, against what the
chart promises, and each node's settings against "rs-registry config check"."""

import pathlib
import subprocess
import sys
import tempfile

import kubernetes_validate
import yaml

CHART = pathlib.Path(__file__).parent.parent / "helm" / "rs-registry"
OLDEST_KUBERNETES = "1.30.0"
INSECURE = {"insecure": True}
SECURED = {"tls": {"clientSecret": "client", "peerSecret": "peer"}, "auth": {"secret": "users"}}
# No schema of it comes with Kubernetes.
CUSTOM_KINDS = {"ServiceMonitor"}


def helm(binary, *arguments, values):
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump(values, file)
        file.flush()
        command = [binary, *arguments, "--kube-version", OLDEST_KUBERNETES, "--values", file.name]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ValueError(f"helm {arguments[0]}: {done.stdout}{done.stderr}")
    return done.stdout


def render(binary, values):
    rendered = helm(binary, "template", "reg", str(CHART), "--namespace", "ops", values=values)
    resources = [resource for resource in yaml.safe_load_all(rendered) if resource]
    for resource in resources:
        if resource["kind"] not in CUSTOM_KINDS:
            kubernetes_validate.validate(resource, OLDEST_KUBERNETES, strict=True)
    return {(resource["kind"], resource["metadata"]["name"]): resource for resource in resources}


def same(what, found, wanted):
    if found != wanted:
        raise ValueError(f"{what}: {found!r}, not {wanted!r}")


def settings_of(resources):
    return resources["ConfigMap", "reg-rs-registry"]["data"]


def check_settings(rs_registry, resources, wanted):
    """That a node could be started with what each pod gets, and that pods get these lines of their own."""
    for name, lines in wanted.items():
        for line in lines:
            if line not in settings_of(resources)[name].splitlines():
                raise ValueError(f"{name} lacks the line {line!r}:\n{settings_of(resources)[name]}")
    with tempfile.TemporaryDirectory() as directory:
        for name, text in settings_of(resources).items():
            path = pathlib.Path(directory) / name
            path.write_text(text, encoding="utf-8")
            command = [rs_registry, "config", "check", "--config", str(path)]
            checked = subprocess.run(command, capture_output=True, text=True, check=False, env={})
            if checked.returncode != 0:
                raise ValueError(f"{name}: {checked.stderr}\n{text}")


def check_pods(resources):
    spec = resources["StatefulSet", "reg-rs-registry"]["spec"]
    pod = spec["template"]["spec"]
    container = pod["containers"][0]
    same("policy", spec["podManagementPolicy"], "Parallel")
    same("first pod", spec["ordinals"], {"start": 1})
    same("readiness", container["readinessProbe"]["httpGet"]["path"], "/readyz")
    same("liveness", container["livenessProbe"]["httpGet"]["path"], "/livez")
    same("drain", container["lifecycle"]["preStop"], {"sleep": {"seconds": 10}})
    same("grace", pod["terminationGracePeriodSeconds"], 30)
    same("user", (pod["securityContext"]["runAsNonRoot"], pod["securityContext"]["runAsUser"]), (True, 65532))
    same("root", container["securityContext"]["readOnlyRootFilesystem"], True)
    same("capabilities", container["securityContext"]["capabilities"], {"drop": ["ALL"]})
    peers = resources["Service", spec["serviceName"]]["spec"]
    same("headless", (peers["clusterIP"], peers["publishNotReadyAddresses"]), ("None", True))
    budget = resources["PodDisruptionBudget", "reg-rs-registry"]["spec"]
    same("budget", (budget["maxUnavailable"], budget["selector"]), (1, spec["selector"]))


def main(binary, rs_registry):
    for values in (INSECURE, SECURED):
        helm(binary, "lint", "--strict", str(CHART), values=values)

    plain = render(binary, INSECURE)
    check_pods(plain)
    own = 'peer_addr = "reg-rs-registry-2.reg-rs-registry-peers.ops.svc.cluster.local:9761"'
    check_settings(rs_registry, plain, {"reg-rs-registry-2.toml": ["node_id = 2", own, "insecure = true"]})

    more = {"settings": {"max_connections": 20000}, "serviceMonitor": {"enabled": True}, "listenHost": "[::]"}
    secured = render(binary, {**SECURED, **more})
    lines = ["max_connections = 20000", 'auth_file = "/etc/rs-registry/auth/auth.toml"', 'http_addr = "[::]:8761"']
    check_settings(rs_registry, secured, {"reg-rs-registry-1.toml": lines})
    probe = pod_template(secured)["spec"]["containers"][0]["livenessProbe"]
    same("scheme", probe["httpGet"]["scheme"], "HTTPS")

    grown = render(binary, {**INSECURE, "replicas": 5, "replacements": {"2": {"nodeId": 102, "replaces": 2}}})
    check_settings(rs_registry, grown, {
        "reg-rs-registry-2.toml": ["node_id = 102", "replaces = 2", 'data_dir = "/data/node-102"'],
        "reg-rs-registry-5.toml": ["node_id = 5", "join = true"],
    })
    same("what would restart pods that were there", pod_template(grown), pod_template(plain))

    for values, reason in (
        ({}, "tls.clientSecret"),
        ({**INSECURE, "replicas": 2}, "foundingReplicas"),
        ({**INSECURE, "replacements": {"2": {"nodeId": 3, "replaces": 2}}}, "two nodes"),
        ({**INSECURE, "replica": 3}, "replica"),
    ):
        check_refused(binary, values, reason)


def pod_template(resources):
    return resources["StatefulSet", "reg-rs-registry"]["spec"]["template"]


def check_refused(binary, values, reason):
    try:
        render(binary, values)
    except ValueError as error:
        if reason not in str(error):
            raise
    else:
        raise ValueError(f"{values} are taken")


main(*sys.argv[1:])
