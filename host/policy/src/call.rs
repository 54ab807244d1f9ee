//! One call into a guest, in a fresh store and instance, and its faults.

use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use wasmtime::Store;
use wasmtime::Trap;
use wasmtime::WasmBacktrace;
use wasmtime::component::Instance;
use wasmtime::component::InstancePre;
use wasmtime::component::Linker;

use crate::compiled::Code;
use crate::host::Runtime;
use crate::machine_code::CodeImage;
use crate::room;
use crate::store;
use crate::store::Expiry;
use crate::store::Guest;
use crate::store::Level;
use crate::store::LimitRefusal;
use crate::store::LogLine;
use crate::thread::ThreadTask;
use crate::thread::Waiter;
use crate::thread::WorkPatience;
use smcp_model::limits;
use smcp_model::limits::PolicyLimits;
use smcp_model::verdict::Fault;
use smcp_model::verdict::FaultKind;

/// A linked component, which can be instantiated any number of times, with the memory that its code may run in.
#[derive(Clone)]
pub(super) struct Linked {
    pub(super) instance: InstancePre<Guest>,
    /// Bytes of the policy's memory that are taken before it has any: by its globals.
    memory_taken: usize,
    /// Released after the instance: a call that was given up may still run there.
    _image: Option<Arc<dyn CodeImage>>,
}

impl Linked {
    /// Links a component.
    ///
    /// # Errors
    /// When it imports what `linker` does not have.
    pub(super) fn new(linker: &Linker<Guest>, code: &Code) -> wasmtime::Result<Self> {
        let memory_taken = code.known().notes.memory_of_globals();
        Ok(Self { instance: linker.instantiate_pre(&code.component)?, memory_taken, _image: code.image.clone() })
    }
}

/// The result of a call, and what it took.
#[derive(Debug)]
pub(super) struct CallResult<T> {
    pub(super) value: T,
    pub(super) duration: Duration,
    /// Bytes, of all memories and of the globals.
    pub(super) memory: usize,
}

/// A call that is not made yet.
pub(super) struct PolicyCall<T>(ThreadTask<CallAnswer<T>>);

/// The end of a call.
pub(super) struct EndedCall<T>(Result<CallAnswer<T>, Fault>);

/// What came of a call that came back, and what the guest logged.
type CallAnswer<T> = (Result<CallResult<T>, Fault>, Vec<LogLine>);

/// The resources that one call may use.
#[derive(Debug, Clone, Copy)]
pub(super) struct Allowance<'l> {
    /// The policy's limits.
    pub(super) limits: &'l PolicyLimits,
    /// The part of the policy's time that earlier calls have used: all calls for one decision share one deadline.
    pub(super) spent: Duration,
    /// The most bytes of values that it may hand to the host.
    pub(super) output: usize,
}

/// The part of a call in which an error occurred.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Start,
    Call,
}

impl<T> CallResult<T> {
    /// The same result, with its value checked and translated by `read`.
    ///
    /// # Errors
    /// Those of `read`.
    fn read<U>(self, read: impl FnOnce(T) -> Result<U, Fault>) -> Result<CallResult<U>, Fault> {
        Ok(CallResult { value: read(self.value)?, duration: self.duration, memory: self.memory })
    }
}

impl Runtime {
    /// Returns the work of a call: it instantiates a component afresh, finds its exports, and calls one of them once.
    /// Start-up counts towards the deadline.
    pub(super) fn call<E, T: Send + 'static>(
        &self,
        callee: &Linked,
        allowance: Allowance<'_>,
        exports: impl FnOnce(&mut Store<Guest>, &Instance) -> Result<E, Fault> + Send + 'static,
        function: impl FnOnce(&E, &mut Store<Guest>) -> wasmtime::Result<T> + Send + 'static,
    ) -> PolicyCall<T> {
        let Allowance { limits, spent, output } = allowance;
        let (engine, callee, limits) = (self.engine.clone(), callee.clone(), *limits);
        let time = limits.time.saturating_sub(spent);
        let patience = WorkPatience { time, grace: limits::DEADLINE_GRACE };
        PolicyCall(ThreadTask::new(patience, move |waiter: Waiter| {
            // The deadline is set here: waiting for a thread does not count as the policy's time.
            let start = Instant::now();
            let expiry = Expiry { at: start + time, waiter: waiter.clone() };
            let mut store = store::new_store(&engine, &limits, callee.memory_taken, expiry, output);
            // The epoch was perhaps advanced for the last time before the store was made.
            let value = match waiter.has_left() || time.is_zero() {
                true => Err(overdue(&limits)),
                false => call_once(&mut store, &callee, &limits, exports, function),
            };
            let answer =
                value.map(|value| CallResult { value, duration: start.elapsed(), memory: store.data().memory() });
            let log = store.data_mut().take_log();
            // In this order: the memory in which the code runs is released after the instance.
            ((answer, log), (store, callee))
        }))
    }

    /// Makes one call.
    ///
    /// # Errors
    /// Any kind of fault.
    pub(super) fn make<T: Send + 'static>(&self, call: PolicyCall<T>) -> Result<CallResult<T>, Fault> {
        logged(self.threads.run(|| self.engine.increment_epoch(), call.0))
    }

    /// Makes calls one after the other, on one thread as long as they come back. How one ends changes no other.
    pub(super) fn make_in_turn<T: Send + 'static>(&self, calls: Vec<PolicyCall<T>>) -> Vec<EndedCall<T>> {
        let works = calls.into_iter().map(|call| call.0).collect();
        let ended = self.threads.run_in_turn(|| self.engine.increment_epoch(), works);
        ended.into_iter().map(EndedCall).collect()
    }
}

impl<T: Send + 'static> PolicyCall<T> {
    /// The same call, with its value checked and translated by `read`.
    pub(super) fn read<U: Send + 'static>(
        self,
        read: impl FnOnce(T) -> Result<U, Fault> + Send + 'static,
    ) -> PolicyCall<U> {
        PolicyCall(self.0.map(|(answer, log)| (answer.and_then(|result| result.read(read)), log)))
    }
}

impl<T> EndedCall<T> {
    /// Hands what the guest logged to the diagnostics, and returns the result.
    ///
    /// # Errors
    /// Any kind of fault.
    pub(super) fn result(self) -> Result<CallResult<T>, Fault> {
        logged(self.0)
    }
}

fn logged<T>(ended: Result<CallAnswer<T>, Fault>) -> Result<CallResult<T>, Fault> {
    let (result, log) = ended?;
    log.iter().for_each(emit);
    result
}

/// Instantiates a component and calls one function.
fn call_once<E, T>(
    store: &mut Store<Guest>,
    callee: &Linked,
    limits: &PolicyLimits,
    exports: impl FnOnce(&mut Store<Guest>, &Instance) -> Result<E, Fault>,
    function: impl FnOnce(&E, &mut Store<Guest>) -> wasmtime::Result<T>,
) -> Result<T, Fault> {
    let started = callee.instance.instantiate(&mut *store);
    let instance = started.map_err(|error| classify(&error, store.data().refusal(), Phase::Start, limits))?;
    let exports = exports(store, &instance)?;
    function(&exports, store).map_err(|error| classify(&error, store.data().refusal(), Phase::Call, limits))
}

/// Turns an error into a fault: by the first refusal of the host, then by the error's type, then by the phase of the
/// call; never by the text of a message, which differs between versions and is partly the guest's own.
fn classify(error: &wasmtime::Error, refusal: Option<LimitRefusal>, phase: Phase, limits: &PolicyLimits) -> Fault {
    if let Some(refusal) = refusal {
        return refused(refusal, limits);
    }
    if let Some(trap) = error.downcast_ref::<Trap>() {
        return trapped(*trap, limits);
    }
    let cause = error.root_cause();
    match phase {
        _ if room::is_systems(error) => room::fault(FaultKind::Limit, "the policy's memories and tables", cause),
        // The guest was running, and a call into the runtime failed without a trap: the log, or a handle.
        _ if error.downcast_ref::<WasmBacktrace>().is_some() => {
            let handles = limits::COMPONENT_HANDLES;
            Fault::new(FaultKind::Limit, format!("a call from inside it was refused: {cause}")).remedy(format!(
                "a policy may have {handles} resource handles at once, uses those that are its own, and hands over valid \
                 values, to the log texts of up to {} bytes; {BREAKS}",
                limits::LOG_LINE
            ))
        }
        // Everything else that can fail at the start was counted before.
        Phase::Start => {
            let most = limits.instances;
            let message =
                format!("it has more than {most} core instances in all its parts, the most a policy may have");
            let more = limits.more("instances");
            Fault::new(FaultKind::Limit, message)
                .remedy(format!("build it of fewer parts: one module is enough for a policy{more}"))
        }
        // The guest has returned, but its result could not be read.
        Phase::Call => Fault::new(FaultKind::Output, format!("what it returned can't be taken: {cause}"))
            .remedy(format!("a policy hands over valid values of at most {} bytes in all; {BREAKS}", limits.output)),
    }
}

/// The remedy for a user who did not write the policy.
const BREAKS: &str = "report it to the policy's author: it breaks the interface's rules";

#[expect(clippy::wildcard_enum_match_arm, reason = "wasmtime adds kinds of traps as it likes")]
fn trapped(trap: Trap, limits: &PolicyLimits) -> Fault {
    let report =
        "with `-v` smcp shows what the policy logs, and a panic's text with it; report it to the policy's author";
    match trap {
        Trap::Interrupt => overdue(limits),
        Trap::StackOverflow => {
            let stack = limits::WASM_STACK;
            Fault::new(FaultKind::Stack, format!("it recursed deeper than its stack of {stack} bytes"))
                .remedy("report it to the policy's author: recursion has to be bounded")
        }
        // Languages such as Rust and C keep their own stack at the start of the memory.
        Trap::MemoryOutOfBounds => Fault::new(FaultKind::Trap, format!("it trapped: {trap}"))
            .remedy(format!("a bug, or recursion deeper than the language's own stack; {report}")),
        other => Fault::new(FaultKind::Trap, format!("it trapped: {other}")).remedy(report),
    }
}

fn overdue(limits: &PolicyLimits) -> Fault {
    Fault::new(FaultKind::Deadline, format!("it ran longer than {:?}", limits.time))
        .remedy(format!("report it to the policy's author: a policy needs microseconds{}", limits.more("time")))
}

fn refused(refusal: LimitRefusal, limits: &PolicyLimits) -> Fault {
    let quieter = "report it to the policy's author: the SDK's `log` stays below the limits";
    match refusal {
        LimitRefusal::Memory(asked) => {
            let most = limits.memory;
            let message = format!("it asked for {asked} bytes of memory in all, and a policy may have {most}");
            Fault::new(FaultKind::Memory, message).remedy(format!(
                "build it with a smaller stack and heap (clang and zig: `-Wl,-z,stack-size=65536`), and keep no large \
                 trees{}",
                limits.more("memory")
            ))
        }
        LimitRefusal::System => room::fault(FaultKind::Memory, "the policy's linear memory", "it has none left"),
        LimitRefusal::TableElements(wanted) => Fault::new(
            FaultKind::Limit,
            format!("it asked for a table of {wanted} elements, and one may have {}", limits::TABLE_ELEMENTS),
        )
        .remedy("build it smaller: a table has one element for each function that is called by its address"),
        LimitRefusal::LogLine(length) => Fault::new(
            FaultKind::Limit,
            format!("it logged a line of {length} bytes, and one may have {}", limits::LOG_LINE),
        )
        .remedy(quieter),
        LimitRefusal::Log => Fault::new(
            FaultKind::Limit,
            format!("it logged more than {} lines or {} bytes", limits::LOG_LINES, limits::LOG),
        )
        .remedy(quieter),
    }
}

/// Hands a guest's line to the diagnostics, which are off unless the user asks for them.
fn emit(line: &LogLine) {
    let message = line.message.as_str();
    match line.level {
        Level::Error => tracing::error!(target: "smcp::policy", "{message}"),
        Level::Warn => tracing::warn!(target: "smcp::policy", "{message}"),
        Level::Info => tracing::info!(target: "smcp::policy", "{message}"),
        Level::Debug => tracing::debug!(target: "smcp::policy", "{message}"),
    }
}
