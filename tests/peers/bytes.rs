//! Every byte that a server sends, with and without `smcp` in between.

use crate::bed::TestBed;
use crate::recorder::Era;
use crate::recorder::direct;
use crate::recorder::through_smcp;
use crate::server::Server;
use crate::server::Standing;

/// Every server, in every era that it supports.
const SESSIONS: [(Server, Era); 4] = [
    (Server::Everything, Era::Handshake),
    (Server::Filesystem, Era::Handshake),
    (Server::Python, Era::Handshake),
    (Server::Python, Era::Modern),
];

/// A text that only the notification of a warning has.
const LOGGER: &str = "mcp-hub-security";

#[test]
fn a_warning_adds_to_the_first_answer_and_one_notification_and_no_other_byte_changes() {
    for (server, era) in SESSIONS {
        let bed = TestBed::new();
        server.publish(&bed);
        let plain = direct(&bed, server, era);
        let good = through_smcp(&bed, server, Standing::Good, era);
        assert_eq!(good, plain, "{server:?}, {era:?}: nothing is to be warned of");

        let mut warned = through_smcp(&bed, server, Standing::Poor, era);
        let notified: Vec<_> = (0..warned.len()).filter(|line| warned[*line].contains(LOGGER)).collect();
        let expected = usize::from(era == Era::Handshake && server.logs());
        assert_eq!(notified.len(), expected, "{server:?}, {era:?}: {warned:#?}");
        for line in notified {
            assert_ne!(line, 0, "the answer to the handshake comes before");
            warned.remove(line);
        }
        let added = added(&warned[0], &plain[0]);
        assert!(added.contains("[SECURITY WARNING - MCP Hub Certification]"), "{server:?}, {era:?}: {added}");
        assert_eq!(warned[1..], plain[1..], "{server:?}, {era:?}");
    }
}

/// Returns the text that was added to a line in one place; the rest must be unchanged.
#[track_caller]
fn added<'t>(longer: &'t str, line: &str) -> &'t str {
    let same = |(one, other): &(char, char)| one == other;
    let before: usize = longer.chars().zip(line.chars()).take_while(same).map(|(one, _)| one.len_utf8()).sum();
    let rest = longer.strip_suffix(&line[before..]);
    let Some(rest) = rest else { panic!("more was changed than one place of {line}: {longer}") };
    &rest[before..]
}
