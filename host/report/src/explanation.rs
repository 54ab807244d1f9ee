//! Shows why a decision came about: `smcp policy explain`.

use std::io;
use std::io::Write;

use serde_json::Value;
use serde_json::json;

use crate::Report;
use crate::headline;
use crate::headline::Mark;
use crate::human;
use crate::lift;
use crate::package;
use crate::package::Unknown;
use crate::stated::StatedView;
use crate::style::Palette;
use crate::style::Span;
use crate::style::Style;
use crate::table::ColumnWidths;
use crate::table::fields;
use crate::wrap::paragraph;
use smcp_decide::Conclusion;
use smcp_decide::ExplainedPolicy;
use smcp_decide::Explanation;
use smcp_decide::OtherFact;
use smcp_decide::PassingFacts;
use smcp_decide::ToldBy;
use smcp_decide::Way;
use smcp_model::facts::CertLevel;
use smcp_model::facts::Facts;
use smcp_model::facts::Origin;
use smcp_model::facts::Score;
use smcp_model::facts::Status;
use smcp_model::mode::Effect;
use smcp_model::number;
use smcp_model::policy::LayerName;
use smcp_model::request::Subject;
use smcp_model::text::SafeText;
use smcp_model::time;
use smcp_model::verdict::Evaluated;
use smcp_model::verdict::FaultKind;
use smcp_model::verdict::Outcome;

/// Spaces before facts and policies.
const INDENT: usize = 2;
/// Spaces before what is said about a policy.
const DETAIL: usize = 6;
/// The schema of the document.
const SCHEMA: &str = "smcp.explanation/1";

/// Writes an explanation for people, with a single write.
///
/// # Errors
/// When the writer fails.
pub fn human(report: &Report<'_>, explanation: &Explanation, out: &mut dyn Write, style: &Style) -> io::Result<()> {
    let mut text = Vec::new();
    headline::write(report, &mut text, style)?;
    let stated = StatedView::of_decision(report.subject, report.conclusion);
    let mut facts = package::facts(report.subject, &stated, &style.palette, Unknown::Shown);
    facts.extend(report.subject.permissions.iter().flat_map(package::permission_rows));
    let at = time::utc_of(explanation.context.evaluated_at).unwrap_or_default();
    facts.push(("decided", Span::new(format!("as of {at}"), style.palette.dim)));
    writeln!(text)?;
    fields(&mut text, style, INDENT, &facts)?;
    policies(report, explanation, &mut text, style)?;
    human::asides(report, &mut text, style)?;
    together(report, explanation, &mut text, style)?;
    out.write_all(&text)
}

/// Writes every policy below its layer.
fn policies(report: &Report<'_>, explanation: &Explanation, out: &mut dyn Write, style: &Style) -> io::Result<()> {
    let Conclusion::Ruled(ruling) = report.conclusion else { return Ok(()) };
    let palette = &style.palette;
    let all: Vec<_> = ruling.policies().iter().zip(&explanation.policies).collect();
    let rows: Vec<Vec<Span>> = all.iter().map(|(policy, explained)| row(policy, explained, palette)).collect();
    let columns = ColumnWidths::of(rows.iter().map(Vec::as_slice));
    let mut layer = None;
    for ((policy, explained), row) in all.iter().zip(&rows) {
        if layer.replace(policy.layer()) != Some(policy.layer()) {
            writeln!(out)?;
            let told = told(policy.layer(), &explained.told, report.subject);
            paragraph(out, &[Span::new(told, palette.dim)], INDENT, 2 * INDENT, style.width)?;
        }
        let mark = Mark::of(policy).span(palette);
        write!(out, "{:INDENT$}{}{}{:#} ", "", mark.style, mark.text, mark.style)?;
        columns.write_row(out, 0, row)?;
        let settings = policy.spec.settings.to_string();
        if settings != "{}" && settings != "null" {
            let spans = [Span::new("settings:", palette.dim), Span::new(settings, palette.dim)];
            paragraph(out, &spans, DETAIL, DETAIL + INDENT, style.width)?;
        }
        let is_found = matches!(&explained.way, Way::Facts(PassingFacts { change: Some(_), .. }));
        let detail = if is_found { human::Detail::Reasons } else { human::Detail::Everything };
        human::details(&policy.outcome, detail, out, style)?;
        way(&policy.outcome, explained, out, style)?;
    }
    Ok(())
}

/// Returns name, mode, outcome, time and place of a policy.
fn row(policy: &Evaluated, explained: &ExplainedPolicy, palette: &Palette) -> Vec<Span> {
    let style = Mark::of(policy).style(palette);
    let at = explained.at.as_ref().map_or("by default", SafeText::as_str);
    vec![
        Span::new(policy.name().as_str(), palette.strong),
        Span::new(policy.mode().as_str(), palette.dim),
        Span::new(human::outcome_words(&policy.outcome, policy.effect()), style),
        Span::new(format!("{} µs", number::micros(policy.duration)), palette.dim),
        Span::new(at, palette.dim),
    ]
}

/// Returns what the policies of a layer were told.
fn told(layer: LayerName, told: &ToldBy, subject: &Subject) -> String {
    let layer = layer.as_str();
    match (told, &subject.registry) {
        (ToldBy::Registry, Some(registry)) => format!("{layer} layer: its policies were told what {registry} says"),
        (ToldBy::Registry, None) => format!("{layer} layer: its policies were told what the document says"),
        (ToldBy::Verified, _) => format!(
            "{layer} layer: its policies were told what the registry says, and that the namespace is verified \
             (verified_namespaces)"
        ),
        (ToldBy::Nothing, _) => format!(
            "{layer} layer: its policies were told of no origin, level, score or findings: it does not trust the registry \
             (trusted_registries)"
        ),
        (ToldBy::Statement(facts), _) if **facts == Facts::untrusted() => {
            format!("{layer} layer: its policies were told of no facts: no signed statement counts")
        }
        (ToldBy::Statement(facts), _) => {
            format!("{layer} layer: its policies were told what was signed: {}", words(facts))
        }
    }
}

/// Returns facts in a few words.
fn words(facts: &Facts) -> String {
    let Facts { status, origin, cert_level, score, .. } = facts;
    let words = [
        status.as_ref().map(|status| status.as_str().to_owned()),
        origin.as_ref().map(ToString::to_string),
        cert_level.map(|level| format!("level {}", level.get())),
        score.map(|score| format!("score {}", score.get())),
    ];
    words.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// Writes what it takes for a policy not to object.
fn way(outcome: &Outcome, explained: &ExplainedPolicy, out: &mut dyn Write, style: &Style) -> io::Result<()> {
    let (word, said) = match &explained.way {
        Way::Open => return Ok(()),
        Way::Broken if are_settings(outcome) => {
            ("would not pass:", "whatever the facts are: its settings are to be mended".to_owned())
        }
        Way::Broken => ("would not pass:", "whatever the facts are: the policy itself failed".to_owned()),
        Way::Facts(PassingFacts { change: Some(change), is_cut, .. }) => {
            ("would pass:", format!("{}{}", bounded(*is_cut), changes(change)))
        }
        Way::Facts(PassingFacts { change: None, asked, is_cut: true }) => (
            "not found:",
            format!("what would pass, within the bound of the search: it was asked about {asked} other packages"),
        ),
        Way::Facts(PassingFacts { change: None, asked, is_cut: false }) => (
            "would not pass:",
            format!("with any value of the facts that can be tried: it was asked about {asked} other packages"),
        ),
    };
    let is_found = matches!(&explained.way, Way::Facts(PassingFacts { change: Some(_), .. }));
    let colour = if is_found { style.palette.good } else { style.palette.caution };
    let spans = [Span::new(word, colour), Span::plain(said)];
    paragraph(out, &spans, DETAIL, DETAIL + INDENT, style.width)
}

/// Returns what is to be said of a change where not all was tried.
const fn bounded(is_cut: bool) -> &'static str {
    if is_cut { "(less may be enough: the search ended at its bound) " } else { "" }
}

/// Returns changes of facts as `score 80 (is 35), cert_level 2 (is unknown)`.
fn changes(changes: &[OtherFact]) -> String {
    let shown = |value: &Value| match (value.as_str(), value.as_array()) {
        (Some(word), _) => SafeText::quoted_value(word).to_string(),
        (None, Some(items)) if items.is_empty() => "none".to_owned(),
        (None, Some(items)) => {
            let items = items.iter().map(|item| SafeText::quoted_value(item.as_str().unwrap_or_default()).to_string());
            format!("[{}]", items.collect::<Vec<_>>().join(", "))
        }
        (None, None) => value.to_string(),
    };
    let said = |change: &OtherFact| {
        let from = change.from.as_ref().map_or_else(|| "unknown".to_owned(), shown);
        format!("{} {} (is {from})", change.fact.as_str(), shown(&change.to))
    };
    changes.iter().map(said).collect::<Vec<_>>().join(", ")
}

/// Writes what it takes for the package to run: other facts, or an exception.
fn together(report: &Report<'_>, explanation: &Explanation, out: &mut dyn Write, style: &Style) -> io::Result<()> {
    if !is_refused(report, explanation) {
        return Ok(());
    }
    let said = match (&explanation.together, explanation.is_cut) {
        (Some(change), is_cut) => format!("it would run with these facts: {}{}", bounded(is_cut), changes(change)),
        (None, true) => {
            "no change of its facts was found with which it would run, within the bound of the search".to_owned()
        }
        (None, false) => "no change of its facts was found with which it would run".to_owned(),
    };
    writeln!(out)?;
    let line = |text: String| [Span::new("→", style.palette.dim), Span::plain(text)];
    paragraph(out, &line(said), INDENT, 2 * INDENT, style.width)?;
    if report.lifts.is_empty() {
        let none = format!("no exception would lift this: {}", unliftable(report, explanation));
        return paragraph(out, &line(none), INDENT, 2 * INDENT, style.width);
    }
    lift::write(report.lifts, report.subject, out, style)
}

/// Says why no exception would lift a refusal.
fn unliftable(report: &Report<'_>, explanation: &Explanation) -> &'static str {
    let lightest = lightest(explanation);
    let ruled = if let Conclusion::Ruled(ruling) = report.conclusion { ruling.policies() } else { &[] };
    let refuses = |policy: &&Evaluated| policy.effect() >= lightest;
    if ruled.iter().filter(refuses).any(|policy| are_settings(&policy.outcome)) {
        "the settings of a policy are at fault, and are to be mended in the configuration"
    } else if ruled.iter().filter(refuses).any(|policy| matches!(policy.outcome, Outcome::Fault(_))) {
        "a policy has failed, and a failure has no code that could be waived"
    } else if report.subject.bundle_digest.is_none() {
        "its bytes are not known, and a layer that refuses does not trust its registry to say which package it is"
    } else {
        "no entry could name the package"
    }
}

/// Whether a policy failed because of what the configuration sets.
fn are_settings(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Fault(fault) if fault.kind == FaultKind::Settings)
}

const fn lightest(explanation: &Explanation) -> Effect {
    if explanation.context.trust { Effect::Block } else { Effect::Ask }
}

fn is_refused(report: &Report<'_>, explanation: &Explanation) -> bool {
    matches!(report.conclusion, Conclusion::Ruled(ruling) if ruling.effect() >= lightest(explanation))
}

/// Returns an explanation as a document (`smcp.explanation/1`).
pub fn document(report: &Report<'_>, explanation: &Explanation) -> Value {
    let ruled = match report.conclusion {
        Conclusion::Ruled(ruling) => ruling.policies(),
        Conclusion::Refused { .. } | Conclusion::Unavailable { .. } => &[],
    };
    let policies = ruled.iter().zip(&explanation.policies).map(|(policy, explained)| {
        let facts = match &explained.told {
            ToldBy::Registry => facts_told(&report.subject.facts),
            ToldBy::Verified => facts_told(&Facts { origin: Some(Origin::Verified), ..report.subject.facts.clone() }),
            ToldBy::Nothing => facts_told(&Facts::untrusted()),
            ToldBy::Statement(facts) => facts_told(facts),
        };
        json!({
            "name": policy.name().as_str(),
            "layer": policy.layer(),
            "at": explained.at,
            "source": SafeText::new(&policy.spec.source.to_string()),
            "settings": policy.spec.settings,
            "told": {"by": explained.told.as_str(), "facts": facts},
            "passes_with": way_document(&explained.way),
        })
    });
    let exceptions: Vec<_> = if is_refused(report, explanation) {
        report.lifts.iter().map(|one| lift::document(one, report.subject)).collect()
    } else {
        Vec::new()
    };
    json!({
        "schema": SCHEMA,
        "decision": report.document(),
        "evaluated_at": explanation.context.evaluated_at,
        "policies": policies.collect::<Vec<_>>(),
        "passes_with": explanation.together.as_deref().map(changes_document),
        "bound_reached": explanation.is_cut,
        "exceptions": exceptions,
    })
}

/// Writes a refusal before any policy: there is no rule that could say otherwise.
///
/// # Errors
/// When the writer fails.
pub fn refusal(report: &Report<'_>, out: &mut dyn Write, style: &Style) -> io::Result<()> {
    let mut text = Vec::new();
    human::decision(report, &mut text, style)?;
    writeln!(text)?;
    let said = "it was refused before any policy was asked: no rule, no option and no exception lifts this; only its \
                registry, or whoever signs for it, can";
    paragraph(&mut text, &[Span::new("→", style.palette.dim), Span::plain(said)], INDENT, 2 * INDENT, style.width)?;
    out.write_all(&text)
}

/// Returns a refusal before any policy as a document (`smcp.explanation/1`).
pub fn refusal_document(report: &Report<'_>) -> Value {
    json!({
        "schema": SCHEMA,
        "decision": report.document(),
        "policies": [],
        "passes_with": null,
        "bound_reached": false,
        "exceptions": [],
    })
}

fn way_document(way: &Way) -> Value {
    match way {
        Way::Open => Value::Null,
        Way::Broken => json!({"changes": null, "asked": 0, "bound_reached": false}),
        Way::Facts(PassingFacts { change, asked, is_cut }) => json!({
            "changes": change.as_deref().map(changes_document),
            "asked": asked,
            "bound_reached": is_cut,
        }),
    }
}

fn changes_document(changes: &[OtherFact]) -> Value {
    changes.iter().map(|it| json!({"fact": it.fact.as_str(), "from": it.from, "to": it.to})).collect()
}

fn facts_told(facts: &Facts) -> Value {
    let score = |score: Option<Score>| score.map(Score::get);
    json!({
        "status": facts.status.as_ref().map(|status| SafeText::new(Status::as_str(status))),
        "origin": facts.origin.as_ref().map(ToString::to_string),
        "cert_level": facts.cert_level.map(CertLevel::get),
        "score": score(facts.score),
        "security_score": score(facts.security_score),
        "supply_chain_score": score(facts.supply_chain_score),
        "maturity_score": score(facts.maturity_score),
        "findings": facts.findings,
        "git_sha": facts.git_sha,
    })
}
