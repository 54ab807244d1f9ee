//! Shows a package's facts: as rows of a decision, and for `smcp info`.

use std::io;
use std::io::Write;

use serde_json::Value;
use serde_json::json;

use crate::stated;
use crate::stated::StatedView;
use crate::stated::StatementFound;
use crate::style::Palette;
use crate::style::Span;
use crate::style::Style;
use crate::table::fields;
use smcp_decide::Notice;
use smcp_model::facts::CertLevel;
use smcp_model::facts::Facts;
use smcp_model::facts::RiskLabel;
use smcp_model::facts::Score;
use smcp_model::facts::SeverityCounts;
use smcp_model::facts::Status;
use smcp_model::imported::ImportedFrom;
use smcp_model::manifest::Entrypoint;
use smcp_model::manifest::Permissions;
use smcp_model::manifest::Transport;
use smcp_model::registry::Registry;
use smcp_model::request::Subject;
use smcp_model::text::SafeText;

/// How unknown facts are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unknown {
    /// A row says that the fact is unknown, because policies judge unknown facts too.
    Shown,
    /// The fact has no row, because no policy judged it.
    Omitted,
}

/// Returns the facts that decisions depend on, with names, and coloured by their meaning: those that are in force, and then
/// who says what.
pub(crate) fn facts(
    subject: &Subject,
    stated: &StatedView<'_>,
    palette: &Palette,
    unknown: Unknown,
) -> Vec<(&'static str, Span)> {
    let nothing = Facts::default();
    let (known, is_known) = stated.facts().map_or((&nothing, false), |facts| (facts, true));
    let imported = subject.manifest.as_deref().and_then(ImportedFrom::of);
    let by_importer = imported.as_ref().filter(|imported| imported.facts_by_importer && stated.is_by_registry());
    let rows = [
        ("registry", subject.registry.as_ref().map(|registry| Span::plain(registry.to_string()))),
        ("status", known.status.as_ref().map(|status| status_span(status, palette))),
        ("origin", known.origin.as_ref().map(|origin| Span::plain(origin.to_string()))),
        ("level", known.cert_level.map(|level| Span::plain(format!("{} ({})", level.get(), level.name())))),
        ("score", known.score.map(|score| score_span(score, palette))),
        ("findings", known.findings.map(|counts| findings_span(counts, palette))),
        ("bundle", subject.bundle_digest.map(|digest| Span::new(digest.short(), palette.dim))),
    ];
    let missing = match unknown {
        Unknown::Shown => Some(Span::new("unknown", palette.caution)),
        Unknown::Omitted => None,
    };
    // Where several facts are in force, the rows after them have each.
    let rows = rows.into_iter().filter(|(name, _)| is_known || ["registry", "bundle"].contains(name));
    let rows = rows.filter_map(|(name, value)| Some((name, value.or_else(|| missing.clone())?)));
    let rows = rows.chain(stated.rows(palette));
    let rows = rows.chain(by_importer.map(|_| ("facts by", Span::new("whoever imported it", palette.caution))));
    rows.chain(imported.map(|imported| ("source", Span::plain(imported.to_string())))).collect()
}

fn status_span(status: &Status, palette: &Palette) -> Span {
    let style = match status {
        Status::Published => anstyle::Style::new(),
        Status::Deprecated => palette.caution,
        Status::Refused(_) => palette.bad,
    };
    Span::new(status.as_str(), style)
}

fn score_span(score: Score, palette: &Palette) -> Span {
    let label = score.label();
    let style = match label {
        RiskLabel::Critical => palette.bad,
        RiskLabel::High => palette.risk,
        RiskLabel::Moderate => palette.caution,
        RiskLabel::Low => palette.good,
    };
    Span::new(format!("{}/{} ({})", score.get(), Score::MAX, label.as_str()), style)
}

fn findings_span(counts: SeverityCounts, palette: &Palette) -> Span {
    let SeverityCounts { critical, high, medium, low } = counts;
    let severities = [(critical, "critical"), (high, "high"), (medium, "medium"), (low, "low")];
    let words: Vec<String> =
        severities.iter().filter(|(count, _)| *count > 0).map(|(count, name)| format!("{count} {name}")).collect();
    let style = match (critical, high) {
        (0, 0) => anstyle::Style::new(),
        (0, _) => palette.risk,
        (_, _) => palette.bad,
    };
    Span::new(if words.is_empty() { "none".to_owned() } else { words.join(", ") }, style)
}

/// Writes everything that is known about a package: `smcp info`.
///
/// # Errors
/// When the writer fails.
pub fn human(subject: &Subject, stated: &[StatementFound], out: &mut dyn Write, style: &Style) -> io::Result<()> {
    let palette = &style.palette;
    let mut rows = facts(subject, &StatedView::of_layers(subject, stated), palette, Unknown::Shown);
    rows.retain(|(name, _)| *name != "bundle");
    let texts = [
        ("commit", subject.facts.git_sha.as_ref().map(|sha| sha.as_str().to_owned())),
        ("manifest", subject.manifest_digest.as_ref().map(ToString::to_string)),
        ("bundle", subject.bundle_digest.as_ref().map(ToString::to_string)),
        ("transport", subject.transport.map(|transport| transport.as_str().to_owned())),
        ("command", subject.entrypoint.as_ref().map(command_line)),
    ];
    rows.extend(texts.into_iter().filter_map(|(name, text)| Some((name, Span::plain(text?)))));
    if let Some(permissions) = &subject.permissions {
        rows.extend(permission_rows(permissions));
    }
    rows.extend(subject.facts.doubts.iter().map(|doubt| ("note", Span::new(doubt.as_str(), palette.caution))));
    writeln!(out, "{}{}{:#}", palette.strong, SafeText::new(&subject.label()), palette.strong)?;
    fields(out, style, 2, &rows)
}

fn command_line(entrypoint: &Entrypoint) -> String {
    let words = std::iter::once(&entrypoint.command).chain(&entrypoint.args);
    let quoted = |word: &String| {
        if word.is_empty() || word.contains([' ', '"', '\'', '\\', '\t', '\n']) {
            format!("{word:?}")
        } else {
            word.clone()
        }
    };
    words.map(quoted).collect::<Vec<_>>().join(" ")
}

/// Returns a row for each kind of permission that the manifest asks for.
pub(crate) fn permission_rows(permissions: &Permissions) -> Vec<(&'static str, Span)> {
    let lists = [
        ("network", &permissions.network),
        ("reads", &permissions.filesystem_read),
        ("writes", &permissions.filesystem_write),
        ("variables", &permissions.environment),
    ];
    let asked = lists.into_iter().filter(|(_, list)| !list.is_empty());
    let mut rows: Vec<_> = asked.map(|(name, list)| (name, Span::plain(list.join(", ")))).collect();
    if permissions.subprocess {
        rows.push(("processes", Span::plain("starts other processes")));
    }
    rows
}

/// Returns everything that is known about a package as a document: `smcp info --json`.
pub fn document(subject: &Subject, notices: &[Notice], stated: &[StatementFound]) -> Value {
    let Facts {
        status,
        origin,
        cert_level,
        score,
        security_score,
        supply_chain_score,
        maturity_score,
        findings,
        git_sha,
        doubts,
    } = &subject.facts;
    let mut document = json!({
        "schema": "smcp.package/1",
        "package": SafeText::new(&subject.label()),
        "facts": {
            "origin": origin.as_ref().map(ToString::to_string),
            "cert_level": cert_level.map(CertLevel::get),
            "score": score.map(Score::get),
            "security_score": security_score.map(Score::get),
            "supply_chain_score": supply_chain_score.map(Score::get),
            "maturity_score": maturity_score.map(Score::get),
            "findings": findings,
            "status": safe(status.as_ref().map(Status::as_str)),
            "registry": subject.registry.as_ref().map(shown),
            "git_sha": git_sha,
            "manifest_digest": subject.manifest_digest,
            "bundle_digest": subject.bundle_digest,
        },
        "doubts": doubts,
        "notices": notices.iter().map(notice).collect::<Vec<_>>(),
        "transport": subject.transport.map(Transport::as_str),
        "entrypoint": subject.entrypoint.as_ref().map(|entrypoint| json!({
            "command": SafeText::new(&entrypoint.command),
            "args": all_safe(&entrypoint.args),
        })),
        "permissions": subject.permissions.as_ref().map(|permissions| json!({
            "network": all_safe(&permissions.network),
            "filesystem_read": all_safe(&permissions.filesystem_read),
            "filesystem_write": all_safe(&permissions.filesystem_write),
            "environment": all_safe(&permissions.environment),
            "subprocess": permissions.subprocess,
        })),
    });
    // Only imported packages have it.
    if let (Some(imported), Value::Object(members)) =
        (subject.manifest.as_deref().and_then(ImportedFrom::of), &mut document)
    {
        members.insert("source".to_owned(), imported.document());
    }
    if let (Value::Object(members), false) = (&mut document, stated.is_empty()) {
        members.insert("statements".to_owned(), stated::document(stated));
    }
    document
}

/// Returns a notice as it is in documents.
fn notice(notice: &Notice) -> Value {
    json!({"code": notice.code, "message": notice.message})
}

fn shown(registry: &Registry) -> SafeText {
    SafeText::new(&registry.to_string())
}

fn safe(text: Option<&str>) -> Option<SafeText> {
    text.map(SafeText::new)
}

fn all_safe(texts: &[String]) -> Vec<SafeText> {
    texts.iter().map(|text| SafeText::new(text)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;

    #[test]
    fn a_package_tells_all_that_is_known() {
        let mut out = Vec::new();
        human(&fixtures::full_subject(), &[], &mut out, &Style::default()).unwrap();
        insta::assert_snapshot!("package", String::from_utf8(out).unwrap());
        insta::assert_snapshot!("package_json", format!("{:#}", document(&fixtures::full_subject(), &[], &[])));
    }

    #[test]
    fn a_package_of_which_nothing_is_known_says_so() {
        let mut out = Vec::new();
        human(&fixtures::unknown_subject(), &[], &mut out, &Style::default()).unwrap();
        insta::assert_snapshot!("package_unknown", String::from_utf8(out).unwrap());
    }

    #[test]
    fn the_colour_of_a_score_follows_its_label() {
        let palette = Palette::coloured();
        let cases = [(0, palette.bad), (40, palette.risk), (60, palette.caution), (80, palette.good)];
        for (number, style) in cases {
            assert_eq!(score_span(Score::new(number).unwrap(), &palette).style, style, "{number}");
        }
    }

    #[test]
    fn findings_name_only_what_was_found() {
        let cases = [
            (SeverityCounts::default(), "none"),
            (SeverityCounts { critical: 1, high: 0, medium: 2, low: 0 }, "1 critical, 2 medium"),
            (SeverityCounts { critical: 0, high: 0, medium: 0, low: 7 }, "7 low"),
        ];
        for (counts, words) in cases {
            assert_eq!(findings_span(counts, &Palette::plain()).text.as_str(), words);
        }
    }
}
