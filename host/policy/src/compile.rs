//! Compiles components to machine code; the only compiler in the program.
//!
//! The engine for evaluations has no compiler, so an evaluation can't compile.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use wasmparser::Validator;
use wasmparser::WasmFeatures;
use wasmtime::Config;
use wasmtime::Engine;

use crate::builtin::Embedded;
use crate::room;
use crate::thread::Threads;
use crate::tuning;
use smcp_model::digest::Digest;
use smcp_model::verdict::Fault;
use smcp_model::verdict::FaultKind;

/// The time that a compiler has, wall clock: components of large languages need about twenty seconds.
const PATIENCE: Duration = Duration::from_secs(120);

/// The features that a guest may use: WebAssembly 2.0, tail calls and extended constants. All others are refused here,
/// even those that the engine needs for its own code.
const GUEST_FEATURES: WasmFeatures = WasmFeatures::WASM2
    .union(WasmFeatures::TAIL_CALL)
    .union(WasmFeatures::EXTENDED_CONST)
    .union(WasmFeatures::COMPONENT_MODEL);

/// Compiled code. Loading it is as dangerous as running it, so it is made by a compiler of this crate, or by a caller who
/// vouches for its bytes.
#[derive(Clone)]
pub struct MachineCode(Cow<'static, [u8]>); // INVARIANT: made by `InProcess`, our own build script, or vouched for.

impl MachineCode {
    pub(crate) const fn embedded(embedded: Embedded) -> Self {
        Self(Cow::Borrowed(embedded.code))
    }

    /// Takes code that was compiled elsewhere: in a child process, or earlier, from a store.
    ///
    /// # Safety
    /// `bytes` must be what [`as_bytes`](Self::as_bytes) returned for code of a compiler of this crate, unchanged: they
    /// are loaded as native code. A store has to prove that with a MAC, or with an owner whom nobody else can be.
    #[expect(unsafe_code, reason = "the caller vouches for what is loaded as native code")]
    pub const unsafe fn from_vouched(bytes: Vec<u8>) -> Self {
        Self(Cow::Owned(bytes))
    }

    /// The bytes, to be sent to another process or kept.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for MachineCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MachineCode").field("size", &self.as_bytes().len()).finish()
    }
}

/// Compiles a component to machine code.
///
/// Your own compiler can run [`InProcess`] in a child process and take the code from a pipe, or keep code in a store; see
/// [`MachineCode::from_vouched`]. It must be the code of the given component: a pin is compared with the component, not with its code.
pub trait Compiler: Send + Sync {
    /// Compiles a component whose size, imports and exports are allowed; nothing else was checked. `digest` is the
    /// digest of its bytes. It is called on a separate thread, and given up after two minutes; a panic is a fault.
    ///
    /// # Errors
    /// A [`FaultKind::Load`] when it is not a valid component, or uses a proposal of WebAssembly that is off.
    fn compile(&self, digest: Digest, component: &[u8]) -> Result<MachineCode, Fault>;
}

/// Compiles in this process, for the baseline CPU of this target. A component that makes the compiler slow or
/// memory-hungry does so to this process.
#[derive(Debug, Clone, Copy, Default)]
pub struct InProcess;

impl Compiler for InProcess {
    fn compile(&self, _: Digest, component: &[u8]) -> Result<MachineCode, Fault> {
        precompile(component).map(|code| MachineCode(Cow::Owned(code)))
    }
}

/// Compiles a component that `shape` has accepted, and waits for the code.
///
/// # Errors
/// Those of the compiler; a [`FaultKind::Load`] when it takes too long.
pub(crate) fn on_a_thread(
    threads: &Threads,
    compiler: &Arc<dyn Compiler>,
    digest: Digest,
    component: &Arc<Vec<u8>>,
) -> Result<MachineCode, Fault> {
    compile_within(PATIENCE, threads, compiler, digest, component)
}

/// Compiles a component, and gives up after `patience`.
fn compile_within(
    patience: Duration,
    threads: &Threads,
    compiler: &Arc<dyn Compiler>,
    digest: Digest,
    component: &Arc<Vec<u8>>,
) -> Result<MachineCode, Fault> {
    let (compiler, component) = (Arc::clone(compiler), Arc::clone(component));
    threads.run(patience, move || compiler.compile(digest, &component)).map_err(|fault| match fault.kind {
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
    })?
}

fn precompile(component: &[u8]) -> Result<Vec<u8>, Fault> {
    Validator::new_with_features(GUEST_FEATURES).validate_all(component).map_err(|error| invalid(component, &error))?;
    let code = Engine::new(&target()?).and_then(|engine| engine.precompile_component(component));
    code.map_err(|error| match room::is_systems(&error) {
        true => room::fault(FaultKind::Load, "compiling the policy", error.root_cause()),
        false => failed(&error),
    })
}

fn target() -> Result<Config, Fault> {
    let mut config = tuning::config();
    config.target(env!("SMCP_TARGET")).map_err(|error| failed(&error))?;
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
        let fault =
            compile_within(Duration::from_nanos(1), &Threads::default(), &compiler, digest, &component).unwrap_err();
        assert_eq!((fault.kind, fault.message.as_str()), (FaultKind::Load, "it does not compile within 1ns"));
    }
}
