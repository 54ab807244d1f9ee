//! The same servers on kernels that lack something: what is missing is said, and the rest holds.

use std::process::Command;
use std::process::Output;

use serde_json::Value;
use serde_json::json;

use crate::bed::ROOT;
use crate::tries::FILES;
use crate::tries::KERNEL;
use crate::tries::NETWORK;
use crate::tries::OF_FILTER;
use crate::tries::PROCESSES;
use crate::tries::SIGNALS;
use crate::world::TOOL;
use crate::world::World;
use crate::world::all;
use crate::world::pairs;
use crate::world::python_path;
use smcp_model::confinement::Gap;

/// Answers the kernel's questions as an older one does.
const LACKING: &str = include_str!("lacking.py");

/// Runs smcp on a kernel that lacks this.
fn lacking(world: &World, lack: &str, line: &str, last: &[&str]) -> Output {
    let mut command = Command::new("python3");
    command.args(["-c", LACKING, lack, env!("CARGO_BIN_EXE_smcp")]).args(line.split(' ')).args(last);
    command.env_clear().env("HOME", world.bed.path("")).env("PATH", python_path());
    command.current_dir(ROOT).output().unwrap()
}

fn stdout(output: &Output) -> String {
    let said = String::from_utf8(output.stdout.clone()).unwrap();
    assert!(output.status.success(), "{said} {}", String::from_utf8_lossy(&output.stderr));
    said
}

/// What a server with no rights at all is missing, and which of its tries are still refused.
struct KernelCase {
    lack: &'static str,
    state: &'static str,
    missing: &'static [&'static str],
    refused: Vec<&'static str>,
}

/// The tries at files but those that need a lock of a newer version.
fn files(without: &[&str]) -> Vec<&'static str> {
    FILES.into_iter().filter(|name| !without.contains(name)).collect()
}

fn cases() -> Vec<KernelCase> {
    let old = [&SIGNALS[..], &["empty it"]].concat();
    let filter = || [&NETWORK[..], &KERNEL, &PROCESSES, &OF_FILTER].concat();
    let with = |files: Vec<&'static str>| files.into_iter().chain(filter()).collect();
    vec![
        KernelCase { lack: "0", state: "partial", missing: &["landlock"], refused: filter() },
        KernelCase { lack: "1", state: "partial", missing: &["truncation", "signals"], refused: with(files(&old)) },
        KernelCase { lack: "2", state: "partial", missing: &["truncation", "signals"], refused: with(files(&old)) },
        KernelCase { lack: "3", state: "partial", missing: &["signals"], refused: with(files(&SIGNALS)) },
        KernelCase { lack: "5", state: "partial", missing: &["signals"], refused: with(files(&SIGNALS)) },
        KernelCase { lack: "6", state: "full", missing: &[], refused: with(files(&[])) },
        KernelCase { lack: "seccomp", state: "partial", missing: &["seccomp"], refused: files(&OF_FILTER) },
        KernelCase { lack: "namespaces", state: "full", missing: &[], refused: with(files(&[])) },
        KernelCase { lack: "all", state: "none", missing: &["landlock", "seccomp"], refused: Vec::new() },
    ]
}

#[test]
fn what_a_kernel_lacks_is_said_and_the_rest_holds() {
    let world = World::new("");
    let asks = json!({"subprocess": false});
    if !world.confines(&asks) {
        return;
    }
    for KernelCase { lack, state, missing, refused } in cases() {
        let document = stdout(&lacking(&world, lack, &format!("run --dry-run --json {TOOL}"), &[]));
        let document: Value = serde_json::from_str(&document).unwrap();
        let said = &document["confinement"];
        assert_eq!((&said["state"], &said["missing"]), (&json!(state), &json!(missing)), "without {lack}");
        let required = lacking(&world, lack, &format!("run --dry-run --confinement required {TOOL}"), &[]);
        assert_eq!(required.status.code(), Some(if state == "full" { 0 } else { 4 }), "without {lack}");
        let diagnosis = String::from_utf8(lacking(&world, lack, "doctor", &[]).stdout).unwrap();
        let remedy = Gap::ALL.into_iter().find(|gap| Some(&gap.as_str()) == missing.last()).map(Gap::remedy);
        assert!(diagnosis.contains(remedy.unwrap_or("no network: full")), "without {lack}: {diagnosis}");
        if refused.is_empty() {
            continue;
        }
        let tries = stdout(&lacking(
            &world,
            lack,
            &format!("run {TOOL} --env PROBE_ABSTRACT=none --"),
            &[&refused.join(","), "NoNewPrivs"],
        ));
        all(&pairs(&tries), &refused, "refused");
    }
}

#[test]
fn what_can_not_be_observed_is_not_started() {
    let world = World::new("");
    world.publish(&Value::Null);
    let output = lacking(&world, "seccomp", &format!("run --confinement observe {TOOL} --"), &["start a thread"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(6), b"".as_slice()), "{said}");
    assert!(said.contains("nothing can be observed"), "{said}");
}

#[test]
fn without_namespaces_a_list_of_hosts_is_no_lock_and_that_is_said() {
    let world = World::new("");
    let asks = json!({"network": {"outbound": ["api.example.com"]}});
    if !world.confines(&asks) {
        return;
    }
    let document = stdout(&lacking(&world, "namespaces", &format!("run --dry-run --json {TOOL}"), &[]));
    let document: Value = serde_json::from_str(&document).unwrap();
    let missing = document["confinement"]["missing"].as_array().unwrap();
    assert!(missing.contains(&json!("hosts")), "{document}");
    let tries = stdout(&lacking(&world, "namespaces", &format!("run {TOOL} --"), &[&FILES.join(","), "NoNewPrivs"]));
    all(&pairs(&tries), &FILES, "refused");
}
