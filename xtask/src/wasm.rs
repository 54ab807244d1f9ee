//! Makes a component of a core module, with only the parts that run.
//!
//! A module from a compiler that knows no WIT gets the world of `wit/policy.wit`; one from a compiler that assumes an
//! operating system gets a stub in its place.

use anyhow::Context as _;
use anyhow::ensure;
use wit_component::ComponentEncoder;
use wit_component::StringEncoding;
use wit_parser::Resolve;

/// The interface, in which a module gets its world.
const WIT: &str = include_str!("../../wit/policy.wit");
/// The world of a policy.
const WORLD: &str = "policy";

/// What stands in for an operating system, and the name under which modules ask for it.
const STUB: &str = include_str!("../../sdk/wasi-stub.wat");
const STUBBED: &str = "wasi_snapshot_preview1";

/// The length of the header of modules and components, bytes: magic number and version.
const HEADER: usize = 8;
/// The end of a component's header; a module's header ends with zeros.
const COMPONENT_LAYER: &[u8] = &[1, 0];

// Ids of sections. Outside of a component, 1 and 4 are types and tables.
const CUSTOM: u8 = 0;
const NESTED_MODULE: u8 = 1;
const NESTED_COMPONENT: u8 = 4;

/// Makes a component of a module, as `wasm-tools component new` does. Names, producers and other remarks are left out,
/// because they would make the same code differ between machines.
pub(crate) fn componentize(module: &[u8]) -> anyhow::Result<Vec<u8>> {
    let (module, stub) = (with_world(module)?, wat::parse_str(STUB)?);
    let component = ComponentEncoder::default()
        .module(&module)
        // It is a part of the component only if the module imports something of it.
        .and_then(|encoder| encoder.adapter(STUBBED, &stub))
        .and_then(|encoder| encoder.validate(true).encode())
        .context("the module can't be made a component of `wit/policy.wit`")?;
    without_custom_sections(&component)
}

/// Adds the world of a policy to a module that says none; compilers with bindings from a generator write it.
fn with_world(module: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut module = module.to_vec();
    let (of_a_world, _) = wit_component::metadata::decode(&module).context("the file is not a core module")?;
    if of_a_world.is_none() {
        let mut resolve = Resolve::default();
        let package = resolve.push_source("policy.wit", WIT)?;
        let world = resolve.select_world(&[package], Some(WORLD))?;
        wit_component::embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8, false)?;
    }
    Ok(module)
}

/// Removes everything that doesn't run from a module or component, and from those inside it.
fn without_custom_sections(binary: &[u8]) -> anyhow::Result<Vec<u8>> {
    let (header, mut rest) = binary.split_at_checked(HEADER).context("too short for WebAssembly")?;
    ensure!(header.starts_with(b"\0asm"), "not WebAssembly");
    let is_component = header.ends_with(COMPONENT_LAYER);
    let mut kept = header.to_vec();
    while let Some((&id, after_id)) = rest.split_first() {
        let (size, body) = leb128(after_id)?;
        let (body, next) = body.split_at_checked(size).context("a section is cut off")?;
        match id {
            CUSTOM => {}
            NESTED_MODULE | NESTED_COMPONENT if is_component => {
                append_section(&mut kept, id, &without_custom_sections(body)?);
            }
            _ => append_section(&mut kept, id, body),
        }
        rest = next;
    }
    Ok(kept)
}

fn append_section(binary: &mut Vec<u8>, id: u8, body: &[u8]) {
    binary.push(id);
    let mut size = body.len();
    while size >= 0x80 {
        binary.push((size & 0x7f) as u8 | 0x80);
        size >>= 7;
    }
    binary.push(size as u8);
    binary.extend_from_slice(body);
}

/// Reads an unsigned 32-bit LEB128 number; returns it and the rest.
fn leb128(bytes: &[u8]) -> anyhow::Result<(usize, &[u8])> {
    let mut value = 0_u64;
    for (index, byte) in bytes.iter().take(5).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Ok((usize::try_from(value)?, bytes.get(index + 1..).unwrap_or_default()));
        }
    }
    anyhow::bail!("a length is cut off or too long")
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODULE: &[u8] = b"\0asm\x01\0\0\0";
    const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

    fn module(sections: &[&[u8]]) -> Vec<u8> {
        [MODULE, &sections.concat()].concat()
    }

    fn nested(id: u8, body: &[u8]) -> Vec<u8> {
        let mut section = Vec::new();
        append_section(&mut section, id, body);
        section
    }

    #[test]
    fn custom_sections_go_at_every_depth_and_the_rest_stays_as_it_is() {
        let (types, custom) = (b"\x01\x01\x00", b"\x00\x06\x04name!");
        let (noisy, clean) = (module(&[custom, types, custom]), module(&[types]));
        assert_eq!(without_custom_sections(&noisy).unwrap(), clean);

        let component = |inner: &[u8]| {
            let inner_component = [COMPONENT, &nested(NESTED_MODULE, inner)].concat();
            [COMPONENT, &nested(NESTED_COMPONENT, &inner_component), &nested(NESTED_MODULE, inner)].concat()
        };
        assert_eq!(without_custom_sections(&component(&noisy)).unwrap(), component(&clean));
        let large = [COMPONENT, &nested(7, &[3; 300]), custom].concat();
        assert_eq!(without_custom_sections(&large).unwrap(), [COMPONENT, &nested(7, &[3; 300])].concat());
    }

    #[test]
    fn what_is_not_whole_is_refused() {
        for bad in [b"".as_slice(), b"\0as", b"ELF\x7f\0\0\0\0"] {
            assert!(without_custom_sections(bad).is_err(), "{bad:?}");
        }
        for section in [b"\x00".as_slice(), b"\x01\x05\x00", b"\x00\x09", b"\x01\xff\xff\xff\xff\xff\x01"] {
            assert!(without_custom_sections(&module(&[section])).is_err(), "{section:?}");
        }
        let broken_inside = [COMPONENT, &nested(NESTED_MODULE, b"\0asm")].concat();
        assert!(without_custom_sections(&broken_inside).is_err());
    }

    #[test]
    fn a_module_without_the_interface_is_no_component() {
        assert!(componentize(b"\0asm\x01\0\0\0garbage").is_err());
    }
}
