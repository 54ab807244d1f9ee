//! Shows what came of the cases of a policy: `smcp policy test`.

use std::io;
use std::io::Write;

use crate::headline::Mark;
use crate::style::Span;
use crate::style::Style;
use crate::table::ColumnWidths;
use crate::wrap::paragraph;
use smcp_model::digest::Digest;
use smcp_model::limits::cases as limits;
use smcp_model::text::SafeText;
use smcp_policy_cases::CaseRun;
use smcp_policy_cases::Difference;
use smcp_policy_cases::FileRun;
use smcp_policy_cases::Position;

/// What came of all cases of one policy.
#[derive(Debug)]
pub struct CasesReport<'a> {
    /// The policy's file, or its name when it is built in.
    pub source: SafeText,
    /// Its own name and version; `None` when it failed before it answered.
    pub described: Option<(SafeText, SafeText)>,
    /// The digest of its component.
    pub digest: Digest,
    /// The files, in the order in which they were run.
    pub files: &'a [FileRun],
    /// Whether everything is shown, however much it is.
    pub whole: bool,
}

impl CasesReport<'_> {
    fn cases(&self) -> usize {
        self.files.iter().map(|file| file.cases.len()).sum()
    }

    fn failing(&self) -> impl Iterator<Item = (&str, &CaseRun)> {
        let all = self.files.iter().flat_map(|file| file.cases.iter().map(|case| (file.file.as_str(), case)));
        all.filter(|(_, case)| !case.holds())
    }

    /// The policy in words: `few-findings 0.1.0 (few_findings.wasm)`.
    fn policy(&self) -> String {
        match &self.described {
            Some((name, version)) => format!("{name} {version} ({})", self.source),
            None => self.source.to_string(),
        }
    }
}

/// Writes whether all cases hold, each that fails with its place and differences, and the files.
///
/// # Errors
/// When the writer fails.
pub fn human(report: &CasesReport<'_>, out: &mut dyn Write, style: &Style) -> io::Result<()> {
    let (cases, failed) = (report.cases(), report.failing().count());
    let policy = report.policy();
    let (mark, headline) = match (failed, cases) {
        (0, 1) => (Mark::Good, format!("the one case holds: {policy}")),
        (0, cases) => (Mark::Good, format!("all {cases} cases hold: {policy}")),
        (failed, cases) => (Mark::Bad, format!("{failed} of {cases} cases {}: {policy}", fail(failed))),
    };
    paragraph(out, &[mark.span(&style.palette), Span::plain(headline)], 0, 2, style.width)?;
    let most = if report.whole { usize::MAX } else { limits::SHOWN };
    for (file, case) in report.failing().take(most) {
        writeln!(out)?;
        failing(file, case, most, out, style)?;
    }
    if failed > most {
        let more = failed.saturating_sub(most);
        writeln!(out, "\nand {more} more that {}; `-v` shows all", fail(more))?;
    }
    writeln!(out)?;
    files(report, out, style)
}

const fn fail(number: usize) -> &'static str {
    if number == 1 { "fails" } else { "fail" }
}

fn failing(file: &str, case: &CaseRun, most: usize, out: &mut dyn Write, style: &Style) -> io::Result<()> {
    let Position { line, column } = case.position;
    let palette = &style.palette;
    let place = Span::new(format!("{file}:{line}:{column}"), palette.dim);
    let head = [Mark::Bad.span(palette), place, Span::new(&case.name, palette.strong)];
    paragraph(out, &head, 0, 4, style.width)?;
    for shown in case.differences.iter().take(most) {
        difference(shown, out, style)?;
    }
    let more = case.differences.len().saturating_sub(most);
    if more > 0 { writeln!(out, "    and {more} more") } else { Ok(()) }
}

/// Writes one difference: `-` is expected and missing, `+` was not expected, `~` is there and another.
fn difference(difference: &Difference, out: &mut dyn Write, style: &Style) -> io::Result<()> {
    let palette = &style.palette;
    match difference {
        Difference::Missing { what, message } => {
            let words = match message {
                Some(message) => format!("{what} is missing: {message}"),
                None => format!("{what} is missing"),
            };
            signed(Span::new("-", palette.good), &words, out, style)
        }
        Difference::Unexpected { what, message } => {
            signed(Span::new("+", palette.bad), &format!("{what} was not expected: {message}"), out, style)
        }
        Difference::Changed { what, expected, found } => {
            signed(Span::new("~", palette.caution), &format!("{what} is another"), out, style)?;
            both(expected, found.as_deref().unwrap_or("none"), 6, out, style)
        }
        Difference::Order { what, expected, found } => {
            signed(Span::new("~", palette.caution), &format!("the {what} are in another order"), out, style)?;
            both(&expected.join(", "), &found.join(", "), 6, out, style)
        }
        Difference::Outcome { expected, found } => both(expected, found, 4, out, style),
    }
}

fn signed(sign: Span, words: &str, out: &mut dyn Write, style: &Style) -> io::Result<()> {
    paragraph(out, &[sign, Span::plain(words)], 4, 6, style.width)
}

/// Writes what was expected above what was found.
fn both(expected: &str, found: &str, indent: usize, out: &mut dyn Write, style: &Style) -> io::Result<()> {
    let palette = &style.palette;
    let mut row = |label: &str, text: &str, colour| {
        let label = Span::new(label, palette.dim);
        paragraph(out, &[label, Span::new(text, colour)], indent, indent + LABEL, style.width)
    };
    row("expected", expected, palette.good)?;
    row("found   ", found, palette.bad)
}

/// The width of "expected" and a space.
const LABEL: usize = 9;

/// Writes the files, and how many of their cases hold.
fn files(report: &CasesReport<'_>, out: &mut dyn Write, style: &Style) -> io::Result<()> {
    let palette = &style.palette;
    let row = |file: &FileRun| {
        let (held, all) = (file.held(), file.cases.len());
        let (mark, count) = if held == all {
            (Mark::Good, format!("{all} {}", if all == 1 { "case" } else { "cases" }))
        } else {
            (Mark::Bad, format!("{held} of {all} hold"))
        };
        vec![mark.span(palette), Span::plain(&file.file), Span::new(count, palette.dim)]
    };
    let shown = if report.whole { usize::MAX } else { limits::SHOWN };
    let wrong_first =
        |wanted: bool| report.files.iter().filter(move |file| (file.held() == file.cases.len()) != wanted);
    let rows: Vec<_> = wrong_first(true).chain(wrong_first(false)).take(shown).map(row).collect();
    let columns = ColumnWidths::of(rows.iter().map(Vec::as_slice));
    rows.iter().try_for_each(|row| columns.write_row(out, 0, row))?;
    let more = report.files.len().saturating_sub(shown);
    if more > 0 { writeln!(out, "and {more} more files; `-v` shows all") } else { Ok(()) }
}
