//! A stream that a server closes is closed for its client too.
//!
//! In both directions, with and without a warning. If the client of such a server leaves, that is noticed too.

use std::io::Read as _;
use std::io::Write as _;

use crate::bed::Bed;
use crate::bed::NEVER;
use crate::bed::NOW;
use crate::bed::PATIENT;
use crate::bed::Smcp;
use crate::bed::closed_by_its_reader;
use crate::bed::line_with;
use smcp_launch::ending::GracePeriods;

/// Starts smcp as a client does: with separate pipes.
type Start = fn(&Bed, &str, GracePeriods) -> Smcp;
const BOTH: [(&str, Start); 2] = [("direct", Smcp::start), ("relayed", Smcp::start_warned)];

#[test]
fn an_output_that_the_server_closes_ends_while_it_lives() {
    for (how, start) in BOTH {
        let bed = Bed::new();
        let mut smcp = start(&bed, "echo ready; exec >&- 2>&-; read line; exit 5", PATIENT);
        line_with(&mut smcp.output, "ready");
        smcp.output.read_to_end(&mut Vec::new()).unwrap();
        smcp.input.as_mut().unwrap().write_all(b"go on\n").unwrap();
        smcp.ends_with(5);
        drop((bed, how));
    }
}

#[test]
fn an_input_that_the_server_closes_is_closed_for_the_client_at_once() {
    for (how, start) in BOTH {
        let bed = Bed::new();
        let mut smcp = start(&bed, "exec <&-; echo ready; sleep 1000", PATIENT);
        line_with(&mut smcp.output, "ready");
        let input = smcp.input.as_mut().unwrap();
        closed_by_its_reader(&*input);
        assert_eq!(input.write_all(b"x").unwrap_err().kind(), std::io::ErrorKind::BrokenPipe, "{how}");
        smcp.signal(nix::sys::signal::Signal::SIGTERM);
        smcp.ends_with(143);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_client_that_leaves_a_server_without_an_input_is_noticed() {
    let grace_periods = GracePeriods { input_closed: NOW, terminate: NEVER };
    for (_, start) in BOTH {
        let bed = Bed::new();
        let mut smcp = start(&bed, "exec <&-; echo ready; sleep 1000", grace_periods);
        line_with(&mut smcp.output, "ready");
        closed_by_its_reader(smcp.input.as_ref().unwrap());
        smcp.leaves().ends_with_code(143);
    }
}
