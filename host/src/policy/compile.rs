//! From a component's bytes to compiled code. The only compiler in the program.
//!
//! The engine that evaluates has none, so no path of an evaluation can compile.

use std::time::Duration;

use wasmparser::Validator;
use wasmparser::WasmFeatures;
use wasmtime::Engine;

use crate::model::verdict::Fault;
use crate::model::verdict::FaultKind;
use crate::policy::thread::Threads;
use crate::policy::tuning;

/// How long a compiler may take, wall clock: toolchains of large languages need some twenty seconds.
const PATIENCE: Duration = Duration::from_secs(120);

/// What a guest may be written in: WebAssembly 2.0, tail calls and extended constants. Everything else is refused here,
/// also what the engine needs for code of its own.
const GUEST_FEATURES: WasmFeatures = WasmFeatures::WASM2
    .union(WasmFeatures::TAIL_CALL)
    .union(WasmFeatures::EXTENDED_CONST)
    .union(WasmFeatures::COMPONENT_MODEL);

/// Compiles a component that `shape` has found fit, for the baseline CPU of this target.
///
/// # Errors
/// A [`FaultKind::Load`] when it is no valid component, uses a proposal that is off, or takes too long.
pub(super) fn compile(threads: &Threads, component: Vec<u8>) -> Result<Vec<u8>, Fault> {
    compile_within(PATIENCE, threads, component)
}

fn compile_within(patience: Duration, threads: &Threads, component: Vec<u8>) -> Result<Vec<u8>, Fault> {
    let compiled = threads.run(patience, move || precompile(&component)).map_err(|fault| match fault.kind {
        FaultKind::Deadline => Fault::new(FaultKind::Load, format!("it does not compile within {patience:?}")),
        FaultKind::Load
        | FaultKind::Interface
        | FaultKind::Settings
        | FaultKind::Memory
        | FaultKind::Stack
        | FaultKind::Limit
        | FaultKind::Output
        | FaultKind::Trap
        | FaultKind::Panic => fault,
    })?;
    compiled.map_err(|error| {
        Fault::new(FaultKind::Load, format!("it does not compile: {}", error.root_cause()))
            .remedy("rebuild it; `smcp policy inspect FILE` shows what it is")
    })
}

fn precompile(component: &[u8]) -> wasmtime::Result<Vec<u8>> {
    Validator::new_with_features(GUEST_FEATURES).validate_all(component)?;
    Engine::new(tuning::config().target(env!("SMCP_TARGET"))?)?.precompile_component(component)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_compiler_that_takes_too_long_is_given_up() {
        let component = include_bytes!("../../../builtin-policies/dist/score.wasm").to_vec();
        let fault = compile_within(Duration::from_nanos(1), &Threads::default(), component).unwrap_err();
        assert_eq!((fault.kind, fault.message.as_str()), (FaultKind::Load, "it does not compile within 1ns"));
    }
}
