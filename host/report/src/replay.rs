//! Shows what comes of deciding recorded decisions again: `smcp policy replay`.

use std::io;
use std::io::Write;

use serde_json::Value;
use serde_json::json;

use crate::diff::minute;
use crate::headline::Mark;
use crate::style::Palette;
use crate::style::Span;
use crate::style::Style;
use crate::table::table;
use crate::wrap::paragraph;
use smcp_model::diff::ChangedPackage;
use smcp_model::diff::ChangedPolicy;
use smcp_model::mode::Effect;
use smcp_model::replay::PassedOver;
use smcp_model::replay::ReplayTally;
use smcp_model::text::SafeText;

/// Spaces before what follows the first line.
const INDENT: usize = 2;

/// Writes it for people, with a single write.
///
/// # Errors
/// When the writer fails.
pub fn human(tally: &ReplayTally, out: &mut dyn Write, style: &Style) -> io::Result<()> {
    let mut text = Vec::new();
    let palette = &style.palette;
    let (mark, said) = headline(tally);
    // Whoever reads only one line must not miss it.
    let (mark, said) = match tally.breaks.is_empty() {
        true => (mark, said),
        false => (Mark::Bad, format!("the records are damaged; of those that could be read: {said}")),
    };
    paragraph(&mut text, &[mark.span(palette), Span::new(said, mark.style(palette))], 0, INDENT, style.width)?;
    let rows: Vec<Vec<Span>> = tally.changes().map(|(change, starts)| row(change, starts, palette)).collect();
    if !rows.is_empty() {
        writeln!(text)?;
        table(&mut text, style, &["PACKAGE", "WAS", "WOULD BE", "TIMES", "STARTS", "LAST", "POLICIES"], &rows)?;
    }
    let notes = notes(tally);
    if !notes.is_empty() {
        writeln!(text)?;
    }
    for (is_bad, note) in notes {
        let style_of_word = if is_bad { palette.bad } else { palette.caution };
        let word = if is_bad { "damaged:" } else { "note:" };
        let spans = [Span::new(word, style_of_word), Span::plain(note)];
        paragraph(&mut text, &spans, INDENT, 2 * INDENT, style.width)?;
    }
    out.write_all(&text)
}

fn headline(tally: &ReplayTally) -> (Mark, String) {
    let (decided, changed) = (tally.decided, tally.changed);
    let undecided = tally.undecided_records();
    let decisions = if decided == 1 { "decision" } else { "decisions" };
    if changed > 0 {
        let packages =
            tally.changes().map(|(change, _)| &change.package).collect::<std::collections::BTreeSet<_>>().len();
        let packages = if packages == 1 { "1 package".to_owned() } else { format!("{packages} packages") };
        return (Mark::Bad, format!("{changed} of {decided} {decisions} would come out otherwise, for {packages}"));
    }
    if undecided > 0 {
        let records = if undecided == 1 { "record" } else { "records" };
        let said =
            format!("{undecided} {records} could not be decided again; {decided} {decisions} would come out the same");
        return (Mark::Caution, said);
    }
    if decided == 0 {
        return (Mark::Quiet, "there was no decision to make again".to_owned());
    }
    let said = if decided == 1 { "the decision" } else { "all decisions" };
    (Mark::Good, format!("{said} would come out the same ({decided})"))
}

fn row(change: &ChangedPackage, starts: u64, palette: &Palette) -> Vec<Span> {
    let effect = |effect: Effect| {
        let style = match effect {
            Effect::Pass => palette.good,
            Effect::Warn => palette.caution,
            Effect::Ask => palette.question,
            Effect::Block => palette.bad,
        };
        Span::new(effect.as_str(), style)
    };
    let last = change.last.as_ref().map_or("", SafeText::as_str);
    vec![
        Span::new(change.package.as_str(), palette.strong),
        effect(change.from),
        effect(change.to),
        Span::plain(change.times.unwrap_or_default().to_string()),
        Span::plain(starts.to_string()),
        Span::new(minute(last), palette.dim),
        Span::plain(policies(change)),
    ]
}

/// Returns the policies that make the difference, with what they object by now, or did.
fn policies(change: &ChangedPackage) -> String {
    let refusal = [("was refused", &change.refusals.0), ("refused", &change.refusals.1)];
    let refusal = refusal.into_iter().filter_map(|(word, code)| Some(format!("{word}: {}", code.as_ref()?)));
    let of_one = |policy: &ChangedPolicy| {
        // One that passed is told from one that was not there.
        let from = policy.from.as_ref().map_or("new", |it| it.effect.as_str());
        let to = policy.to.as_ref().map_or("gone", |it| it.effect.as_str());
        let (before, after) = policy.codes();
        let codes = if after.is_empty() { before } else { after };
        let codes: Vec<_> = codes.iter().map(SafeText::as_str).collect();
        format!("{} {from} → {to} ({})", policy.name, codes.join(", "))
    };
    refusal.chain(change.policies.iter().map(of_one)).collect::<Vec<_>>().join("; ")
}

/// Returns what else there is to say, and whether it is damage.
fn notes(tally: &ReplayTally) -> Vec<(bool, String)> {
    let place = |at: &smcp_model::audit::Break| format!("{}, line {}: {}", at.file, at.line, at.message);
    let damage = tally.breaks.iter().map(|at| (true, place(at)));
    let more = (tally.more_breaks > 0).then(|| (true, format!("and {} more", tally.more_breaks)));
    let undecided = tally.undecided.iter().map(|(why, count)| {
        let records = if *count == 1 { "1 record".to_owned() } else { format!("{count} records") };
        (false, format!("{records} could not be decided again: {why}"))
    });
    let PassedOver { events: _, before_policies, other_schemas } = tally.passed_over;
    let passed = [
        (before_policies, "refused before any policy was asked, and not decided again"),
        (other_schemas, "of other schemas, and passed over"),
    ];
    let passed = passed.into_iter().filter(|(count, _)| *count > 0);
    let passed = passed.map(|(count, what)| {
        let records = if count == 1 { "1 record is".to_owned() } else { format!("{count} records are") };
        (false, format!("{records} {what}"))
    });
    let unusual = tally.notes.iter().map(|at| (false, place(at)));
    damage.chain(more).chain(undecided).chain(passed).chain(unusual).collect()
}

/// Returns it as a document (`smcp.diff/1`), with what is to be said of the log.
pub fn document(tally: &ReplayTally) -> Value {
    let mut document = tally.totals().document();
    let PassedOver { events, before_policies, other_schemas } = tally.passed_over;
    let undecided: Vec<_> =
        tally.undecided.iter().map(|(why, records)| json!({"message": why, "records": records})).collect();
    let replay = json!({
        "decisions": tally.decided,
        "changed": tally.changed,
        "undecided": undecided,
        "passed_over": {"events": events, "before_policies": before_policies, "other_schemas": other_schemas},
        "breaks": tally.breaks,
        "more_breaks": tally.more_breaks,
        "notes": tally.notes,
    });
    let changes: Vec<_> = tally
        .changes()
        .map(|(change, starts)| {
            let mut document = change.document();
            if let Value::Object(members) = &mut document {
                members.insert("starts".to_owned(), json!(starts));
            }
            document
        })
        .collect();
    if let Some(packages) = document.pointer_mut("/summary/packages") {
        *packages = json!(tally.packages());
    }
    if let Value::Object(members) = &mut document {
        members.insert("replay".to_owned(), replay);
        members.insert("changes".to_owned(), Value::from(changes));
    }
    document
}
