//! Shows a component and its description of itself: `smcp policy inspect`.

use std::io;
use std::io::Write;

use serde_json::Value;
use serde_json::json;

use crate::style::Span;
use crate::style::Style;
use crate::table;
use smcp_model::examination::Inspection;
use smcp_model::text::SafeText;

/// Writes the properties of a component, the schema of its settings last.
///
/// # Errors
/// When the writer fails.
pub fn human(inspection: &Inspection, out: &mut dyn Write, style: &Style) -> io::Result<()> {
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
    // The schema is text from the guest, so each line is escaped.
    format!("{settings_schema:#}").lines().try_for_each(|line| writeln!(out, "  {}", SafeText::new(line)))
}

/// Returns the properties of a component as a document.
pub fn document(inspection: &Inspection) -> Value {
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
    use smcp_model::digest::Digest;
    use smcp_model::mode::OnWarn;

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
    fn a_component_is_inspected() {
        let component = component();
        insta::assert_snapshot!("policy_inspect", shown(|out| human(&component, out, &Style::default())));
        insta::assert_snapshot!("policy_inspect_json", format!("{:#}", document(&component)));
    }

    #[test]
    fn a_schema_cannot_steer_the_terminal() {
        let component = Inspection { settings_schema: json!({"title": "\u{1b}[2J\u{202e}\u{9b}"}), ..component() };
        let text = shown(|out| human(&component, out, &Style::default()));
        assert!(text.chars().all(|character| character == '\n' || !character.is_control()), "{text:?}");
        assert!(!text.contains('\u{202e}'));
    }
}
