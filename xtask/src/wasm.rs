//! From a core module to a component that holds nothing but what runs.

use anyhow::Context as _;
use anyhow::ensure;
use wit_component::ComponentEncoder;

/// Magic number and version, which modules and components both begin with.
const HEADER: usize = 8;

/// Makes a component of a module, as `wasm-tools component new` does, without names, producers and other remarks:
/// they would make the same code differ from machine to machine.
pub(crate) fn componentize(module: &[u8]) -> anyhow::Result<Vec<u8>> {
    // The encoder reads the interface from these sections, and leaves them out itself.
    let module = without_custom_sections(module, |name| name.starts_with("component-type"))?;
    let component = ComponentEncoder::default()
        .module(&module)
        .and_then(|encoder| encoder.validate(true).encode())
        .context("the module can't be made a component of `wit/policy.wit`")?;
    without_custom_sections(&component, |_| false)
}

fn without_custom_sections(binary: &[u8], keep: impl Fn(&str) -> bool) -> anyhow::Result<Vec<u8>> {
    let (header, mut rest) = binary.split_at_checked(HEADER).context("too short for WebAssembly")?;
    ensure!(header.starts_with(b"\0asm"), "not WebAssembly");
    let mut kept = header.to_vec();
    while let Some((&id, after_id)) = rest.split_first() {
        let (size, body) = leb128(after_id)?;
        let (body, next) = body.split_at_checked(size).context("a section is cut off")?;
        if id != 0 || keep(name(body)?) {
            kept.extend_from_slice(rest.get(..rest.len() - next.len()).unwrap_or_default());
        }
        rest = next;
    }
    Ok(kept)
}

fn name(section: &[u8]) -> anyhow::Result<&str> {
    let (length, rest) = leb128(section)?;
    let (name, _) = rest.split_at_checked(length).context("the name of a custom section is cut off")?;
    std::str::from_utf8(name).context("the name of a custom section is not UTF-8")
}

/// An unsigned 32-bit LEB128 number, and what follows it.
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

    const MAGIC: &[u8] = b"\0asm\x01\0\0\0";

    fn module(sections: &[&[u8]]) -> Vec<u8> {
        [MAGIC, &sections.concat()].concat()
    }

    #[test]
    fn custom_sections_go_unless_they_are_kept_and_the_rest_stays_as_it_is() {
        let (types, named, kept) = (b"\x01\x01\x00", b"\x00\x06\x04name!", b"\x00\x82\x00\x01k");
        let binary = module(&[types, named, kept]);
        assert_eq!(without_custom_sections(&binary, |name| name == "k").unwrap(), module(&[types, kept]));
        assert_eq!(without_custom_sections(&binary, |_| false).unwrap(), module(&[types]));
    }

    #[test]
    fn what_is_not_whole_is_refused() {
        for bad in [b"".as_slice(), b"\0as", b"ELF\x7f\0\0\0\0"] {
            assert!(without_custom_sections(bad, |_| true).is_err(), "{bad:?}");
        }
        for section in [b"\x00".as_slice(), b"\x01\x05\x00", b"\x00\x01\x09", b"\x01\xff\xff\xff\xff\xff\x01"] {
            assert!(without_custom_sections(&module(&[section]), |_| true).is_err(), "{section:?}");
        }
    }

    #[test]
    fn a_module_without_the_interface_is_no_component() {
        assert!(componentize(b"\0asm\x01\0\0\0garbage").is_err());
    }
}
