//! The first line of a decision: whether the package may run, and why.

use std::io;
use std::io::Write;

use crate::Report;
use crate::stated::StatedView;
use crate::style::Palette;
use crate::style::Span;
use crate::style::Style;
use crate::wrap::paragraph;
use smcp_decide::Conclusion;
use smcp_decide::Ruling;
use smcp_model::decision::Consent;
use smcp_model::facts::RiskLabel;
use smcp_model::facts::Score;
use smcp_model::mode::Effect;
use smcp_model::verdict::Evaluated;
use smcp_model::verdict::OutcomeKind;

/// Spaces before the further lines of the headline.
const INDENT: usize = 2;

/// The sign that a line starts with, and its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    /// Allowed.
    Good,
    /// A warning, or an exception in force.
    Caution,
    /// A question.
    Question,
    /// Refused.
    Bad,
    /// Not evaluated.
    Quiet,
}

impl Mark {
    /// Returns the mark for one policy's line.
    pub(crate) fn of(policy: &Evaluated) -> Self {
        match (policy.outcome.kind(), policy.effect()) {
            (OutcomeKind::Skipped, _) => Self::Quiet,
            (OutcomeKind::Waived, _) | (_, Effect::Warn) => Self::Caution,
            (_, Effect::Pass) => Self::Good,
            (_, Effect::Ask) => Self::Question,
            (_, Effect::Block) => Self::Bad,
        }
    }

    /// Returns its colour.
    pub(crate) const fn style(self, palette: &Palette) -> anstyle::Style {
        match self {
            Self::Good => palette.good,
            Self::Caution => palette.caution,
            Self::Question => palette.question,
            Self::Bad => palette.bad,
            Self::Quiet => palette.dim,
        }
    }

    /// Returns the sign in its colour.
    pub(crate) fn span(self, palette: &Palette) -> Span {
        let sign = match self {
            Self::Good => "✓",
            Self::Caution => "!",
            Self::Question => "?",
            Self::Bad => "✗",
            Self::Quiet => "-",
        };
        Span::new(sign, self.style(palette))
    }
}

/// Writes the line, wrapped where the style wraps. Further lines of a message follow it, indented, so that text from
/// elsewhere in a message can't begin a line.
///
/// # Errors
/// When the writer fails.
pub(crate) fn write(report: &Report<'_>, out: &mut dyn Write, style: &Style) -> io::Result<()> {
    let (mark, verdict, why) = match report.conclusion {
        Conclusion::Ruled(ruling) => ruled(report, ruling),
        Conclusion::Refused { message, .. } => (Mark::Bad, "is refused:", message.to_owned()),
        Conclusion::Unavailable { message, .. } => (Mark::Bad, "is not available:", message.to_owned()),
    };
    let mut lines = why.lines();
    let palette = &style.palette;
    let package = Span::new(report.subject.label(), palette.strong);
    let spans = [
        mark.span(palette),
        package,
        Span::new(verdict, mark.style(palette)),
        Span::plain(lines.next().unwrap_or_default()),
    ];
    paragraph(out, &spans, 0, INDENT, style.width)?;
    lines.try_for_each(|line| paragraph(out, &[Span::plain(line.trim_start())], INDENT, 2 * INDENT, style.width))
}

/// Returns mark, verdict and reason of a ruling. Where a package may run despite an objection or a note, the risk comes
/// before the reason, because many people read no further.
fn ruled(report: &Report<'_>, ruling: &Ruling) -> (Mark, &'static str, String) {
    let count = |effect| ruling.policies().iter().filter(|policy| policy.effect() == effect).count();
    let asking = of_enabled(ruling, count(Effect::Ask), "asks for consent", "ask for consent");
    let risky = |reason: String| {
        format!("{}{reason}", risk(StatedView::of_decision(report.subject, report.conclusion).score()))
    };
    match (ruling.effect(), report.consent) {
        (Effect::Pass, _) => match count_remarks(report, ruling) {
            0 => (Mark::Good, "may run:", pass_reason(ruling)),
            1 => (Mark::Caution, "may run, with a note:", risky(pass_reason(ruling))),
            _ => (Mark::Caution, "may run, with notes:", risky(pass_reason(ruling))),
        },
        (Effect::Warn, _) => {
            let warning = of_enabled(ruling, count(Effect::Warn), "warns", "warn");
            (Mark::Caution, "may run, with warnings:", risky(warning))
        }
        (Effect::Ask, None) => {
            let asking = of_enabled(ruling, count(Effect::Ask), "asks for it", "ask for it");
            (Mark::Question, "needs consent:", risky(asking))
        }
        (Effect::Ask, Some(Consent::Trusted)) => {
            (Mark::Caution, "may run:", risky(format!("{asking}, and --trust gives it")))
        }
        (Effect::Ask, Some(Consent::Accepted)) => {
            (Mark::Caution, "may run:", risky(format!("{asking}, and it was given")))
        }
        (Effect::Ask, Some(Consent::Declined)) => (Mark::Bad, "is refused:", "the answer was not yes".to_owned()),
        (Effect::Ask, Some(Consent::NobodyToAsk)) => {
            (Mark::Bad, "is refused:", format!("{asking}, and nobody can be asked here"))
        }
        (Effect::Block, _) => {
            (Mark::Bad, "is refused:", of_enabled(ruling, count(Effect::Block), "blocks it", "block it"))
        }
    }
}

/// Counts the notices, remarks and waived policies of a package to which no policy objects.
fn count_remarks(report: &Report<'_>, ruling: &Ruling) -> usize {
    let waived = count_of(ruling, OutcomeKind::Waived);
    let notices = ruling.policies().iter().map(|policy| policy.outcome.notices().len());
    waived + notices.sum::<usize>() + report.asides().count()
}

/// Returns `Critical Risk (score 35/100); `, or an empty text where the score is good or unknown.
fn risk(score: Option<Score>) -> String {
    let Some(score) = score else { return String::new() };
    match score.label() {
        RiskLabel::Low => String::new(),
        label @ (RiskLabel::Critical | RiskLabel::High | RiskLabel::Moderate) => {
            format!("{} (score {}/{}); ", label.as_str(), score.get(), Score::MAX)
        }
    }
}

fn count_of(ruling: &Ruling, kind: OutcomeKind) -> usize {
    ruling.policies().iter().filter(|policy| policy.outcome.kind() == kind).count()
}

/// Returns `2 of 3 policies block it, 1 is waived`; disabled policies don't count.
fn of_enabled(ruling: &Ruling, count: usize, one: &str, many: &str) -> String {
    let enabled = ruling.policies().len() - count_of(ruling, OutcomeKind::Skipped);
    let noun = if enabled == 1 { "policy" } else { "policies" };
    let waived = match count_of(ruling, OutcomeKind::Waived) {
        0 => String::new(),
        1 => ", 1 is waived".to_owned(),
        more => format!(", {more} are waived"),
    };
    format!("{count} of {enabled} {noun} {}{waived}", if count == 1 { one } else { many })
}

/// Returns the reason why no policy objects to the package.
fn pass_reason(ruling: &Ruling) -> String {
    let allowing = count_of(ruling, OutcomeKind::Pass);
    match (allowing, count_of(ruling, OutcomeKind::Waived)) {
        (0, 0) => "no policy is enabled".to_owned(),
        (1, 0) => "its one policy allows it".to_owned(),
        (all, 0) => format!("all {all} policies allow it"),
        (_, _) => of_enabled(ruling, allowing, "allows it", "allow it"),
    }
}
