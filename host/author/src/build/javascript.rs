//! JavaScript, by componentize-qjs or componentize-js, which a lock file pins.

use serde_json::Value;

use crate::build::BuildError;
use crate::build::MADE;
use crate::build::Project;
use crate::component::WORLD;
use crate::language::Componentizer;

const INSTALL: &str = "install Node.js 20 or newer with npm: https://nodejs.org, `apt-get install nodejs npm` (Debian, \
                       Ubuntu), `dnf install nodejs npm` (Fedora), `brew install node` (macOS)";
const REINSTALL: &str = "remove the folder `node_modules`, and build again";

const FOLDER: &str = "node_modules";
const QUICKJS: &str = "node_modules/.bin/componentize-qjs";
const LOCKS: [&str; 2] = ["package.json", "package-lock.json"];

/// The module of the policy, if package.json names no `main`.
const MODULE: &str = "policy.js";

/// The options of componentize-js, which has no command line. No feature that needs WASI is on.
const SPIDERMONKEY: &str = r#"
import { writeFile } from "node:fs/promises";
import { componentize } from "@bytecodealliance/componentize-js";
const [sourcePath, witPath, worldName, out] = process.argv.slice(1);
const disableFeatures = ["random", "stdio", "clocks", "http", "fetch-event"];
const { component } = await componentize({ sourcePath, witPath, worldName, disableFeatures });
await writeFile(out, component);
"#;

/// Installs the toolchain, without running any package's scripts; then makes the component.
pub(super) fn build(project: &Project<'_>) -> Result<Vec<u8>, BuildError> {
    let unfit = |why: &str| BuildError::Unfit(format!("package.json {why}"));
    let componentizer = Componentizer::of(project.dir)
        .ok_or_else(|| unfit("names neither componentize-qjs nor @bytecodealliance/componentize-js"))?;
    let package: Value = serde_json::from_slice(&project.read("package.json")?)
        .map_err(|error| unfit(&format!("is not JSON: {error}")))?;
    if !project.dir.exists("package-lock.json") {
        return Err(BuildError::Unfit(
            "there is no package-lock.json, which pins the toolchain\n→ `npm install --package-lock-only` writes it"
                .into(),
        ));
    }
    let npm = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];
    project.install(FOLDER, &LOCKS, vec![project.tool("npm", INSTALL).args(npm)])?;
    let (wit, module) = (project.wit()?, package.get("main").and_then(Value::as_str).unwrap_or(MODULE));
    project.make(match componentizer {
        Componentizer::QuickJs => project.tool(QUICKJS, REINSTALL).args([
            "--wit",
            wit,
            "--world",
            WORLD,
            "--js",
            module,
            "--sync",
            "--stub-wasi",
            "--output",
            MADE,
        ]),
        Componentizer::SpiderMonkey => {
            let script = ["--input-type=module", "--eval", SPIDERMONKEY, "--"];
            project.tool("node", INSTALL).args(script).args([module, wit, WORLD, MADE])
        }
    })
}
