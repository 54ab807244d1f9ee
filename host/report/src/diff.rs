//! Shows what changes between two configurations (`smcp.diff/1`).
//!
//! Before it everything was judged. What changes is read one by one, from wherever it is held, and never all at once.

mod html;
mod junit;

pub use crate::diff::html::html;
pub use crate::diff::junit::junit;

use std::io;
use std::io::BufWriter;
use std::io::Write;

use serde_json::Value;

use crate::style::Palette;
use crate::style::Span;
use crate::style::Style;
use crate::table::table;
use smcp_model::diff::ChangedPackage;
use smcp_model::diff::ChangedPolicy;
use smcp_model::diff::PolicyTotals;
use smcp_model::diff::Totals;
use smcp_model::diff::Transition;
use smcp_model::mode::Effect;
use smcp_model::name::PolicyName;
use smcp_model::policy::LayerName;
use smcp_model::text::SafeText;
use smcp_model::visible;

/// The most changes that are listed for people. The other forms have all of them.
const LISTED: u64 = 50;
/// The most codes that are listed of a policy or a package.
const CODES: usize = 4;

/// A comparison, but for the single changes.
#[derive(Debug, Clone, Copy)]
pub struct DiffReport<'a> {
    /// The configuration of before.
    pub from: &'a SafeText,
    /// The configuration of after.
    pub to: &'a SafeText,
    /// The packages.
    pub catalogue: &'a SafeText,
    /// The counts.
    pub totals: &'a Totals,
}

/// What changes, in order; it can be gone through more than once.
pub trait Changes {
    /// Calls `visit` with each.
    ///
    /// # Errors
    /// When they can't be read, and every error of `visit`.
    fn each(&mut self, visit: &mut dyn FnMut(&ChangedPackage) -> io::Result<()>) -> io::Result<()>;

    /// Does the same with each as the JSON document that it is, on one line.
    ///
    /// # Errors
    /// As for [`each`](Self::each).
    fn each_line(&mut self, visit: &mut dyn FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        self.each(&mut |changed| {
            let line = visible::line(&changed.document())?;
            visit(line.strip_suffix(b"\n").unwrap_or(&line))
        })
    }
}

/// Writes the document.
///
/// # Errors
/// When the writer fails, or the changes can't be read.
pub fn json(report: &DiffReport<'_>, changes: &mut dyn Changes, out: &mut dyn Write) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(1 << 16, out);
    streamed(&report.totals.document(), "changes", &mut out, &mut |out| {
        let mut separator: &[u8] = b"";
        changes.each_line(&mut |line| {
            out.write_all(std::mem::replace(&mut separator, b","))?;
            out.write_all(line)
        })
    })?;
    out.write_all(b"\n")?;
    out.flush()
}

/// Writes an object with a further member, a list whose elements `write` writes.
pub(crate) fn streamed(
    beginning: &Value,
    key: &str,
    out: &mut dyn Write,
    write: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let line = visible::line(beginning)?;
    out.write_all(line.strip_suffix(b"}\n").unwrap_or(&line))?;
    write!(out, ",\"{key}\":[")?;
    write(out)?;
    out.write_all(b"]}")
}

pub(crate) fn write_value(value: &Value, out: &mut dyn Write) -> io::Result<()> {
    let line = visible::line(value)?;
    out.write_all(line.strip_suffix(b"\n").unwrap_or(&line))
}

/// Writes the counts, the policies that make the difference, and the first packages.
///
/// # Errors
/// When the writer fails, or the changes can't be read.
pub fn human(report: &DiffReport<'_>, changes: &mut dyn Changes, out: &mut dyn Write, style: &Style) -> io::Result<()> {
    let (totals, palette) = (report.totals, &style.palette);
    let (all, unchanged) = (totals.packages(), totals.count(Transition::Unchanged));
    let changed = all.saturating_sub(unchanged);
    writeln!(out, "{}{changed} of {all} packages{:#} change", palette.strong, palette.strong)?;
    if changed == 0 {
        return Ok(());
    }
    for transition in Transition::ALL {
        let count = totals.count(transition);
        let colour = if count == 0 { palette.dim } else { of_transition(transition, palette) };
        writeln!(out, "  {colour}{:<14}{count:>8}{colour:#}", words(transition))?;
    }
    writeln!(out)?;
    policies(totals, out, style)?;
    let (mut rows, mut left_out, mut is_timed) = (Vec::new(), 0_u64, false);
    changes.each(&mut |changed| {
        if rows.len() as u64 == LISTED {
            left_out = left_out.saturating_add(1);
        } else {
            is_timed |= changed.times.is_some();
            rows.push(row(changed, palette));
        }
        Ok(())
    })?;
    writeln!(out)?;
    let headers = ["PACKAGE", "FROM", "TO", "BY", "TIMES", "LAST"];
    table(out, style, headers.get(..if is_timed { 6 } else { 4 }).unwrap_or_default(), &rows)?;
    if left_out > 0 {
        writeln!(out, "and {left_out} more, which --json, --format sarif and --html have")?;
    }
    Ok(())
}

/// Writes the policies that make the difference, each with the codes by which it objects more or less often.
fn policies(totals: &Totals, out: &mut dyn Write, style: &Style) -> io::Result<()> {
    let counted = [Transition::NewlyBlocked, Transition::NewlyAsked, Transition::NewlyWarned, Transition::NewlyAllowed];
    let rows = totals.policies().map(|(layer, name, its)| {
        let counts = counted.iter().map(|transition| match its.count(*transition) {
            0 => Span::new("-", style.palette.dim),
            count => Span::new(count.to_string(), of_transition(*transition, &style.palette)),
        });
        let mut cells = vec![Span::new(name.as_str(), style.palette.strong), Span::plain(layer.as_str())];
        cells.extend(counts);
        cells.push(Span::plain(codes(its)));
        cells
    });
    let rows: Vec<_> = rows.collect();
    table(out, style, &["POLICY", "LAYER", "BLOCKS", "ASKS", "WARNS", "ALLOWS", "CODES"], &rows)
}

fn codes(totals: &PolicyTotals) -> String {
    let signed = |sign: char, count: u64| if count == 0 { String::new() } else { format!(" {sign}{count}") };
    let each = totals.codes.iter().take(CODES);
    let mut all: Vec<_> = each
        .map(|(code, it)| format!("{code}{}{}{}", signed('+', it.gained), signed('=', it.kept), signed('-', it.lost)))
        .collect();
    let more = totals.codes.len().saturating_sub(CODES);
    all.extend((more > 0).then(|| format!("and {more} more")));
    all.join(", ")
}

fn row(changed: &ChangedPackage, palette: &Palette) -> Vec<Span> {
    let effect = |effect: Effect| Span::new(effect.as_str(), of_effect(effect, palette));
    let mut cells = vec![
        Span::plain(changed.package.as_str()),
        effect(changed.from),
        effect(changed.to),
        Span::plain(reasons(changed)),
    ];
    if let Some(times) = changed.times {
        cells.push(Span::plain(times.to_string()));
        cells.push(Span::new(minute(changed.last.as_ref().map_or("-", SafeText::as_str)), palette.dim));
    }
    cells
}

/// Returns a time of a record for people, to the minute: the rest is in the records.
pub(crate) fn minute(time: &str) -> String {
    time.get(..16).unwrap_or(time).replace('T', " ")
}

/// Says which policies make the difference, with the codes of the side on which they object more.
pub(crate) fn reasons(changed: &ChangedPackage) -> String {
    let refused = |which: &Option<SafeText>, when: &str| which.as_ref().map(|code| format!("{code}{when}"));
    let mut all: Vec<String> = changed
        .policies
        .iter()
        .filter(|policy| policy.effects().0 != policy.effects().1)
        .map(|policy| format!("{}: {}", label(policy.layer, &policy.name), objections(policy)))
        .collect();
    all.extend(refused(&changed.refusals.0, ", no more"));
    all.extend(refused(&changed.refusals.1, ""));
    all.join("; ")
}

/// Says what a policy objects to, or does not any more.
fn objections(policy: &ChangedPolicy) -> String {
    let ((from, to), (before, after)) = (policy.effects(), policy.codes());
    let listed = |codes: &mut dyn Iterator<Item = &SafeText>| {
        codes.take(CODES).map(SafeText::as_str).collect::<Vec<_>>().join(", ")
    };
    if to > from {
        return listed(&mut after.iter());
    }
    let lost = listed(&mut before.iter().filter(|code| !after.contains(code)));
    let lost = (!lost.is_empty()).then(|| format!("no more {lost}"));
    let kept = (!after.is_empty()).then(|| format!("{}, now {}", listed(&mut after.iter()), to.as_str()));
    lost.into_iter().chain(kept).collect::<Vec<_>>().join("; ")
}

/// A policy's name, after that of its layer where it is not the user's own.
pub(crate) fn label(layer: LayerName, name: &PolicyName) -> String {
    if layer == LayerName::User { name.to_string() } else { format!("{}/{name}", layer.as_str()) }
}

/// The words of a transition for people.
pub(crate) const fn words(transition: Transition) -> &'static str {
    match transition {
        Transition::NewlyBlocked => "newly blocked",
        Transition::NewlyAsked => "newly asked",
        Transition::NewlyWarned => "newly warned",
        Transition::NewlyAllowed => "newly allowed",
        Transition::Unchanged => "unchanged",
    }
}

const fn of_transition(transition: Transition, palette: &Palette) -> anstyle::Style {
    match transition {
        Transition::NewlyBlocked => palette.bad,
        Transition::NewlyAsked => palette.question,
        Transition::NewlyWarned => palette.caution,
        Transition::NewlyAllowed => palette.good,
        Transition::Unchanged => palette.dim,
    }
}

const fn of_effect(effect: Effect, palette: &Palette) -> anstyle::Style {
    match effect {
        Effect::Pass => palette.good,
        Effect::Warn => palette.caution,
        Effect::Ask => palette.question,
        Effect::Block => palette.bad,
    }
}

#[cfg(test)]
mod tests;
