//! One call into a guest, in a fresh store and instance, and its faults.

use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use wasmtime::PoolConcurrencyLimitError;
use wasmtime::Store;
use wasmtime::Trap;
use wasmtime::WasmBacktrace;
use wasmtime::component::Component;
use wasmtime::component::Instance;
use wasmtime::component::InstancePre;

use crate::compiled::Code;
use crate::host::Runtime;
use crate::machine_code::CodeImage;
use crate::room;
use crate::site::Site;
use crate::store;
use crate::store::CallClock;
use crate::store::Expiry;
use crate::store::Guest;
use crate::store::Level;
use crate::store::LimitRefusal;
use crate::store::LogLine;
use crate::thread::Done;
use crate::thread::Task;
use crate::thread::Waiter;
use crate::thread::WorkPatience;
use smcp_model::limits;
use smcp_model::limits::PolicyLimits;
use smcp_model::policy::BuiltIn;
use smcp_model::verdict::Fault;
use smcp_model::verdict::FaultKind;

/// The time that a call has where its deadline is the processor time that it used, and the machine may have stalled. Longer
/// than that, and it is asked again.
const STALL: Duration = Duration::from_secs(20);

/// A linked component, which can be instantiated any number of times, with the memory that its code may run in.
#[derive(Clone)]
pub(super) struct Linked {
    pub(super) instance: InstancePre<Guest>,
    /// Bytes of the policy's memory that are taken before it has any: by its globals.
    pub(super) memory_taken: usize,
    /// The most bytes of one linear memory that there is room for, whatever the policy's limits are.
    pub(super) room: usize,
    /// The policy of the program that it is, if it is one.
    pub(super) built_in: Option<BuiltIn>,
    /// Released after the instance: a call that was given up may still run there.
    _image: Option<Arc<dyn CodeImage>>,
}

impl Linked {
    /// Links a component, which is that of `code` for this site.
    ///
    /// # Errors
    /// When it imports what the site does not have.
    pub(super) fn new(site: &Site, component: &Component, code: &Code) -> wasmtime::Result<Self> {
        let memory_taken = code.known().notes.memory_of_globals();
        let instance = site.linker.instantiate_pre(component)?;
        Ok(Self { instance, memory_taken, room: site.room, built_in: code.built_in, _image: code.image.clone() })
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

/// Why a call has no result.
#[derive(Debug)]
pub(super) enum NoResult {
    Fault(Fault),
    /// The pool has no slot free.
    NoSlot,
    /// It needs more memory than a slot has, and not more than it may have.
    Outgrown,
}

/// The resources that one call may use.
#[derive(Debug, Clone, Copy)]
pub(super) struct Allowance<'l> {
    /// The policy's limits.
    pub(super) limits: &'l PolicyLimits,
    /// The part of the policy's time that earlier calls have used: all calls for one decision share one deadline.
    pub(super) spent: Duration,
    /// The most bytes of values that it may hand to the host.
    pub(super) output: usize,
    /// By what its time is measured.
    pub(super) clock: CallClock,
}

/// The part of a call in which an error occurred.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Start,
    Call,
}

/// A call that was not made yet.
pub(super) struct Call<T>(Task<Called<T>>);

/// What came of a call, and the lines that the policy logged.
pub(super) struct Called<T> {
    /// See [`Allowance`].
    pub(super) spent: Duration,
    result: Result<CallResult<T>, NoResult>,
    log: Vec<LogLine>,
}

impl<T: Send + 'static> Call<T> {
    /// A call that instantiates a component afresh, finds its exports, calls one of them once, and reads what it
    /// returned. Start-up counts towards the deadline.
    pub(super) fn new<E, R>(
        callee: &Linked,
        allowance: Allowance<'_>,
        exports: impl FnOnce(&mut Store<Guest>, &Instance) -> Result<E, Fault> + Send + 'static,
        function: impl FnOnce(&E, &mut Store<Guest>) -> wasmtime::Result<R> + Send + 'static,
        read: impl FnOnce(R) -> Result<T, Fault> + Send + 'static,
    ) -> Self {
        let Allowance { limits, spent, output, clock } = allowance;
        let (callee, limits) = (callee.clone(), *limits);
        let time = limits.time.saturating_sub(spent);
        let grace = if clock == CallClock::Wall { limits::DEADLINE_GRACE } else { STALL };
        let patience = WorkPatience { time, grace };
        let work = move |waiter: Waiter| {
            // The deadline is set here: waiting for a thread does not count as the policy's time.
            let start = Instant::now();
            let expiry = Expiry::begin(clock, time, waiter.clone());
            let mut store = store::new_store(&callee, &limits, expiry, output);
            // The epoch was perhaps advanced for the last time before the store was made.
            let value = match time.is_zero() || waiter.has_left() {
                true => Err(NoResult::Fault(overdue(&limits))),
                false => call_once(&mut store, &callee, &limits, exports, function),
            };
            let (duration, memory) = (start.elapsed(), store.data().memory());
            let value = value.and_then(|value| read(value).map_err(NoResult::Fault));
            let result = value.map(|value| CallResult { value, duration, memory });
            let answer = Called { spent, result, log: store.data_mut().take_log() };
            // The memory in which the code may lie is released last.
            let can_wait = callee.built_in.is_some();
            Done { result: answer, rest: Some(Box::new((store, callee))), can_wait }
        };
        Self(Task { patience, work: Box::new(work) })
    }
}

impl<T> Called<T> {
    /// Hands the lines to the diagnostics, and returns the result. Those of a call that is made again are dropped.
    ///
    /// # Errors
    /// Why there is no result.
    pub(super) fn take(self) -> Result<CallResult<T>, NoResult> {
        if !matches!(self.result, Err(NoResult::NoSlot | NoResult::Outgrown)) {
            self.log.iter().for_each(emit);
        }
        self.result
    }
}

impl Runtime {
    /// Makes the calls, one after the other.
    ///
    /// # Errors
    /// Any kind of fault that stopped a call from outside.
    pub(super) fn make<T: Send + 'static>(&self, calls: Vec<Call<T>>) -> Vec<Result<Called<T>, Fault>> {
        let interrupt = || {
            self.sites.own.engine.increment_epoch();
            self.sites.pool.iter().for_each(|pool| pool.engine.increment_epoch());
        };
        self.threads.run_all(calls.into_iter().map(|call| call.0).collect(), interrupt)
    }

    /// Makes a call of a component that has memory of its own.
    ///
    /// # Errors
    /// Any kind of fault.
    pub(super) fn make_one<T: Send + 'static>(&self, call: Call<T>) -> Result<CallResult<T>, Fault> {
        let answer = self.make(vec![call]).pop().unwrap_or_else(|| Err(no_slot()))?;
        answer.take().map_err(|failure| match failure {
            NoResult::Fault(fault) => fault,
            NoResult::NoSlot | NoResult::Outgrown => no_slot(),
        })
    }
}

/// Instantiates a component and calls one function.
fn call_once<E, T>(
    store: &mut Store<Guest>,
    callee: &Linked,
    limits: &PolicyLimits,
    exports: impl FnOnce(&mut Store<Guest>, &Instance) -> Result<E, Fault>,
    function: impl FnOnce(&E, &mut Store<Guest>) -> wasmtime::Result<T>,
) -> Result<T, NoResult> {
    let started = callee.instance.instantiate(&mut *store);
    let instance = started.map_err(|error| failure(&error, store.data().refusal(), Phase::Start, limits))?;
    let exports = exports(store, &instance).map_err(NoResult::Fault)?;
    function(&exports, store).map_err(|error| failure(&error, store.data().refusal(), Phase::Call, limits))
}

/// Tells what the pool has no room for from a fault.
fn failure(error: &wasmtime::Error, refusal: Option<LimitRefusal>, phase: Phase, limits: &PolicyLimits) -> NoResult {
    match refusal {
        Some(LimitRefusal::Slot) => NoResult::Outgrown,
        None if error.is::<PoolConcurrencyLimitError>() => NoResult::NoSlot,
        _ => NoResult::Fault(classify(error, refusal, phase, limits)),
    }
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

/// The fault of a call that has no room in the pool and was not made again elsewhere: a defect of smcp.
fn no_slot() -> Fault {
    Fault::new(FaultKind::Limit, "smcp itself has no room for the policy")
        .remedy("please report it; SECURITY.md says where")
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
        LimitRefusal::Slot => no_slot(),
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
