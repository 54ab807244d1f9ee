//! `run --confinement observe`: what a server used, as a block to write its manifest from.

use std::net::TcpListener;

use nix::sys::signal::Signal;
use nix::sys::signal::kill;
use nix::unistd::Pid;
use serde_json::Value;
use serde_json::json;

use crate::bed::Package;
use crate::bed::Ran;
use crate::bed::TestBed;
use crate::world::TOOL;
use crate::world::World;
use crate::world::python_path;

const SERVER: &str = include_str!("observed.py");

/// Publishes the server with these permissions; `null` is a manifest without a block.
fn publish(bed: &TestBed, permissions: &Value) {
    let server = Package::greeter(TOOL).entrypoint(json!({"command": ["python3", "observed.py"]}));
    let server = server.manifest(|manifest| manifest["permissions"] = permissions.clone());
    let _ = std::fs::remove_dir_all(bed.path("registry"));
    bed.publish(&server.file("observed.py", SERVER, 0o644).good());
}

/// The world, with more files, and without what an earlier server has left.
fn world(permissions: &Value) -> World {
    let world = World::new("");
    for number in 0..40 {
        world.bed.write(&format!("many/{number}"), "text");
    }
    world.bed.write("odd/a[1]", "text");
    std::os::unix::fs::symlink(world.bed.path("docs/page"), world.bed.path("link")).unwrap();
    publish(&world.bed, permissions);
    world
}

fn run(world: &World, options: &str, uses: &str) -> Ran {
    let invocation = world.bed.smcp(&format!("run {options} {TOOL} --env PORT -- ")).args(&[uses]);
    invocation.env("PORT", "1").env("PATH", python_path()).run().succeeds()
}

/// The block of permissions that is shown at the end.
fn block(ran: &Ran) -> Value {
    let from = ran.stderr.find("{\n").unwrap_or_else(|| panic!("no block: {ran}"));
    let to = ran.stderr.find("\n}\n").unwrap_or_else(|| panic!("no block: {ran}"));
    serde_json::from_str(&ran.stderr[from..to + 2]).unwrap()
}

/// A block with these paths, and nothing else.
fn files(read: &[&str], write: &[&str]) -> Value {
    json!({
        "network": {"outbound": []}, "filesystem": {"read": read, "write": write}, "env_vars": [], "subprocess": false,
    })
}

#[test]
fn what_a_server_uses_is_what_the_block_has() {
    let world = world(&Value::Null);
    for (uses, read, write) in [
        ("temporary,vain", &[][..], &[][..]),
        ("page", &["~/docs/page"], &[]),
        ("beside", &["~/docs/page"], &[]),
        ("link", &["~/docs/page"], &[]),
        ("thread", &["~/docs/page"], &[]),
        ("folder,page", &["~/docs"], &[]),
        ("many", &["~/many"], &[]),
        ("brackets", &["~/odd"], &[]),
        ("home", &[], &[]),
        ("overwrite", &[], &["~/out/there"]),
        ("update", &["~/out/there"], &["~/out/there"]),
        ("make", &[], &["~/out"]),
        ("replace,overwrite", &[], &["~/out"]),
        ("in home", &[], &["~/.tool"]),
        ("key", &["~/.ssh/key"], &[]),
        ("rules", &[], &[]),
        ("read and write", &["~/out"], &["~/out"]),
        ("odd", &["~/odd"], &["~/odd"]),
        ("in vain", &[], &[]),
        ("again", &["~/docs/page"], &[]),
        ("again by its thread", &["~/docs/page"], &[]),
        ("again by its number", &["~/docs/page"], &[]),
        ("again by a device", &["~/docs/page"], &[]),
        ("root", &["~/many/7"], &[]),
    ] {
        let _ = std::fs::remove_file(world.bed.path("out/new"));
        let ran = run(&world, "--confinement observe", uses);
        assert_eq!(block(&ran), files(read, write), "{uses}: {ran}");
        assert!(ran.stdout.lines().all(|line| line.ends_with("done") || line.starts_with("vain")), "{ran}");
    }
}

/// A draft may be wider than what was used, but for what holds keys.
#[test]
fn keys_are_in_a_draft_one_by_one_or_not_at_all() {
    let world = world(&Value::Null);
    let keys: Vec<String> = (0..10).map(|number| format!("~/.ssh/{number}")).collect();
    for name in keys.iter().map(|key| key.trim_start_matches("~/")).chain([".ssh/a[1]"]) {
        world.bed.write(name, "secret");
    }
    let ran = run(&world, "--confinement observe", "keys,odd key");
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    assert_eq!(block(&ran), files(&keys, &[]), "{ran}");
    assert!(ran.stderr.contains("it wanted to read what holds keys: `~/.ssh/0`"), "{ran}");
}

/// What is done by a ring is done by nobody whom smcp could be asked about.
#[test]
fn a_ring_is_no_way_past_who_watches() {
    let ran = run(&world(&Value::Null), "--confinement observe", "ring");
    assert_eq!(ran.stdout, "ring Function not implemented\n", "{ran}");
}

/// A rename between two folders, which have to have the same rights, and sockets that lead to nobody.
#[test]
fn what_moves_and_what_listens_works_with_its_draft() {
    let world = world(&Value::Null);
    let ran = run(&world, "--confinement observe", "listen,ask,move");
    let draft = block(&ran);
    assert_eq!(draft["filesystem"], json!({"read": ["~/docs", "~/out"], "write": ["~/docs", "~/out"]}), "{ran}");
    assert_eq!(draft["network"]["outbound"], json!(["localhost"]), "{ran}");
    std::fs::rename(world.bed.path("out/page"), world.bed.path("docs/page")).unwrap();
    publish(&world.bed, &draft);
    if world.foreseen().0 == "full" {
        let after = run(&world, "--confinement required", "listen,ask,move");
        assert_eq!(after.stdout, ran.stdout, "{after}");
    }
}

#[test]
fn a_job_that_is_stopped_and_goes_on_is_watched_as_before() {
    let world = world(&json!({"filesystem": {"read": ["~/docs"]}, "subprocess": false}));
    let mut invocation = world.bed.smcp(&format!("run --confinement observe {TOOL} --")).args(&["busy,program"]);
    invocation = invocation.env("PATH", python_path());
    let mut child = invocation.start();
    let smcp = Pid::from_raw(child.id().cast_signed());
    let stdin = child.stdin.take();
    let mut turns = 0;
    while child.try_wait().unwrap().is_none() {
        turns += 1;
        // It may have ended since.
        let _ = kill(smcp, Signal::SIGSTOP);
        let _ = kill(smcp, Signal::SIGCONT);
    }
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    let [said, errors] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    assert!(said.starts_with("busy done\nprogram "), "{turns}: {said} {errors}");
    assert!(!said.contains("program done") || !world.confines(&json!({})), "{turns}: {said} {errors}");
    assert!(errors.contains("~/docs/page") && !errors.contains("is not seen any more"), "{turns}: {errors}");
}

#[test]
fn what_no_block_says_is_said() {
    let world = world(&Value::Null);
    for (uses, words) in [
        ("home", "`~` was read itself, and is left out"),
        ("in home", "it made `~/.tool` in the home itself, or above it, where no block allows it"),
        ("key", "it wanted to read what holds keys: `~/.ssh/key`"),
        ("rules", "it wanted what smcp itself keeps, which is left out: `~/.mcp`"),
        ("session", "it connected to `~/session`: sockets with a path take `*` in `outbound`"),
    ] {
        run(&world, "--confinement observe", uses).says(&[words]);
    }
    let ran = run(&world, "", "page");
    assert!(!ran.stderr.contains("permissions"), "nobody asked: {ran}");
}

#[test]
fn processes_are_seen_and_threads_are_none() {
    let world = world(&Value::Null);
    for (uses, subprocess) in [("fork", true), ("program", true), ("crowd", true), ("thread", false), ("page", false)] {
        let ran = run(&world, "--confinement observe", uses);
        assert_eq!(block(&ran)["subprocess"], subprocess, "{uses}: {ran}");
    }
    let ran = run(&world, "--confinement observe", "crowd");
    assert_eq!(block(&ran)["filesystem"]["read"], json!(["~/many"]), "of all processes: {ran}");
}

#[test]
fn a_script_for_env_is_one_program() {
    let bed = TestBed::new();
    bed.configure("");
    let script = "#!/usr/bin/env python3\nprint('here')\n";
    let server = Package::greeter(TOOL).entrypoint(json!({"command": ["./server"]})).file("server", script, 0o755);
    let server = server.manifest(|manifest| manifest["permissions"] = Value::Null);
    bed.publish(&server.good());
    let ran = bed.smcp(&format!("run --confinement observe {TOOL}")).env("PATH", python_path()).run().succeeds();
    assert_eq!((ran.stdout.as_str(), &block(&ran)), ("here\n", &files(&[], &[])), "{ran}");
}

#[test]
fn addresses_are_noted_with_their_ports() {
    let world = world(&Value::Null);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let invocation = world.bed.smcp(&format!("run --confinement observe {TOOL} --env PORT -- ")).args(&["address"]);
    let ran = invocation.env("PORT", port.to_string()).env("PATH", python_path()).run().succeeds();
    assert_eq!(block(&ran)["network"]["outbound"], json!([format!("localhost:{port}")]), "{ran}");
    assert_eq!(ran.stdout, "address done\n", "{ran}");
}

/// The block is written, published, and the server works by it as it did before.
#[test]
fn a_server_works_with_its_draft() {
    let uses = "page,folder,many,overwrite,make,replace,update,key,temporary,thread";
    let world = world(&Value::Null);
    let observed = run(&world, "--confinement observe", uses);
    let before = run(&world, "", uses);
    let draft = block(&observed);
    publish(&world.bed, &draft);
    if world.foreseen().0 == "full" {
        let _ = std::fs::remove_file(world.bed.path("out/new"));
        let after = run(&world, "--confinement required", uses);
        assert_eq!((&after.stdout, &observed.stdout), (&before.stdout, &before.stdout), "{draft:#}");
        let again = run(&world, "--confinement observe", uses);
        assert_eq!(block(&again), draft, "and says the same of it: {again}");
    }
}

#[test]
fn what_is_refused_stays_refused_and_is_said() {
    let world = world(&json!({"subprocess": false, "filesystem": {"read": ["~/docs"]}}));
    if world.foreseen().0 != "full" {
        return;
    }
    let ran = run(&world, "--confinement observe", "page,many,make,fork,program,program,address");
    let outcomes = [
        "page done",
        "many Permission denied",
        "make Permission denied",
        "fork Operation not permitted",
        "program Operation not permitted",
        "program Operation not permitted",
        "address Permission denied",
    ];
    assert_eq!(ran.stdout.lines().collect::<Vec<_>>(), outcomes, "{ran}");
    let ran = ran.says(&[
        "it could not read `~/many/0`",
        "it could not write to `~/out`",
        "its manifest does not ask for it",
        "it was refused programs and processes, ",
        "it was refused sockets, once",
    ]);
    assert_eq!(block(&ran)["filesystem"], json!({"read": ["~/docs/page", "~/many/0"], "write": ["~/out"]}), "{ran}");
    assert!(!world.bed.has("out/new"));
    let log = world.bed.read(".mcp/audit.jsonl");
    let end: Value = serde_json::from_str(log.lines().last().unwrap()).unwrap();
    let kinds: Vec<_> = end["denied_calls"].as_array().unwrap().iter().map(|denied| denied["kind"].clone()).collect();
    assert_eq!(kinds, ["programs and processes", "sockets"], "{end}");
}

#[test]
fn observing_loosens_nothing() {
    let world = world(&Value::Null);
    let ran = world.bed.run(&format!("run --dry-run --confinement observe {TOOL}"));
    ran.refuses(1, &["--confinement observe has no effect with --dry-run"]);
    world.bed.configure("confinement: required\n");
    world.bed.run(&format!("run --confinement observe {TOOL}")).exits(4);
    // Off is the loosest, and observing is not off.
    world.bed.configure("confinement: off\n");
    publish(&world.bed, &json!({"subprocess": false}));
    let ran = run(&world, "--confinement observe", "key,program");
    if world.confines(&json!({})) {
        assert_eq!(ran.stdout, "key Permission denied\nprogram Operation not permitted\n", "{ran}");
    }
}

#[test]
fn a_server_that_can_not_start_leaves_no_block() {
    let bed = TestBed::new();
    bed.configure("");
    let server = Package::greeter(TOOL).entrypoint(json!({"command": ["./server"]}));
    bed.publish(&server.file("server", "#!/no/such/interpreter\n", 0o755).good());
    let ran = bed.run(&format!("run --confinement observe {TOOL}")).exits(6);
    assert!(!ran.stderr.contains("subprocess"), "{ran}");
}
