//! Leaves out the sections of modules and components that don't run.

/// The length of the header of modules and components, bytes: magic number and version.
const HEADER: usize = 8;
/// The end of a component's header; a module's header ends with zeros.
const COMPONENT_LAYER: &[u8] = &[1, 0];

// Ids of sections. Outside of a component, 1 and 4 are types and tables.
const CUSTOM: u8 = 0;
const NESTED_MODULE: u8 = 1;
const NESTED_COMPONENT: u8 = 4;

/// The greatest depth of modules and components inside one another: that of a policy.
const NESTING: usize = smcp_model::limits::NESTING;

/// The bytes are not a whole module or component.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BrokenSections {
    /// They don't begin like WebAssembly.
    #[error("it is not WebAssembly")]
    NotWebAssembly,
    /// They end inside a section, or a length is impossible.
    #[error("a section is cut off")]
    CutOff,
    /// Components are nested more deeply than a policy's may be.
    #[error("it has more than {NESTING} modules and components inside one another")]
    TooDeep,
}

/// Whether the bytes begin as a component does.
pub(crate) fn begins_component(binary: &[u8]) -> bool {
    binary.get(..HEADER).is_some_and(|header| header.starts_with(b"\0asm") && header.ends_with(COMPONENT_LAYER))
}

/// Removes everything that doesn't run from a module or component, and from those inside it: names, producers and other
/// remarks. They would make the same code differ between machines.
///
/// # Errors
/// See [`BrokenSections`].
pub fn without_custom_sections(binary: &[u8]) -> Result<Vec<u8>, BrokenSections> {
    let mut kept = Vec::with_capacity(binary.len());
    keep_what_runs(binary, NESTING, &mut kept)?;
    Ok(kept)
}

fn keep_what_runs(binary: &[u8], depth: usize, kept: &mut Vec<u8>) -> Result<(), BrokenSections> {
    let depth = depth.checked_sub(1).ok_or(BrokenSections::TooDeep)?;
    let is_component = begins_component(binary);
    kept.extend(binary.iter().take(HEADER));
    for section in Sections::of(binary)? {
        let WasmSection { id, body } = section?;
        match id {
            CUSTOM => {}
            NESTED_MODULE | NESTED_COMPONENT if is_component => {
                let mut inner = Vec::with_capacity(body.len());
                keep_what_runs(body, depth, &mut inner)?;
                append_section(kept, id, &inner);
            }
            _ => append_section(kept, id, body),
        }
    }
    Ok(())
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

/// One section.
pub(crate) struct WasmSection<'b> {
    id: u8,
    pub(crate) body: &'b [u8],
}

impl WasmSection<'_> {
    /// Whether it doesn't run.
    pub(crate) const fn is_custom(&self) -> bool {
        self.id == CUSTOM
    }
}

/// The sections of one module or component, without those of the ones inside it.
pub(crate) struct Sections<'b>(&'b [u8]);

impl<'b> Sections<'b> {
    /// The sections after the header.
    pub(crate) fn of(binary: &'b [u8]) -> Result<Self, BrokenSections> {
        let (header, rest) = binary.split_at_checked(HEADER).ok_or(BrokenSections::NotWebAssembly)?;
        if header.starts_with(b"\0asm") { Ok(Self(rest)) } else { Err(BrokenSections::NotWebAssembly) }
    }

    fn take(&mut self, id: u8, after_id: &'b [u8]) -> Result<WasmSection<'b>, BrokenSections> {
        let (size, body) = leb128(after_id).ok_or(BrokenSections::CutOff)?;
        let (body, rest) = body.split_at_checked(size).ok_or(BrokenSections::CutOff)?;
        self.0 = rest;
        Ok(WasmSection { id, body })
    }
}

impl<'b> Iterator for Sections<'b> {
    type Item = Result<WasmSection<'b>, BrokenSections>;

    fn next(&mut self) -> Option<Self::Item> {
        let (&id, after_id) = std::mem::take(&mut self.0).split_first()?;
        Some(self.take(id, after_id))
    }
}

/// Reads an unsigned 32-bit LEB128 number; returns it and the rest.
fn leb128(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0_u64;
    for (index, byte) in bytes.iter().take(5).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((usize::try_from(value).ok()?, bytes.get(index + 1..)?));
        }
    }
    None
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
            assert_eq!(without_custom_sections(bad), Err(BrokenSections::NotWebAssembly), "{bad:?}");
        }
        for section in [b"\x00".as_slice(), b"\x01\x05\x00", b"\x00\x09", b"\x01\xff\xff\xff\xff\xff\x01"] {
            assert_eq!(without_custom_sections(&module(&[section])), Err(BrokenSections::CutOff), "{section:?}");
        }
        let broken_inside = [COMPONENT, &nested(NESTED_MODULE, b"\0asm")].concat();
        assert_eq!(without_custom_sections(&broken_inside), Err(BrokenSections::NotWebAssembly));
    }

    #[test]
    fn components_inside_one_another_are_counted_before_they_are_followed() {
        let mut doll = COMPONENT.to_vec();
        (1..NESTING).for_each(|_| doll = [COMPONENT, &nested(NESTED_COMPONENT, &doll)].concat());
        assert_eq!(without_custom_sections(&doll).unwrap(), doll);
        let deeper = [COMPONENT, &nested(NESTED_COMPONENT, &doll)].concat();
        assert_eq!(without_custom_sections(&deeper), Err(BrokenSections::TooDeep));
    }
}
