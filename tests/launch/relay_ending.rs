//! How a relayed session ends: nothing is lost or left, whoever leaves first.

use std::fs::File;
use std::io::Read as _;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::process::Stdio;

use nix::sys::signal::Signal;
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;

use crate::bed::Bed;
use crate::bed::NEVER;
use crate::bed::NOW;
use crate::bed::PATIENT;
use crate::bed::Smcp;
use crate::bed::closed_by_its_reader;
use crate::bed::line_with;
use crate::bed::sh;
use crate::bed::this_program;
use crate::relay::Client;
use crate::relay::python;
use crate::relay::rest_of;
use smcp_launch::ending::GracePeriods;
use smcp_launch::status::Ended;

/// A file that a server of this bundle holds open while it lives, by `exec 9>alive`.
fn life_line(bed: &Bed) -> impl FnOnce() + use<> {
    let path = bed.root().join("alive");
    mkfifo(&path, Mode::S_IRWXU).unwrap();
    move || assert_eq!(rest_of(&mut File::open(path).unwrap()), b"")
}

/// More than a pipe holds, and less than two do.
#[test]
fn p12_everything_a_server_wrote_is_delivered_after_its_end() {
    let bed = Bed::new();
    let wait_for_end = life_line(&bed);
    let script = "exec 9>alive; head -c 100000 /dev/zero; exit 7";
    let client = Client::with(bed, sh(script), PATIENT);
    wait_for_end();
    assert!(client.is_launched(), "smcp has not given the client everything yet");
    let (ended, heard) = client.waits();
    assert_eq!((ended, heard), (Ended::Exited(7), vec![0; 100_000]));
}

#[test]
fn p13_a_client_that_neither_talks_nor_leaves_is_not_waited_for() {
    let mut client = Client::of(sh("read line; echo \"$line\"; exit 7"));
    client.says("hello\n");
    client.hears("hello\n");
    let (ended, heard) = client.waits();
    assert_eq!((ended, heard), (Ended::Exited(7), Vec::new()));
}

#[test]
fn p13_nor_is_one_that_talks_to_nobody() {
    // More than the pipes hold, so that the relay is still forwarding when the server ends.
    let mut client = Client::of(sh("echo ready; read line; exit 7"));
    client.hears("ready\n");
    let mut input = client.input.try_clone().unwrap();
    let writer = std::thread::spawn(move || (0..64).try_for_each(|_| input.write_all(&[b'\n'; 64 * 1024])));
    let (ended, _) = client.waits();
    assert_eq!(ended, Ended::Exited(7));
    assert!(writer.join().unwrap().is_err(), "nobody reads it");
}

#[test]
fn p14_children_end_with_a_relayed_server() {
    let grace_periods = GracePeriods { input_closed: NOW, terminate: NOW };
    let mut client = Client::with(Bed::new(), sh("trap '' TERM; sleep 1000 & echo ready; wait"), grace_periods);
    client.hears("ready\n");
    let (finished, heard) = client.leaves();
    assert_eq!((finished.unwrap().ended, heard), (Ended::Signalled(9), Vec::new()));
}

#[test]
fn a_server_whose_client_has_left_may_finish() {
    let mut client = Client::of(sh("cat; echo done"));
    client.says("one\ntwo\n");
    let (finished, heard) = client.leaves();
    assert_eq!((finished.unwrap().ended, heard.as_slice()), (Ended::Exited(0), b"one\ntwo\ndone\n".as_slice()));
}

#[test]
fn a_client_that_listens_no_more_has_left() {
    let hasty = GracePeriods { input_closed: NOW, terminate: NEVER };
    let cases = [
        ("it writes on, as most would", "echo ready; read line; exec yes", PATIENT, Ended::Signalled(13)),
        // Written repeatedly: another test's process may hold the client's end between its fork and its exec, and
        // accept these writes.
        (
            "it reads to its end",
            "echo ready; read line; while :; do echo more; done & cat; exit 5",
            PATIENT,
            Ended::Exited(5),
        ),
        (
            "it cares for nothing",
            "trap '' PIPE; echo ready; read line; while :; do echo x; done 2>/dev/null",
            hasty,
            Ended::Signalled(15),
        ),
    ];
    for (case, script, grace_periods, expected) in cases {
        let mut client = Client::with(Bed::new(), sh(script), grace_periods);
        client.hears("ready\n");
        assert_eq!(client.stops_listening(), expected, "{case}");
    }
}

#[test]
fn a_server_that_closes_its_output_lives_until_its_client_leaves() {
    let mut client = Client::of(sh("echo one; exec >&-; cat >heard; exit 5"));
    assert_eq!(rest_of(&mut client.output), b"one\n");
    client.says("still there\n");
    let heard = client.bed.root().join("heard");
    assert!(client.is_launched());
    let Client { input, launch, bed, .. } = client;
    drop(input);
    assert_eq!(launch.join().unwrap().unwrap().ended, Ended::Exited(5));
    assert_eq!(std::fs::read(heard).unwrap(), b"still there\n");
    drop(bed);
}

#[test]
fn the_client_sees_the_end_of_an_output_that_smcp_inherited() {
    let bed = Bed::new();
    let mut smcp = Smcp::start_warned(&bed, "echo one; exec >&-; read line; exit 5", PATIENT);
    line_with(&mut smcp.output, "one");
    assert_eq!(rest_of(&mut smcp.output), b"");
    smcp.input.as_mut().unwrap().write_all(b"go on\n").unwrap();
    smcp.ends_with(5);
}

#[test]
fn a_server_that_closes_its_input_may_talk_on() {
    let bed = Bed::new();
    mkfifo(&bed.root().join("closed"), Mode::S_IRWXU).unwrap();
    let closed = bed.root().join("closed");
    let mut client =
        Client::with(bed, sh("exec <&-; echo >closed; echo one; read line <closed; echo two; exit 5"), PATIENT);
    rest_of(&mut File::open(&closed).unwrap());
    // The client sees the same as without smcp, and without a message from itself.
    closed_by_its_reader(&client.input);
    assert_eq!(client.input.write_all(b"nobody hears this\n").unwrap_err().kind(), std::io::ErrorKind::BrokenPipe);
    client.hears("one\n");
    File::options().write(true).open(&closed).unwrap().write_all(b"\n").unwrap();
    let (ended, heard) = client.waits();
    assert_eq!((ended, heard.as_slice()), (Ended::Exited(5), b"two\n".as_slice()));
}

#[test]
fn a_client_that_reads_slowly_gets_everything() {
    let client = Client::of(sh("head -c 1000000 /dev/zero; exit 7"));
    let Client { input: _input, mut output, launch, bed: _bed } = client;
    let mut heard = 0;
    let mut few = [0; 777];
    loop {
        match output.read(&mut few).unwrap() {
            0 => break,
            count => heard += count,
        }
    }
    assert_eq!((heard, launch.join().unwrap().unwrap().ended), (1_000_000, Ended::Exited(7)));
}

#[test]
fn a_signal_to_smcp_ends_a_server_whose_client_does_not_read() {
    let bed = Bed::new();
    let mut smcp = Smcp::start_warned(&bed, "echo ready; exec yes", PATIENT);
    line_with(&mut smcp.output, "ready");
    smcp.signal(Signal::SIGTERM);
    smcp.ends_with(143);
}

#[test]
fn a_signal_ends_the_wait_for_a_client_that_does_not_read() {
    let bed = Bed::new();
    let wait_for_end = life_line(&bed);
    let smcp = Smcp::start_warned(&bed, "exec 9>alive; head -c 100000 /dev/zero; exit 7", PATIENT);
    wait_for_end();
    smcp.signal(Signal::SIGTERM);
    smcp.ends_with(7);
}

#[test]
fn a_grandchild_that_holds_the_output_is_not_waited_for() {
    let script = "import os, sys
if os.fork() == 0:
    os.setsid()
    while True:
        try: os.write(1, b'x' * 4095 + b'\\n')
        except OSError: sys.exit()
os.write(1, b'ready\\n')
os._exit(7)";
    let client = Client::of(python(script));
    let Client { input: _input, mut output, launch, bed: _bed } = client;
    let reader = std::thread::spawn(move || rest_of(&mut output));
    assert_eq!(launch.join().unwrap().unwrap().ended, Ended::Exited(7));
    assert!(!reader.join().unwrap().is_empty());
}

/// Counts the descriptors, threads and children of a process.
#[cfg(target_os = "linux")]
fn held() -> [usize; 3] {
    let count = |path: &str| std::fs::read_dir(path).unwrap().count();
    let children: usize = std::fs::read_dir("/proc/self/task")
        .unwrap()
        .filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("children")).ok())
        .map(|children| children.split_whitespace().count())
        .sum();
    [count("/proc/self/fd"), count("/proc/self/task"), children]
}

#[test]
#[cfg(target_os = "linux")]
fn fifty_launches_in_a_row_leave_nothing() {
    // A separate process, because other tests of this one have threads and descriptors too.
    let arguments = ["--exact", "relay_ending::fifty_launches", "--ignored", "--nocapture"];
    let output = Command::new(this_program()).args(arguments).stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
#[cfg(target_os = "linux")]
#[ignore = "a process that another test starts"]
fn fifty_launches() {
    let launch = || {
        let mut client = Client::of(sh("while read line; do echo \"got $line\"; done; exit 5"));
        client.says("one\n");
        client.hears("got one\n");
        let root = client.bed.root().to_owned();
        assert_eq!(client.leaves().0.unwrap().ended, Ended::Exited(5));
        assert!(!Path::new(&root).exists());
    };
    // The first launch opens what is opened once and kept.
    launch();
    let before = held();
    (0..50).for_each(|_| launch());
    assert_eq!(held(), before, "descriptors, threads, children");
}
