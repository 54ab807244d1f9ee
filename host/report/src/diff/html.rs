//! A comparison as one HTML file, which needs nothing else and loads nothing.
//!
//! It can be read without scripts: the one script only searches and sorts the table. All text from outside is escaped, and
//! the page's own policy (`Content-Security-Policy`) allows that script and that style by their digests, and nothing else.

use std::collections::BTreeMap;
use std::io;
use std::io::BufWriter;
use std::io::Write;

use crate::diff::Changes;
use crate::diff::DiffReport;
use crate::diff::label;
use crate::diff::minute;
use crate::diff::reasons;
use crate::diff::words;
use smcp_model::diff::ChangedPackage;
use smcp_model::diff::CodeTotals;
use smcp_model::diff::Totals;
use smcp_model::diff::Transition;
use smcp_model::mode::Effect;
use smcp_model::text::SafeText;

/// The most packages that are listed: more of them, and a browser is slow to find one.
const ROWS: u64 = 20_000;

const STYLE: &str = include_str!("report.css");
const SCRIPT: &str = include_str!("report.js");
/// The digests of both, as a page's policy names them; a test says what they must be.
const STYLE_DIGEST: &str = "sha256-ra+azDr/KGRDnNiO8x1T9+lxeNUQAT3A0QPNXH0MpoI=";
const SCRIPT_DIGEST: &str = "sha256-HP6U6UkHgHTWQvUWXQQLhsHYLixiTk9dSabX1ohFh8c=";

/// The transitions that have a colour, with what becomes of a decision.
const KINDS: [(Transition, Effect); 4] = [
    (Transition::NewlyBlocked, Effect::Block),
    (Transition::NewlyAsked, Effect::Ask),
    (Transition::NewlyWarned, Effect::Warn),
    (Transition::NewlyAllowed, Effect::Pass),
];

/// Writes the page.
///
/// # Errors
/// When the writer fails, or the changes can't be read.
pub fn html(report: &DiffReport<'_>, changes: &mut dyn Changes, out: &mut dyn Write) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(1 << 16, out);
    head(report, &mut out)?;
    figures(report.totals, &mut out)?;
    matrix(report.totals, &mut out)?;
    bars(report.totals, &mut out)?;
    list(report.totals, changes, &mut out)?;
    writeln!(
        out,
        "<p class=soft>Written by smcp {}. Nothing was started; this page loads nothing.</p>\n\
         <script>{SCRIPT}</script>\n</body>\n</html>",
        env!("CARGO_PKG_VERSION")
    )?;
    out.flush()
}

fn head(report: &DiffReport<'_>, out: &mut dyn Write) -> io::Result<()> {
    let (from, to) = (escaped(report.from), escaped(report.to));
    let (all, unchanged) = (report.totals.packages(), report.totals.count(Transition::Unchanged));
    let changed = all.saturating_sub(unchanged);
    write!(
        out,
        "<!DOCTYPE html>\n<html lang=en>\n<head>\n<meta charset=utf-8>\n\
         <meta http-equiv=Content-Security-Policy content=\"default-src 'none'; script-src '{SCRIPT_DIGEST}'; \
         style-src '{STYLE_DIGEST}'; base-uri 'none'; form-action 'none'\">\n\
         <meta name=viewport content=\"width=device-width, initial-scale=1\">\n\
         <meta name=referrer content=no-referrer>\n\
         <title>{from} → {to}: {changed} of {all} packages change</title>\n\
         <style>{STYLE}</style>\n</head>\n<body>\n\
         <h1>{changed} of {all} packages change</h1>\n\
         <p class=soft>From <code>{from}</code> to <code>{to}</code>, over <code>{}</code></p>\n",
        escaped(report.catalogue)
    )
}

fn figures(totals: &Totals, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "<ul class=figures>")?;
    for (transition, effect) in KINDS {
        let count = totals.count(transition);
        let colour = if count == 0 { "soft" } else { effect.as_str() };
        writeln!(out, "<li><b class={colour}>{count}</b>{}</li>", words(transition))?;
    }
    writeln!(out, "<li><b class=soft>{}</b>unchanged</li>\n</ul>", totals.count(Transition::Unchanged))
}

fn matrix(totals: &Totals, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "<h2>Decisions, before and after</h2>\n<table class=matrix>\n<caption>Each row is a decision before, each column \
         one after.</caption>\n<thead><tr><td></td>"
    )?;
    for to in Effect::ALL {
        writeln!(out, "<th scope=col class=n>{}</th>", to.as_str())?;
    }
    writeln!(out, "</tr></thead>\n<tbody>")?;
    for from in Effect::ALL {
        writeln!(out, "<tr><th scope=row>{}</th>", from.as_str())?;
        for to in Effect::ALL {
            let count = totals.of(from, to);
            match (from == to, count) {
                (_, 0) => writeln!(out, "<td class=same>–</td>")?,
                (true, _) => writeln!(out, "<td class=same>{count}</td>")?,
                (false, _) => writeln!(out, "<td class=\"moved {}\">{count}</td>", to.as_str())?,
            }
        }
        writeln!(out, "</tr>")?;
    }
    writeln!(out, "</tbody>\n</table>")
}

/// One bar for each policy, of how its own effect changes over the packages whose decision does.
fn bars(totals: &Totals, out: &mut dyn Write) -> io::Result<()> {
    let sum = |count: &dyn Fn(Transition) -> u64| {
        KINDS.iter().fold(0_u64, |sum, (transition, _)| sum.saturating_add(count(*transition)))
    };
    let widest = totals.policies().map(|(.., its)| sum(&|it| its.count(it))).max().unwrap_or(0);
    if widest == 0 {
        return Ok(());
    }
    writeln!(out, "<h2>By policy</h2>\n<dl class=bars>")?;
    for (layer, name, its) in totals.policies() {
        let name = escaped(&SafeText::new(&label(layer, name)));
        let said: Vec<_> = KINDS
            .iter()
            .filter(|(transition, _)| its.count(*transition) > 0)
            .map(|(transition, effect)| {
                format!("<span class={}>{} {}</span>", effect.as_str(), its.count(*transition), words(*transition))
            })
            .collect();
        writeln!(out, "<dt>{name}</dt>\n<dd><svg aria-hidden=true>")?;
        let mut at = 0_u64;
        for (transition, effect) in KINDS {
            let count = its.count(transition);
            let (x, width) = (share(at, widest), share(count, widest));
            if count > 0 {
                writeln!(out, "<rect class={} x=\"{x}\" width=\"{width}\" height=\"100%\"/>", effect.as_str())?;
            }
            at = at.saturating_add(count);
        }
        let said = if said.is_empty() {
            "<span class=soft>other reasons, the same effect</span>".to_owned()
        } else {
            said.join(", ")
        };
        writeln!(out, "</svg>{said}")?;
        codes(&its.codes, out)?;
        writeln!(out, "</dd>")?;
    }
    writeln!(out, "</dl>")
}

fn codes(codes: &BTreeMap<SafeText, CodeTotals>, out: &mut dyn Write) -> io::Result<()> {
    if codes.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "<details><summary>{} {}</summary>\n<table>\n<thead><tr><th scope=col>code<th scope=col class=n>new\
         <th scope=col class=n>as before<th scope=col class=n>no more</tr></thead>\n<tbody>",
        codes.len(),
        if codes.len() == 1 { "code" } else { "codes" }
    )?;
    for (code, CodeTotals { gained, kept, lost }) in codes {
        let code = escaped(code);
        writeln!(out, "<tr><td class=id>{code}<td class=n>{gained}<td class=n>{kept}<td class=n>{lost}</tr>")?;
    }
    writeln!(out, "</tbody>\n</table></details>")
}

fn list(totals: &Totals, changes: &mut dyn Changes, out: &mut dyn Write) -> io::Result<()> {
    let changed = totals.packages().saturating_sub(totals.count(Transition::Unchanged));
    let mut is_timed = None;
    let mut written = 0_u64;
    writeln!(
        out,
        "<h2>Packages</h2>\n<div class=tools id=tools hidden>\n<label>Search<input type=search id=search \
         autocomplete=off></label>\n<label>Change<select id=kind><option value=\"\">all"
    )?;
    for (transition, effect) in KINDS {
        writeln!(out, "<option value={}>{}", effect.as_str(), words(transition))?;
    }
    writeln!(out, "</select></label>\n<p class=soft id=count role=status></p>\n</div>\n<table id=list>")?;
    changes.each(&mut |package| {
        if written == 0 {
            is_timed = Some(package.times.is_some());
            columns(package.times.is_some(), out)?;
        }
        if written < ROWS {
            written = written.saturating_add(1);
            row(package, is_timed == Some(true), out)?;
        }
        Ok(())
    })?;
    if written == 0 {
        columns(false, out)?;
    }
    writeln!(out, "</tbody>\n</table>")?;
    match changed.saturating_sub(written) {
        0 => Ok(()),
        more => writeln!(out, "<p>And {more} more, which <code>--json</code> has.</p>"),
    }
}

fn columns(is_timed: bool, out: &mut dyn Write) -> io::Result<()> {
    let timed = if is_timed { "<th scope=col class=t>times</th><th scope=col class=d>last</th>" } else { "" };
    writeln!(
        out,
        "<thead><tr><th scope=col class=id>package</th><th scope=col class=e>from</th><th scope=col class=e>to</th>\
         <th scope=col>by</th>{timed}</tr></thead>\n<tbody>"
    )
}

fn row(changed: &ChangedPackage, is_timed: bool, out: &mut dyn Write) -> io::Result<()> {
    let (from, to) = (changed.from.as_str(), changed.to.as_str());
    write!(
        out,
        "<tr data-k={to}><td class=id>{}</td><td class=\"f {from}\">{from}</td><td class={to}>{to}</td><td class=r>{}</td>",
        escaped(&changed.package),
        escaped(&SafeText::new(&reasons(changed)))
    )?;
    if is_timed {
        let last = changed.last.as_ref().map(|last| minute(last.as_str())).unwrap_or_default();
        let last = escaped(&SafeText::new(&last));
        write!(out, "<td class=t>{}</td><td class=d>{last}</td>", changed.times.unwrap_or_default())?;
    }
    writeln!(out, "</tr>")
}

/// A share of the widest bar.
fn share(count: u64, of: u64) -> String {
    let tenths = u128::from(count).saturating_mul(1000).checked_div(u128::from(of)).unwrap_or_default();
    format!("{}.{}%", tenths / 10, tenths % 10)
}

/// Text as HTML shows it, in an element or between quotes.
fn escaped(text: &SafeText) -> String {
    let mut safe = String::with_capacity(text.as_str().len());
    for character in text.as_str().chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

/// A page without its own style and script, whose digests its policy must name.
#[cfg(test)]
pub(super) fn without_own_parts(page: &str) -> String {
    page.replace(&format!("<style>{STYLE}</style>"), "").replace(&format!("<script>{SCRIPT}</script>"), "")
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;
    use smcp_model::digest::Digest;

    #[test]
    fn the_policy_of_a_page_names_its_own_style_and_script() {
        for (text, named) in [(STYLE, STYLE_DIGEST), (SCRIPT, SCRIPT_DIGEST)] {
            assert_eq!(named, format!("sha256-{}", STANDARD.encode(Digest::of(text.as_bytes()).as_bytes())));
            assert!(!text.contains("</"), "it would end its element");
        }
    }
}
