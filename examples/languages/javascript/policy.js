// A policy in JavaScript: refuses servers that ask for network hosts other than the listed ones.

import { log } from "smcp:policy/logging@0.1.0";

const SCHEMA = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  type: "object",
  properties: { allow: { type: "array", items: { type: "string", pattern: '^[^"\\\\\\x00-\\x1f]+$' } } },
  required: ["allow"],
  additionalProperties: false,
};

const finding = (code, message, remedy) => ({ code, message, fact: "permissions.network", remedy, extensions: [] });

/** Returns the first thing wrong with the settings, or undefined. */
function problem(settings) {
  if (Object.prototype.toString.call(settings) !== "[object Object]" || Object.keys(settings).join() !== "allow") {
    return { path: "", message: "the key `allow` is needed, and no other is known" };
  }
  if (!Array.isArray(settings.allow)) {
    return { path: "/allow", message: "a list of hosts is needed" };
  }
  const index = settings.allow.findIndex((host) => typeof host !== "string" || !/^[^"\\\x00-\x1f]+$/.test(host));
  if (index >= 0) {
    return { path: `/allow/${index}`, message: "a host is a text, not empty, without quotes or backslashes" };
  }
}

export const evaluator = {
  describe() {
    return {
      name: "allowed-hosts",
      version: "0.1.0",
      summary: "Refuses servers that ask for network hosts other than the listed ones.",
      settingsSchema: JSON.stringify(SCHEMA),
      onWarn: "notify",
    };
  },

  // What is thrown is the error of the interface's `result`.
  checkSettings(settings) {
    const found = problem(JSON.parse(settings));
    if (found) {
      throw [found];
    }
  },

  evaluate(request, settings) {
    const { permissions } = request.subject;
    if (!permissions) {
      const remedy = "use a package whose manifest declares its permissions";
      const unknown = finding("network-unknown", "what the server asks of the network is unknown", remedy);
      return { violations: [unknown], notices: [] };
    }
    const asked = permissions.network;
    log("debug", `hosts asked for: ${asked.length}`);
    if (asked.length === 0) {
      return { violations: [], notices: [] };
    }
    const { allow } = JSON.parse(settings);
    const refused = asked.filter((host) => !allow.includes(host));
    const notice = finding("network-asked", `hosts asked for: ${asked.length}, refused: ${refused.length}`);
    if (refused.length === 0) {
      return { violations: [], notices: [notice] };
    }
    const more = refused.length - 1;
    const message =
      more === 0
        ? `the server asks for ${refused[0]}, which is not allowed`
        : `the server asks for ${refused[0]} and ${more} more hosts that are not allowed`;
    const violation = finding("host-not-allowed", message, "add the host to `allow`, if you trust it");
    return { violations: [violation], notices: [notice] };
  },
};
