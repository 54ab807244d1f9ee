//! A client that is killed during a session leaves nothing, like any other.

use crate::bed::TestBed;
use crate::client::Client;
use crate::client::Talk;
use crate::server::Server;
use crate::server::Standing;

#[track_caller]
fn nothing_is_left(client: Client, standing: Standing) {
    let bed = TestBed::new();
    Server::Filesystem.publish(&bed);
    // More log messages than ever come, so the client stays until it is killed.
    let talk = Talk::new("legacy").hears(99);
    client.killed(&bed, Server::Filesystem, standing, talk, || bed.has("files/written.txt"));
}

#[test]
fn a_killed_client_on_the_python_sdk_leaves_nothing() {
    nothing_is_left(Client::Python, Standing::Good);
    nothing_is_left(Client::Python, Standing::Poor);
}

#[test]
fn a_killed_client_on_the_rust_sdk_leaves_nothing() {
    nothing_is_left(Client::Rust, Standing::Good);
    nothing_is_left(Client::Rust, Standing::Poor);
}

/// Checks that the tests above can fail.
#[cfg(target_os = "linux")]
#[test]
fn a_process_that_is_left_is_seen() {
    use std::io::Read as _;
    use std::io::Write as _;
    use std::process::Command;
    use std::process::Stdio;

    use crate::client::assert_nothing_left;
    use crate::client::processes;

    let bed = TestBed::new();
    let mut command = Command::new("cat");
    let mut left = command.env("HOME", bed.path("")).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    // An answer shows that it runs; until then the system may not show its variables.
    left.stdin.as_mut().unwrap().write_all(b"x").unwrap();
    left.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
    assert_eq!(processes(&bed), ["cat\0"]);
    drop(left.stdin.take());
    left.wait().unwrap();
    assert_nothing_left(&bed);
}
