//! Files that are not quite components, or not components at all.

use wasm_encoder::Component;
use wasm_encoder::ComponentSectionId;
use wasm_encoder::Encode;
use wasm_encoder::RawSection;

use crate::faults::blames;
use crate::guest::Twin;
use crate::trial::PATIENT;
use crate::trial::judge;
use smcp_model::limits;
use smcp_model::verdict::FaultKind;
use smcp_model::verdict::Outcome;

#[test]
fn what_is_no_component_does_not_load() {
    let honest = Twin::honest().component();
    let compiled = wasmtime::Engine::default().precompile_component(&honest).unwrap();
    let table: [(&str, Vec<u8>, &str); 18] = [
        ("nothing", Vec::new(), "is empty"),
        ("a core module", Twin::honest().module(), "is a core module, not a component"),
        ("compiled code", compiled, "is compiled code"),
        ("text", b"(component)".to_vec(), "is text, not a binary component"),
        (
            "an ELF file",
            b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec(),
            "guest.wasm is a program for Linux (ELF), not a component",
        ),
        ("a script", b"#!/bin/sh\nexit 0\n".to_vec(), "guest.wasm is a script, not a component"),
        ("a gzip archive", b"\x1f\x8b\x08\0\0\0\0\0\0\0".to_vec(), "guest.wasm is a gzip file, not a component"),
        ("a zip archive", b"PK\x03\x04\x14\0\0\0".to_vec(), "guest.wasm is a zip archive, not a component"),
        (
            "a web page",
            b"<!DOCTYPE html>\n<html>".to_vec(),
            "/policies/guest.wasm is a web page (HTML), not a component",
        ),
        ("an LFS pointer", b"version https://git-lfs.github.com/spec/v1\n".to_vec(), "guest.wasm is a Git LFS pointer"),
        ("an error of a store", b"{\"message\":\"Not Found\"}".to_vec(), "guest.wasm is JSON text, not a component"),
        ("words", b"404: Not Found".to_vec(), "guest.wasm is text, not a component"),
        ("zeros", vec![0; 4096], "is not a component"),
        ("a magic number alone", b"\0asm".to_vec(), "is not a component"),
        ("a component of another format", b"\0asm\x0c\0\x01\0".to_vec(), "component"),
        ("a component of the future", b"\0asm\xff\0\x01\0".to_vec(), "component"),
        ("a component with something behind it", [&honest[..], b"\xff\xff\xff\xff"].concat(), "not a valid component"),
        ("two components in one file", [&honest[..], &honest[..]].concat(), "not a valid component"),
    ];
    for (what, bytes, says) in table {
        assert_eq!(blames(&judge(bytes, PATIENT), FaultKind::Load, says), Ok(()), "{what}");
    }
}

/// An empty component is a component, and exports nothing.
#[test]
fn an_empty_component_is_no_policy() {
    let empty = wat::parse_str("(component)").unwrap();
    assert_eq!(blames(&judge(empty, PATIENT), FaultKind::Interface, "it exports nothing"), Ok(()));
}

/// A component cut between two sections can still be valid and lack an export; it is never a policy.
#[test]
fn a_component_that_is_cut_short_never_passes() {
    let honest = Twin::honest().component();
    for length in (0..honest.len()).step_by(37).chain(honest.len() - 16..honest.len()) {
        let evaluated = judge(honest[..length].to_vec(), PATIENT);
        let Outcome::Fault(fault) = &evaluated.outcome else { panic!("cut at {length}: {:?}", evaluated.outcome) };
        assert!(matches!(fault.kind, FaultKind::Load | FaultKind::Interface), "cut at {length}: {fault:?}");
    }
}

/// A reader of a file may not recurse as deep as the file says: a native stack overflow ends the process.
#[test]
fn deep_nesting_is_refused_or_harmless() {
    let components = |depth| Twin::honest().nesting(components_in_components(depth)).component();
    let types = |depth| Twin::honest().nesting(types_in_types(depth)).component();
    let blocks = |depth| {
        let body = format!("{} {}", "block ".repeat(depth), "end ".repeat(depth));
        Twin::honest().with(&format!("(func $deep {body})")).component()
    };
    // The outermost component counts as well. For types, the byte before the first one looks like a declaration.
    for (what, harmless) in [
        ("blocks", blocks(20_000)),
        ("components", components(limits::NESTING - 1)),
        ("types", types(limits::NESTED_TYPES - 1)),
    ] {
        let outcome = judge(harmless, PATIENT).outcome;
        assert!(matches!(outcome, Outcome::Pass { .. }), "{what}: {outcome:?}");
    }
    for (what, deep, says) in [
        ("components", components(limits::NESTING), "more than 64 components"),
        ("more components", components(10_000), "more than 64 components"),
        ("types", types(limits::NESTED_TYPES), "more than 1000 types inside others"),
        ("more types", types(1_000_000), "more than 1000 types inside others"),
    ] {
        assert_eq!(blames(&judge(deep, PATIENT), FaultKind::Load, says), Ok(()), "{what}");
    }
}

/// Makes nested components as bytes, since no text this deep can be read.
fn components_in_components(depth: usize) -> Vec<u8> {
    let mut heads = Vec::new();
    let mut size = Component::HEADER.len();
    for _ in 0..depth {
        let mut head = Component::HEADER.to_vec();
        head.push(ComponentSectionId::Component.into());
        u32::try_from(size).unwrap().encode(&mut head);
        size += head.len();
        heads.push(head);
    }
    heads.into_iter().rev().flatten().chain(Component::HEADER).collect()
}

/// Makes nested types of instances.
fn types_in_types(depth: usize) -> Vec<u8> {
    const INSTANCE_WITH_ONE_TYPE: [u8; 3] = [0x42, 0x01, 0x01];
    const EMPTY_INSTANCE: [u8; 2] = [0x42, 0x00];
    let one = [0x01];
    let nested = INSTANCE_WITH_ONE_TYPE.repeat(depth);
    let types = [&one[..], &nested, &EMPTY_INSTANCE].concat();
    let mut component = Component::new();
    component.section(&RawSection { id: ComponentSectionId::Type.into(), data: &types });
    component.finish()
}
