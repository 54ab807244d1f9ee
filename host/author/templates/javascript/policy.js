// Refuses servers that ask for network hosts other than the allowed ones.

import { log } from "smcp:policy/logging@0.1.0";

const SCHEMA = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  type: "object",
  properties: {
    allow: { description: "The hosts that a server may ask for.", type: "array", items: { type: "string" }, default: [] },
  },
  additionalProperties: false,
};

/** Returns what is wrong with the settings: all of it, each with its JSON pointer. */
function problems(settings) {
  if (typeof settings !== "object" || settings === null || Array.isArray(settings)) {
    return [{ path: "", message: "allowed is an object with the key `allow`" }];
  }
  const unknown = Object.keys(settings).filter((key) => key !== "allow");
  const found = unknown.map((key) => {
    const pointer = key.replaceAll("~", "~0").replaceAll("/", "~1");
    return { path: `/${pointer}`, message: "this key is not known; allowed is `allow`" };
  });
  const { allow = [] } = settings;
  if (!Array.isArray(allow)) {
    found.push({ path: "/allow", message: "allowed is a list of hosts" });
  } else {
    allow.forEach((host, index) => {
      if (typeof host !== "string") {
        found.push({ path: `/allow/${index}`, message: "a host is a text" });
      }
    });
  }
  return found;
}

const violation = (code, message, remedy) => ({
  violations: [{ code, message, fact: "permissions.network", remedy, extensions: [] }],
  notices: [],
});

export const evaluator = {
  describe() {
    return {
      name: "my-policy",
      version: "0.1.0",
      summary: "Refuses servers that ask for network hosts other than the allowed ones.",
      settingsSchema: JSON.stringify(SCHEMA),
      onWarn: "notify",
    };
  },

  // What is thrown is the error of the interface's `result`. Anything else that is thrown ends as the fault `trap`.
  checkSettings(settings) {
    const found = problems(JSON.parse(settings));
    if (found.length > 0) {
      throw found;
    }
  },

  evaluate(request, settings) {
    const { permissions } = request.subject;
    if (!permissions) {
      // What is not known is not allowed.
      const remedy = "use a package whose manifest declares its permissions";
      return violation("network-unknown", "what the server asks of the network is unknown", remedy);
    }
    const { allow = [] } = JSON.parse(settings);
    const [first, ...more] = permissions.network.filter((host) => !allow.includes(host));
    log("debug", `hosts asked for: ${permissions.network.length}`);
    if (first === undefined) {
      return { violations: [], notices: [] };
    }
    const message =
      more.length === 0
        ? `the server asks for ${first}, which is not allowed`
        : `the server asks for ${first} and ${more.length} more hosts that are not allowed`;
    return violation("host-not-allowed", message, "add the host to `allow`, if you trust it");
  },
};
