//! Shows a component that was built, and its entry for a configuration: `smcp policy build`.

use std::io;
use std::io::Write;
use std::path::Path;

use serde_json::Value;
use serde_json::json;

use crate::message;
use crate::style::Span;
use crate::style::Style;
use smcp_model::examination::Built;
use smcp_model::examination::Inspection;
use smcp_model::text::SafeText;

/// Writes what was built, and below it the entry, which can be pasted as it stands.
///
/// # Errors
/// When the writer fails.
pub fn human(built: &Built, out: &mut dyn Write, style: &Style) -> io::Result<()> {
    let Built { inspection, file, settings } = built;
    let imports: Vec<&str> = inspection.imports.iter().map(SafeText::as_str).collect();
    let imports = if imports.is_empty() { "none".to_owned() } else { imports.join(", ") };
    let fields = [
        ("policy", Span::new(format!("{} {}", inspection.name, inspection.version), style.palette.strong)),
        ("description", Span::plain(inspection.description.as_str())),
        ("imports", Span::plain(imports)),
        ("size", Span::plain(format!("{} bytes", inspection.size))),
        ("digest", Span::plain(inspection.digest.to_string())),
    ];
    let file = SafeText::new(&file.to_string_lossy());
    message::done(&format!("{file} is built"), &fields, out, style)?;
    let Some(entry) = entry(built) else {
        return writeln!(out, "\nno configuration can name it: its path is not UTF-8");
    };
    writeln!(out, "\n{}in the configuration:{:#}\n\n{entry}", style.palette.dim, style.palette.dim)?;
    match settings {
        None => Ok(()),
        Some(why) => writeln!(out, "      settings: {{}}   # not enough: {}", why.as_str().replace('\n', " ")),
    }
}

/// Returns what was built as a document.
pub fn document(built: &Built) -> Value {
    let Built { inspection, file, settings } = built;
    let Inspection { name, version, imports, size, digest, .. } = inspection;
    json!({
        "schema": "smcp.build/1",
        "file": SafeText::new(&file.to_string_lossy()),
        "name": name,
        "version": version,
        "imports": imports,
        "size": size,
        "digest": digest,
        "entry": entry(built),
        "accepts_no_settings": settings.is_none(),
        "settings_problem": settings,
    })
}

/// The entry of `policy.custom`; `None` if the path is not UTF-8.
fn entry(built: &Built) -> Option<String> {
    let Built { inspection: Inspection { name, digest, .. }, file, .. } = built;
    let source = scalar(file)?;
    Some(format!("policy:\n  custom:\n    - name: {name}\n      source: {source}\n      digest: {digest}"))
}

/// A path as a scalar of YAML: as it is if it has only what needs no quotes, else as a text of JSON, which YAML takes.
fn scalar(path: &Path) -> Option<String> {
    let path = path.to_str()?;
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "/._-".contains(letter);
    Some(if path.chars().all(is_plain) { path.to_owned() } else { json!(path).to_string() })
}
