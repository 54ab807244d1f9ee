//! The bytes that identify a compiling engine: version, target, tuning.
//!
//! The host shares this file with its build script, which makes the key; so it uses only wasmtime.

use std::hash::Hash as _;
use std::hash::Hasher;

use wasmtime::Engine;

/// Collects what an engine would hash.
#[derive(Default)]
struct Collected(Vec<u8>);

impl Hasher for Collected {
    fn write(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// Not asked: only the bytes count.
    fn finish(&self) -> u64 {
        0
    }
}

/// Returns the bytes on which the code of two engines depends: code of one loads in the other when they are equal.
pub(crate) fn identity(engine: &Engine) -> Vec<u8> {
    let mut collected = Collected::default();
    engine.precompile_compatibility_hash().hash(&mut collected);
    collected.0
}
