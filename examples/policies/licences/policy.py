"""Refuses packages whose licence, an SPDX expression in the manifest, is not among the allowed ones."""

import json
import re

from componentize_py_types import Err
from wit_world import exports
from wit_world.exports.evaluator import Description, Finding, OnWarn, SettingsProblem, Verdict

SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "properties": {
        "allow": {
            "description": "The licences that are allowed, by their SPDX identifiers.",
            "type": "array",
            "items": {"type": "string", "pattern": "^[A-Za-z0-9.+-]+( WITH [A-Za-z0-9.-]+)?$"},
            "minItems": 1,
        }
    },
    "required": ["allow"],
    "additionalProperties": False,
}
ALLOWED = SCHEMA["properties"]["allow"]
# Expressions in manifests are short; deeper ones are somebody's trick.
MOST = 200


def problems(settings):
    """Returns what is wrong with the settings: all of it, each with its JSON pointer."""
    if not isinstance(settings, dict):
        return [SettingsProblem("", "allowed is an object with the key `allow`")]
    found = []
    for key in settings:
        if key != "allow":
            pointer = key.replace("~", "~0").replace("/", "~1")
            found.append(SettingsProblem(f"/{pointer}", "this key is not known; allowed is `allow`"))
    if "allow" not in settings:
        found.append(SettingsProblem("", "the key `allow` is missing"))
    elif not isinstance(settings["allow"], list) or not settings["allow"]:
        found.append(SettingsProblem("/allow", "allowed is a list of at least one licence"))
    else:
        for index, licence in enumerate(settings["allow"]):
            if not isinstance(licence, str) or not re.fullmatch(ALLOWED["items"]["pattern"], licence):
                found.append(SettingsProblem(f"/allow/{index}", "a licence is an SPDX identifier such as Apache-2.0"))
    return found


class NoExpression(Exception):
    """A text is no SPDX licence expression."""


def holds(expression, allow):
    """Whether an expression can be kept with the allowed licences: one side of OR is enough, of AND both are needed."""
    words = re.findall(r"[()]|[^\s()]+", expression)
    if len(words) > MOST:
        raise NoExpression
    allowed = {licence.lower() for licence in allow}

    def either():
        held = both()
        while words and words[0] == "OR":
            words.pop(0)
            # Both sides are read, whatever the first one says.
            held = both() or held
        return held

    def both():
        held = one()
        while words and words[0] == "AND":
            words.pop(0)
            held = one() and held
        return held

    def one():
        word = words.pop(0) if words else ")"
        if word == "(":
            held = either()
            if not words or words.pop(0) != ")":
                raise NoExpression
            return held
        if word in (")", "AND", "OR", "WITH") or not re.fullmatch(r"[A-Za-z0-9.+-]+", word):
            raise NoExpression
        if words and words[0] == "WITH":
            words.pop(0)
            exception = words.pop(0) if words else ")"
            if not re.fullmatch(r"[A-Za-z0-9.-]+", exception):
                raise NoExpression
            word = f"{word} WITH {exception}"
        return word.lower() in allowed

    held = either()
    if words:
        raise NoExpression
    return held


def licence_of(manifest):
    """Returns the licence that a manifest names; None when it names none, or not in words."""
    package = manifest.get("package") if isinstance(manifest, dict) else None
    licence = package.get("license") if isinstance(package, dict) else None
    return licence if isinstance(licence, str) and licence.strip() else None


def violation(code, message):
    remedy = "use a package with an allowed licence, or add its licence to `allow` if your organisation accepts it"
    return Verdict([Finding(code, message, "manifest", remedy, [])], [])


class Evaluator(exports.Evaluator):
    def describe(self):
        summary = "Refuses packages whose licence is not among the allowed ones."
        return Description("licences", "0.1.0", summary, json.dumps(SCHEMA), OnWarn.NOTIFY)

    def check_settings(self, settings):
        found = problems(json.loads(settings))
        if found:
            raise Err(found)

    def evaluate(self, request, settings):
        manifest = request.subject.manifest
        licence = licence_of(json.loads(manifest)) if manifest is not None else None
        if licence is None:
            return violation("licence-unknown", "the manifest names no licence")
        shown = licence if len(licence) <= MOST else f"{licence[:MOST]}…"
        try:
            if holds(licence, json.loads(settings)["allow"]):
                return Verdict([], [])
        except NoExpression:
            return violation("licence-unreadable", f"the licence {shown} is no SPDX expression")
        return violation("licence-not-allowed", f"the licence {shown} is not among the allowed ones")
