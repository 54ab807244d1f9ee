// Refuses servers with tools that are riskier than the settings allow, as the registry's analysis has it in the manifest.

const LEVELS = ["none", "low", "medium", "high", "critical"];

const SCHEMA = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  type: "object",
  properties: {
    max_risk: { description: "The highest risk that a tool may have.", enum: LEVELS, default: "low" },
    accept: {
      description: "Tools that are accepted whatever their risk, as ORG/NAME#TOOL.",
      type: "array",
      items: { type: "string", pattern: "^[^/#]+/[^/#]+#.+$" },
      default: [],
    },
  },
  additionalProperties: false,
};

/** Returns what is wrong with the settings: all of it, each with its JSON pointer. */
function problems(settings) {
  if (typeof settings !== "object" || settings === null || Array.isArray(settings)) {
    return [{ path: "", message: "allowed is an object with the keys `max_risk` and `accept`" }];
  }
  const unknown = Object.keys(settings).filter((key) => !(key in SCHEMA.properties));
  const found = unknown.map((key) => {
    const pointer = key.replaceAll("~", "~0").replaceAll("/", "~1");
    return { path: `/${pointer}`, message: "this key is not known; allowed are `max_risk` and `accept`" };
  });
  const { max_risk: risk = "low", accept = [] } = settings;
  if (!LEVELS.includes(risk)) {
    found.push({ path: "/max_risk", message: `allowed is one of ${LEVELS.join(", ")}` });
  }
  if (!Array.isArray(accept)) {
    found.push({ path: "/accept", message: "allowed is a list of tools, each as ORG/NAME#TOOL" });
  } else {
    const pattern = new RegExp(SCHEMA.properties.accept.items.pattern, "u");
    accept.forEach((tool, index) => {
      if (typeof tool !== "string" || !pattern.test(tool)) {
        found.push({ path: `/accept/${index}`, message: "a tool is a text such as acme/files#delete_file" });
      }
    });
  }
  return found;
}

const violation = (code, message, remedy) => ({ code, message, fact: "manifest", remedy, extensions: [] });

/** Returns the tools of a manifest; `undefined` when it does not say which there are, or says it in another form. */
function toolsOf(manifest) {
  const tools = manifest?.certification?.capabilities?.tools;
  const named = (tool) => typeof tool?.name === "string" && tool.name !== "";
  return Array.isArray(tools) && tools.every(named) ? tools : undefined;
}

export const evaluator = {
  describe() {
    return {
      name: "tool-risk",
      version: "0.1.0",
      summary: "Refuses servers with tools that are riskier than the settings allow.",
      settingsSchema: JSON.stringify(SCHEMA),
      onWarn: "confirm",
    };
  },

  checkSettings(settings) {
    const found = problems(JSON.parse(settings));
    if (found.length > 0) {
      throw found;
    }
  },

  evaluate(request, settings) {
    const { org, name, manifest } = request.subject;
    const { max_risk: allowed = "low", accept = [] } = JSON.parse(settings);
    const tools = manifest === undefined ? undefined : toolsOf(JSON.parse(manifest));
    if (tools === undefined) {
      const remedy = "use a registry that analyses the tools of its packages";
      return { violations: [violation("tools-unknown", "the manifest does not say which tools there are", remedy)], notices: [] };
    }
    const judged = tools.filter((tool) => !accept.includes(`${org}/${name}#${tool.name}`));
    const violations = judged.flatMap((tool) => {
      const remedy = `accept it by \`accept: [${org}/${name}#${tool.name}]\`, if you trust it`;
      const level = LEVELS.indexOf(String(tool.risk_level).toLowerCase());
      if (level === -1) {
        return [violation("risk-unknown", `the risk of the tool ${tool.name} is unknown`, remedy)];
      }
      const message = `the tool ${tool.name} has the risk ${LEVELS[level]}, and at most ${allowed} is allowed`;
      return level > LEVELS.indexOf(allowed) ? [violation("tool-too-risky", message, remedy)] : [];
    });
    return { violations: violations.slice(0, 100), notices: [] };
  },
};
