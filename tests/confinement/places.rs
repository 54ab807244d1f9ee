//! What a path of a manifest is taken for: links, mounts, what rules name.

use std::process::Command;
use std::process::Stdio;

use nix::unistd::geteuid;
use serde_json::Value;
use serde_json::json;

use crate::world::TOOL;
use crate::world::World;
use crate::world::all;
use crate::world::pairs;
use crate::world::python_path;

/// Names files that decide about the next start, in folders of the user's.
const NAMING: &str =
    "ca_file: ~/out/ca.pem\npolicy:\n  custom:\n    - {name: x, source: ~/rules/policy.wasm, mode: disabled}\n";
/// Tries at these.
const RULING: [&str; 5] =
    ["write a component", "replace a component", "replace the authorities", "replace smcp", "replace its folder"];
/// Tries at what starts with the user, and at the kernel.
const STARTS: [&str; 3] = ["write what starts with the user", "write to the kernel", "make a terminal"];

fn everything() -> Value {
    json!({"filesystem": {"read": ["*", "~"], "write": ["*", "~"]}})
}

/// Starts smcp where rules name things, as a program in the home; returns what the server says of its tries.
fn where_rules_name_things(config: &str, permissions: &Value, names: &[&str]) -> Option<Vec<(String, String)>> {
    let world = World::new(&format!("{config}{NAMING}"));
    for file in ["rules/policy.wasm", "out/ca.pem", ".bashrc", "tools/.keep"] {
        world.bed.write(file, "");
    }
    world.publish(permissions);
    if config.is_empty() && !world.confines(permissions) {
        return None;
    }
    let invocation = world.bed.smcp(&format!("run {TOOL} --")).args(&[names.join(",")]).env("PATH", python_path());
    let program = world.bed.path("tools/smcp");
    // Copied by another process: whatever this one forks meanwhile would hold the file open for writing.
    assert!(Command::new("cp").arg(invocation.command.get_program()).arg(&program).status().unwrap().success());
    let mut command = Command::new(&program);
    command.args(invocation.command.get_args()).current_dir(world.bed.path("")).env_clear();
    command.envs(invocation.command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = command.stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(pairs(&String::from_utf8(output.stdout).unwrap()))
}

#[test]
fn what_rules_name_and_what_starts_with_the_user_is_not_written() {
    let names = [&RULING[..], &STARTS].concat();
    all(&where_rules_name_things("confinement: off\n", &everything(), &names).unwrap(), &names, "done");
    if let Some(tries) = where_rules_name_things("", &everything(), &names) {
        all(&tries, &names, "refused");
    }
    let folders = json!({"filesystem": {"write": ["~/rules", "~/out", "~/tools"]}});
    if let Some(tries) = where_rules_name_things("", &folders, &RULING) {
        all(&tries, &RULING, "refused");
    }
}

#[test]
fn a_link_of_one_version_opens_nothing_for_the_next() {
    let read = ["read by the link", "read what it asked for"];
    for (config, expected) in [("confinement: off\n", "done"), ("", "refused")] {
        let world = World::new(config);
        let (first, next) =
            (json!({"filesystem": {"write": ["~/out"]}}), json!({"filesystem": {"read": ["~/out/next"]}}));
        if config.is_empty() && !world.confines(&first) {
            return;
        }
        world.publish(&first);
        all(&world.tries(&["plant a link"]), &["plant a link"], "done");
        world.publish(&next);
        all(&world.tries(&read), &read, expected);
    }
}

#[test]
fn a_path_of_programs_that_leads_to_the_home_opens_nothing() {
    let world = World::new("");
    if !world.confines(&json!({})) {
        return;
    }
    let names = ["read what it asked for", "read the key", "start a program"];
    let path = format!("{}:{}", python_path(), world.bed.path("docs/..").display());
    let invocation = world.bed.smcp(&format!("run {TOOL} --")).args(&[names.join(",")]).env("PATH", path);
    let tries = pairs(&invocation.run().succeeds().stdout);
    all(&tries, &names[..2], "refused");
    all(&tries, &names[2..], "done");
}

#[test]
fn keys_are_keys_wherever_they_are_mounted() {
    let names = ["read the key where it is mounted", "read the key"];
    let open = ["read what is mounted"];
    for (config, expected) in [("confinement: off\n", "done"), ("", "refused")] {
        let world = World::new(config);
        let permissions = json!({"filesystem": {"read": ["~/srv", "~/docs"]}});
        if config.is_empty() && !world.confines(&permissions) {
            return;
        }
        world.publish(&permissions);
        world.bed.write("srv/again/.keep", "");
        let tries = [&names[..], &open].concat();
        let smcp =
            world.bed.smcp(&format!("run {TOOL} --")).args(&[tries.join(",")]).env("PATH", python_path()).command;
        // A mount that only this smcp sees.
        let mut command = Command::new("unshare");
        command.args(if geteuid().is_root() { &["-m"][..] } else { &["-r", "-m"] });
        command.args(["sh", "-c", "mount --bind . srv/again || exit 77; exec \"$@\"", "sh"]);
        command.arg(smcp.get_program()).args(smcp.get_args()).current_dir(world.bed.path(""));
        command.env_clear().envs(smcp.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let output = command.stdin(Stdio::null()).output().unwrap();
        if !output.status.success() {
            // Not everybody may mount; then it says so, and nothing is printed.
            let why = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(why.contains("unshare") || output.status.code() == Some(77), "{why}");
            return;
        }
        let tries = pairs(&String::from_utf8(output.stdout).unwrap());
        all(&tries, &names, expected);
        all(&tries, &open, "done");
    }
}
