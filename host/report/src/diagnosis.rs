//! Shows the checks of `smcp doctor`: a line for each, and advice.

use std::io;
use std::io::Write;

use serde_json::Value;
use serde_json::json;

use crate::headline::Mark;
use crate::style::Span;
use crate::style::Style;
use crate::table::GAP;
use crate::wrap::flow;
use crate::wrap::paragraph;
use smcp_model::diagnosis::Check;
use smcp_model::diagnosis::Health;
use smcp_model::diagnosis::worst;

/// Writes the checks, and the overall result.
///
/// # Errors
/// When the writer fails.
pub fn human(checks: &[Check], out: &mut dyn Write, style: &Style) -> io::Result<()> {
    let palette = &style.palette;
    let widest = checks.iter().map(|check| check.name.len()).max().unwrap_or_default();
    // The mark, a space, the name.
    let column = widest.saturating_add(2).saturating_add(GAP);
    for check in checks {
        let mark = mark(check.health).span(palette);
        let gap = column.saturating_sub(check.name.len().saturating_add(2));
        write!(out, "{}{}{:#} {}{:gap$}", mark.style, mark.text, mark.style, check.name, "")?;
        flow(out, &[Span::plain(check.message.as_str())], column, column, style.width)?;
        if let Some(advice) = &check.advice {
            let advice = [Span::new("→", palette.dim), Span::plain(advice.as_str())];
            paragraph(out, &advice, column, column.saturating_add(2), style.width)?;
        }
    }
    writeln!(out)?;
    let health = worst(checks);
    let verdict = match health {
        Health::Ok => "smcp can run servers",
        Health::Warning => "smcp can run servers; see what is marked with `!`",
        Health::Problem => "see what is marked with `✗` first",
    };
    paragraph(out, &[mark(health).span(palette), Span::new(verdict, palette.strong)], 0, 2, style.width)
}

/// The same as a document.
pub fn document(checks: &[Check], exit_code: u8) -> Value {
    json!({
        "schema": "smcp.doctor/1",
        "health": worst(checks),
        "exit_code": exit_code,
        "checks": checks,
    })
}

const fn mark(health: Health) -> Mark {
    match health {
        Health::Ok => Mark::Good,
        Health::Warning => Mark::Caution,
        Health::Problem => Mark::Bad,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_check_has_its_line() {
        let checks = [
            Check::new("versions", Health::Ok, "smcp 0.1.0"),
            Check::new("policy", Health::Warning, "nothing is restricted").advice("write a configuration"),
            Check::failed("registry", Health::Problem, "can't open it:\u{1b}[31m\n  name another\n  or make it"),
        ];
        let mut out = Vec::new();
        human(&checks, &mut out, &Style::default()).unwrap();
        insta::assert_snapshot!("doctor", String::from_utf8(out).unwrap());
        insta::assert_snapshot!("doctor_json", format!("{:#}", document(&checks, 1)));
    }
}
