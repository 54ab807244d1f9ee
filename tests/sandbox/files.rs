//! Files that are not quite components, or no components at all.

use smcp::model::verdict::FaultKind;
use smcp::model::verdict::Outcome;

use crate::faults::blames;
use crate::guest::Twin;
use crate::trial::PATIENT;
use crate::trial::judge;

#[test]
fn what_is_no_component_does_not_load() {
    let honest = Twin::honest().component();
    let compiled = wasmtime::Engine::default().precompile_component(&honest).unwrap();
    let table: [(&str, Vec<u8>, &str); 13] = [
        ("nothing", Vec::new(), "it is empty"),
        ("a core module", Twin::honest().module(), "it is a core module, not a component"),
        ("compiled code", compiled, "it is compiled code"),
        ("text", b"(component)".to_vec(), "it is text, not a binary component"),
        ("an ELF file", b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec(), "it is not a component"),
        ("a script", b"#!/bin/sh\nexit 0\n".to_vec(), "it is not a component"),
        ("a gzip archive", b"\x1f\x8b\x08\0\0\0\0\0\0\0".to_vec(), "it is not a component"),
        ("zeros", vec![0; 4096], "it is not a component"),
        ("a magic number alone", b"\0asm".to_vec(), "it is not a component"),
        ("a component of another format", b"\0asm\x0c\0\x01\0".to_vec(), "component"),
        ("a component of the future", b"\0asm\xff\0\x01\0".to_vec(), "component"),
        ("a component with something behind it", [&honest[..], b"\xff\xff\xff\xff"].concat(), "not a valid component"),
        ("two components in one file", [&honest[..], &honest[..]].concat(), "not a valid component"),
    ];
    for (what, bytes, says) in table {
        assert_eq!(blames(&judge(bytes, PATIENT), FaultKind::Load, says), Ok(()), "{what}");
    }
}

/// A component without anything in it is one, and exports nothing.
#[test]
fn an_empty_component_is_no_policy() {
    let empty = wat::parse_str("(component)").unwrap();
    assert_eq!(blames(&judge(empty, PATIENT), FaultKind::Interface, "it exports nothing"), Ok(()));
}

/// Cut between two sections, a component can still be a valid one that lacks an export; it is never a policy.
#[test]
fn a_component_that_is_cut_short_never_passes() {
    let honest = Twin::honest().component();
    for length in (0..honest.len()).step_by(37).chain(honest.len() - 16..honest.len()) {
        let evaluated = judge(honest[..length].to_vec(), PATIENT);
        let Outcome::Fault(fault) = &evaluated.outcome else { panic!("cut at {length}: {:?}", evaluated.outcome) };
        assert!(matches!(fault.kind, FaultKind::Load | FaultKind::Interface), "cut at {length}: {fault:?}");
    }
}

/// The reader of a hostile file must not recurse as deep as the file says.
#[test]
fn components_in_components_in_components_do_not_load() {
    let mut nested = String::new();
    for _ in 0..2_000 {
        nested = format!("(component {nested})");
    }
    let deep = Twin::honest().with(&nested).component();
    assert_eq!(blames(&judge(deep, PATIENT), FaultKind::Load, "?"), Ok(()));
}

/// The same inside one function.
#[test]
fn blocks_in_blocks_in_blocks_are_harmless() {
    let depth = 100_000;
    let deep = format!("(func $deep {} {})", "block ".repeat(depth), "end ".repeat(depth));
    let outcome = judge(Twin::honest().with(&deep).component(), PATIENT).outcome;
    assert!(matches!(outcome, Outcome::Pass { .. }), "{outcome:?}");
}
