//! What a start hands over beside what the manifest asks for: the folder of the client, and its streams.

use std::io::Read as _;
use std::net::TcpListener;
use std::net::TcpStream;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::os::unix::net::UnixStream;
use std::process::Stdio;

use serde_json::Value;
use serde_json::json;

use crate::bed::Package;
use crate::world::TOOL;
use crate::world::World;

/// A script for a script of the bundle, which reads the files that it is told.
const READER: &str = "#!/bin/sh\nshift\nfor file; do\n  line=; if IFS= read -r line < \"$file\" || [ -n \"$line\" ]\n  \
     then echo \"$file: done\"; else echo \"$file: refused\"; fi\ndone 2> /dev/null\n";

/// Publishes a server whose `#!` line names its interpreter so.
fn publish(world: &World, line: &str, interpreter: &str, permissions: &Value) {
    let server = Package::greeter(TOOL).entrypoint(json!({"command": ["./server"]}));
    let server = server.manifest(|manifest| manifest["permissions"] = permissions.clone());
    let _ = std::fs::remove_dir_all(world.bed.path("registry"));
    world.bed.publish(&server.file("server", line, 0o755).file(interpreter, READER, 0o755).good());
}

/// A client starts smcp where its user works, and has programs there. What a `#!` line names is named for the server, whose
/// folder is the bundle.
#[test]
fn an_interpreter_of_the_bundle_opens_no_folder_of_the_client() {
    for (line, interpreter) in [
        ("#!./x\n", "x"),
        ("#!x\n", "x"),
        ("#!bin/x\n", "bin/x"),
        ("#!/proc/self/cwd/x\n", "x"),
        ("#!/proc/thread-self/cwd/bin/x\n", "bin/x"),
    ] {
        for (config, expected) in [("confinement: off\n", "done"), ("", "refused")] {
            let world = World::new(config);
            for file in ["work/x", "work/bin/x"] {
                world.bed.write(file, "");
            }
            for permissions in [json!({"subprocess": false}), json!({"subprocess": true})] {
                publish(&world, line, interpreter, &permissions);
                let names = ["work/x", "work/bin/x", "docs/page"];
                let files = names.map(|name| world.bed.path(name));
                world.bed.write("work/x", "secret");
                world.bed.write("work/bin/x", "secret");
                let mut invocation = world.bed.smcp(&format!("run {TOOL} --")).args(&files);
                invocation.command.current_dir(world.bed.path("work"));
                let ran = invocation.run().succeeds();
                if config.is_empty() && !world.foreseen().1.is_empty() {
                    continue;
                }
                let said = names.map(|name| format!("[HOME]/{name}: {expected}\n")).concat();
                assert_eq!(ran.stdout, said, "{line:?} {permissions}");
            }
        }
    }
}

/// A program that an earlier version has left is where it wanted it to be, and brings no folder with it.
#[test]
fn an_interpreter_that_the_package_names_is_granted_alone() {
    let world = World::new("");
    world.bed.write("docs/bin/x", READER);
    let program = world.bed.path("docs/bin/x");
    std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let permissions = json!({"subprocess": true});
    if world.confines(&permissions) {
        publish(&world, &format!("#!{}\n", program.display()), "unused", &permissions);
        let files = ["docs/bin/x", "docs/page"].map(|name| world.bed.path(name));
        let ran = world.bed.smcp(&format!("run {TOOL} --")).args(&files).run().succeeds();
        assert_eq!(ran.stdout, "[HOME]/docs/bin/x: done\n[HOME]/docs/page: refused\n");
    }
}

/// A socket of the network, and one of datagrams, can be connected with somebody else by who has it.
#[test]
fn a_stream_that_leads_elsewhere_is_not_handed_to_who_may_not_go_there() {
    let world = World::new("");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let network = || OwnedFd::from(TcpStream::connect(listener.local_addr().unwrap()).unwrap());
    let datagrams = || OwnedFd::from(UnixDatagram::pair().unwrap().0);
    let local = || OwnedFd::from(UnixStream::pair().unwrap().0);
    for (hosts, stays) in [(json!([]), false), (json!(["api.example.com"]), false), (json!(["*"]), true)] {
        let asked = json!({"network": {"outbound": hosts}});
        if !world.confines(&asked) || world.foreseen().1.contains(&"hosts".to_owned()) {
            continue;
        }
        publish(&world, "#!/bin/sh\necho started\n", "x", &asked);
        for (stream, starts) in [(network(), stays), (datagrams(), stays), (local(), true)] {
            for number in [0, 2] {
                let copy = || Stdio::from(stream.try_clone().unwrap());
                let mut command = world.bed.smcp(&format!("run {TOOL}")).command;
                command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
                if number == 0 {
                    command.stdin(copy())
                } else {
                    command.stderr(copy())
                };
                let mut child = command.spawn().unwrap();
                let mut said = String::new();
                child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
                let output = child.wait_with_output().unwrap();
                let errors = String::from_utf8_lossy(&output.stderr);
                assert_eq!(said, if starts { "started\n" } else { "" }, "{hosts} {number} {errors}");
                assert_eq!(output.status.code(), Some(if starts { 0 } else { 6 }), "{hosts} {number} {errors}");
                let explains = errors.contains("is a socket that it could connect to other places");
                assert_eq!(explains, !starts && number == 0, "{hosts} {number} {errors}");
            }
        }
    }
}
