//! The fields of one record that people read.

use smcp_model::record::Body;
use smcp_model::record::DecisionRecord;
use smcp_model::record::EndRecord;
use smcp_model::record::HowEnded;
use smcp_model::record::Record;
use smcp_model::record::StartRecord;

/// A field's name and its text; an empty text is not shown.
type RecordField = (&'static str, String);

/// Returns every field, in the order in which they are shown.
pub(super) fn texts(record: &Record) -> Vec<RecordField> {
    let Record { place, circumstances, body } = record;
    let mut fields = vec![
        ("time", place.time.to_string()),
        ("event", place.event.as_str().to_owned()),
        ("run", place.run.to_string()),
        ("command", circumstances.command.to_string()),
        ("asked for", text(circumstances.asked.as_ref())),
        ("package", body.package().to_string()),
    ];
    fields.extend(match body {
        Body::Decision(decision) => decided(decision),
        Body::Start(start) => started(start),
        Body::Failure(end) | Body::End(end) => ended(end),
    });
    fields.extend([
        ("user id", circumstances.uid.to_string()),
        ("process", circumstances.pid.to_string()),
        ("smcp", circumstances.smcp.to_string()),
        ("before it", place.prev.to_string()),
    ]);
    if let Body::Failure(EndRecord { duration_ms: Some(elapsed), .. })
    | Body::End(EndRecord { duration_ms: Some(elapsed), .. }) = body
    {
        fields.push(("lasted", format!("{elapsed} ms")));
    }
    fields
}

fn decided(decision: &DecisionRecord) -> Vec<RecordField> {
    let facts = &decision.decision.facts;
    vec![
        ("registry", text(facts.registry.as_ref())),
        ("bundle", text(facts.bundle_digest.as_ref())),
        ("origin", text(facts.origin.as_ref())),
        ("level", text(facts.cert_level.map(|level| level.get()).as_ref())),
        ("score", text(facts.score.map(|score| score.get()).as_ref())),
        ("consent", text(decision.consent.map(|consent| consent.as_str()).as_ref())),
    ]
}

fn started(start: &StartRecord) -> Vec<RecordField> {
    vec![
        ("registry", start.registry.to_string()),
        ("bundle", start.bundle_digest.to_string()),
        ("program", start.program.clone()),
        ("arguments", start.arguments.to_string()),
        ("variables", start.variables.join(" ")),
        ("warning", start.warning.to_string()),
    ]
}

fn ended(end: &EndRecord) -> Vec<RecordField> {
    let mut fields = match &end.how {
        HowEnded::Exited(server) | HowEnded::Signalled(server) | HowEnded::ReaperKilled(server) => vec![
            ("warning", text(server.warning.map(|delivery| delivery.as_str()).as_ref())),
            ("ended by", server.ended_by.as_str().to_owned()),
        ],
        HowEnded::Abandoned { start, .. } => vec![("start", start.seq.to_string())],
        HowEnded::Failed { .. } => Vec::new(),
    };
    fields.push(("left there", text(end.left_behind.as_ref())));
    let denied: Vec<_> = end.denied_hosts.iter().map(|denied| format!("{} ({})", denied.host, denied.count)).collect();
    fields.push(("denied hosts", denied.join(" ")));
    let denied: Vec<_> = end.denied_calls.iter().map(|denied| format!("{} ({})", denied.kind, denied.count)).collect();
    fields.push(("denied calls", denied.join(", ")));
    fields
}

fn text(value: Option<&impl ToString>) -> String {
    value.map(ToString::to_string).unwrap_or_default()
}
