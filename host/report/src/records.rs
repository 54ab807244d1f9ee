//! Records of the audit log: in lines, one whole, and whether the chain holds.

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
use smcp_model::audit::Verification;
use smcp_model::limits;
use smcp_model::number;

/// A record with its file and line.
type Placed<'a> = (&'a str, u64, &'a Value);

/// Writes one line for each record.
///
/// # Errors
/// When the writer fails.
pub fn lines(records: &[Placed<'_>], out: &mut dyn Write, style: &Style) -> io::Result<()> {
    if records.is_empty() {
        return writeln!(out, "the audit log has no records");
    }
    let rows: Vec<_> = records.iter().map(|record| row(record, &style.palette)).collect();
    table(out, style, &["RECORD", "TIME", "EVENT", "PACKAGE", "RESULT", "REASON"], &rows)
}

/// The records as a document: as they are in the log, with their places.
pub fn document(records: &[Placed<'_>]) -> Value {
    let entries = records.iter().map(|(file, line, record)| json!({"file": file, "line": line, "record": record}));
    json!({"schema": "smcp.audit-records/1", "records": entries.collect::<Vec<_>>()})
}

/// Writes all of one record that is for people; `--json` has the rest.
///
/// # Errors
/// When the writer fails.
pub fn whole(record: &Value, out: &mut dyn Write, style: &Style) -> io::Result<()> {
    let palette = &style.palette;
    let names = [
        ("time", "/time"),
        ("event", "/event"),
        ("run", "/run"),
        ("command", "/command"),
        ("asked for", "/asked"),
        ("package", "/package"),
        ("registry", "/registry"),
        ("registry", "/decision/facts/registry"),
        ("bundle", "/bundle_digest"),
        ("bundle", "/decision/facts/bundle_digest"),
        ("origin", "/decision/facts/origin"),
        ("level", "/decision/facts/cert_level"),
        ("score", "/decision/facts/score"),
        ("consent", "/consent"),
        ("program", "/program"),
        ("arguments", "/arguments"),
        ("variables", "/variables"),
        ("warning", "/warning"),
        ("ended by", "/ended_by"),
        ("start", "/start/seq"),
        ("left there", "/left_behind"),
        ("user id", "/uid"),
        ("process", "/pid"),
        ("smcp", "/smcp"),
        ("before it", "/prev"),
    ];
    let mut rows = vec![("record", Span::new(text(record, "/seq"), palette.strong))];
    let shown = names.into_iter().map(|(name, path)| (name, text(record, path))).filter(|(_, text)| !text.is_empty());
    rows.extend(shown.map(|(name, text)| (name, Span::plain(text))));
    rows.extend(record.get("duration_ms").map(|count| ("lasted", Span::plain(format!("{count} ms")))));
    rows.push(("result", result(record, palette)));
    rows.extend(reasons(record).into_iter().map(|reason| ("reason", Span::plain(reason))));
    // Where the facts came from, and how old they were, among them.
    let notices = record.pointer("/decision/notices").and_then(Value::as_array);
    rows.extend(notices.into_iter().flatten().map(|notice| ("notice", Span::plain(text(notice, "/message")))));
    fields(out, style, 0, &rows)
}

/// Writes what a verification has found.
///
/// # Errors
/// When the writer fails.
pub fn verification(found: &Verification, out: &mut dyn Write, style: &Style) -> io::Result<()> {
    let palette = &style.palette;
    let (mark, headline) = match (found.is_intact(), found.records, found.foreign.is_empty()) {
        (true, 0, true) => (Mark::Good, "the audit log has no records".to_owned()),
        (true, _, true) => (Mark::Good, "the chain of the audit log holds".to_owned()),
        (true, _, false) => (Mark::Caution, "the chain holds, in the files that smcp has of it".to_owned()),
        (false, _, _) => (Mark::Bad, "the audit log is not what its writers left".to_owned()),
    };
    paragraph(out, &[mark.span(palette), Span::new(headline, palette.strong)], 0, 2, style.width)?;
    let mut rows: Vec<_> = found.files.iter().map(|file| ("file", Span::plain(file.as_str()))).collect();
    rows.push(("records", Span::plain(found.records.to_string())));
    let living = found.living.len();
    rows.extend((living > 0).then(|| ("running", Span::plain(living.to_string()))));
    rows.extend(found.head.map(|head| ("head", Span::plain(format!("{} (record {})", head.digest, head.seq)))));
    fields(out, style, 2, &rows)?;
    let place = |found: &Break| format!("{}, line {}: {}", found.file, found.line, found.message);
    for broken in &found.breaks {
        paragraph(out, &[Span::new("✗", palette.bad), Span::plain(place(broken))], 2, 4, style.width)?;
    }
    if found.more > 0 {
        writeln!(out, "  and {} more", found.more)?;
    }
    for note in &found.notes {
        paragraph(out, &[Span::new("note:", palette.caution), Span::plain(place(note))], 2, 4, style.width)?;
    }
    for remark in foreign_files(found).into_iter().chain(lost_ends(found)) {
        paragraph(out, &[Span::new("note:", palette.caution), Span::plain(remark)], 2, 4, style.width)?;
    }
    Ok(())
}

/// What it means that there are parts of the log that smcp did not put aside; none when there are none.
pub fn foreign_files(found: &Verification) -> Option<String> {
    if found.foreign.is_empty() {
        return None;
    }
    let names = shown(found.foreign.iter().map(ToString::to_string));
    Some(format!(
        "beside the log there is {names}, which smcp did not put there: if another program rotates the log, the records \
         in between are in no chain that could be verified, and one that begins at record 1 says nothing of what was \
         before; smcp puts a file aside by itself at 64 MiB, so leave the log out of logrotate"
    ))
}

/// The servers whose end was never recorded, though they run no longer; none when there are none.
pub fn lost_ends(found: &Verification) -> Option<String> {
    let lost = number::wide(found.lost().count()).saturating_add(found.more_unended);
    let runs = shown(found.lost().map(|run| run.to_string()));
    match lost {
        0 => None,
        1 => Some(format!("of 1 start there is no end (run {runs}): its smcp was killed, or the machine stopped")),
        _ => Some(format!(
            "of {lost} starts there is no end (runs {runs}): their smcp was killed, or the machine stopped"
        )),
    }
}

/// A few of many names, and how many there are besides.
fn shown(names: impl Iterator<Item = String>) -> String {
    let all: Vec<_> = names.collect();
    let more = all.len().saturating_sub(limits::AUDIT_SHOWN);
    let first: Vec<_> = all.into_iter().take(limits::AUDIT_SHOWN).collect();
    if more == 0 { first.join(", ") } else { format!("{} and {more} more", first.join(", ")) }
}

/// The same for machines.
pub fn verification_document(found: &Verification, exit_code: u8) -> Value {
    json!({
        "schema": "smcp.audit-verification/1",
        "intact": found.is_intact(),
        "exit_code": exit_code,
        "files": found.files,
        "records": found.records,
        "head": found.head,
        "breaks": found.breaks,
        "more": found.more,
        "notes": found.notes,
        "living": found.living,
        "without_end": found.lost().collect::<Vec<_>>(),
        "more_without_end": found.more_unended,
        "foreign_files": found.foreign,
    })
}

fn row((_, line, record): &Placed<'_>, palette: &Palette) -> Vec<Span> {
    if record.is_null() {
        let place = format!("line {line}");
        return vec![Span::new("?", palette.bad), Span::plain(place), Span::new("no record", palette.bad)];
    }
    let more = match reasons(record).as_slice() {
        [] => String::new(),
        [only] => only.clone(),
        [first, rest @ ..] => format!("{first} (and {} more)", rest.len()),
    };
    vec![
        Span::plain(text(record, "/seq")),
        Span::new(text(record, "/time"), palette.dim),
        Span::plain(text(record, "/event")),
        Span::plain(text(record, "/package")),
        result(record, palette),
        Span::plain(more),
    ]
}

/// What came of it, in a word or two.
fn result(record: &Value, palette: &Palette) -> Span {
    let decision = text(record, "/decision/decision");
    let code = text(record, "/exit_code");
    match (text(record, "/event").as_str(), decision.as_str()) {
        ("decision", "pass") => Span::new(decision, palette.good),
        ("decision", "block") => Span::new(decision, palette.bad),
        ("decision", _) => match text(record, "/consent").as_str() {
            "" => Span::new(decision, palette.caution),
            consent => Span::new(format!("{decision}: {consent}"), palette.caution),
        },
        ("start", _) => Span::plain("started"),
        ("end", _) => match (text(record, "/outcome").as_str(), text(record, "/warning").as_str()) {
            ("failed", _) => Span::new("failed", palette.bad),
            ("abandoned", _) => Span::new("abandoned", palette.caution),
            (_, "undelivered") => Span::new(format!("exit {code}, warning undelivered"), palette.caution),
            (_, _) => Span::plain(format!("exit {code}")),
        },
        (_, _) => Span::new("failed", palette.bad),
    }
}

/// Why: the refusal, the error, or what policies found.
fn reasons(record: &Value) -> Vec<String> {
    let single = ["/decision/refusal/message", "/message"].map(|path| text(record, path));
    let policies = record.pointer("/decision/policies").and_then(Value::as_array);
    let findings = policies.into_iter().flatten().flat_map(|policy| {
        let found = policy.get("findings").and_then(Value::as_array);
        found.into_iter().flatten().map(|finding| format!("{}: {}", text(policy, "/name"), text(finding, "/message")))
    });
    single.into_iter().filter(|text| !text.is_empty()).chain(findings).collect()
}

/// A value of a record as text; nothing when it is not there. What is shown is made harmless by its `Span`.
fn text(value: &Value, path: &str) -> String {
    match value.pointer(path) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(items)) => {
            let words: Vec<_> =
                items.iter().map(|item| item.as_str().map_or(item.to_string(), str::to_owned)).collect();
            words.join(" ")
        }
        Some(other @ (Value::Bool(_) | Value::Number(_) | Value::Object(_))) => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use smcp_model::audit::Head;
    use smcp_model::digest::Digest;

    fn shown(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> String {
        let mut out = Vec::new();
        write(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn records() -> Vec<Value> {
        let head = |seq: u64, event: &str| json!({"seq": seq, "time": "2027-01-02T03:04:05.678Z", "event": event, "run": 1, "package": "acme/tool@1.0.0"});
        let with = |mut record: Value, more: Value| {
            record.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            record
        };
        let finding = |message: &str| json!({"findings": [{"message": message}], "name": "score"});
        vec![
            with(head(1, "decision"), json!({"decision": {"decision": "pass", "policies": []}})),
            with(
                head(2, "decision"),
                json!({"decision": {"decision": "ask", "policies": [finding("low\u{1b}[31m"), finding("old")]}, "consent": "trusted"}),
            ),
            with(head(3, "decision"), json!({"decision": {"decision": "block", "refusal": {"message": "revoked"}}})),
            with(head(4, "start"), json!({"program": "sh", "variables": ["A", "B"], "arguments": 2})),
            with(head(5, "end"), json!({"outcome": "exited", "exit_code": 7, "warning": "undelivered"})),
            with(
                head(5, "end"),
                json!({"outcome": "abandoned", "start": {"seq": 4}, "message": "its smcp was killed"}),
            ),
            with(head(6, "failure"), json!({"outcome": "failed", "message": "it took too long"})),
            Value::Null,
        ]
    }

    #[test]
    fn every_record_has_its_line() {
        let records = records();
        let placed: Vec<_> = records.iter().zip(1..).map(|(record, line)| ("audit.jsonl", line, record)).collect();
        insta::assert_snapshot!("records", shown(|out| lines(&placed, out, &Style::default())));
        assert_eq!(shown(|out| lines(&[], out, &Style::default())), "the audit log has no records\n");
        insta::assert_snapshot!("record", shown(|out| whole(&records[1], out, &Style::default())));
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
