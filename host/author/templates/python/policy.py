"""Refuses servers that ask for network hosts other than the allowed ones."""

import json

from componentize_py_types import Err
from wit_world import exports
from wit_world.exports.evaluator import Description, Finding, OnWarn, SettingsProblem, Verdict
from wit_world.imports import logging
from wit_world.imports.logging import Level

SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "properties": {
        "allow": {
            "description": "The hosts that a server may ask for.",
            "type": "array",
            "items": {"type": "string"},
            "default": [],
        }
    },
    "additionalProperties": False,
}


def problems(settings):
    """Returns what is wrong with the settings: all of it, each with its JSON pointer."""
    if not isinstance(settings, dict):
        return [SettingsProblem("", "allowed is an object with the key `allow`")]
    found = []
    for key in settings:
        if key != "allow":
            pointer = key.replace("~", "~0").replace("/", "~1")
            found.append(SettingsProblem(f"/{pointer}", "this key is not known; allowed is `allow`"))
    allow = settings.get("allow", [])
    if not isinstance(allow, list):
        found.append(SettingsProblem("/allow", "allowed is a list of hosts"))
    else:
        for index, host in enumerate(allow):
            if not isinstance(host, str):
                found.append(SettingsProblem(f"/allow/{index}", "a host is a text"))
    return found


def violation(code, message, remedy):
    return Verdict([Finding(code, message, "permissions.network", remedy, [])], [])


class Evaluator(exports.Evaluator):
    def describe(self):
        return Description(
            "my-policy",
            "0.1.0",
            "Refuses servers that ask for network hosts other than the allowed ones.",
            json.dumps(SCHEMA),
            OnWarn.NOTIFY,
        )

    def check_settings(self, settings):
        found = problems(json.loads(settings))
        if found:
            raise Err(found)

    def evaluate(self, request, settings):
        permissions = request.subject.permissions
        if permissions is None:
            # What is not known is not allowed.
            remedy = "use a package whose manifest declares its permissions"
            return violation("network-unknown", "what the server asks of the network is unknown", remedy)
        allow = json.loads(settings).get("allow", [])
        refused = [host for host in permissions.network if host not in allow]
        logging.log(Level.DEBUG, f"hosts asked for: {len(permissions.network)}")
        if not refused:
            return Verdict([], [])
        message = f"the server asks for {refused[0]}, which is not allowed"
        if len(refused) > 1:
            message = f"the server asks for {refused[0]} and {len(refused) - 1} more hosts that are not allowed"
        return violation("host-not-allowed", message, "add the host to `allow`, if you trust it")
