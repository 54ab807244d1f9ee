//! What smcp itself was given is not the server's: a terminal, a group, capabilities.

use std::io::BufRead as _;
use std::io::BufReader;
use std::process::Command;
use std::process::Stdio;

use nix::errno::Errno;
use nix::sys::signal::Signal;
use nix::sys::signal::kill;
use nix::unistd::Pid;
use nix::unistd::geteuid;
use nix::unistd::getpgid;
use nix::unistd::getpgrp;
use serde_json::Value;
use serde_json::json;

use crate::terminal::Terminal;
use crate::world::TOOL;
use crate::world::World;
use crate::world::all;
use crate::world::outcome;
use crate::world::pairs;
use crate::world::python_path;

/// Tries at a terminal on which the client is, and smcp's messages are shown.
const TERMINAL: [&str; 5] = [
    "open the terminal",
    "take the terminal",
    "read what is typed",
    "read it from another session",
    "join another group",
];

/// Has the server try these on a terminal where something was typed, with smcp's standard input elsewhere.
fn on_a_terminal(world: &World, names: &[&str]) -> Vec<(String, String)> {
    let mut terminal = Terminal::new();
    let invocation = world.bed.smcp(&format!("run {TOOL} --")).args(&[names.join(",")]).env("PATH", python_path());
    let mut command = terminal.controls(&invocation.command);
    command.stdin(Stdio::null()).stderr(terminal.stream());
    terminal.types("a secret\n");
    let output = command.output().unwrap();
    // It has the terminal open, too.
    drop(command);
    terminal.end();
    pairs(&String::from_utf8(output.stdout).unwrap())
}

#[test]
fn what_is_typed_for_the_client_is_not_the_servers() {
    let world = World::new("confinement: off\n");
    world.publish(&json!({}));
    for names in [&TERMINAL[..2], &TERMINAL[1..3], &TERMINAL[3..4], &TERMINAL[4..]] {
        all(&on_a_terminal(&world, names), names, "done");
    }
    let world = World::new("");
    if world.confines(&json!({"filesystem": {"read": ["/"], "write": ["/"]}})) {
        all(&on_a_terminal(&world, &TERMINAL), &TERMINAL, "refused");
    }
}

#[test]
fn no_server_stays_in_the_group_of_smcp() {
    // One that is confined can't go there. Whoever is not, is ended with all that smcp has started.
    let world = World::new("");
    world.publish(&Value::Null);
    let mut invocation = world.bed.smcp(&format!("run {TOOL} --")).args(&["stay"]).env("PATH", python_path());
    let mut smcp = invocation.start();
    let mut line = String::new();
    BufReader::new(smcp.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    let server = Pid::from_raw(line.trim().strip_prefix("stays: ").unwrap().parse().unwrap());
    assert_eq!(getpgid(Some(server)), Ok(getpgrp()), "smcp is in the group of the test");
    kill(Pid::from_raw(smcp.id().cast_signed()), Signal::SIGTERM).unwrap();
    smcp.wait().unwrap();
    assert_eq!(kill(server, None), Err(Errno::ESRCH));
}

#[test]
fn capabilities_that_programs_inherit_are_not_the_servers() {
    let world = World::new("");
    if !geteuid().is_root() || !world.confines(&json!({})) {
        return;
    }
    let machine = "+sys_admin,+sys_ptrace,+dac_read_search";
    // As root, and as somebody who has just these.
    for more in [&[][..], &["--securebits=+noroot"]] {
        let sets = "CapEff,CapPrm,CapInh,CapAmb";
        let smcp = world.bed.smcp(&format!("run {TOOL} --")).args(&["start a thread", sets]);
        let smcp = smcp.env("PATH", python_path()).command;
        let mut command = Command::new("setpriv");
        command.args(["--inh-caps", machine, "--ambient-caps", machine]).args(more);
        command.arg(smcp.get_program()).args(smcp.get_args()).current_dir(world.bed.path(""));
        command.env_clear().envs(smcp.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let output = command.stdin(Stdio::null()).output().unwrap();
        let tries = pairs(&String::from_utf8(output.stdout).unwrap());
        all(&tries, &["start a thread"], "done");
        for set in sets.split(',') {
            let has = u64::from_str_radix(outcome(&tries, set), 16).unwrap();
            assert_eq!(has & (1 << 2 | 1 << 19 | 1 << 21), 0, "{more:?} {set}: {has:x}");
        }
    }
}
