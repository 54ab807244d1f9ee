//! One call into a guest: fresh store and instance, and how it can end.

use std::time::Duration;
use std::time::Instant;

use wasmtime::Store;
use wasmtime::Trap;
use wasmtime::WasmBacktrace;
use wasmtime::component::Instance;
use wasmtime::component::InstancePre;

use crate::host::Runtime;
use crate::room;
use crate::store;
use crate::store::Guest;
use crate::store::Level;
use crate::store::LogLine;
use crate::store::Refusal;
use smcp_model::limits;
use smcp_model::limits::PolicyLimits;
use smcp_model::verdict::Fault;
use smcp_model::verdict::FaultKind;

/// What came back from a call.
#[derive(Debug)]
pub(super) struct Answer<T> {
    pub(super) value: T,
    pub(super) duration: Duration,
}

/// What one call may use.
#[derive(Debug, Clone, Copy)]
pub(super) struct Allowance<'l> {
    /// The policy's limits.
    pub(super) limits: &'l PolicyLimits,
    /// How much of its time earlier calls have used: all calls for one decision share one deadline.
    pub(super) spent: Duration,
    /// How many bytes of values it may hand to the host.
    pub(super) output: usize,
}

/// Where in a call an error came up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Start,
    Call,
}

impl<T> Answer<T> {
    /// The same answer after `read` has checked and translated it.
    ///
    /// # Errors
    /// Those of `read`.
    pub(super) fn read<U>(self, read: impl FnOnce(T) -> Result<U, Fault>) -> Result<Answer<U>, Fault> {
        Ok(Answer { value: read(self.value)?, duration: self.duration })
    }
}

impl Runtime {
    /// Instantiates a component afresh, finds its exports, and calls one of them once. Its deadline covers its start-up.
    ///
    /// # Errors
    /// Any kind of fault.
    pub(super) fn call<E, T: Send + 'static>(
        &self,
        callee: &InstancePre<Guest>,
        allowance: Allowance<'_>,
        exports: impl FnOnce(&mut Store<Guest>, &Instance) -> Result<E, Fault> + Send + 'static,
        function: impl FnOnce(&E, &mut Store<Guest>) -> wasmtime::Result<T> + Send + 'static,
    ) -> Result<Answer<T>, Fault> {
        let Allowance { limits, spent, output } = allowance;
        let (engine, callee, limits) = (self.engine.clone(), callee.clone(), *limits);
        let time = limits.time.saturating_sub(spent);
        if time.is_zero() {
            return Err(overdue(&limits));
        }
        let patience = time.saturating_add(limits::DEADLINE_GRACE);
        let running = self.ticker.run();
        let work = move || {
            // The clock has to go on as long as the guest does, also when nobody waits for it any more.
            let _running = running;
            let start = Instant::now();
            // Armed here: waiting for a thread is not the policy's time.
            let mut store = store::new_store(&engine, &limits, time, output);
            let value = once(&mut store, &callee, &limits, exports, function);
            let answer = value.map(|value| Answer { value, duration: start.elapsed() });
            (answer, store.data_mut().take_log())
        };
        let (result, log) = self.threads.run(patience, work)?;
        for line in log {
            emit(&line);
        }
        result
    }
}

fn once<E, T>(
    store: &mut Store<Guest>,
    callee: &InstancePre<Guest>,
    limits: &PolicyLimits,
    exports: impl FnOnce(&mut Store<Guest>, &Instance) -> Result<E, Fault>,
    function: impl FnOnce(&E, &mut Store<Guest>) -> wasmtime::Result<T>,
) -> Result<T, Fault> {
    let started = callee.instantiate(&mut *store);
    let instance = started.map_err(|error| classify(&error, store.data().refusal(), Phase::Start, limits))?;
    let exports = exports(store, &instance)?;
    function(&exports, store).map_err(|error| classify(&error, store.data().refusal(), Phase::Call, limits))
}

/// Which fault an error is. By what the host refused first, then by the error's type, then by where it came from;
/// never by the words of a message, which differ between versions and are partly the guest's own.
fn classify(error: &wasmtime::Error, refusal: Option<Refusal>, phase: Phase, limits: &PolicyLimits) -> Fault {
    if let Some(refusal) = refusal {
        return refused(refusal, limits);
    }
    if let Some(trap) = error.downcast_ref::<Trap>() {
        return trapped(*trap, limits);
    }
    let cause = error.root_cause();
    match phase {
        _ if room::is_systems(error) => room::fault(FaultKind::Limit, "the policy's memories and tables", cause),
        // The guest was running, and called something of the runtime's that did not trap: the log, or a handle.
        _ if error.downcast_ref::<WasmBacktrace>().is_some() => {
            let handles = limits::COMPONENT_HANDLES;
            Fault::new(FaultKind::Limit, format!("a call from inside it was refused: {cause}")).remedy(format!(
                "a policy may have {handles} resource handles at once, and logs in valid texts of up to {} bytes; {BREAKS}",
                limits::LOG_LINE
            ))
        }
        // What else a start can fail of was counted before it.
        Phase::Start => {
            let most = limits.instances;
            let message =
                format!("it has more than {most} core instances in all its parts, the most a policy may have");
            let more = limits.more("instances");
            Fault::new(FaultKind::Limit, message)
                .remedy(format!("build it of fewer parts: one module is enough for a policy{more}"))
        }
        // The guest had returned: what it returned could not be taken.
        Phase::Call => Fault::new(FaultKind::Output, format!("what it returned can't be taken: {cause}"))
            .remedy(format!("a policy hands over valid values of at most {} bytes in all; {BREAKS}", limits.output)),
    }
}

/// For whoever runs a policy and did not write it.
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
        // Languages such as Rust and C keep a stack of their own at the beginning of the memory.
        Trap::MemoryOutOfBounds => Fault::new(FaultKind::Trap, format!("it trapped: {trap}"))
            .remedy(format!("a bug, or recursion deeper than the language's own stack; {report}")),
        other => Fault::new(FaultKind::Trap, format!("it trapped: {other}")).remedy(report),
    }
}

fn overdue(limits: &PolicyLimits) -> Fault {
    Fault::new(FaultKind::Deadline, format!("it ran longer than {:?}", limits.time))
        .remedy(format!("report it to the policy's author: a policy needs microseconds{}", limits.more("time")))
}

fn refused(refusal: Refusal, limits: &PolicyLimits) -> Fault {
    let quieter = "report it to the policy's author: the SDK's `log` stays below the limits";
    match refusal {
        Refusal::Memory(asked) => {
            let most = limits.memory;
            let message = format!("it asked for {asked} bytes of linear memory in all, and a policy may have {most}");
            Fault::new(FaultKind::Memory, message).remedy(format!(
                "build it with a smaller stack and heap (clang and zig: `-Wl,-z,stack-size=65536`), and keep no large \
                 trees{}",
                limits.more("memory")
            ))
        }
        Refusal::System => room::fault(FaultKind::Memory, "the policy's linear memory", "it has none left"),
        Refusal::TableElements(wanted) => Fault::new(
            FaultKind::Limit,
            format!("it asked for a table of {wanted} elements, and one may have {}", limits::TABLE_ELEMENTS),
        )
        .remedy("build it smaller: a table has one element for each function that is called by its address"),
        Refusal::LogLine(length) => Fault::new(
            FaultKind::Limit,
            format!("it logged a line of {length} bytes, and one may have {}", limits::LOG_LINE),
        )
        .remedy(quieter),
        Refusal::Log => Fault::new(
            FaultKind::Limit,
            format!("it logged more than {} lines or {} bytes", limits::LOG_LINES, limits::LOG),
        )
        .remedy(quieter),
    }
}

/// Hands a guest's line to the diagnostics, which are off unless somebody asked for them.
fn emit(line: &LogLine) {
    let message = line.message.as_str();
    match line.level {
        Level::Error => tracing::error!(target: "smcp::policy", "{message}"),
        Level::Warn => tracing::warn!(target: "smcp::policy", "{message}"),
        Level::Info => tracing::info!(target: "smcp::policy", "{message}"),
        Level::Debug => tracing::debug!(target: "smcp::policy", "{message}"),
    }
}
