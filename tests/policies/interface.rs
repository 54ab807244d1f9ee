//! Components whose world is not quite ours: their imports and exports.

use wasm_encoder::Component;
use wasm_encoder::ComponentExportKind;
use wasm_encoder::ComponentExportSection;
use wasm_encoder::ComponentImportSection;
use wasm_encoder::ComponentTypeRef;
use wit_component::StringEncoding;

use crate::faults::blames;
use crate::guest::Twin;
use crate::trial::PATIENT;
use crate::trial::judge;
use smcp_model::limits;
use smcp_model::verdict::FaultKind;
use smcp_model::verdict::Outcome;

const OURS: &str = "    import logging;\n    export evaluator;";

#[test]
fn another_version_is_refused_by_name() {
    for version in ["0.1.1", "0.2.0", "1.0.0", "0.1.0-rc.1"] {
        let twin = Twin::honest()
            .names("@0.1.0", &format!("@{version}"))
            .world("package smcp:policy@0.1.0;", &format!("package smcp:policy@{version};"));
        let found = blames(&judge(twin.component(), PATIENT), FaultKind::Interface, &format!("@{version}"));
        assert_eq!(found, Ok(()), "{version}");
    }
}

/// smcp does not guess which of the two was meant.
#[test]
fn two_versions_at_once_are_refused() {
    let twin = Twin::honest()
        .with(r#"(func $old (result i32) (i32.const 0)) (export "smcp:policy/evaluator@0.0.9#allow" (func $old))"#)
        .world(
            OURS,
            "import logging; export evaluator; export smcp:policy/evaluator@0.0.9; }
             package smcp:policy@0.0.9 { interface evaluator { allow: func() -> bool; }",
        );
    let found = blames(&judge(twin.component(), PATIENT), FaultKind::Interface, "smcp:policy/evaluator@0.0.9");
    assert_eq!(found, Ok(()));
}

/// A message shows names up to its limit, and says that there are more.
#[test]
fn names_without_end_do_not_flood_the_message() {
    // The longest name that the parser accepts.
    let long = "n".repeat(100_000 - "smcp:policy/".len());
    let hidden = "\u{202e}".repeat(33_000);
    let numbered: Vec<_> = (0..100_000).map(|number| format!("name-{number}")).collect();
    let many: Vec<_> = numbered.iter().map(String::as_str).collect();
    let table: [(&str, &[&str], &str); 5] = [
        ("ten", &many[..limits::NAMES_SHOWN], "name-9, and a policy"),
        ("eleven", &many[..=limits::NAMES_SHOWN], "name-9 and 1 more, and a policy"),
        ("many", &many, "name-9 and 99990 more, and a policy"),
        ("a long one", &[&long], "nnn…, and a policy"),
        ("ten that grow when they are shown", &[&hidden[..]; 10], "\\u{202e}…, and a policy"),
    ];
    for (what, names, says) in table {
        for component in [importing(names), exporting(names)] {
            assert_eq!(blames(&judge(component, PATIENT), FaultKind::Interface, says), Ok(()), "{what}");
        }
    }
    let twice = exporting(&["smcp:policy/evaluator@0.1.0", &format!("smcp:policy/{long}")]);
    assert_eq!(blames(&judge(twice, PATIENT), FaultKind::Interface, "… beside smcp:policy/evaluator@0.1.0"), Ok(()));
}

fn importing(names: &[&str]) -> Vec<u8> {
    let mut imports = ComponentImportSection::new();
    for name in names {
        imports.import(*name, ComponentTypeRef::Instance(0));
    }
    let mut component = Component::new();
    component.section(&imports);
    component.finish()
}

fn exporting(names: &[&str]) -> Vec<u8> {
    let mut exports = ComponentExportSection::new();
    for name in names {
        exports.export(*name, ComponentExportKind::Instance, 0, None);
    }
    let mut component = Component::new();
    component.section(&exports);
    component.finish()
}

/// A policy in a language whose strings are not UTF-8 is just as valid. The honest twin's texts are read in the wrong
/// encoding here, so its name is invalid.
#[test]
fn other_encodings_of_strings_are_held_to_the_same() {
    let utf16 = judge(Twin::honest().strings(StringEncoding::UTF16).component(), PATIENT);
    assert_eq!(blames(&utf16, FaultKind::Output, "is not a policy name"), Ok(()));
    let half = Twin::honest().with(r#"(data $name (i32.const 0x100) "h\00\00\d8")"#).strings(StringEncoding::UTF16);
    assert_eq!(blames(&judge(half.component(), PATIENT), FaultKind::Output, "unpaired surrogate"), Ok(()));
    let compact = judge(Twin::honest().strings(StringEncoding::CompactUTF16).component(), PATIENT);
    assert_eq!(compact.outcome, Outcome::Pass { notices: Vec::new() });
}
