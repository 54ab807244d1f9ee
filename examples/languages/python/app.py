"""A policy in Python: refuses servers that ask for network hosts other than the listed ones."""

import json

from componentize_py_types import Err
from wit_world import exports
from wit_world.exports.evaluator import Description, Finding, OnWarn, SettingsProblem, Verdict
from wit_world.imports import logging
from wit_world.imports.logging import Level

SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "properties": {"allow": {"type": "array", "items": {"type": "string", "pattern": '^[^"\\\\\\x00-\\x1f]+$'}}},
    "required": ["allow"],
    "additionalProperties": False,
}


def finding(code, message, remedy=None):
    return Finding(code, message, "permissions.network", remedy, [])


def problem(settings):
    """Returns the first thing wrong with the settings, or None."""
    if not isinstance(settings, dict) or settings.keys() != {"allow"}:
        return SettingsProblem("", "the key `allow` is needed, and no other is known")
    if not isinstance(settings["allow"], list):
        return SettingsProblem("/allow", "a list of hosts is needed")
    for index, host in enumerate(settings["allow"]):
        if not isinstance(host, str) or not host or any(char < " " or char in '"\\' for char in host):
            return SettingsProblem(f"/allow/{index}", "a host is a text, not empty, without quotes or backslashes")
    return None


class Evaluator(exports.Evaluator):
    def describe(self):
        return Description(
            "allowed-hosts",
            "0.1.0",
            "Refuses servers that ask for network hosts other than the listed ones.",
            json.dumps(SCHEMA),
            OnWarn.NOTIFY,
        )

    def check_settings(self, settings):
        found = problem(json.loads(settings))
        if found is not None:
            raise Err([found])

    def evaluate(self, request, settings):
        permissions = request.subject.permissions
        if permissions is None:
            remedy = "use a package whose manifest declares its permissions"
            unknown = finding("network-unknown", "what the server asks of the network is unknown", remedy)
            return Verdict([unknown], [])
        asked = permissions.network
        logging.log(Level.DEBUG, f"hosts asked for: {len(asked)}")
        if not asked:
            return Verdict([], [])
        allow = json.loads(settings)["allow"]
        refused = [host for host in asked if host not in allow]
        notice = finding("network-asked", f"hosts asked for: {len(asked)}, refused: {len(refused)}")
        if not refused:
            return Verdict([], [notice])
        message = f"the server asks for {refused[0]}, which is not allowed"
        if len(refused) > 1:
            message = f"the server asks for {refused[0]} and {len(refused) - 1} more hosts that are not allowed"
        violation = finding("host-not-allowed", message, "add the host to `allow`, if you trust it")
        return Verdict([violation], [notice])
