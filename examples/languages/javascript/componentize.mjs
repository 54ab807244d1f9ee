// Makes a component of policy.js with componentize-js: `node componentize.mjs WIT OUT`.

import { writeFile } from "node:fs/promises";

import { componentize } from "@bytecodealliance/componentize-js";

const [witPath, out] = process.argv.slice(2);
const { component } = await componentize({
  sourcePath: "policy.js",
  witPath,
  worldName: "policy",
  // A policy has none of these, so that nothing of WASI is imported.
  disableFeatures: ["random", "stdio", "clocks", "http", "fetch-event"],
});
await writeFile(out, component);
console.log(`${out}: ${component.byteLength} bytes`);
