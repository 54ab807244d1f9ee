//! Writes a decision for people: verdict, facts, policies and their reasons.

use std::io;
use std::io::Write;

use crate::Purpose;
use crate::Report;
use crate::headline;
use crate::headline::Mark;
use crate::lift;
use crate::package;
use crate::package::Unknown;
use crate::stated::StatedView;
use crate::style::Palette;
use crate::style::Span;
use crate::style::Style;
use crate::summary;
use crate::table::ColumnWidths;
use crate::table::fields;
use crate::wrap::paragraph;
use smcp_decide::Conclusion;
use smcp_decide::Ruling;
use smcp_model::decision::Consent;
use smcp_model::exception::Waiver;
use smcp_model::exit::ExitKind;
use smcp_model::mode::Effect;
use smcp_model::policy::LayerName;
use smcp_model::text::SafeText;
use smcp_model::verdict::Evaluated;
use smcp_model::verdict::Finding;
use smcp_model::verdict::Outcome;

/// Spaces before facts, policies and notes.
const INDENT: usize = 2;
/// Spaces before the findings of a policy, which are below its name.
const DETAIL: usize = 6;

/// Writes a whole decision, with a single write.
///
/// # Errors
/// When the writer fails.
pub fn decision(report: &Report<'_>, out: &mut dyn Write, style: &Style) -> io::Result<()> {
    let mut text = Vec::new();
    let unknown = match report.conclusion {
        Conclusion::Ruled(_) => Unknown::Shown,
        Conclusion::Refused { .. } | Conclusion::Unavailable { .. } => Unknown::Omitted,
    };
    headline::write(report, &mut text, style)?;
    let facts = match report.start {
        Some(start) => summary::rows(report, start, &style.palette),
        None => {
            let stated = StatedView::of_decision(report.subject, report.conclusion);
            package::facts(report.subject, &stated, &style.palette, unknown)
        }
    };
    if !facts.is_empty() {
        writeln!(text)?;
        fields(&mut text, style, INDENT, &facts)?;
    }
    if let Conclusion::Ruled(ruling) = report.conclusion {
        policies(report, ruling, &mut text, style)?;
    }
    asides(report, &mut text, style)?;
    if offers_exception(report) {
        lift::write(report.lifts, report.subject, &mut text, style)?;
    }
    out.write_all(&text)
}

/// Writes each policy with its findings. A brief report leaves out policies without any; the headline counts them.
fn policies(report: &Report<'_>, ruling: &Ruling, out: &mut dyn Write, style: &Style) -> io::Result<()> {
    let brief = report.brief;
    let layered = ruling.policies().iter().any(|policy| policy.layer() != LayerName::User);
    let shown: Vec<_> = ruling.policies().iter().filter(|policy| !brief || !policy.outcome.is_silent()).collect();
    if shown.is_empty() {
        return Ok(());
    }
    let rows: Vec<Vec<Span>> = shown.iter().map(|policy| policy_row(policy, layered, &style.palette)).collect();
    let columns = ColumnWidths::of(rows.iter().map(Vec::as_slice));
    writeln!(out)?;
    for (policy, row) in shown.iter().zip(&rows) {
        let mark = Mark::of(policy).span(&style.palette);
        write!(out, "{:INDENT$}{}{}{:#} ", "", mark.style, mark.text, mark.style)?;
        columns.write_row(out, 0, row)?;
        let detail = if brief && report.start.is_some() { Detail::WithoutRemarks } else { Detail::Everything };
        details(&policy.outcome, detail, out, style)?;
    }
    Ok(())
}

fn policy_row(policy: &Evaluated, layered: bool, palette: &Palette) -> Vec<Span> {
    let style = Mark::of(policy).style(palette);
    let mut row = vec![Span::new(policy.name().as_str(), palette.strong)];
    if layered {
        row.push(Span::new(policy.layer().as_str(), palette.dim));
    }
    row.push(Span::new(policy.mode().as_str(), palette.dim));
    row.push(Span::new(outcome_words(&policy.outcome, policy.effect()), style));
    row
}

/// Returns the outcome of a policy and its effect: `violation → block`.
pub(crate) fn outcome_words(outcome: &Outcome, effect: Effect) -> String {
    let word = outcome.kind().as_str();
    match outcome {
        Outcome::Pass { .. } | Outcome::Skipped | Outcome::Waived { .. } => word.to_owned(),
        Outcome::Violation { .. } => format!("{word} → {}", effect.as_str()),
        Outcome::Fault(fault) => format!("{word}: {} → {}", fault.kind.as_str(), effect.as_str()),
    }
}

/// Writes the findings of one policy, under its row: what stands, what is waived and by which exception, remarks.
pub(crate) fn details(outcome: &Outcome, detail: Detail, out: &mut dyn Write, style: &Style) -> io::Result<()> {
    if let Outcome::Fault(fault) = outcome {
        paragraph(out, &[Span::plain(fault.message.as_str())], DETAIL, DETAIL, style.width)?;
        return remedy(fault.remedy.as_ref(), out, style);
    }
    outcome.violations().iter().try_for_each(|violation| reason(violation, detail, out, style))?;
    for exception in outcome.exceptions() {
        marked("exception:", &Waiver::of(exception).to_string(), out, style)?;
        let of_this = outcome.waived().iter().filter(|waived| waived.exception.as_ref() == exception);
        let mut findings = of_this.map(|waived| &waived.finding);
        findings.try_for_each(|finding| marked("waived:", finding.message.as_str(), out, style))?;
    }
    outcome.notices().iter().try_for_each(|notice| note(notice, detail, out, style))
}

/// Writes a text behind a word that says what it is.
fn marked(word: &str, text: &str, out: &mut dyn Write, style: &Style) -> io::Result<()> {
    paragraph(out, &[Span::new(word, style.palette.caution), Span::plain(text)], DETAIL, DETAIL + INDENT, style.width)
}

fn reason(finding: &Finding, detail: Detail, out: &mut dyn Write, style: &Style) -> io::Result<()> {
    paragraph(out, &[Span::plain(finding.message.as_str())], DETAIL, DETAIL, style.width)?;
    remedy(finding.remedy.as_ref().filter(|_| detail != Detail::Reasons), out, style)
}

fn note(finding: &Finding, detail: Detail, out: &mut dyn Write, style: &Style) -> io::Result<()> {
    marked("note:", finding.message.as_str(), out, style)?;
    remedy(finding.remedy.as_ref().filter(|_| detail == Detail::Everything), out, style)
}

/// How much is said of a policy's findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Detail {
    /// All of it.
    Everything,
    /// No remedies of remarks.
    WithoutRemarks,
    /// No remedies at all.
    Reasons,
}

fn remedy(text: Option<&SafeText>, out: &mut dyn Write, style: &Style) -> io::Result<()> {
    let Some(text) = text else { return Ok(()) };
    let spans = [Span::new("→", style.palette.dim), Span::plain(text.as_str())];
    paragraph(out, &spans, DETAIL, DETAIL + INDENT, style.width)
}

/// Writes the remarks that come from no policy, and what the user can do now.
pub(crate) fn asides(report: &Report<'_>, out: &mut dyn Write, style: &Style) -> io::Result<()> {
    let palette = &style.palette;
    let note = |text: &str| [Span::new("note:", palette.caution), Span::plain(text)];
    let mut lines: Vec<_> = report.asides().map(|(_, message)| note(message.as_str())).collect();
    if let Conclusion::Ruled(ruling) = report.conclusion {
        lines.extend(trust_note(ruling, report.consent).map(note));
        lines.extend(consent_hint(ruling, report).map(|text| [Span::new("→", palette.dim), Span::plain(text)]));
    }
    let contacts = report.contacts(Effect::Ask);
    let contacts: Vec<_> =
        contacts.iter().map(|(layer, contact)| format!("{contact} ({} layer)", layer.as_str())).collect();
    lines.extend(contacts.iter().map(|contact| [Span::new("ask:", palette.caution), Span::plain(contact.as_str())]));
    if report.purpose == Purpose::DryRun && report.exit == ExitKind::Success {
        lines.push([Span::new("dry run:", palette.dim), Span::plain("nothing was started")]);
    }
    if !lines.is_empty() {
        writeln!(out)?;
    }
    lines.iter().try_for_each(|line| paragraph(out, line, INDENT, INDENT + INDENT, style.width))
}

/// Whether this is a refusal for the moment, which an exception would lift: not a question that is about to be asked,
/// nor one that was answered with no.
fn offers_exception(report: &Report<'_>) -> bool {
    let Conclusion::Ruled(ruling) = report.conclusion else { return false };
    match (ruling.effect(), report.consent) {
        (Effect::Block, _) | (Effect::Ask, Some(Consent::NobodyToAsk)) => true,
        (Effect::Ask, None) => report.purpose != Purpose::Launch,
        (Effect::Ask, Some(Consent::Trusted | Consent::Accepted | Consent::Declined)) => false,
        (Effect::Pass | Effect::Warn, _) => false,
    }
}

/// Returns a note that `--trust` does not lift a block, where it was passed against one.
fn trust_note(ruling: &Ruling, consent: Option<Consent>) -> Option<&'static str> {
    let is_useless = ruling.effect() == Effect::Block && consent == Some(Consent::Trusted);
    is_useless.then_some("--trust answers questions; it never lifts a block")
}

/// Returns how to give the missing consent.
fn consent_hint(ruling: &Ruling, report: &Report<'_>) -> Option<&'static str> {
    match (ruling.effect(), report.consent) {
        (Effect::Ask, Some(Consent::NobodyToAsk)) => {
            Some("pass --trust to consent in advance, or run smcp where standard input and error are a terminal")
        }
        (Effect::Ask, None) if report.purpose != Purpose::Launch => {
            Some("pass --trust to consent in advance; smcp run asks when it is used in a terminal")
        }
        (Effect::Pass | Effect::Warn | Effect::Ask | Effect::Block, _) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;

    fn shown(report: &Report<'_>, style: &Style) -> String {
        let mut out = Vec::new();
        decision(report, &mut out, style).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn every_decision_reads_well() {
        for case in fixtures::cases() {
            insta::assert_snapshot!(case.name, shown(&case.report(), &Style::default()));
        }
    }

    #[test]
    fn colours_are_set_and_reset() {
        let case = fixtures::two_violations();
        let style = Style { palette: Palette::coloured(), width: None };
        let coloured = shown(&case.report(), &style);
        let mut parts = coloured.split("\u{1b}[");
        let plain = parts.next().unwrap_or_default().to_owned()
            + &parts.map(|part| part.split_once('m').unwrap().1).collect::<String>();
        assert_eq!(plain, shown(&case.report(), &Style::default()));
        insta::assert_snapshot!("two_violations_coloured", coloured.replace('\u{1b}', "␛"));
    }

    #[test]
    fn long_messages_wrap_on_a_terminal_only() {
        let case = fixtures::long_messages();
        insta::assert_snapshot!(
            "long_messages_wrapped",
            shown(&case.report(), &Style { width: Some(72), ..Style::default() })
        );
        assert!(shown(&case.report(), &Style::default()).lines().any(|line| line.len() > 200));
    }

    #[test]
    fn nothing_hostile_reaches_the_terminal() {
        for style in [Style::default(), Style { width: Some(40), ..Style::default() }] {
            let text = shown(&fixtures::hostile_subject().report(), &style);
            assert!(text.lines().all(|line| SafeText::new(line).as_str() == line), "{text:?}");
            assert!(text.contains("\\u{1b}[2J") && !text.contains('\u{202e}'), "{text}");
        }
    }
}
