//! The engine's settings, on which compiled code and engine must agree.
//!
//! The host shares this file with its build script, which compiles the built-ins ahead of time; so it uses only
//! wasmtime.

use wasmtime::Config;

const MIB: u64 = 1024 * 1024;

/// Address space of one linear memory, bytes: what policies need, so that their memory hardly ever moves; a memory that
/// grows beyond it does. Eight of them fit into what smcp needs. The engine's own default is 4 GiB, which a machine with
/// a limit on address space does not give.
pub(crate) const RESERVED: u64 = 16 * MIB;
/// Unmapped space before and after a linear memory, bytes. Loads at a fixed offset below it need one check instead of
/// two: programs in Rust and C have their data from 1 MiB on.
const GUARD: u64 = 2 * MIB;

/// The settings of every engine, including the proposals of WebAssembly that policies may use.
///
/// A policy is plain, synchronous, deterministic code. Features that it doesn't need are off, because most advisories
/// of the runtime were about them: async, garbage collection, exceptions, threads, wide memories.
pub(crate) fn config() -> Config {
    let mut config = Config::new();
    config
        // A deadline traps at the next loop or call; fuel would cost a few per cent more and measure nothing useful.
        .epoch_interruption(true)
        // The build also leaves out the async parts of the component model.
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
        // component of componentize-qjs). `compile` validates guests without it.
        .wasm_multi_memory(true)
        // Less than the 4 GiB that an address can reach, so every access is checked, which no policy notices
        // (docs/decisions/0022).
        .memory_reservation(RESERVED)
        .memory_reservation_for_growth(RESERVED)
        .memory_guard_size(GUARD)
        // The same results on every machine.
        .cranelift_nan_canonicalization(true)
        // A fault names the kind of trap; frames of stripped code would say nothing.
        .generate_address_map(false)
        // For debuggers and profilers alone, and registered anew for each module that is loaded.
        .native_unwind_info(false);
    config
}
