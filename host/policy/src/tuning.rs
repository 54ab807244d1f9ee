//! The engine's settings, on which compiled code and engine must agree.
//!
//! Shared by the host and by its build script, which compiles the built-ins ahead of time; so it names nothing but
//! wasmtime.

use wasmtime::Config;

const MIB: u64 = 1024 * 1024;

/// Address space of one linear memory, bytes: what policies need, so that their memory hardly ever moves; one that grows
/// beyond it does. Eight of them fit into what smcp needs. The engine's own default is 4 GiB, which a machine with a
/// limit on address space does not give.
pub(crate) const RESERVED: u64 = 16 * MIB;
/// Unmapped space before and behind a linear memory, bytes. Loads at a fixed offset below it need one check instead
/// of two: programs in Rust and C have their data from 1 MiB on.
const GUARD: u64 = 2 * MIB;

/// The settings of every engine, with the proposals of WebAssembly that policies may use.
///
/// A policy is plain, synchronous, deterministic code. Whatever it doesn't need stays off, because that is where
/// most of the runtime's advisories were: async, garbage collection, exceptions, threads, wide memories.
pub(crate) fn config() -> Config {
    let mut config = Config::new();
    config
        // A deadline traps at the next loop or call; fuel would cost a few per cent more and count nothing useful.
        .epoch_interruption(true)
        // The build leaves the async parts of the component model out, too.
        .concurrency_support(false)
        .wasm_component_model(true)
        .wasm_gc(false)
        .wasm_function_references(false)
        .wasm_exceptions(false)
        .wasm_threads(false)
        .wasm_shared_everything_threads(false)
        .wasm_memory64(false)
        .wasm_relaxed_simd(false)
        // For the runtime's own adapters between the parts of a component, which panic without it (tried with a
        // component of componentize-qjs). What a guest may use is validated in `compile`, and leaves it out.
        .wasm_multi_memory(true)
        // Less than the 4 GiB that an address can name: every access is checked, which no policy feels
        // (docs/decisions/0022).
        .memory_reservation(RESERVED)
        .memory_reservation_for_growth(RESERVED)
        .memory_guard_size(GUARD)
        // One answer on every machine.
        .cranelift_nan_canonicalization(true)
        // A fault names the kind of trap; nobody reads frames of stripped code.
        .generate_address_map(false);
    config
}
