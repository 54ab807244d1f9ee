//! Shows the audit log: its records, one in full, and the verified chain.

use std::cmp::Reverse;
use std::io;
use std::io::Write;

use serde_json::Value;
use serde_json::json;

use crate::headline::Mark;
use crate::style::Palette;
use crate::style::Span;
use crate::style::Style;
use crate::table::fields;
use crate::table::table;
use crate::wrap::paragraph;
use smcp_model::audit::Break;
use smcp_model::audit::FoundLine;
use smcp_model::audit::Verification;
use smcp_model::decision::DecisionDocument;
use smcp_model::decision::FindingKind;
use smcp_model::decision::PolicyResult;
use smcp_model::limits;
use smcp_model::mode::Effect;
use smcp_model::number;
use smcp_model::record::Body;
use smcp_model::record::DecisionRecord;
use smcp_model::record::HowEnded;
use smcp_model::record::Record;
use smcp_model::warning::Delivery;

mod whole;

/// Writes one line for each record.
///
/// # Errors
/// When the writer fails.
pub fn lines(records: &[FoundLine], out: &mut dyn Write, style: &Style) -> io::Result<()> {
    if records.is_empty() {
        return writeln!(out, "the audit log has no records");
    }
    let rows: Vec<_> = records.iter().map(|line| row(line, &style.palette)).collect();
    table(out, style, &["RECORD", "TIME", "EVENT", "PACKAGE", "RESULT", "REASON"], &rows)
}

/// Returns the records as a document: unchanged, each with its file and line.
pub fn document(records: &[FoundLine]) -> Value {
    let entry = |FoundLine { file, line, value }: &FoundLine| json!({"file": file, "line": line, "record": value});
    json!({"schema": "smcp.audit-records/1", "records": records.iter().map(entry).collect::<Vec<_>>()})
}

/// Writes the fields of one record that people read; `--json` has all of them.
///
/// # Errors
/// When the writer fails.
pub fn whole(line: &FoundLine, out: &mut dyn Write, style: &Style) -> io::Result<()> {
    let palette = &style.palette;
    let record = match Record::read(&line.value) {
        Ok(record) => record,
        Err(error) => {
            let (place, unread) = (format!("{}, line {}", line.file, line.line), format!("can't be read: {error}"));
            let rows = [("record", Span::plain(place)), ("result", Span::new(unread, palette.bad))];
            return fields(out, style, 0, &rows);
        }
    };
    let mut rows = vec![("record", Span::new(record.place.seq.to_string(), palette.strong))];
    let shown = whole::texts(&record).into_iter().filter(|(_, text)| !text.is_empty());
    rows.extend(shown.map(|(name, text)| (name, Span::plain(text))));
    rows.push(("result", result(&record, palette)));
    rows.extend(reasons(&record).into_iter().map(|reason| ("reason", Span::plain(reason))));
    // Some notices say where the facts came from and how old they were.
    if let Body::Decision(decision) = &record.body {
        rows.extend(waivers(&decision.decision).map(|waiver| ("exception", Span::plain(waiver))));
        rows.extend(decision.decision.notices.iter().map(|notice| ("notice", Span::plain(notice.message.as_str()))));
    }
    fields(out, style, 0, &rows)
}

/// Writes the result of a verification.
///
/// # Errors
/// When the writer fails.
pub fn verification(verification: &Verification, out: &mut dyn Write, style: &Style) -> io::Result<()> {
    let palette = &style.palette;
    let (mark, headline) = match (verification.is_intact(), verification.records, verification.foreign.is_empty()) {
        (true, 0, true) => (Mark::Good, "the audit log has no records".to_owned()),
        (true, _, true) => (Mark::Good, "the chain of the audit log holds".to_owned()),
        (true, _, false) => (Mark::Caution, "the chain holds, in the files that smcp has of it".to_owned()),
        (false, _, _) => (Mark::Bad, "the audit log is not what its writers left".to_owned()),
    };
    paragraph(out, &[mark.span(palette), Span::new(headline, palette.strong)], 0, 2, style.width)?;
    let mut rows: Vec<_> = verification.files.iter().map(|file| ("file", Span::plain(file.as_str()))).collect();
    rows.push(("records", Span::plain(verification.records.to_string())));
    let living = verification.living.len();
    rows.extend((living > 0).then(|| ("running", Span::plain(living.to_string()))));
    rows.extend(verification.head.map(|head| ("head", Span::plain(format!("{} (record {})", head.digest, head.seq)))));
    fields(out, style, 2, &rows)?;
    let place = |at: &Break| format!("{}, line {}: {}", at.file, at.line, at.message);
    for broken in &verification.breaks {
        paragraph(out, &[Span::new("✗", palette.bad), Span::plain(place(broken))], 2, 4, style.width)?;
    }
    if verification.more > 0 {
        writeln!(out, "  and {} more", verification.more)?;
    }
    for note in &verification.notes {
        paragraph(out, &[Span::new("note:", palette.caution), Span::plain(place(note))], 2, 4, style.width)?;
    }
    for remark in foreign_files(verification).into_iter().chain(lost_ends(verification)) {
        paragraph(out, &[Span::new("note:", palette.caution), Span::plain(remark)], 2, 4, style.width)?;
    }
    Ok(())
}

/// Returns a note about files beside the log that smcp did not put there; `None` when there are none.
pub fn foreign_files(verification: &Verification) -> Option<String> {
    if verification.foreign.is_empty() {
        return None;
    }
    let names = shown(verification.foreign.iter().map(ToString::to_string));
    Some(format!(
        "beside the log there is {names}, which smcp did not put there: if another program rotates the log, the records \
         in between are in no chain that could be verified, and one that begins at record 1 says nothing of what was \
         before; smcp puts a file aside by itself at 64 MiB, so leave the log out of logrotate"
    ))
}

/// Returns a note about servers that no longer run and whose end was not recorded; `None` when there are none.
pub fn lost_ends(verification: &Verification) -> Option<String> {
    let lost = number::wide(verification.lost().count()).saturating_add(verification.more_unended);
    let runs = shown(verification.lost().map(|run| run.to_string()));
    match lost {
        0 => None,
        1 => Some(format!("of 1 start there is no end (run {runs}): its smcp was killed, or the machine stopped")),
        _ => Some(format!(
            "of {lost} starts there is no end (runs {runs}): their smcp was killed, or the machine stopped"
        )),
    }
}

/// Returns the first of many names, and the number of the others.
fn shown(names: impl Iterator<Item = String>) -> String {
    let all: Vec<_> = names.collect();
    let more = all.len().saturating_sub(limits::AUDIT_SHOWN);
    let first: Vec<_> = all.into_iter().take(limits::AUDIT_SHOWN).collect();
    if more == 0 { first.join(", ") } else { format!("{} and {more} more", first.join(", ")) }
}

/// Returns the result of a verification as a document.
pub fn verification_document(verification: &Verification, exit_code: u8) -> Value {
    json!({
        "schema": "smcp.audit-verification/1",
        "intact": verification.is_intact(),
        "exit_code": exit_code,
        "files": verification.files,
        "records": verification.records,
        "head": verification.head,
        "breaks": verification.breaks,
        "more": verification.more,
        "notes": verification.notes,
        "living": verification.living,
        "without_end": verification.lost().collect::<Vec<_>>(),
        "more_without_end": verification.more_unended,
        "foreign_files": verification.foreign,
    })
}

fn row(line: &FoundLine, palette: &Palette) -> Vec<Span> {
    let Ok(record) = Record::read(&line.value) else {
        let place = format!("line {}", line.line);
        return vec![Span::new("?", palette.bad), Span::plain(place), Span::new("no record", palette.bad)];
    };
    let more = match reasons(&record).as_slice() {
        [] => String::new(),
        [only] => only.clone(),
        [first, rest @ ..] => format!("{first} (and {} more)", rest.len()),
    };
    vec![
        Span::plain(record.place.seq.to_string()),
        Span::new(record.place.time.as_str(), palette.dim),
        Span::plain(record.place.event.as_str()),
        Span::plain(record.body.package().as_str()),
        result(&record, palette),
        Span::plain(more),
    ]
}

/// Returns the result of an event, in a word or two.
fn result(record: &Record, palette: &Palette) -> Span {
    match &record.body {
        Body::Decision(decision) => decided(decision, palette),
        Body::Start(_) => Span::plain("started"),
        Body::Failure(end) | Body::End(end) => match &end.how {
            HowEnded::Failed { .. } => Span::new("failed", palette.bad),
            HowEnded::Abandoned { .. } => Span::new("abandoned", palette.caution),
            HowEnded::Exited(server) | HowEnded::Signalled(server) | HowEnded::ReaperKilled(server) => {
                let code = server.exit_code;
                match server.warning {
                    Some(Delivery::Undelivered) => {
                        Span::new(format!("exit {code}, warning undelivered"), palette.caution)
                    }
                    Some(Delivery::Delivered) | None => Span::plain(format!("exit {code}")),
                }
            }
        },
    }
}

fn decided(decision: &DecisionRecord, palette: &Palette) -> Span {
    let effect = decision.decision.decision;
    match (effect, decision.consent) {
        (Effect::Pass, _) => Span::new(effect.as_str(), palette.good),
        (Effect::Block, _) => Span::new(effect.as_str(), palette.bad),
        (Effect::Warn | Effect::Ask, None) => Span::new(effect.as_str(), palette.caution),
        (Effect::Warn | Effect::Ask, Some(consent)) => {
            Span::new(format!("{}: {}", effect.as_str(), consent.as_str()), palette.caution)
        }
    }
}

/// Returns what a policy found, each with its rank: what decided comes first, and what changed nothing last.
fn found(policy: &PolicyResult) -> impl Iterator<Item = ((u8, Reverse<Effect>), String)> {
    policy.findings.iter().map(|finding| {
        let (rank, waived) = match finding.kind {
            FindingKind::Violation | FindingKind::Fault => ((0, Reverse(policy.effect)), ""),
            FindingKind::Waived => ((1, Reverse(Effect::Pass)), "waived: "),
            FindingKind::Notice => ((2, Reverse(Effect::Pass)), ""),
        };
        (rank, format!("{}: {waived}{}", policy.name, finding.message))
    })
}

/// Returns the exceptions in force, each with the policy of which it waives something.
fn waivers(decision: &DecisionDocument) -> impl Iterator<Item = String> {
    let of_policy = |policy: &PolicyResult| {
        policy.waivers.iter().map(|waiver| format!("{}: {}: {waiver}", policy.name, waiver.package)).collect::<Vec<_>>()
    };
    decision.policies.iter().flat_map(of_policy)
}

/// Returns the reasons: the refusal, the error, or the findings of policies.
fn reasons(record: &Record) -> Vec<String> {
    match &record.body {
        Body::Start(_) => Vec::new(),
        Body::Failure(end) | Body::End(end) => match &end.how {
            HowEnded::Failed { message, .. } | HowEnded::Abandoned { message, .. } => vec![message.to_string()],
            HowEnded::Exited(_) | HowEnded::Signalled(_) | HowEnded::ReaperKilled(_) => Vec::new(),
        },
        Body::Decision(decision) => {
            let DecisionDocument { refusal, policies, .. } = &decision.decision;
            let mut findings: Vec<_> = policies.iter().flat_map(found).collect();
            findings.sort_by_key(|(rank, _)| *rank);
            let findings = findings.into_iter().map(|(_, text)| text);
            refusal.iter().map(|refusal| refusal.message.to_string()).chain(findings).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;
    use smcp_model::audit::Head;
    use smcp_model::digest::Digest;

    fn shown(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> String {
        let mut out = Vec::new();
        write(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn records() -> Vec<FoundLine> {
        let document = fixtures::two_violations().report().document();
        let decision = |effect: Effect, consent: Option<&str>| {
            let document = DecisionDocument { decision: effect, ..document.clone() };
            json!({"consent": consent, "decision": document, "request": {"subject": {}}})
        };
        let mut passing = decision(Effect::Pass, None);
        passing["decision"]["policies"] = json!([]);
        let waived = json!({"consent": null, "decision": fixtures::partly_waived().report().document(), "request": {"subject": {}}});
        let mut refused = passing.clone();
        refused["decision"]["decision"] = "block".into();
        refused["decision"]["refusal"] = json!({"code": "status", "message": "revoked"});
        let mut asked = decision(Effect::Ask, Some("trusted"));
        asked["decision"]["policies"][0]["findings"][0]["message"] = "low\u{1b}[31m".into();
        let server = json!({"server_exit_code": 7, "signal": null, "ended_by": "server", "exit_code": 7});
        let mut ended = server.clone();
        ended["outcome"] = "exited".into();
        ended["warning"] = "undelivered".into();
        ended["duration_ms"] = 12.into();
        let zeros = Digest::ZERO;
        let bodies = [
            ("decision", passing),
            ("decision", asked),
            ("decision", refused),
            (
                "start",
                json!({"registry": "/r", "bundle_digest": zeros, "program": "sh", "variables": ["A", "B"], "arguments": 2, "warning": false}),
            ),
            ("end", ended),
            (
                "end",
                json!({"outcome": "abandoned", "start": {"seq": 4, "digest": zeros}, "message": "its smcp was killed"}),
            ),
            ("failure", json!({"outcome": "failed", "code": "timeout", "message": "it took too long"})),
            ("decision", waived),
        ];
        let mut lines: Vec<_> = bodies
            .into_iter()
            .zip(1..)
            .map(|((event, body), line)| {
                let mut value = json!({"schema": "smcp.audit/1", "seq": line, "prev": zeros,
                    "time": "2027-01-02T03:04:05.678Z", "event": event, "run": 1, "command": "run",
                    "asked": "acme/tool", "pid": 42, "uid": 1000, "smcp": "0.1.0", "package": "acme/tool@1.0.0"});
                value.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
                assert!(Record::read(&value).is_ok(), "{:?} {value}", Record::read(&value));
                FoundLine { file: "audit.jsonl".into(), line, value }
            })
            .collect();
        lines.push(FoundLine { file: "audit.jsonl".into(), line: 9, value: Value::Null });
        lines
    }

    #[test]
    fn every_record_has_its_line() {
        let records = records();
        insta::assert_snapshot!("records", shown(|out| lines(&records, out, &Style::default())));
        assert_eq!(shown(|out| lines(&[], out, &Style::default())), "the audit log has no records\n");
        let whole_ones =
            [("record", 1), ("record_of_a_start", 3), ("record_of_an_end", 4), ("waived", 7), ("no_record", 8)];
        for (name, line) in whole_ones {
            insta::assert_snapshot!(name, shown(|out| whole(&records[line], out, &Style::default())));
        }
    }

    #[test]
    fn a_record_of_a_later_version_is_read_all_the_same() {
        for FoundLine { mut value, .. } in records() {
            let Ok(known) = Record::read(&value) else { continue };
            value["of_the_future"] = json!({"a": [1]});
            assert_eq!(Record::read(&value).unwrap(), known);
        }
    }

    #[test]
    fn a_verification_says_where_and_what() {
        let place = |line, message: &str| Break { file: "audit.jsonl".into(), line, message: message.into() };
        let found = Verification {
            files: vec!["audit-000001.jsonl".into(), "audit.jsonl".into()],
            records: 12,
            head: Some(Head { seq: 12, digest: Digest::ZERO }),
            last_time: None,
            breaks: vec![place(3, "it is record 4, and 3 was expected")],
            more: 2,
            notes: vec![place(12, "17 bytes")],
            unended: [3, 7, 9].into(),
            more_unended: 0,
            living: [7].into(),
            foreign: vec!["audit.jsonl.1.gz".into()],
        };
        insta::assert_snapshot!("verification", shown(|out| verification(&found, out, &Style::default())));
        insta::assert_snapshot!("verification_json", format!("{:#}", verification_document(&found, 3)));
        let empty = Verification::default();
        assert_eq!(
            shown(|out| verification(&empty, out, &Style::default())),
            "✓ the audit log has no records\n  records  0\n"
        );
    }
}
