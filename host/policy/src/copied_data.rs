//! Has a component's data copied into each memory, where it is small.
//!
//! The runtime maps data from a file in memory instead, which it makes for each module: dearer than a copy of some pages, in
//! a process that makes one instance. It can't where the place of the data is a sum, so the place becomes one. That changes
//! nothing that a policy could see.
//!
//! The host shares this file with its build script.

use std::convert::Infallible;

use wasm_encoder::DataSection;
use wasm_encoder::reencode;
use wasm_encoder::reencode::Reencode;
use wasm_encoder::reencode::ReencodeComponent;
use wasmparser::Data;
use wasmparser::DataKind;
use wasmparser::Parser;

/// The most data that is copied, bytes: a copy of more takes longer than to map it.
const MOST: usize = 64 * 1024;

/// Returns the component with its data copied into each memory; `None` when it has more than [`MOST`] of it.
///
/// # Errors
/// When it can't be taken apart.
pub(crate) fn copied_data(component: &[u8]) -> Result<Option<Vec<u8>>, reencode::Error> {
    let mut copied = wasm_encoder::Component::new();
    let mut copying = CopyingData { bytes: 0 };
    copying.parse_component(&mut copied, Parser::new(0), component)?;
    Ok((copying.bytes <= MOST).then(|| copied.finish()))
}

struct CopyingData {
    /// How much data was found so far.
    bytes: usize,
}

impl Reencode for CopyingData {
    type Error = Infallible;

    fn parse_data(&mut self, section: &mut DataSection, data: Data<'_>) -> Result<(), reencode::Error> {
        self.bytes = self.bytes.saturating_add(data.data.len());
        match data.kind {
            DataKind::Passive => reencode::utils::parse_data(self, section, data),
            DataKind::Active { memory_index, offset_expr } => {
                let place = self.const_expr(offset_expr)?.with_i32_const(0).with_i32_add();
                section.active(self.memory_index(memory_index)?, &place, data.data.iter().copied());
                Ok(())
            }
        }
    }
}

impl ReencodeComponent for CopyingData {}

#[cfg(test)]
mod tests {
    use wasmparser::Payload;

    use super::*;

    /// The data of a component, and whether each has a place that is a sum.
    fn data_of(component: &[u8]) -> Vec<(Vec<u8>, bool)> {
        let mut found = Vec::new();
        for payload in Parser::new(0).parse_all(component) {
            let Payload::DataSection(section) = payload.unwrap() else { continue };
            for data in section {
                let data = data.unwrap();
                let DataKind::Active { offset_expr, .. } = data.kind else { panic!("it is not active") };
                let is_sum = offset_expr.get_operators_reader().into_iter().count() == 4;
                found.push((data.data.to_vec(), is_sum));
            }
        }
        found
    }

    fn with_data(bytes: usize) -> Vec<u8> {
        let data = "x".repeat(bytes);
        let text =
            format!("(component (core module (memory 64) (data (i32.const 8) \"{data}\") (data (i32.const 3) \"y\")))");
        wat::parse_str(text).unwrap()
    }

    #[test]
    fn small_data_has_a_place_that_is_a_sum_and_is_the_same() {
        for bytes in [0, 1, 1000, MOST - 1] {
            let component = with_data(bytes);
            let copied = copied_data(&component).unwrap().unwrap();
            let expected: Vec<_> = data_of(&component).into_iter().map(|(data, _)| (data, true)).collect();
            assert_eq!(data_of(&copied), expected);
        }
        assert_eq!(copied_data(&with_data(MOST)).unwrap(), None);
        assert!(copied_data(b"no component").is_err());
    }

    /// What is not data stays as it was: but for the places, one encoding has as many bytes as the other.
    #[test]
    fn nothing_else_of_a_policy_changes() {
        for policy in ["origin", "certification", "score"] {
            let path = format!("{}/../../builtin-policies/dist/{policy}.wasm", env!("CARGO_MANIFEST_DIR"));
            #[expect(clippy::disallowed_methods, reason = "a test is the file system")]
            let component = std::fs::read(path).unwrap();
            let copied = copied_data(&component).unwrap().unwrap();
            let data = data_of(&component);
            assert!(!data.is_empty());
            let kinds = |component: &[u8]| {
                let payloads = Parser::new(0).parse_all(component).map(Result::unwrap);
                payloads.map(|payload| format!("{:?}", std::mem::discriminant(&payload))).collect::<Vec<_>>()
            };
            assert_eq!(kinds(&copied), kinds(&component));
        }
    }
}
