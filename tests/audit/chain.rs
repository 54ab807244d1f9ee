//! What the chain shows of changes to a log, and what it can't show.

use crate::log::Log;
use crate::log::entry;
use crate::log::failure;
use smcp_audit::KnownLog;
use smcp_model::digest::Digest;
use smcp_model::limits;

type Lines = Vec<Vec<u8>>;
type Change = fn(&mut Lines);

/// A change to the lines of a log of six records, and the breaks it causes: the beginning of each, as `line: message`.
/// The list is empty where an unkeyed chain can't show the change.
const TAMPERING: [(&str, Change, &[&str]); 20] = [
    ("nothing", |_| {}, &[]),
    ("a byte of the first line", |lines| flip(&mut lines[0]), &["2: its `prev` is sha256:"]),
    ("a byte in the middle", |lines| flip(&mut lines[2]), &["4: its `prev` is sha256:"]),
    ("a byte of the last line", |lines| flip(&mut lines[5]), &[]),
    ("the first line is gone", |lines| drop(lines.remove(0)), &["1: the log begins with record 2, not 1"]),
    ("a line is gone", |lines| drop(lines.remove(2)), &["3: it is record 4, and 3 was expected: 1 missing before it"]),
    (
        "three are gone",
        |lines| drop(lines.drain(1..4)),
        &["2: it is record 5, and 2 was expected: 3 missing before it"],
    ),
    ("the last line is gone", |lines| lines.truncate(5), &[]),
    ("everything is gone", Vec::clear, &[]),
    (
        "two lines change places",
        |lines| lines.swap(2, 3),
        &[
            "3: it is record 4, and 3 was expected: 1 missing",
            "4: it is record 3, and 5 was expected: it was moved, repeated or inserted",
            "5: it is record 5, and 4 was expected: 1 missing",
        ],
    ),
    (
        "a line stands twice",
        |lines| lines.insert(3, lines[2].clone()),
        &["4: it is record 3, and 4 was expected: it was moved, repeated or inserted"],
    ),
    (
        "a forged line, with the right `prev`",
        |lines| lines.insert(3, forged(&lines[2], 4)),
        &["5: it is record 4, and 5 was expected: it was moved, repeated or inserted"],
    ),
    ("a forged line in place of one", |lines| lines[3] = forged(&lines[2], 4), &["5: its `prev` is sha256:"]),
    ("forged from there to the end", |lines| forge_from(lines, 3), &[]),
    ("all of it forged", |lines| forge_from(lines, 0), &[]),
    (
        "a line without a number",
        |lines| replace(&mut lines[3], "\"seq\":4,", ""),
        &["4: it is not a record: missing field"],
    ),
    (
        "another number",
        |lines| replace(&mut lines[3], "\"seq\":4,", "\"seq\":40,"),
        &["4: it is record 40, and 4 was expected", "5: it is record 5, and 41 was expected"],
    ),
    (
        "two numbers",
        |lines| replace(&mut lines[3], "\"seq\":4,", "\"seq\":4,\"seq\":4,"),
        &["4: it is not a record: duplicate"],
    ),
    ("an empty line", |lines| lines.insert(3, b"\n".to_vec()), &["4: it is not a record: EOF"]),
    (
        "another schema",
        |lines| replace(&mut lines[3], "smcp.audit/1", "smcp.audit/2"),
        &["4: its schema is `smcp.audit/2`, and only `smcp.audit/1` is known"],
    ),
];

fn flip(line: &mut [u8]) {
    // In the text of the package, so that it is still a record.
    let at = line.len() - 5;
    line[at] ^= 1;
}

fn replace(line: &mut Vec<u8>, from: &str, to: &str) {
    let text = String::from_utf8(line.clone()).unwrap();
    assert!(text.contains(from), "{text}");
    *line = text.replace(from, to).into_bytes();
}

/// Makes a record with another content that follows `before` correctly.
fn forged(before: &[u8], seq: u64) -> Vec<u8> {
    let prev = Digest::of(before);
    format!("{{\"schema\":\"smcp.audit/1\",\"seq\":{seq},\"prev\":\"{prev}\",\"package\":\"forged\"}}\n").into_bytes()
}

/// Rewrites every line from `first` on.
fn forge_from(lines: &mut Lines, first: usize) {
    for index in first..lines.len() {
        let seq = u64::try_from(index + 1).unwrap();
        lines[index] = if index == 0 {
            let zeros = Digest::ZERO;
            format!("{{\"schema\":\"smcp.audit/1\",\"seq\":1,\"prev\":\"{zeros}\"}}\n").into_bytes()
        } else {
            forged(&lines[index - 1], seq)
        };
    }
}

fn tampered(change: Change) -> (Log, KnownLog) {
    let (log, heads) = Log::of(&["record-1", "record-2", "record-3", "record-4", "record-5", "record-6"]);
    let mut lines: Lines =
        log.bytes("audit.jsonl").split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    change(&mut lines);
    log.write("audit.jsonl", lines.concat());
    (log, KnownLog { head: Some(heads[5].digest), ..KnownLog::default() })
}

#[test]
fn what_was_changed_is_found_where_it_was() {
    for (name, change, breaks) in TAMPERING {
        let (log, _) = tampered(change);
        let found = log.verification(KnownLog::default());
        let said: Vec<_> = found.breaks.iter().map(|it| format!("{}: {}", it.line, it.message)).collect();
        assert_eq!(said.len(), breaks.len(), "{name}: {said:#?}");
        for (said, expected) in said.iter().zip(breaks) {
            assert!(said.starts_with(expected), "{name}: {said}");
        }
    }
}

#[test]
fn a_noted_head_shows_what_the_chain_alone_can_not() {
    for (name, change, breaks) in TAMPERING {
        let (log, bounds) = tampered(change);
        let found = log.verification(bounds);
        let lost = found.breaks.iter().any(|it| it.message.as_str().starts_with("no record has the digest sha256:"));
        let undetected = breaks.is_empty() && name != "nothing";
        assert!(!undetected || lost, "{name}: {found:#?}");
        assert_eq!(found.is_intact(), name == "nothing", "{name}");
    }
}

#[test]
fn a_log_whose_beginning_was_archived_is_verified_from_there() {
    let (log, heads) = Log::of(&["a", "b", "c", "d"]);
    let bytes = log.bytes("audit.jsonl");
    let lines: Lines = bytes.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    log.write("audit.jsonl", lines[2..].concat());
    let after = |digest| KnownLog { after: Some(digest), ..KnownLog::default() };
    assert!(log.verification(after(heads[1].digest)).is_intact());
    let found = log.verification(after(heads[0].digest));
    assert!(found.breaks[0].message.as_str().contains("what was between is missing"), "{found:#?}");
    assert!(!log.verification(KnownLog::default()).is_intact());
}

#[test]
fn the_chain_continues_across_files_and_nothing_is_deleted() {
    let log = Log::new();
    let journal = log.journal().with_file_limit(1_000);
    let append = |number| match number % 2 {
        0 => journal.append_ahead(&entry(&format!("record {number}"))).unwrap(),
        _ => journal.append(&entry(&format!("record {number}"))).unwrap(),
    };
    let heads: Vec<_> = (0..40).map(append).collect();
    let names = log.names();
    assert!(names.len() > 5, "{names:?}");
    assert_eq!(names[0], "audit-000001.jsonl");
    for name in names.iter().filter(|name| name.ends_with(".jsonl")) {
        assert!(log.bytes(name).len() <= 1_000, "{name}");
    }
    let found = log.verification(KnownLog { head: Some(heads[3].digest), ..KnownLog::default() });
    assert_eq!((found.records, found.breaks.as_slice(), found.head), (40, [].as_slice(), heads.last().copied()));

    std::fs::remove_file(log.path("audit-000002.jsonl")).unwrap();
    let found = log.verification(KnownLog::default());
    assert!(found.breaks[0].message.as_str().contains("missing before it"), "{found:#?}");
    assert!(found.breaks[0].file.as_str().ends_with("audit-000003.jsonl"), "{found:#?}");
}

#[test]
fn a_record_that_is_larger_than_a_file_has_one_of_its_own() {
    let log = Log::new();
    let journal = log.journal().with_file_limit(1_000);
    for text in ["small", &"large".repeat(1_000), "small"] {
        journal.append(&entry(text)).unwrap();
    }
    assert_eq!(log.names(), ["audit-000001.jsonl", "audit-000002.jsonl", "audit.jsonl", "audit.lock"]);
    assert!(log.verification(KnownLog::default()).is_intact());
}

#[test]
fn a_writer_that_was_killed_while_it_put_a_file_aside_is_continued() {
    let (log, heads) = Log::of(&["a", "b"]);
    std::fs::rename(log.path("audit.jsonl"), log.path("audit-000001.jsonl")).unwrap();
    let head = log.journal().append(&entry("c")).unwrap();
    assert_eq!(head.seq, 3);
    assert_eq!(log.records("audit.jsonl")[0]["prev"], heads[1].digest.to_string());
    assert!(log.verification(KnownLog::default()).is_intact());
    std::fs::write(log.path("audit-000001.jsonl"), log.bytes("audit-000001.jsonl").trim_ascii_end()).unwrap();
    let found = log.verification(KnownLog::default());
    assert_eq!(found.breaks.len(), 2, "the tail of a file that was put aside is no accident: {found:#?}");
}

#[test]
fn what_a_killed_writer_left_is_replaced_and_said() {
    let short = "{\"schema\":\"smcp.aud".to_owned();
    for torn in [short.clone(), "\0".repeat(5_000), "x".repeat(100_000)] {
        let (log, heads) = Log::of(&["a", "b"]);
        log.write("audit.jsonl", [log.bytes("audit.jsonl"), torn.clone().into_bytes()].concat());
        let found = log.verification(KnownLog::default());
        assert!(found.is_intact() && found.notes[0].message.as_str().contains("never finished"), "{found:#?}");
        let head = log.journal().append(&entry("c")).unwrap();
        let last = log.records("audit.jsonl").pop().unwrap();
        assert_eq!(
            (&last["recovered_bytes"], &last["prev"]),
            (&torn.len().into(), &heads[1].digest.to_string().into())
        );
        let found = log.verification(KnownLog { head: Some(head.digest), ..KnownLog::default() });
        assert!(found.is_intact() && found.records == 3, "{found:#?}");
        assert!(found.notes[0].message.as_str().starts_with("1 of the records replaced"), "{found:#?}");
    }
    let log = Log::new();
    log.write("audit.jsonl", short);
    assert_eq!(log.journal().append(&entry("a")).unwrap().seq, 1, "a first record that was never finished");
}

#[test]
fn what_no_writer_can_have_left_is_not_overwritten() {
    let (log, _) = Log::of(&["a"]);
    let whole = u64::try_from(log.bytes("audit.jsonl").len()).unwrap();
    for torn in [limits::AUDIT_RECORD, 1 << 40] {
        let file = std::fs::File::options().write(true).open(log.path("audit.jsonl")).unwrap();
        file.set_len(whole + torn).unwrap();
        let error = crate::log::journal(log.folder()).unwrap_err().to_string();
        assert!(error.contains("is damaged: its last 134217728 bytes or more are no line"), "{error}");
        assert_eq!(file.metadata().unwrap().len(), whole + torn);
    }
}

/// A writer knows the end of its own log, and looks again whenever the file is another one.
#[test]
fn what_others_did_between_two_records_is_seen() {
    type Meanwhile = fn(&Log);
    let cases: [(&str, Meanwhile, Result<u64, &str>); 8] = [
        ("nothing", |_| {}, Ok(3)),
        ("another writer", |log| assert!(log.journal().append(&entry("other")).is_ok()), Ok(4)),
        (
            "a killed writer",
            |log| log.write("audit.jsonl", [log.bytes("audit.jsonl"), b"{\"sch".to_vec()].concat()),
            Ok(3),
        ),
        ("put aside", |log| std::fs::rename(log.path("audit.jsonl"), log.path("audit-000001.jsonl")).unwrap(), Ok(3)),
        ("removed", |log| std::fs::remove_file(log.path("audit.jsonl")).unwrap(), Ok(1)),
        ("emptied", |log| log.write("audit.jsonl", ""), Ok(1)),
        (
            "cut off",
            |log| log.write("audit.jsonl", log.bytes("audit.jsonl").split_inclusive(|b| *b == b'\n').next().unwrap()),
            Ok(2),
        ),
        (
            "another file of the same size",
            |log| {
                log.write("other", " ".repeat(log.bytes("audit.jsonl").len() - 1) + "\n");
                std::fs::rename(log.path("other"), log.path("audit.jsonl")).unwrap();
            },
            Err("in its last line, it is not a record"),
        ),
    ];
    for (what, meanwhile, expected) in cases {
        let log = Log::new();
        let journal = log.journal();
        journal.append(&entry("a")).unwrap();
        journal.append(&entry("b")).unwrap();
        meanwhile(&log);
        let appended = journal.append(&entry("c")).map(|head| head.seq).map_err(|error| error.to_string());
        match expected {
            Ok(seq) => assert_eq!(appended, Ok(seq), "{what}"),
            Err(error) => assert!(appended.clone().is_err_and(|found| found.contains(error)), "{what}: {appended:?}"),
        }
        assert!(expected.is_err() || log.verification(KnownLog::default()).is_intact(), "{what}");
    }
}

#[test]
fn nothing_follows_what_is_no_record() {
    for end in ["not json\n", "{}\n", "\n", "{\"schema\":\"smcp.audit/1\",\"seq\":-1,\"prev\":\"\"}\n"] {
        let (log, _) = Log::of(&["a"]);
        log.write("audit.jsonl", [log.bytes("audit.jsonl"), end.into()].concat());
        let error = crate::log::journal(log.folder()).unwrap_err().to_string();
        assert!(error.contains("is damaged: in its last line, it is not a record"), "{error}");
        assert!(error.contains("move it and the older ones to another folder"), "{error}");
    }
}

#[test]
fn a_line_shows_nothing_that_steers_a_terminal() {
    let log = Log::new();
    log.journal().append(&failure("a", "a\u{1b}[31m\u{202e}b\nc")).unwrap();
    let line = String::from_utf8(log.bytes("audit.jsonl")).unwrap();
    assert_eq!(line.lines().count(), 1);
    assert!(line.trim_end().chars().all(|character| !character.is_control() && character != '\u{202e}'), "{line}");
    assert_eq!(log.records("audit.jsonl")[0]["code"], "a\u{1b}[31m\u{202e}b\nc");
}

#[test]
fn heads_are_sent_to_the_systems_log() {
    let log = Log::new();
    let (ours, theirs) = std::os::unix::net::UnixDatagram::pair().unwrap();
    let mut journal = log.journal();
    journal.send_heads(ours).unwrap();
    let head = journal.append(&entry("a")).unwrap();
    journal.announce(head).unwrap();
    let mut message = [0; 1_000];
    let length = theirs.recv(&mut message).unwrap();
    let message = String::from_utf8_lossy(&message[..length]).into_owned();
    // Facility authpriv, severity notice.
    assert!(
        message.starts_with("<85>") && message.contains(&format!("audit head seq=1 {} ", head.digest)),
        "{message}"
    );
    drop(theirs);
    let error = journal.announce(head).unwrap_err().to_string();
    assert!(error.starts_with("the head of the audit log can't be sent to syslog"), "{error}");
}
