//! Compiles components to machine code; the only compiler in the program.
//!
//! The engine for evaluations has no compiler, so an evaluation can't compile.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use wasmparser::Validator;
use wasmparser::WasmFeatures;
use wasmtime::Config;
use wasmtime::Engine;

use crate::copied_data::copied_data;
use crate::machine_code::MachineCode;
use crate::room;
use crate::thread::Threads;
use crate::thread::WorkPatience;
use crate::tuning;
use smcp_model::deadline::Deadline;
use smcp_model::digest::Digest;
use smcp_model::limits::compiling;
use smcp_model::verdict::Fault;
use smcp_model::verdict::FaultKind;

/// The features that a guest may use: WebAssembly 2.0, tail calls and extended constants. All others are refused here,
/// even those that the engine needs for its own code.
const GUEST_FEATURES: WasmFeatures = WasmFeatures::WASM2
    .union(WasmFeatures::TAIL_CALL)
    .union(WasmFeatures::EXTENDED_CONST)
    .union(WasmFeatures::COMPONENT_MODEL);

/// Compiles a component to machine code.
///
/// Your own compiler can run [`InProcess`] in a child process and take the code from a pipe; see
/// [`MachineCode::from_vouched`]. It must be the code of the given component: a pin is compared with the component, not
/// with its code.
pub trait Compiler: Send + Sync {
    /// Compiles a component whose size, imports and exports are allowed; nothing else was checked. It is called on a
    /// separate thread, perhaps on several at once; a panic is a fault.
    ///
    /// # Errors
    /// See [`NotCompiled`].
    fn compile(&self, order: &CompileOrder<'_>) -> Result<MachineCode, NotCompiled>;

    /// The wall-clock time after which a call is given up, if the compiler does not end by itself.
    fn patience(&self) -> Duration {
        compiling::CPU_TIME
    }

    /// How many components it compiles at once, at most.
    fn at_once(&self) -> usize {
        thread::available_parallelism().map_or(1, NonZeroUsize::get)
    }
}

/// What is to be compiled, and until when.
#[derive(Debug, Clone, Copy)]
pub struct CompileOrder<'a> {
    /// The component's bytes.
    pub component: &'a [u8],
    /// The digest of its bytes.
    pub digest: Digest,
    /// When no caller waits for the code any more.
    pub deadline: Deadline,
}

/// The reason why there is no code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotCompiled {
    /// The component can't be compiled, whenever it is tried: the fault is a function of its bytes, and may be kept.
    Never(Fault),
    /// It was not compiled this time: out of time or memory, or the compiler failed.
    NotNow(Fault),
}

impl NotCompiled {
    /// The fault of the policy.
    pub fn into_fault(self) -> Fault {
        match self {
            Self::Never(fault) | Self::NotNow(fault) => fault,
        }
    }
}

/// Compiles in this process, for the baseline CPU of this target. A component that makes the compiler slow or
/// memory-hungry does so to this process.
#[derive(Debug, Clone, Copy, Default)]
pub struct InProcess;

impl Compiler for InProcess {
    fn compile(&self, order: &CompileOrder<'_>) -> Result<MachineCode, NotCompiled> {
        precompile(order.component).map(MachineCode::compiled)
    }
}

/// Compiles a component that `shape` has accepted, on a thread of its own, and waits for the code.
///
/// # Errors
/// Those of the compiler; a [`FaultKind::Load`] when it takes too long.
pub(crate) fn on_a_thread(
    threads: &Threads,
    compiler: &Arc<dyn Compiler>,
    digest: Digest,
    component: &Arc<Vec<u8>>,
    deadline: Deadline,
) -> Result<MachineCode, NotCompiled> {
    let patience = compiler.patience();
    let patience = deadline.remaining().map_or(patience, |left| left.min(patience));
    compile_within(patience, threads, compiler, digest, component, deadline)
}

/// Compiles a component, and gives up after `patience`.
fn compile_within(
    patience: Duration,
    threads: &Threads,
    compiler: &Arc<dyn Compiler>,
    digest: Digest,
    component: &Arc<Vec<u8>>,
    deadline: Deadline,
) -> Result<MachineCode, NotCompiled> {
    let (compiler, component) = (Arc::clone(compiler), Arc::clone(component));
    let work = move |_| compiler.compile(&CompileOrder { component: &component, digest, deadline });
    threads.run(WorkPatience::of(patience), || (), work).map_err(|fault| {
        NotCompiled::NotNow(match fault.kind {
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
        })
    })?
}

fn precompile(component: &[u8]) -> Result<Vec<u8>, NotCompiled> {
    let invalid = |error| NotCompiled::Never(invalid(component, &error));
    Validator::new_with_features(GUEST_FEATURES).validate_all(component).map_err(invalid)?;
    let engine = Engine::new(&target()?).map_err(|error| NotCompiled::NotNow(failed(&error)))?;
    // What can't be taken apart and is valid all the same, or has much data, is compiled as it is.
    let copied = copied_data(component).ok().flatten();
    engine.precompile_component(copied.as_deref().unwrap_or(component)).map_err(|error| {
        match room::is_systems(&error) {
            true => NotCompiled::NotNow(room::fault(FaultKind::Load, "compiling the policy", error.root_cause())),
            false => NotCompiled::Never(failed(&error)),
        }
    })
}

fn target() -> Result<Config, NotCompiled> {
    let mut config = tuning::config();
    config.target(env!("SMCP_TARGET")).map_err(|error| NotCompiled::NotNow(failed(&error)))?;
    Ok(config)
}

fn failed(error: &wasmtime::Error) -> Fault {
    Fault::new(FaultKind::Load, format!("it does not compile: {}", error.root_cause()))
        .remedy("report it to the policy's author: the compiler does not take it")
}

/// Proposals that are off, in the order in which they are tried, with the way to build without them.
const OFF: [(WasmFeatures, &str); 7] = [
    (
        WasmFeatures::CM_ASYNC
            .union(WasmFeatures::CM_ASYNC_STACKFUL)
            .union(WasmFeatures::CM_MORE_ASYNC_BUILTINS)
            .union(WasmFeatures::CM_ERROR_CONTEXT),
        "build it synchronously: componentize-qjs with `--sync`, others without async functions and for WASI 0.2 or none",
    ),
    (
        WasmFeatures::EXCEPTIONS.union(WasmFeatures::LEGACY_EXCEPTIONS).union(WasmFeatures::GC_TYPES),
        "build it without exceptions: `-fno-exceptions`, and no -fwasm-exceptions",
    ),
    (WasmFeatures::THREADS, "build it without threads: no `-pthread`, no atomics"),
    (WasmFeatures::MULTI_MEMORY, "build it with one memory in each module"),
    (WasmFeatures::MEMORY64, "build it for wasm32, not wasm64"),
    (WasmFeatures::RELAXED_SIMD, "build it without relaxed SIMD: `-mno-relaxed-simd`"),
    (
        WasmFeatures::FUNCTION_REFERENCES.union(WasmFeatures::GC).union(WasmFeatures::GC_TYPES),
        "build it in a language that needs no garbage collector of the engine's",
    ),
];

/// The fault of a component that is not valid, with the way of building it that would help. The feature that it needs
/// is found by trying which one would make it valid, not from the text of the error.
fn invalid(component: &[u8], error: &wasmparser::BinaryReaderError) -> Fault {
    let needs = |features: &WasmFeatures| {
        Validator::new_with_features(GUEST_FEATURES.union(*features)).validate_all(component).is_ok()
    };
    let remedy = OFF.iter().find(|(features, _)| needs(features)).map(|(_, remedy)| *remedy);
    Fault::new(FaultKind::Load, format!("it does not compile: {error}")).remedy(remedy.unwrap_or(
        "build it again for plain WebAssembly 2.0: it is damaged, or needs what policies can't have \
         (docs/policy-authors.md)",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_compiler_that_takes_too_long_is_given_up() {
        let component = include_bytes!("../../../builtin-policies/dist/score.wasm").to_vec();
        let (digest, component) = (Digest::of(&component), Arc::new(component));
        let compiler: Arc<dyn Compiler> = Arc::new(InProcess);
        let (patience, threads, deadline) = (Duration::from_nanos(1), Threads::default(), Deadline::none());
        let failure = compile_within(patience, &threads, &compiler, digest, &component, deadline).unwrap_err();
        let NotCompiled::NotNow(fault) = failure else { panic!("{failure:?}") };
        assert_eq!((fault.kind, fault.message.as_str()), (FaultKind::Load, "it does not compile within 1ns"));
    }
}
