//! How a server is ended: by its client, by a signal, never by accident.

use std::io::BufRead as _;
use std::io::Write as _;
use std::os::unix::net::UnixStream;

use nix::sys::signal::Signal;

use crate::bed::Bed;
use crate::bed::NEVER;
use crate::bed::NOW;
use crate::bed::PATIENT;
use crate::bed::Smcp;
use crate::bed::line_with;
use crate::bed::null;
use crate::bed::sh;
use smcp_launch::ending::GracePeriods;
use smcp_launch::status::Ended;

/// A child of the server that holds its output open, and ignores the same signals as the server.
const WITH_CHILD: &str = "sleep 1000 & echo ready; wait";
/// Ignores SIGTERM, as does every process that it starts.
const STUBBORN: &str = "trap '' TERM; sleep 1000 & echo ready; wait";

#[test]
fn a_server_may_finish_what_its_client_sent_before_leaving() {
    let (read, mut write) = std::io::pipe().unwrap();
    write.write_all(b"one\ntwo\n").unwrap();
    drop(write);
    let (ended, output) = Bed::new().start("cat; echo done", read, PATIENT).end();
    assert_eq!((ended, output.as_str()), (Ended::Exited(0), "one\ntwo\ndone\n"));
}

#[test]
fn a_server_that_ignores_the_end_of_its_input_is_asked_to_end() {
    let grace_periods = GracePeriods { input_closed: NOW, terminate: NEVER };
    let (read, write) = std::io::pipe().unwrap();
    let mut running = Bed::new().start(WITH_CHILD, read, grace_periods);
    line_with(&mut running.output, "ready");
    drop(write);
    assert_eq!(running.end().0, Ended::Signalled(15));
}

#[test]
fn a_server_that_handles_sigterm_ends_as_it_likes() {
    let grace_periods = GracePeriods { input_closed: NOW, terminate: NEVER };
    let (read, write) = std::io::pipe().unwrap();
    let mut running =
        Bed::new().start("trap 'echo bye; exit 3' TERM; sleep 1000 & echo ready; wait", read, grace_periods);
    line_with(&mut running.output, "ready");
    drop(write);
    assert_eq!(running.end(), (Ended::Exited(3), "bye\n".to_owned()));
}

#[test]
fn a_server_that_ignores_everything_is_killed_with_its_children() {
    let grace_periods = GracePeriods { input_closed: NOW, terminate: NOW };
    let (read, write) = std::io::pipe().unwrap();
    let mut running = Bed::new().start(STUBBORN, read, grace_periods);
    line_with(&mut running.output, "ready");
    drop(write);
    assert_eq!(running.end().0, Ended::Signalled(9));
}

#[test]
fn a_client_that_dies_behind_a_socket_is_noticed() {
    let grace_periods = GracePeriods { input_closed: NOW, terminate: NEVER };
    let (ours, client) = UnixStream::pair().unwrap();
    let mut running = Bed::new().start(WITH_CHILD, ours, grace_periods);
    line_with(&mut running.output, "ready");
    drop(client);
    assert_eq!(running.end().0, Ended::Signalled(15));
}

#[test]
fn children_do_not_outlive_their_server() {
    let (ended, output) = Bed::new().start("trap '' HUP TERM; sleep 1000 & exit 7", null(), PATIENT).end();
    assert_eq!((ended, output.as_str()), (Ended::Exited(7), ""));
}

#[test]
fn an_input_that_never_closes_ends_nobody() {
    let hasty = GracePeriods { input_closed: NOW, terminate: NOW };
    let bed = Bed::new();
    for input in [null(), tempfile::tempfile().unwrap()] {
        let (ended, output) = bed.run_with(sh("cat; sh -c 'sh -c :'; echo done"), input, |mut setup| {
            setup.grace_periods = hasty;
            setup
        });
        assert_eq!((ended.unwrap(), output.as_str()), (Ended::Exited(0), "done\n"));
    }
}

#[test]
fn a_client_and_its_server_talk_undisturbed() {
    let grace_periods = GracePeriods { input_closed: NEVER, terminate: NOW };
    let (read, mut write) = std::io::pipe().unwrap();
    let mut running = Bed::new().start("while read line; do echo \"got $line\"; done; exit 5", read, grace_periods);
    for word in ["one", "two"] {
        writeln!(write, "{word}").unwrap();
        let mut line = String::new();
        running.output.read_line(&mut line).unwrap();
        assert_eq!(line, format!("got {word}\n"));
    }
    drop(write);
    assert_eq!(running.end().0, Ended::Exited(5));
}

#[test]
fn a_signal_to_smcp_ends_the_server_and_its_children() {
    for (signal, code) in [(Signal::SIGTERM, 143), (Signal::SIGINT, 130), (Signal::SIGHUP, 129)] {
        let bed = Bed::new();
        let mut smcp = Smcp::start(&bed, WITH_CHILD, PATIENT);
        line_with(&mut smcp.output, "ready");
        smcp.signal(signal);
        smcp.ends_with(code);
    }
}

#[test]
fn a_server_that_ignores_sigterm_is_killed_after_a_signal_to_smcp() {
    let bed = Bed::new();
    let mut smcp = Smcp::start(&bed, STUBBORN, GracePeriods { input_closed: NEVER, terminate: NOW });
    line_with(&mut smcp.output, "ready");
    smcp.signal(Signal::SIGTERM);
    smcp.ends_with(137);
}

#[test]
fn a_second_signal_to_smcp_waits_no_longer() {
    let script = "trap 'echo asked' TERM; echo ready; while :; do sleep 1000 & wait; done";
    let bed = Bed::new();
    let mut smcp = Smcp::start(&bed, script, PATIENT);
    line_with(&mut smcp.output, "ready");
    smcp.signal(Signal::SIGTERM);
    line_with(&mut smcp.output, "asked");
    smcp.signal(Signal::SIGTERM);
    smcp.ends_with(137);
}

#[test]
fn a_stopped_server_ends_when_it_is_asked_to() {
    let bed = Bed::new();
    let mut smcp = Smcp::start(&bed, "trap 'echo bye; exit 3' TERM; echo ready; kill -STOP $$; wait", PATIENT);
    line_with(&mut smcp.output, "ready");
    smcp.signal(Signal::SIGTERM);
    line_with(&mut smcp.output, "bye");
    smcp.ends_with(3);
}

#[test]
fn a_client_that_closes_the_inherited_input_is_noticed() {
    let bed = Bed::new();
    let mut smcp = Smcp::start(&bed, WITH_CHILD, GracePeriods { input_closed: NOW, terminate: NEVER });
    line_with(&mut smcp.output, "ready");
    drop(smcp.input.take());
    smcp.ends_with(143);
}
