//! Shows what came of the cases of a policy: `smcp policy test`.

mod document;
mod junit;

pub use crate::cases::document::document;
pub use crate::cases::junit::failed;
pub use crate::cases::junit::junit;

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
use smcp_model::verdict::Fault;
use smcp_policy_cases::CaseRun;
use smcp_policy_cases::Difference;
use smcp_policy_cases::FileRun;
use smcp_policy_cases::NotUpdated;
use smcp_policy_cases::Position;

/// What came of all cases of one policy.
#[derive(Debug)]
pub struct CasesReport<'a> {
    /// The policy's file; "built-in" when it has none.
    pub source: SafeText,
    /// Its own name and version, or the fault with which it failed before it answered.
    pub described: Result<(SafeText, SafeText), Fault>,
    /// The digest of its component.
    pub digest: Digest,
    /// The files, in the order in which they were run.
    pub files: Vec<FileReport<'a>>,
    /// Whether everything is shown, however much it is.
    pub whole: bool,
    /// How the program exits.
    pub exit_code: u8,
}

/// What came of the cases of one file.
#[derive(Debug)]
pub struct FileReport<'a> {
    /// The cases.
    pub run: &'a FileRun,
    /// What `--update` did, where a case fails; `None` without it.
    pub update: Option<Result<(), NotUpdated>>,
}

/// What came of one case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CaseState {
    Holds,
    Updated,
    Fails,
}

impl FileReport<'_> {
    fn state(&self, case: &CaseRun) -> CaseState {
        match &self.update {
            _ if case.holds() => CaseState::Holds,
            Some(Ok(())) => CaseState::Updated,
            Some(Err(_)) | None => CaseState::Fails,
        }
    }
}

impl CasesReport<'_> {
    fn cases(&self) -> impl Iterator<Item = (&FileReport<'_>, &CaseRun)> {
        self.files.iter().flat_map(|file| file.run.cases.iter().map(move |case| (file, case)))
    }

    fn count(&self, state: CaseState) -> usize {
        self.cases().filter(|(file, case)| file.state(case) == state).count()
    }

    /// The fault that is the reason for everything: the policy could not be asked what it is, and no case expects that.
    fn broken(&self) -> Option<&Fault> {
        let fault = self.described.as_ref().err()?;
        self.cases().all(|(file, case)| file.state(case) == CaseState::Fails).then_some(fault)
    }

    /// The policy in words: `few-findings 0.1.0 (few_findings.wasm)`.
    fn policy(&self) -> String {
        match &self.described {
            Ok((name, version)) => format!("{name} {version} ({})", self.source),
            Err(_) => self.source.to_string(),
        }
    }
}

/// Writes whether all cases hold, each that fails or was updated with its place and differences, and the files.
///
/// # Errors
/// When the writer fails.
pub fn human(report: &CasesReport<'_>, out: &mut dyn Write, style: &Style) -> io::Result<()> {
    let (all, failed, updated) =
        (report.cases().count(), report.count(CaseState::Fails), report.count(CaseState::Updated));
    let policy = report.policy();
    let (mark, headline) = match (failed, updated) {
        (0, 0) if all == 1 => (Mark::Good, format!("the one case holds: {policy}")),
        (0, 0) => (Mark::Good, format!("all {all} cases hold: {policy}")),
        (0, updated) => (Mark::Caution, format!("{} updated: {policy}", of_cases(updated, all, ["was", "were"]))),
        (failed, _) => (Mark::Bad, format!("{}: {policy}", of_cases(failed, all, ["fails", "fail"]))),
    };
    paragraph(out, &[mark.span(&style.palette), Span::plain(headline)], 0, 2, style.width)?;
    let most = if report.whole { usize::MAX } else { limits::SHOWN };
    if let Some(fault) = report.broken().filter(|_| !report.whole) {
        return broken(fault, out, style);
    }
    let different = report.cases().filter(|(_, case)| !case.holds());
    for (file, case) in different.take(most) {
        writeln!(out)?;
        different_case(file, case, report.whole, out, style)?;
    }
    let more = failed.saturating_add(updated).saturating_sub(most);
    if more > 0 {
        writeln!(out, "\nand {more} more; `-v` shows all")?;
    }
    writeln!(out)?;
    files(report, most, out, style)?;
    refusals(report, out, style)
}

/// Writes the one reason for which all cases fail.
fn broken(fault: &Fault, out: &mut dyn Write, style: &Style) -> io::Result<()> {
    let lead = Span::new(format!("the policy can't be used ({}):", fault.kind.as_str()), style.palette.strong);
    writeln!(out)?;
    paragraph(out, &[lead, Span::plain(fault.message.as_str())], 2, 4, style.width)?;
    let remedy = fault.remedy.as_ref().map(|remedy| [Span::new("→", style.palette.dim), Span::plain(remedy.as_str())]);
    remedy.map_or(Ok(()), |remedy| paragraph(out, &remedy, 2, 4, style.width))
}

/// "2 of 3 cases fail".
fn of_cases(number: usize, all: usize, [one, many]: [&str; 2]) -> String {
    let (cases, verb) = (if all == 1 { "case" } else { "cases" }, if number == 1 { one } else { many });
    format!("{number} of {all} {cases} {verb}")
}

fn different_case(
    file: &FileReport<'_>,
    case: &CaseRun,
    whole: bool,
    out: &mut dyn Write,
    style: &Style,
) -> io::Result<()> {
    let palette = &style.palette;
    let mark = if file.state(case) == CaseState::Updated { Mark::Caution } else { Mark::Bad };
    let head =
        [mark.span(palette), Span::new(place(file, case.position), palette.dim), Span::new(&case.name, palette.strong)];
    paragraph(out, &head, 0, 4, style.width)?;
    let most = if whole { usize::MAX } else { limits::DIFFERENCES_SHOWN };
    for shown in case.differences.iter().take(most) {
        difference(shown, out, style)?;
    }
    let more = case.differences.len().saturating_sub(most);
    if more > 0 { writeln!(out, "    and {more} more") } else { Ok(()) }
}

/// `FILE:LINE:COLUMN`.
fn place(file: &FileReport<'_>, Position { line, column }: Position) -> String {
    format!("{}:{line}:{column}", file.run.file)
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

/// Writes the files, those with failing cases first, and how many of their cases hold.
fn files(report: &CasesReport<'_>, most: usize, out: &mut dyn Write, style: &Style) -> io::Result<()> {
    let palette = &style.palette;
    let row = |file: &FileReport<'_>| {
        let all = file.run.cases.len();
        let count = |state| file.run.cases.iter().filter(|case| file.state(case) == state).count();
        let (mark, said) = match (count(CaseState::Fails), count(CaseState::Updated)) {
            (0, 0) => (Mark::Good, format!("{all} {}", if all == 1 { "case" } else { "cases" })),
            (0, updated) => (Mark::Caution, format!("{updated} of {all} updated")),
            (failed, _) => (Mark::Bad, format!("{failed} of {all} fail")),
        };
        vec![mark.span(palette), Span::plain(&file.run.file), Span::new(said, palette.dim)]
    };
    let with =
        |different: bool| report.files.iter().filter(move |file| (file.run.held() < file.run.cases.len()) == different);
    let rows: Vec<_> = with(true).chain(with(false)).take(most).map(row).collect();
    let columns = ColumnWidths::of(rows.iter().map(Vec::as_slice));
    rows.iter().try_for_each(|row| columns.write_row(out, 0, row))?;
    let more = report.files.len().saturating_sub(most);
    if more > 0 { writeln!(out, "and {more} more files; `-v` shows all") } else { Ok(()) }
}

/// Writes why files were not updated.
fn refusals(report: &CasesReport<'_>, out: &mut dyn Write, style: &Style) -> io::Result<()> {
    for file in &report.files {
        if let Some(Err(NotUpdated { name, position, reason })) = &file.update {
            let place = Span::new(place(file, *position), style.palette.dim);
            let words = format!("the file is left as it is, because of `{name}`: {reason}");
            paragraph(out, &[Span::new("→", style.palette.dim), place, Span::plain(words)], 0, 2, style.width)?;
        }
    }
    Ok(())
}
