//! What a person at a terminal sees before a server starts: one screen.
//!
//! A package without objections gets the summary. Where the decision has to be read, `human` shows that instead, with
//! the rows of the summary in place of its facts.

use std::io;
use std::io::Write;

use crate::Report;
use crate::Start;
use crate::confinement;
use crate::headline;
use crate::package;
use crate::package::Unknown;
use crate::stated::StatedView;
use crate::style::Palette;
use crate::style::Span;
use crate::style::Style;
use crate::table::fields;
use smcp_model::access::Access;
use smcp_model::facts::SeverityCounts;
use smcp_model::facts::Status;
use smcp_model::manifest::Permissions;
use smcp_model::text::SafeText;

/// Spaces before the rows.
const INDENT: usize = 2;
/// The most entries that are shown of a manifest's list, which may have thousands.
const MAX_ENTRIES: usize = 4;
/// The most that is shown of one entry, bytes: enough for common hosts and paths.
const MAX_ENTRY_BYTES: usize = 48;
/// Variables that every server gets, so they are listed last.
const USUAL: [&str; 4] = ["PATH", "HOME", "LANG", "TMPDIR"];

/// Writes the summary of a launch without objections.
///
/// # Errors
/// When the writer fails.
pub fn summary(report: &Report<'_>, start: Start<'_>, out: &mut dyn Write, style: &Style) -> io::Result<()> {
    let mut text = Vec::new();
    headline::write(report, &mut text, style)?;
    writeln!(text)?;
    fields(&mut text, style, INDENT, &rows(report, start, &style.palette))?;
    out.write_all(&text)
}

/// Returns the rows: important facts of the registry, what the manifest asks for, and what the server gets.
pub(crate) fn rows(report: &Report<'_>, start: Start<'_>, palette: &Palette) -> Vec<(&'static str, Span)> {
    let (Start { access }, Report { subject, brief, .. }) = (start, *report);
    let stated = StatedView::of_decision(subject, report.conclusion);
    let facts = stated.facts();
    let mut rows = package::facts(subject, &stated, palette, Unknown::Shown);
    rows.retain(|(name, _)| match *name {
        _ if !brief => true,
        // Only published and deprecated versions may start, and an unknown status has a notice.
        "status" => facts.is_some_and(|facts| facts.status == Some(Status::Deprecated)),
        "findings" => facts.and_then(|facts| facts.findings).is_some_and(|counts| counts != SeverityCounts::default()),
        "bundle" | "unsigned" => false,
        _ => true,
    });
    rows.push(("asks for", Span::plain(requested(subject.permissions.as_ref()))));
    rows.push(("gets", Span::plain(passed_variables(access))));
    if !access.unset.is_empty() {
        let lacks = format!("{}, which it asks for and nobody has set", listed(&access.unset));
        rows.push(("lacks", Span::new(lacks, palette.caution)));
    }
    if !access.withheld.is_empty() {
        rows.push(("withheld", Span::plain(withheld(access))));
    }
    rows.push((
        "sandbox",
        Span::plain(format!("{}, {}", confinement::for_the_user(subject.confinement.as_ref()), place(access))),
    ));
    rows
}

/// Returns what the manifest asks for: `network api.example.com; reads /data; other processes`.
fn requested(permissions: Option<&Permissions>) -> String {
    let Some(permissions) = permissions else { return "unknown".to_owned() };
    let lists = [
        ("network", &permissions.network),
        ("reads", &permissions.filesystem_read),
        ("writes", &permissions.filesystem_write),
        ("variables", &permissions.environment),
    ];
    let lists = lists.into_iter().filter(|(_, list)| !list.is_empty());
    let processes = permissions.subprocess.then(|| "other processes".to_owned());
    let parts: Vec<_> = lists.map(|(name, list)| format!("{name} {}", listed(list))).chain(processes).collect();
    if parts.is_empty() { "nothing".to_owned() } else { parts.join("; ") }
}

/// Returns the variables that the server gets, the usual ones last.
fn passed_variables(access: &Access) -> String {
    let (usual, others): (Vec<_>, Vec<_>) =
        access.variables.iter().cloned().partition(|name| USUAL.contains(&name.as_str()));
    match (others.is_empty(), usual.is_empty()) {
        (true, true) => "no variables".to_owned(),
        (false, true) => format!("variables {}", listed(&others)),
        (true, false) => format!("variables {}", listed(&usual)),
        (false, false) => format!("variables {}, and the usual {}", listed(&others), listed(&usual)),
    }
}

/// Returns the withheld variables: `HTTPS_PROXY, TZ; --env HTTPS_PROXY passes it on`.
fn withheld(access: &Access) -> String {
    let first = access.withheld.first().map(String::as_str).unwrap_or_default();
    format!("{}; --env {first} passes it on", listed(&access.withheld))
}

/// Returns the first entries of a list, and the number of the others.
fn listed(entries: &[String]) -> String {
    let shown: Vec<_> = entries
        .iter()
        .take(MAX_ENTRIES)
        .map(|entry| SafeText::within(entry, MAX_ENTRY_BYTES).as_str().to_owned())
        .collect();
    match entries.len().saturating_sub(MAX_ENTRIES) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// Returns the directory that the server starts in.
fn place(access: &Access) -> String {
    let copy = if access.workdir_writable { "a fresh copy" } else { "a read-only copy" };
    match &access.workdir {
        None => format!("in {copy} of its bundle"),
        Some(workdir) => format!("in {} of {copy} of its bundle", SafeText::within(workdir, MAX_ENTRY_BYTES)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;

    fn shown(case: &fixtures::Case, access: &Access, width: usize) -> String {
        let mut out = Vec::new();
        let style = Style { width: Some(width), ..Style::default() };
        summary(&Report { brief: true, ..case.report() }, Start { access }, &mut out, &style).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_summary_is_a_dozen_lines_on_eighty_columns() {
        let access = Access {
            variables: names(&["API_KEY", "HOME", "LANG", "PATH"]),
            unset: names(&["TOKEN"]),
            withheld: names(&["HTTPS_PROXY", "NO_PROXY"]),
            workdir: Some("app".to_owned()),
            workdir_writable: true,
        };
        let text = shown(&fixtures::full(), &access, 80);
        assert!(text.lines().count() <= 15 && text.lines().all(|line| line.chars().count() <= 80), "{text}");
        insta::assert_snapshot!("summary_full", text);
        let text = shown(&fixtures::all_pass(), &Access::default(), 80);
        assert!(text.lines().count() <= 12, "{text}");
        insta::assert_snapshot!("summary_plain", text);
        insta::assert_snapshot!("summary_unknown", shown(&fixtures::unknown(), &Access::default(), 80));
    }

    #[test]
    fn lists_are_cut_and_their_entries_too() {
        let hosts: Vec<_> = (0..5_000).map(|number| format!("h{number}\u{1b}[2J{}", "x".repeat(5_000))).collect();
        let text = listed(&hosts);
        assert!(text.len() < 300 && text.ends_with(" and 4996 more") && !text.contains('\u{1b}'), "{text}");
        let cases = [(&["a"][..], "a"), (&["a", "b", "c", "d"], "a, b, c, d"), (&["a"; 5], "a, a, a, a and 1 more")];
        for (entries, expected) in cases {
            assert_eq!(listed(&names(entries)), expected);
        }
    }

    #[test]
    fn what_is_no_news_is_named_last() {
        let cases = [
            (&[][..], "no variables"),
            (&["HOME", "PATH"], "variables HOME, PATH"),
            (&["API_KEY"], "variables API_KEY"),
            (&["API_KEY", "PATH"], "variables API_KEY, and the usual PATH"),
        ];
        for (variables, expected) in cases {
            assert_eq!(passed_variables(&Access { variables: names(variables), ..Access::default() }), expected);
        }
    }
}
