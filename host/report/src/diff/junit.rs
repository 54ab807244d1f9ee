//! What changes, as JUnit XML for CI systems: one test case for each package.
//!
//! As for a decision, a document has failures exactly when smcp exits with another code than 0.

use std::io;
use std::io::BufWriter;
use std::io::Write;

use crate::diff::Changes;
use crate::diff::DiffReport;
use crate::diff::reasons;
use crate::diff::words;
use crate::xml::HEAD;
use crate::xml::escaped;
use smcp_model::diff::Transition;

/// Writes the document. Where `is_red`, what changes has failed.
///
/// # Errors
/// When the writer fails, or the changes can't be read.
pub fn junit(report: &DiffReport<'_>, changes: &mut dyn Changes, is_red: bool, out: &mut dyn Write) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(1 << 16, out);
    let (all, unchanged) = (report.totals.packages(), report.totals.count(Transition::Unchanged));
    let changed = all.saturating_sub(unchanged);
    let failures = if is_red { changed } else { 0 };
    // One says how many don't change: a suite without a test is none for many systems.
    let counts = format!("tests=\"{}\" failures=\"{failures}\" errors=\"0\"", changed.saturating_add(1));
    let suite = escaped(&format!("{} to {}", report.from, report.to));
    writeln!(
        out,
        "{HEAD}<testsuites name=\"smcp\" {counts}>\n  <testsuite name=\"{suite}\" {counts} skipped=\"0\">\n    \
         <testcase name=\"{unchanged} of {all} packages are unchanged\" classname=\"{suite}\"/>"
    )?;
    changes.each(&mut |changed| {
        let (name, kind) = (escaped(changed.package.as_str()), words(changed.transition()));
        let why = escaped(&format!("{} to {}: {}", changed.from.as_str(), changed.to.as_str(), reasons(changed)));
        write!(out, "    <testcase name=\"{name}\" classname=\"{suite}\">")?;
        if is_red {
            write!(out, "<failure message=\"{why}\" type=\"{kind}\">{why}</failure>")?;
        } else {
            write!(out, "<system-out>{kind}: {why}</system-out>")?;
        }
        writeln!(out, "</testcase>")
    })?;
    writeln!(out, "  </testsuite>\n</testsuites>")?;
    out.flush()
}
