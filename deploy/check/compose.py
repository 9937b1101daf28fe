"""Holds compose files, the later ones over the first, against the Compose specification."""

import sys

import yaml
from compose_spec import PyCompose


def merged(below, above):
    if isinstance(below, dict) and isinstance(above, dict):
        both = {key: merged(below[key], above[key]) for key in below.keys() & above.keys()}
        return {**below, **above, **both}
    if isinstance(below, list) and isinstance(above, list):
        return below + above
    return above


def main(paths):
    whole = {}
    for path in paths:
        with open(path, encoding="utf-8") as file:
            whole = merged(whole, yaml.safe_load(file))
    compose = PyCompose.from_yaml(yaml.safe_dump(whole))
    compose.validate()
    if sorted(compose.service_names()) != ["node1", "node2", "node3"]:
        sys.exit(f"{paths}: not three nodes: {compose.service_names()}")


main(sys.argv[1:])
