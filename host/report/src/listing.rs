//! Lists policies: `smcp policy list`, `smcp config validate`.

use std::io;
use std::io::Write;

use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::message;
use crate::style::Palette;
use crate::style::Span;
use crate::style::Style;
use crate::table;
use crate::wrap::paragraph;
use smcp_model::digest::Digest;
use smcp_model::examination::Examined;
use smcp_model::examination::PlacedProblem;
use smcp_model::examination::PolicyState;
use smcp_model::examination::Remark;
use smcp_model::limits::PolicyLimits;
use smcp_model::set_status::SetStatus;
use smcp_model::text::SafeText;
use smcp_model::verdict::SettingsProblem;

/// Writes the policies as a table, and their problems below it.
///
/// # Errors
/// When the writer fails.
pub fn policies(rows: &[Examined], out: &mut dyn Write, style: &Style) -> io::Result<()> {
    let palette = &style.palette;
    let cells: Vec<Vec<Span>> = rows
        .iter()
        .map(|row| {
            let unknown = || "-".to_owned();
            vec![
                Span::new(row.name.as_str(), palette.strong),
                Span::plain(row.layer.as_str()),
                Span::plain(row.mode.as_str()),
                state_span(&row.state, palette),
                Span::plain(row.version.as_ref().map_or_else(unknown, ToString::to_string)),
                Span::new(row.digest.as_ref().map_or_else(unknown, Digest::short), palette.dim),
                Span::plain(row.source.to_string()),
                Span::plain(row.at.as_ref().map_or_else(|| "default".to_owned(), ToString::to_string)),
            ]
        })
        .collect();
    table::table(out, style, &["NAME", "LAYER", "MODE", "STATE", "VERSION", "DIGEST", "SOURCE", "FROM"], &cells)?;
    for (row, (message, remedy)) in rows.iter().filter_map(|row| Some((row, problem(row)?))) {
        writeln!(out)?;
        let name = Span::new(format!("{}:", row.name), palette.strong);
        if row.settings.is_empty() {
            paragraph(out, &[name, Span::plain(message.as_str())], 0, 2, style.width)?;
        } else {
            paragraph(out, &[name, Span::plain("it does not accept its settings")], 0, 2, style.width)?;
        }
        for placed in &row.settings {
            paragraph(out, &[Span::plain(setting(placed))], 2, 4, style.width)?;
        }
        if let Some(remedy) = remedy {
            paragraph(out, &[Span::new("→", palette.dim), Span::plain(remedy.as_str())], 2, 4, style.width)?;
        }
    }
    for row in rows {
        let own = own_limits(&row.limits);
        if !own.is_empty() {
            writeln!(out)?;
            let name = Span::new(format!("{}:", row.name), palette.strong);
            paragraph(out, &[name, Span::plain(format!("limits: {}", own.join(", ")))], 0, 2, style.width)?;
        }
    }
    let unseen = disabled(rows);
    if !unseen.is_empty() {
        writeln!(out)?;
        let words = format!("not looked at, because disabled: {}", unseen.join(", "));
        paragraph(out, &[Span::plain(words)], 0, 2, style.width)?;
    }
    Ok(())
}

/// Writes the policy sets in force, one to a paragraph; nothing without any.
///
/// # Errors
/// When the writer fails.
pub fn sets(sets: &[SetStatus], out: &mut dyn Write, style: &Style) -> io::Result<()> {
    for set in sets {
        writeln!(out)?;
        let layer = Span::new(format!("{}:", set.layer.as_str()), style.palette.strong);
        paragraph(out, &[layer, Span::plain(set.to_string())], 0, 2, style.width)?;
    }
    Ok(())
}

/// Returns a document with the policy sets in force; the same without any.
#[must_use]
pub fn with_sets(mut document: Value, sets: &[SetStatus]) -> Value {
    if let (Value::Object(members), false) = (&mut document, sets.is_empty()) {
        members.insert("sets".to_owned(), json!(sets));
    }
    document
}

/// Returns a problem of a policy's settings as problems of a configuration are shown: the place first.
fn setting(placed: &PlacedProblem) -> String {
    let PlacedProblem { at, problem: SettingsProblem { path, message } } = placed;
    let path = if path.as_str().is_empty() { "settings".to_owned() } else { format!("settings{path}") };
    match at {
        Some(at) => format!("{at}: `{path}`: {message}"),
        None => format!("`{path}`: {message}"),
    }
}

/// Returns the limits that the configuration changes, as it writes them.
fn own_limits(limits: &PolicyLimits) -> Vec<String> {
    let both = limits.written().into_iter().zip(PolicyLimits::DEFAULT.written());
    let changed = both.filter(|(own, default)| own != default).map(|(own, _)| own);
    changed
        .map(|(key, value)| format!("{key} {}", value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
        .collect()
}

/// Returns the names of disabled policies, which are not examined.
fn disabled(rows: &[Examined]) -> Vec<&str> {
    let unseen = rows.iter().filter(|row| row.state == PolicyState::Disabled);
    unseen.map(|row| row.name.as_str()).collect()
}

/// Returns the problem of a policy and its remedy; `None` for one that works.
fn problem(row: &Examined) -> Option<(SafeText, Option<SafeText>)> {
    match &row.state {
        PolicyState::Ready | PolicyState::Disabled => None,
        PolicyState::Faulty(fault) => Some((fault.message.clone(), fault.remedy.clone())),
        PolicyState::Mismatched { pin } => Some((
            SafeText::new(&match row.digest {
                Some(found) => format!("its component is {found}, and the configuration pins {pin}"),
                None => format!("its component is not the one that the configuration pins, {pin}"),
            }),
            Some(SafeText::new("nothing runs until the file or the pin is put right")),
        )),
        PolicyState::Unsigned { why } => {
            Some((why.clone(), Some(SafeText::new("nothing runs until the signature or `signed_by` is put right"))))
        }
    }
}

/// Writes whether every enabled policy works. The configuration file itself is valid already.
///
/// # Errors
/// When the writer fails.
pub fn validation(rows: &[Examined], out: &mut dyn Write, style: &Style) -> io::Result<()> {
    let broken = rows.iter().filter(|row| !row.state.works()).count();
    if broken == 0 {
        let unseen = disabled(rows).len();
        let message = match unseen {
            0 => "the configuration is valid, and every policy would work".to_owned(),
            1 => "the configuration is valid, and every enabled policy would work; 1 is disabled".to_owned(),
            _ => format!("the configuration is valid, and every enabled policy would work; {unseen} are disabled"),
        };
        return message::done(&message, &[], out, style);
    }
    let all = rows.len();
    message::error(&format!("{broken} of {all} policies would not work; the file itself is in order"), &[], out, style)
}

/// Writes remarks about a valid configuration, and the number of those that are left out.
///
/// # Errors
/// When the writer fails.
pub fn remarks(remarks: &[Remark], more: usize, out: &mut dyn Write, style: &Style) -> io::Result<()> {
    let note = |text: String| [Span::new("note:", style.palette.caution), Span::plain(text)];
    let notes = remarks.iter().map(|Remark { code: _, at, message }| note(format!("{at}: {message}")));
    let more = (more > 0).then(|| note(format!("and {more} more remarks of this kind")));
    notes.chain(more).try_for_each(|line| paragraph(out, &line, 0, 2, style.width))?;
    if remarks.is_empty() { Ok(()) } else { writeln!(out) }
}

/// The policies of a valid configuration and the remarks about it as a document; `more` remarks are left out.
pub fn validation_document(rows: &[Examined], remarks: &[Remark], more: usize, exit_code: u8) -> Value {
    let valid = rows.iter().all(|row| row.state.works());
    let policies: Vec<_> = rows.iter().map(document).collect();
    json!({
        "schema": "smcp.validation/1",
        "valid": valid,
        "exit_code": exit_code,
        "policies": policies,
        "remarks": remarks,
        "more_remarks": more,
    })
}

/// The policies as a document.
pub fn policies_document(rows: &[Examined]) -> Value {
    json!({"schema": "smcp.policies/1", "policies": rows.iter().map(document).collect::<Vec<_>>()})
}

fn document(row: &Examined) -> Value {
    let fault = row.state.fault();
    json!({
        "name": row.name,
        "layer": row.layer,
        "mode": row.mode,
        "source": SafeText::new(&row.source.to_string()),
        "at": row.at,
        "digest": row.digest,
        "version": row.version,
        "signer": row.signer,
        "state": row.state.as_str(),
        "pin": row.state.pin(),
        "unsigned": row.state.unsigned(),
        "limits": row.limits.written().into_iter().map(|(key, value)| (key.to_owned(), value)).collect::<Map<_, _>>(),
        "fault": fault.map(|fault| json!({
            "kind": fault.kind,
            "message": fault.message,
            "remedy": fault.remedy,
            "settings": row.settings,
        })),
    })
}

fn state_span(state: &PolicyState, palette: &Palette) -> Span {
    match state {
        PolicyState::Ready => Span::new(state.as_str(), palette.good),
        PolicyState::Disabled => Span::new(state.as_str(), palette.dim),
        PolicyState::Faulty(fault) => Span::new(format!("{}: {}", state.as_str(), fault.kind.as_str()), palette.bad),
        PolicyState::Mismatched { .. } | PolicyState::Unsigned { .. } => Span::new(state.as_str(), palette.bad),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use smcp_model::mode::Mode;
    use smcp_model::policy::BuiltIn;
    use smcp_model::policy::LayerName;
    use smcp_model::policy::PolicySource;
    use smcp_model::verdict::Fault;
    use smcp_model::verdict::FaultKind;

    fn policy_rows() -> Vec<Examined> {
        let row = |name: &str, source, state| Examined {
            name: name.parse().unwrap(),
            layer: LayerName::User,
            mode: Mode::Strict,
            at: matches!(source, PolicySource::File(_)).then(|| "~/.mcp/config.yaml:7:7".into()),
            source,
            limits: PolicyLimits::DEFAULT,
            digest: Some(Digest::of(name.as_bytes())),
            signer: None,
            version: Some("0.1.0".into()),
            state,
            settings: Vec::new(),
        };
        let gone = Fault::new(FaultKind::Load, "/home/me/.mcp/policies/gone.wasm: no such file")
            .remedy("put the component there, or correct `source`");
        let foreign =
            PolicyState::Unsigned { why: "it is not signed by the key in /k.pem: it has no signature".into() };
        vec![
            Examined {
                layer: LayerName::System,
                ..row("origin", PolicySource::BuiltIn(BuiltIn::Origin), PolicyState::Ready)
            },
            Examined {
                mode: Mode::Disabled,
                ..row("certification", PolicySource::BuiltIn(BuiltIn::Certification), PolicyState::Disabled)
            },
            Examined {
                mode: Mode::Warn,
                limits: PolicyLimits { time: PolicyLimits::LEAST.time, memory: 1 << 26, ..PolicyLimits::DEFAULT },
                ..row(
                    "no-network",
                    PolicySource::File("/home/me/.mcp/policies/no_network.wasm".into()),
                    PolicyState::Ready,
                )
            },
            Examined {
                digest: None,
                version: None,
                ..row("gone", PolicySource::File("/home/me/.mcp/policies/gone.wasm".into()), PolicyState::Faulty(gone))
            },
            Examined {
                digest: None,
                version: None,
                ..row("foreign", PolicySource::File("/home/me/.mcp/policies/foreign.wasm".into()), foreign)
            },
        ]
    }

    fn shown(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> String {
        let mut out = Vec::new();
        write(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn policies_are_listed_with_what_is_wrong_with_them() {
        let rows = policy_rows();
        insta::assert_snapshot!("policy_list", shown(|out| policies(&rows, out, &Style::default())));
        insta::assert_snapshot!("policy_list_json", format!("{:#}", policies_document(&rows)));
    }
}
