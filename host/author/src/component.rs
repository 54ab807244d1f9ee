//! Makes a component of a core module, with only the parts that run.
//!
//! A module from a compiler that knows no WIT gets the world of `wit/policy.wit`; one from a compiler that assumes an
//! operating system gets a stub in its place.

use std::fmt;

use wit_component::ComponentEncoder;
use wit_component::StringEncoding;
use wit_component::metadata;
use wit_parser::Resolve;

use crate::sections;
use crate::sections::BrokenSections;
use crate::sections::Sections;
use smcp_model::limits;

/// The interface, in which a module gets its world.
pub(crate) const WIT: &str = include_str!("../../../wit/policy.wit");
/// The world of a policy.
pub(crate) const WORLD: &str = "policy";

/// The stub of an operating system, made of `sdk/wasi-stub.wat`; and the name under which modules import it.
const STUB: &[u8] = include_bytes!("../../../sdk/wasi-stub.wasm");
const STUBBED: &str = "wasi_snapshot_preview1";

/// The beginning of the names of sections that have a module's world, as WIT compiled to types.
const WORLD_SECTION: &[u8] = b"component-type";

/// The reason why a module can't be made a component.
#[derive(Debug, thiserror::Error)]
pub enum ComponentError {
    /// It is not a whole module.
    #[error(transparent)]
    Broken(#[from] BrokenSections),
    /// The types of its world are nested more deeply than can be read safely.
    #[error("its world has more than {} types inside others, the most that is read", limits::NESTED_TYPES)]
    DeepWorld,
    /// It is not a policy's module: it has an import or export that the world lacks, or lacks one of its exports.
    #[error("it can't be made a component of wit/policy.wit: {0}")]
    Misfit(String),
}

/// Whether the bytes begin as a component does, and not as a core module.
pub fn is_component(bytes: &[u8]) -> bool {
    sections::begins_component(bytes)
}

/// Makes a component of a module, as `wasm-tools component new` does. Names, producers and other remarks are left out,
/// because they would make the same code differ between machines.
///
/// # Errors
/// See [`ComponentError`].
pub fn from_module(module: &[u8]) -> Result<Vec<u8>, ComponentError> {
    check_world(module)?;
    let module = with_world(module)?;
    // The stub becomes part of the component only if the module imports something from it.
    let encoder = ComponentEncoder::default().validate(true).module(&module);
    let encoder = encoder.and_then(|encoder| encoder.adapter(STUBBED, STUB));
    let component = encoder.and_then(|mut encoder| encoder.encode()).map_err(|error| misfit(&error))?;
    Ok(sections::without_custom_sections(&component)?)
}

/// Joins the causes of an error of either library, which say what it found.
fn misfit(error: &dyn fmt::Display) -> ComponentError {
    ComponentError::Misfit(format!("{error:#}"))
}

/// Counts the places in the sections of the world at which a type could begin inside another, and refuses too many: the
/// parser recurses into them. A nested type begins with the byte of a type declaration and the byte of its own kind. The
/// same two bytes with another meaning are counted too, so the count is never less than the depth.
fn check_world(module: &[u8]) -> Result<(), ComponentError> {
    const DECLARES_A_TYPE: u8 = 0x01;
    const COMPONENT: u8 = 0x41;
    const INSTANCE: u8 = 0x42;
    let begins = |pair: &&[u8]| matches!(pair, [DECLARES_A_TYPE, COMPONENT | INSTANCE]);
    for section in Sections::of(module)? {
        let section = section?;
        let says_world = section.is_custom() && section.body.windows(WORLD_SECTION.len()).any(|it| it == WORLD_SECTION);
        if says_world && section.body.windows(2).filter(begins).count() > limits::NESTED_TYPES {
            return Err(ComponentError::DeepWorld);
        }
    }
    Ok(())
}

/// Adds the world of a policy to a module without one; compilers with generated bindings write it themselves.
fn with_world(module: &[u8]) -> Result<Vec<u8>, ComponentError> {
    let mut module = module.to_vec();
    let (of_a_world, _) = metadata::decode(&module).map_err(|error| misfit(&error))?;
    if of_a_world.is_none() {
        let mut resolve = Resolve::default();
        let package = resolve.push_source("policy.wit", WIT).map_err(|error| misfit(&error))?;
        let world = resolve.select_world(&[package], Some(WORLD)).map_err(|error| misfit(&error))?;
        wit_component::embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)
            .map_err(|error| misfit(&error))?;
    }
    Ok(module)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODULE: &[u8] = b"\0asm\x01\0\0\0";

    /// A module with a custom section.
    fn with_section(name: &str, content: &[u8]) -> Vec<u8> {
        let leb =
            |number: usize| [(number & 0x7f) as u8 | 0x80, (number >> 7 & 0x7f) as u8 | 0x80, (number >> 14) as u8];
        let body = [&[name.len() as u8], name.as_bytes(), content].concat();
        [MODULE, &[0], &leb(body.len()), &body].concat()
    }

    #[test]
    fn the_stub_is_what_its_text_says() {
        let made = wat::parse_str(include_str!("../../../sdk/wasi-stub.wat")).unwrap();
        let made = sections::without_custom_sections(&made).unwrap();
        assert!(made == STUB, "sdk/wasi-stub.wasm is not made of sdk/wasi-stub.wat: run `cargo xtask stub`");
    }

    #[test]
    fn what_is_no_policys_module_is_refused_with_the_reason() {
        let deep: Vec<u8> = [0x01, 0x41].repeat(5_000);
        let cases: [(Vec<u8>, &str); 6] = [
            (b"".to_vec(), "it is not WebAssembly"),
            (b"\0asm\x01\0\0\0garbage".to_vec(), "a section is cut off"),
            (MODULE.to_vec(), "smcp:policy/evaluator@0.1.0"),
            (wat::parse_str("(module (import \"env\" \"now\" (func)))").unwrap(), "`env`"),
            (with_section("component-type:policy", b"\0asm\x0d\0\x01\0nonsense"), "it can't be made a component"),
            (with_section("component-type:policy", &deep), "types inside others"),
        ];
        for (module, expected) in cases {
            let message = from_module(&module).unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
        }
        let elsewhere = with_section("names", &deep);
        assert!(matches!(from_module(&elsewhere), Err(ComponentError::Misfit(_))), "other remarks are not read");
    }
}
