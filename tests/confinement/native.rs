//! Hostile servers in C and of Node: other ways to the same locks.

use std::process::Command;

use serde_json::Value;
use serde_json::json;

use crate::bed::Package;
use crate::world::TOOL;
use crate::world::World;
use crate::world::pairs;
use crate::world::python_path;

const C: &str = include_str!("hostile.c");
const NODE: &str = include_str!("hostile.js");

/// Everything that one server may have, and it has to keep to it.
fn asks() -> Value {
    json!({"filesystem": {"read": ["~/docs"], "write": ["~/out"]}, "subprocess": false})
}

/// Has a server try all that it knows; returns what came of it.
fn tries(world: &World, options: &str) -> Vec<(String, String)> {
    let ran = world.bed.smcp(&format!("run {options} {TOOL}")).env("PATH", python_path()).run().succeeds();
    let tries = pairs(&ran.stdout);
    assert!(tries.len() >= 25, "{ran}");
    tries
}

/// What came of it, by the names.
fn done(tries: &[(String, String)]) -> Vec<&str> {
    tries.iter().filter(|(_, outcome)| outcome == "done").map(|(name, _)| name.as_str()).collect()
}

/// Checks that nothing comes of a server's tries, and that without confinement much does.
fn held(package: impl Fn(Package) -> Package, much: usize) {
    for (config, options) in [("confinement: off\n", ""), ("", ""), ("", "--confinement observe")] {
        let world = World::new(config);
        if config.is_empty() && !world.confines(&asks()) {
            return;
        }
        let server = package(Package::greeter(TOOL)).manifest(|manifest| manifest["permissions"] = asks());
        let _ = std::fs::remove_dir_all(world.bed.path("registry"));
        world.bed.publish(&server.good());
        let tries = tries(&world, options);
        if config.is_empty() {
            assert_eq!(done(&tries), [""; 0], "{options} {tries:#?}");
            assert_eq!(world.bed.read(".ssh/key"), "secret");
            assert!(!world.bed.has("new") && !world.bed.has("out/copied") && !world.bed.has(".bashrc"));
        } else {
            assert!(done(&tries).len() >= much, "it knows how: {tries:#?}");
        }
    }
}

#[test]
fn a_server_in_c_gets_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("hostile.c"), C).unwrap();
    let compiled = Command::new("cc").args(["-o", "hostile", "hostile.c", "-pthread"]).current_dir(&folder).output();
    let Ok(compiled) = compiled else { return };
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
    let program = std::fs::read(folder.path().join("hostile")).unwrap();
    held(|package| package.entrypoint(json!({"command": ["./hostile"]})).file("hostile", &program, 0o755), 10);
}

#[test]
fn a_server_of_node_gets_nowhere() {
    if !Command::new("node").arg("--version").output().is_ok_and(|output| output.status.success()) {
        return;
    }
    held(|package| package.entrypoint(json!({"command": ["node", "hostile.js"]})).file("hostile.js", NODE, 0o644), 12);
}
