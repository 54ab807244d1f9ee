//! Policies as such: `smcp policy list` and `smcp policy inspect`.

use std::io;
use std::io::Write;

use serde_json::Value;
use serde_json::json;

use crate::model::digest::Digest;
use crate::model::mode::Mode;
use crate::model::mode::OnWarn;
use crate::model::name::PolicyName;
use crate::model::policy::LayerName;
use crate::model::policy::PolicySource;
use crate::model::text::SafeText;
use crate::model::verdict::Fault;
use crate::report::message;
use crate::report::style::Palette;
use crate::report::style::Span;
use crate::report::style::Style;
use crate::report::table;
use crate::report::wrap::paragraph;

/// One policy of one layer, as it would be evaluated.
#[derive(Debug, Clone)]
pub struct PolicyRow {
    /// Its name in the configuration.
    pub name: PolicyName,
    /// The layer it stands in.
    pub layer: LayerName,
    /// How strictly it is meant.
    pub mode: Mode,
    /// Where its component is.
    pub source: PolicySource,
    /// Digest of the component, when it could be read.
    pub digest: Option<Digest>,
    /// What the component calls its version, when it could be asked.
    pub version: Option<SafeText>,
    /// Whether it would do its work.
    pub state: PolicyState,
}

/// Whether a policy would do its work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PolicyState {
    /// Loaded, and its settings are accepted.
    Ready,
    /// Not evaluated: its mode is `disabled`.
    Disabled,
    /// It would count as a violation.
    Faulty(Fault),
    /// Its component is not the one that the configuration pins: nothing would run.
    Mismatched {
        /// The digest it should have.
        pin: Digest,
    },
}

/// What a component says of itself, and what it is.
#[derive(Debug, Clone)]
pub struct Inspection {
    /// The file, as the user named it.
    pub file: SafeText,
    /// Digest of its bytes.
    pub digest: Digest,
    /// Its length, bytes.
    pub size: u64,
    /// The interface it exports, such as `smcp:policy/evaluator@0.1.0`.
    pub interface: SafeText,
    /// What it imports: all that it can do besides computing.
    pub imports: Vec<SafeText>,
    /// The name it gives itself.
    pub name: SafeText,
    /// The version it gives itself.
    pub version: SafeText,
    /// What it does, in one sentence.
    pub description: SafeText,
    /// What a violation under `warn` leads to, unless the configuration says otherwise.
    pub on_warn: OnWarn,
    /// JSON Schema of its settings.
    pub settings_schema: Value,
}

impl PolicyState {
    /// The word used in JSON and tables.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Disabled => "disabled",
            Self::Faulty(_) => "fault",
            Self::Mismatched { .. } => "digest-mismatch",
        }
    }

    /// Whether the policy is evaluated and does its work, or is not meant to.
    pub const fn works(&self) -> bool {
        match self {
            Self::Ready | Self::Disabled => true,
            Self::Faulty(_) | Self::Mismatched { .. } => false,
        }
    }

    const fn fault(&self) -> Option<&Fault> {
        match self {
            Self::Ready | Self::Disabled | Self::Mismatched { .. } => None,
            Self::Faulty(fault) => Some(fault),
        }
    }

    const fn pin(&self) -> Option<Digest> {
        match self {
            Self::Ready | Self::Disabled | Self::Faulty(_) => None,
            Self::Mismatched { pin } => Some(*pin),
        }
    }

    fn span(&self, palette: &Palette) -> Span {
        match self {
            Self::Ready => Span::new(self.as_str(), palette.good),
            Self::Disabled => Span::new(self.as_str(), palette.dim),
            Self::Faulty(fault) => Span::new(format!("{}: {}", self.as_str(), fault.kind.as_str()), palette.bad),
            Self::Mismatched { .. } => Span::new(self.as_str(), palette.bad),
        }
    }
}

/// Writes the policies as a table, and below it what is wrong with those that are.
///
/// # Errors
/// When the writer fails.
pub fn policies(rows: &[PolicyRow], out: &mut dyn Write, style: &Style) -> io::Result<()> {
    let palette = &style.palette;
    let cells: Vec<Vec<Span>> = rows
        .iter()
        .map(|row| {
            let unknown = || "-".to_owned();
            vec![
                Span::new(row.name.as_str(), palette.strong),
                Span::plain(row.layer.as_str()),
                Span::plain(row.mode.as_str()),
                row.state.span(palette),
                Span::plain(row.version.as_ref().map_or_else(unknown, ToString::to_string)),
                Span::new(row.digest.as_ref().map_or_else(unknown, Digest::short), palette.dim),
                Span::plain(row.source.to_string()),
            ]
        })
        .collect();
    table::table(out, style, &["NAME", "LAYER", "MODE", "STATE", "VERSION", "DIGEST", "SOURCE"], &cells)?;
    for (row, (message, remedy)) in rows.iter().filter_map(|row| Some((row, row.trouble()?))) {
        writeln!(out)?;
        let name = Span::new(format!("{}:", row.name), palette.strong);
        paragraph(out, &[name, Span::plain(message.as_str())], 0, 2, style.width)?;
        if let Some(remedy) = remedy {
            paragraph(out, &[Span::new("→", palette.dim), Span::plain(remedy.as_str())], 2, 4, style.width)?;
        }
    }
    Ok(())
}

impl PolicyRow {
    /// What is wrong with the policy, and what to do about it.
    fn trouble(&self) -> Option<(SafeText, Option<SafeText>)> {
        match &self.state {
            PolicyState::Ready | PolicyState::Disabled => None,
            PolicyState::Faulty(fault) => Some((fault.message.clone(), fault.remedy.clone())),
            PolicyState::Mismatched { pin } => Some((
                SafeText::new(&format!("its component is not the one that the configuration pins, {pin}")),
                Some(SafeText::new("nothing runs until the file or the pin is put right")),
            )),
        }
    }
}

/// Writes whether a configuration can be worked with: its file is in order already.
///
/// # Errors
/// When the writer fails.
pub fn validation(rows: &[PolicyRow], out: &mut dyn Write, style: &Style) -> io::Result<()> {
    let broken = rows.iter().filter(|row| !row.state.works()).count();
    if broken == 0 {
        return message::done("the configuration is valid, and every policy would work", &[], out, style);
    }
    let all = rows.len();
    message::error(&format!("{broken} of {all} policies would not work; the file itself is in order"), &[], out, style)
}

/// The same as a document.
pub fn validation_document(rows: &[PolicyRow], exit_code: u8) -> Value {
    let valid = rows.iter().all(|row| row.state.works());
    let policies: Vec<_> = rows.iter().map(document).collect();
    json!({"schema": "smcp.validation/1", "valid": valid, "exit_code": exit_code, "policies": policies})
}

/// The policies as a document.
pub fn policies_document(rows: &[PolicyRow]) -> Value {
    json!({"schema": "smcp.policies/1", "policies": rows.iter().map(document).collect::<Vec<_>>()})
}

fn document(row: &PolicyRow) -> Value {
    let fault = row.state.fault();
    json!({
        "name": row.name,
        "layer": row.layer,
        "mode": row.mode,
        "source": SafeText::new(&row.source.to_string()),
        "digest": row.digest,
        "version": row.version,
        "state": row.state.as_str(),
        "pin": row.state.pin(),
        "fault": fault.map(|fault| json!({
            "kind": fault.kind,
            "message": fault.message,
            "remedy": fault.remedy,
        })),
    })
}

/// Writes what a component is, its settings' schema last.
///
/// # Errors
/// When the writer fails.
pub fn inspection(inspection: &Inspection, out: &mut dyn Write, style: &Style) -> io::Result<()> {
    let Inspection { file, digest, size, interface, imports, name, version, description, on_warn, settings_schema } =
        inspection;
    let imports: Vec<&str> = imports.iter().map(SafeText::as_str).collect();
    let fields = [
        ("policy", Span::new(format!("{name} {version}"), style.palette.strong)),
        ("description", Span::plain(description.as_str())),
        ("interface", Span::plain(interface.as_str())),
        ("imports", Span::plain(if imports.is_empty() { "none".to_owned() } else { imports.join(", ") })),
        ("on warn", Span::plain(on_warn.as_str())),
        ("file", Span::plain(file.as_str())),
        ("size", Span::plain(format!("{size} bytes"))),
        ("digest", Span::plain(digest.to_string())),
    ];
    table::fields(out, style, 0, &fields)?;
    writeln!(out, "{}settings schema{:#}", style.palette.dim, style.palette.dim)?;
    // The schema is the guest's text: every line of it is made harmless.
    format!("{settings_schema:#}").lines().try_for_each(|line| writeln!(out, "  {}", SafeText::new(line)))
}

/// What a component is, as a document.
pub fn inspection_document(inspection: &Inspection) -> Value {
    let Inspection { file, digest, size, interface, imports, name, version, description, on_warn, settings_schema } =
        inspection;
    json!({
        "schema": "smcp.component/1",
        "file": file,
        "interface": interface,
        "name": name,
        "version": version,
        "imports": imports,
        "description": description,
        "settings_schema": settings_schema,
        "on_warn": on_warn,
        "size": size,
        "digest": digest,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::policy::BuiltIn;
    use crate::model::verdict::FaultKind;

    fn policy_rows() -> Vec<PolicyRow> {
        let row = |name: &str, source, state| PolicyRow {
            name: name.parse().unwrap(),
            layer: LayerName::User,
            mode: Mode::Strict,
            source,
            digest: Some(Digest::of(name.as_bytes())),
            version: Some("0.1.0".into()),
            state,
        };
        let gone = Fault::new(FaultKind::Load, "/home/me/.mcp/policies/gone.wasm: no such file")
            .remedy("put the component there, or correct `source`");
        vec![
            PolicyRow {
                layer: LayerName::System,
                ..row("origin", PolicySource::BuiltIn(BuiltIn::Origin), PolicyState::Ready)
            },
            PolicyRow {
                mode: Mode::Disabled,
                ..row("certification", PolicySource::BuiltIn(BuiltIn::Certification), PolicyState::Disabled)
            },
            PolicyRow {
                mode: Mode::Warn,
                ..row(
                    "no-network",
                    PolicySource::File("/home/me/.mcp/policies/no_network.wasm".into()),
                    PolicyState::Ready,
                )
            },
            PolicyRow {
                digest: None,
                version: None,
                ..row("gone", PolicySource::File("/home/me/.mcp/policies/gone.wasm".into()), PolicyState::Faulty(gone))
            },
        ]
    }

    fn component() -> Inspection {
        Inspection {
            file: "policies/no_network.wasm".into(),
            digest: Digest::of(b"component"),
            size: 71_204,
            interface: "smcp:policy/evaluator@0.1.0".into(),
            imports: vec!["smcp:policy/logging@0.1.0".into()],
            name: "no-network".into(),
            version: "1.2.0".into(),
            description: "Refuses packages that ask for hosts which are not listed.".into(),
            on_warn: OnWarn::Confirm,
            settings_schema: json!({"type": "object", "properties": {"allow": {"type": "array"}}}),
        }
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

    #[test]
    fn a_component_is_inspected() {
        let component = component();
        insta::assert_snapshot!("policy_inspect", shown(|out| inspection(&component, out, &Style::default())));
        insta::assert_snapshot!("policy_inspect_json", format!("{:#}", inspection_document(&component)));
    }

    #[test]
    fn a_schema_cannot_steer_the_terminal() {
        let component = Inspection { settings_schema: json!({"title": "\u{1b}[2J\u{202e}\u{9b}"}), ..component() };
        let text = shown(|out| inspection(&component, out, &Style::default()));
        assert!(text.chars().all(|character| character == '\n' || !character.is_control()), "{text:?}");
        assert!(!text.contains('\u{202e}'));
    }
}
