//! Servers that do no harm work as before, behind every lock.

use std::process::Command;

use serde_json::Value;
use serde_json::json;

use crate::bed::Package;
use crate::bed::TestBed;
use crate::world::TOOL;
use crate::world::World;
use crate::world::python_path;

const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"test","version":"1"}}}
"#;

/// Every lock that there is.
fn locked() -> Value {
    json!({"network": {"outbound": []}, "subprocess": false})
}

#[test]
fn a_python_server_answers_its_client() {
    let bed = TestBed::new();
    bed.configure("");
    bed.publish(&Package::greeter(TOOL).manifest(|manifest| manifest["permissions"] = locked()).good());
    let ran = bed.smcp(&format!("run {TOOL}")).env("PATH", python_path()).input(INITIALIZE).run().succeeds();
    let answer: Value = serde_json::from_str(ran.stdout.lines().next().unwrap()).unwrap();
    assert_eq!(answer["result"]["serverInfo"]["name"], "greeter", "{ran}");
}

/// Threads, a compiler that writes machine code, WebAssembly, timers, files of its own; a network that is not there.
const NODE: &str = r#"#!/usr/bin/env node
const { Worker } = require("node:worker_threads");
const fs = require("node:fs"), path = require("node:path"), os = require("node:os");
const wasm = Uint8Array.from([0, 97, 115, 109, 1, 0, 0, 0]);
const hot = (n) => { let sum = 0; for (let i = 0; i < n; i++) sum += i % 7; return sum; };
(async () => {
  await WebAssembly.instantiate(wasm);
  hot(3e6);
  const kept = path.join(process.env.XDG_DATA_HOME, "kept");
  fs.writeFileSync(kept, "kept");
  const temporary = fs.mkdtempSync(path.join(os.tmpdir(), "t-"));
  const said = await new Promise((done, fail) => {
    const worker = new Worker("require('node:worker_threads').parentPort.postMessage('worker')", { eval: true });
    worker.on("message", done).on("error", fail);
  });
  process.memoryUsage();
  const refused = await fetch("http://127.0.0.1:9/").then(() => "connected", (error) => "refused");
  console.log(said, fs.readFileSync(kept, "utf8"), temporary.startsWith(process.env.TMPDIR), refused);
})();
"#;

#[test]
fn a_node_server_works_behind_every_lock() {
    if !Command::new("node").arg("--version").output().is_ok_and(|output| output.status.success()) {
        return;
    }
    let bed = TestBed::new();
    bed.configure("");
    let server = Package::greeter(TOOL).entrypoint(json!({"command": ["./server"]})).file("server", NODE, 0o755);
    bed.publish(&server.manifest(|manifest| manifest["permissions"] = locked()).good());
    bed.run(&format!("run {TOOL}")).succeeds().prints("worker kept true refused\n");
}

#[test]
fn scripts_are_started_by_what_their_first_lines_name() {
    let script = "#!/usr/bin/env python3\nimport sys\nprint(*sys.argv)\n";
    for subprocess in [true, false] {
        let bed = TestBed::new();
        bed.configure("");
        let entrypoint = json!({"command": ["bin/server", "one"], "workdir": "bin"});
        let server = Package::greeter(TOOL).entrypoint(entrypoint).file("bin/server", script, 0o755);
        bed.publish(&server.manifest(|manifest| manifest["permissions"] = json!({"subprocess": subprocess})).good());
        let ran = bed.smcp(&format!("run {TOOL} -- two")).env("PATH", python_path()).run().succeeds();
        assert_eq!(ran.stdout, "./../bin/server one two\n", "{subprocess}: {ran}");
    }
}

#[test]
fn a_script_that_only_starts_another_program_is_named() {
    let world = World::new("");
    if !world.confines(&locked()) {
        return;
    }
    let shims = world.bed.path("shims");
    world.bed.write("shims/python3", "#!/bin/sh\nexec python3 \"$@\"\n");
    std::fs::set_permissions(shims.join("python3"), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", shims.display(), python_path());
    let run = |path: &str| world.bed.smcp(&format!("run {TOOL} --")).args(&["start a thread"]).env("PATH", path).run();
    run(&path).refuses(
        6,
        &["`python3` is a script that starts another program ([HOME]/shims/python3 for /bin/sh)", "--env PATH=…"],
    );
    run(&python_path()).succeeds().prints("start a thread: done\n");
}

#[test]
fn what_a_server_keeps_is_there_at_its_next_start_and_nobody_elses() {
    let world = World::new("");
    if !world.confines(&json!({})) {
        return;
    }
    world.start(&["keep something"]);
    assert_eq!(
        world.start(&["read what was kept,use a temporary file"]),
        "read what was kept: done\nuse a temporary file: done\n"
    );
    assert_eq!(world.bed.list(".mcp/cache/runs"), [""; 0], "temporary files are gone");
    assert_eq!(world.start(&["leave a deep folder"]), "leave a deep folder: done\n");
    assert_eq!(world.bed.list(".mcp/cache/runs"), [""; 0], "and so is what is made to stay");
    // The state of one that says nothing is where it always was.
    world.publish(&Value::Null);
    assert_eq!(world.start(&["read what was kept"]), "read what was kept: refused\n");
}
