//! Shows a component that was built, and its entry for a configuration.

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
    let name = word(name.as_str());
    Some(format!("policy:\n  custom:\n    - name: {name}\n      source: {source}\n      digest: {digest}"))
}

/// A policy's name as a scalar of YAML: in quotes if it would be a number, a truth value or a sign of YAML's own.
fn word(name: &str) -> String {
    const NOT_TEXTS: [&str; 9] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    let is_text = name.starts_with(|first: char| first.is_ascii_lowercase()) && !NOT_TEXTS.contains(&name);
    if is_text { name.to_owned() } else { json!(name).to_string() }
}

/// A path as a scalar of YAML: as it is if it has only what needs no quotes, else as a text of JSON, which YAML takes.
fn scalar(path: &Path) -> Option<String> {
    let path = path.to_str()?;
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "/._-".contains(letter);
    Some(if path.chars().all(is_plain) { path.to_owned() } else { json!(path).to_string() })
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;

    use super::*;
    use smcp_model::digest::Digest;
    use smcp_model::mode::OnWarn;

    fn built(name: &str, file: &Path) -> Built {
        let inspection = Inspection {
            file: "module.wasm".into(),
            digest: Digest::of(b"component"),
            size: 71_204,
            interface: "smcp:policy/evaluator@0.1.0".into(),
            imports: Vec::new(),
            name: name.into(),
            version: "1.2.0".into(),
            description: "Refuses all.".into(),
            on_warn: OnWarn::Notify,
            settings_schema: json!({}),
        };
        Built { inspection, file: file.to_owned(), settings: None }
    }

    fn shown(built: &Built) -> String {
        let mut out = Vec::new();
        human(built, &mut out, &Style::default()).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_yaml_would_take_for_something_else_stands_in_quotes() {
        let cases = [
            ("no-hosts", "no-hosts"),
            ("no", "\"no\""),
            ("123", "\"123\""),
            ("0x1f", "\"0x1f\""),
            ("---", "\"---\""),
            ("1e3", "\"1e3\""),
            ("true", "\"true\""),
        ];
        for (name, expected) in cases {
            assert_eq!(word(name), expected);
        }
        let cases = [("/srv/a_b-1.wasm", "/srv/a_b-1.wasm"), ("/a b", "\"/a b\""), ("/a\"b\n", "\"/a\\\"b\\n\"")];
        for (path, expected) in cases {
            assert_eq!(scalar(Path::new(path)).unwrap(), expected);
        }
    }

    #[test]
    fn a_path_that_no_configuration_can_name_has_no_entry() {
        let built = built("all", Path::new(OsStr::from_bytes(b"/srv/\xff.wasm")));
        assert_eq!(document(&built)["entry"], Value::Null);
        let text = shown(&built);
        assert!(text.ends_with("no configuration can name it: its path is not UTF-8\n"), "{text}");
    }

    #[test]
    fn an_entry_is_not_wrapped_and_a_problem_of_settings_stays_in_its_comment() {
        let long = format!("/srv/{}/all.wasm", "x".repeat(300));
        let needs = Built { settings: Some("settings: \u{1b}[2J\nallow: x".into()), ..built("all", Path::new(&long)) };
        let text = shown(&needs);
        assert!(text.contains(&format!("\n      source: {long}\n")), "{text}");
        let last = text.lines().last().unwrap();
        assert!(
            last.starts_with("      settings: {}   # not enough: settings: ") && last.ends_with("allow: x"),
            "{text}"
        );
        assert!(!text.contains('\u{1b}'), "{text}");
    }
}
