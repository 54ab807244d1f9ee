//! Messages other than decisions and lists: errors, notices and results.

use std::io;
use std::io::Write;

use crate::headline::Mark;
use crate::style::Span;
use crate::style::Style;
use crate::table::fields;
use crate::wrap::paragraph;

/// Spaces before lines that continue the one above.
const INDENT: usize = 2;

/// Writes an error that is not a decision, with its problems one by one.
///
/// # Errors
/// When the writer fails.
pub fn error(message: &str, problems: &[String], out: &mut dyn Write, style: &Style) -> io::Result<()> {
    lines(Some(Span::new("error:", style.palette.bad)), message, 0, out, style)?;
    problems.iter().try_for_each(|problem| lines(None, problem, INDENT, out, style))
}

/// Writes a notice, which changes nothing.
///
/// # Errors
/// When the writer fails.
pub fn notice(message: &str, out: &mut dyn Write, style: &Style) -> io::Result<()> {
    lines(Some(Span::new("note:", style.palette.caution)), message, 0, out, style)
}

/// Writes that an action is done, and its results.
///
/// # Errors
/// When the writer fails.
pub fn done(message: &str, results: &[(&str, Span)], out: &mut dyn Write, style: &Style) -> io::Result<()> {
    lines(Some(Mark::Good.span(&style.palette)), message, 0, out, style)?;
    fields(out, style, INDENT, results)
}

/// Writes a message, which may have several lines. All but the first are indented, so that text from elsewhere in a
/// message can't begin a line.
fn lines(lead: Option<Span>, text: &str, indent: usize, out: &mut dyn Write, style: &Style) -> io::Result<()> {
    let hanging = indent + INDENT;
    let mut lines = text.lines();
    let first: Vec<Span> = lead.into_iter().chain(lines.next().map(Span::plain)).collect();
    paragraph(out, &first, indent, hanging, style.width)?;
    lines.try_for_each(|line| paragraph(out, &[Span::plain(line.trim_start())], hanging, hanging, style.width))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> String {
        let mut out = Vec::new();
        write(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn an_error_lists_its_problems() {
        let problems =
            ["config.yaml:3:5: unknown key `min_scor`\nallowed: min_score".to_owned(), "config.yaml:7:1: x".to_owned()];
        let text = shown(|out| error("the configuration has 2 problems", &problems, out, &Style::default()));
        let expected = "error: the configuration has 2 problems\n  config.yaml:3:5: unknown key `min_scor`\n    \
                        allowed: min_score\n  config.yaml:7:1: x\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn no_line_of_a_message_can_pose_as_ours() {
        let text = shown(|out| notice("a name\n✓ acme/tool may run\n\u{1b}[1A", out, &Style::default()));
        assert_eq!(text, "note: a name\n  ✓ acme/tool may run\n  \\u{1b}[1A\n");
    }

    #[test]
    fn what_was_done_stands_above_its_results() {
        let results = [("registry", Span::plain("/srv/registry")), ("bundle", Span::plain("sha256:00"))];
        let text = shown(|out| done("published acme/tool@1.0.0", &results, out, &Style::default()));
        assert_eq!(text, "✓ published acme/tool@1.0.0\n  registry  /srv/registry\n  bundle    sha256:00\n");
    }
}
