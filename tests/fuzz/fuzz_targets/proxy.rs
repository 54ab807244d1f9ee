//! Checks any session against the oracle of the property tests.
//!
//! The input is cut at bytes of 0xfe, which no message has. The first part says how the streams are cut. The first byte
//! of every other part says who sends it: odd is the client.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../proxy/oracle.rs"]
mod oracle;

use oracle::Part;
use oracle::check;

fuzz_target!(|input: &[u8]| {
    let mut parts = input.split(|byte| *byte == 0xfe);
    let cuts = parts.next().unwrap_or_default();
    let parts: Vec<Part> = parts
        .filter_map(|part| part.split_first())
        .map(|(side, bytes)| Part { client: side % 2 == 1, bytes: bytes.to_vec() })
        .collect();
    check(&parts, cuts);
});
