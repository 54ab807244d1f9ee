//! Random damage: evaluating a damaged component always ends.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::guest::Twin;
use crate::trial::HASTY;
use crate::trial::judge;
use smcp_model::limits::PolicyLimits;
use smcp_model::verdict::FaultKind;
use smcp_model::verdict::Outcome;

/// Small, so that a damaged component that grows or hangs costs little.
const LIMITS: PolicyLimits = HASTY;

/// A change to a file.
#[derive(Debug, Clone)]
enum Damage {
    Flip(Index, u8),
    Cut(Index),
    Remove(Index, usize),
    Repeat(Index, usize),
}

impl Damage {
    fn apply(&self, bytes: &mut Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        match self {
            Self::Flip(place, bits) => {
                let place = place.index(bytes.len());
                bytes[place] ^= bits;
            }
            Self::Cut(place) => bytes.truncate(place.index(bytes.len())),
            Self::Remove(place, length) => {
                let begin = place.index(bytes.len());
                bytes.drain(begin..bytes.len().min(begin + length));
            }
            Self::Repeat(place, length) => {
                let begin = place.index(bytes.len());
                let piece = bytes[begin..bytes.len().min(begin + length)].to_vec();
                bytes.splice(begin..begin, piece);
            }
        }
    }
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        8 => (any::<Index>(), 1_u8..).prop_map(|(place, bits)| Damage::Flip(place, bits)),
        1 => any::<Index>().prop_map(Damage::Cut),
        1 => (any::<Index>(), 1_usize..64).prop_map(|(place, length)| Damage::Remove(place, length)),
        1 => (any::<Index>(), 1_usize..64).prop_map(|(place, length)| Damage::Repeat(place, length)),
    ]
}

/// The honest twin, and the policies that are in the binary.
fn components() -> Vec<Vec<u8>> {
    let built = [
        &include_bytes!("../../builtin-policies/dist/origin.wasm")[..],
        include_bytes!("../../builtin-policies/dist/certification.wasm"),
        include_bytes!("../../builtin-policies/dist/score.wasm"),
    ];
    built.into_iter().map(<[u8]>::to_vec).chain([Twin::honest().component()]).collect()
}

/// Checks that there is no panic of the host (a fault of that kind) and no hang (which `judge` would report).
fn ends(component: Vec<u8>) -> Result<(), TestCaseError> {
    match judge(component, LIMITS).outcome {
        Outcome::Fault(fault) if fault.kind == FaultKind::Panic => Err(TestCaseError::fail(format!("{fault:?}"))),
        Outcome::Pass { .. } | Outcome::Violation { .. } | Outcome::Fault(_) => Ok(()),
        never @ (Outcome::Skipped | Outcome::Waived { .. }) => Err(TestCaseError::fail(format!("{never:?}"))),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_damaged_component_ends_in_an_outcome(which in any::<Index>(), damages in vec(damage(), 1..4)) {
        let mut component = which.get(&components()).clone();
        damages.iter().for_each(|damage| damage.apply(&mut component));
        ends(component)?;
    }

    #[test]
    fn any_bytes_behind_a_components_header_end_in_an_outcome(rest in vec(any::<u8>(), 0..256)) {
        ends([&b"\0asm\x0d\0\x01\0"[..], &rest].concat())?;
    }
}
