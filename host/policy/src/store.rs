//! The only constructor of stores, which sets every limit.

use std::time::Duration;
use std::time::Instant;

use nix::sys::resource::UsageWho;
use nix::sys::resource::getrusage;
use nix::sys::time::TimeValLike as _;
use wasmtime::ResourceLimiter;
use wasmtime::Store;
use wasmtime::UpdateDeadline;

use crate::call::Linked;
use crate::room;
use crate::thread::Waiter;
use smcp_model::limits;
use smcp_model::limits::PolicyLimits;
use smcp_model::policy::BuiltIn;
use smcp_model::text::SafeText;

/// The state of one call on the host's side: its budgets, and the first refusal.
#[derive(Debug)]
pub(super) struct Guest {
    memory: usize,
    memory_left: usize,
    room: usize,
    memories: usize,
    instances: usize,
    log: LogBudget,
    refusal: Option<LimitRefusal>,
    built_in: Option<BuiltIn>,
}

/// The host's first refusal of a guest's request. It determines the fault; the error's text does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LimitRefusal {
    /// Linear memory over its limit: the bytes that it would have had in all.
    Memory(usize),
    /// Linear memory within its limit that the system does not give.
    System,
    /// Linear memory within its limit that a slot of the pool has no room for.
    Slot,
    /// A table with so many elements.
    TableElements(usize),
    /// A log line of so many bytes, over the limit.
    LogLine(usize),
    /// A log line after the limit on lines or bytes was reached.
    Log,
}

#[derive(Debug)]
struct LogBudget {
    lines: Vec<LogLine>,
    bytes_left: usize,
}

/// One line that a policy logged.
#[derive(Debug, Clone)]
pub(super) struct LogLine {
    /// Its importance.
    pub(super) level: Level,
    /// Its text.
    pub(super) message: SafeText,
}

/// The importance of a log line, in the policy's opinion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    /// For the author of the policy.
    Debug,
    /// For interested users.
    Info,
    /// A possible fault.
    Warn,
    /// The policy failed.
    Error,
}

/// A refusal as the error that traps the guest.
#[derive(Debug, thiserror::Error)]
#[error("the host refused: {0:?}")]
struct RefusedByHost(LimitRefusal);

/// By what a call's time is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CallClock {
    /// The clock on the wall: somebody waits for the answer.
    Wall,
    /// The processor time of its thread: nothing starts, and a machine that stalls says nothing about the policy.
    Processor,
}

/// The end of a call's time: when it is used, or when nobody waits for it any more.
pub(super) struct Expiry {
    since: Instant,
    /// The processor time that the thread had used then, where that counts.
    used: Option<Duration>,
    time: Duration,
    waiter: Waiter,
}

impl Expiry {
    /// Begins now, on the thread of the call.
    pub(super) fn begin(clock: CallClock, time: Duration, waiter: Waiter) -> Self {
        let used = if clock == CallClock::Processor { processor_time() } else { None };
        Self { since: Instant::now(), used, time, waiter }
    }

    pub(super) fn is_over(&self) -> bool {
        let used = self.used.zip(self.used.and_then(|_| processor_time()));
        let used = used.map_or_else(|| self.since.elapsed(), |(before, now)| now.saturating_sub(before));
        self.waiter.has_left() || used >= self.time
    }
}

/// The processor time that this thread has used; `None` where the system does not say.
fn processor_time() -> Option<Duration> {
    let usage = getrusage(UsageWho::RUSAGE_THREAD).ok()?;
    let time = usage.user_time() + usage.system_time();
    Some(Duration::from_micros(u64::try_from(time.num_microseconds()).ok()?))
}

/// Makes a store for one call of a component, with every limit set.
///
/// `output` is the most bytes of values that the guest may hand to the host. The guest looks at `expiry` whenever the
/// engine's epoch is advanced.
pub(super) fn new_store(callee: &Linked, limits: &PolicyLimits, expiry: Expiry, output: usize) -> Store<Guest> {
    let guest = Guest {
        memory: limits.memory,
        memory_left: limits.memory.saturating_sub(callee.memory_taken),
        room: callee.room,
        memories: limits.memories,
        instances: limits.instances,
        log: LogBudget { lines: Vec::new(), bytes_left: limits::LOG },
        refusal: None,
        built_in: callee.built_in,
    };
    let mut store = Store::new(callee.instance.engine(), guest);
    store.limiter(|guest| guest);
    store.set_hostcall_fuel(output);
    store.set_max_component_handles(limits::COMPONENT_HANDLES);
    store.epoch_deadline_callback(move |_| {
        Ok(if expiry.is_over() { UpdateDeadline::Interrupt } else { UpdateDeadline::Continue(1) })
    });
    store.set_epoch_deadline(1);
    store
}

impl Guest {
    /// The first refusal; `None` when nothing was refused.
    pub(super) const fn refusal(&self) -> Option<LimitRefusal> {
        self.refusal
    }

    /// The policy of the program that it is, if it is one.
    pub(super) const fn built_in(&self) -> Option<BuiltIn> {
        self.built_in
    }

    /// The memory that was asked for so far, bytes; that of the globals counts. What was refused traps, and counts not.
    pub(super) const fn memory(&self) -> usize {
        self.memory.saturating_sub(self.memory_left)
    }

    /// Takes the lines that were logged so far.
    pub(super) fn take_log(&mut self) -> Vec<LogLine> {
        std::mem::take(&mut self.log.lines)
    }

    /// Adds a line to the guest's log.
    ///
    /// # Errors
    /// A refusal, which traps the guest, when the line or the whole log is over its limit.
    pub(super) fn add_log_line(&mut self, level: Level, message: &str) -> wasmtime::Result<()> {
        if message.len() > limits::LOG_LINE {
            return self.refuse(LimitRefusal::LogLine(message.len()));
        }
        let Some(left) = self.log.bytes_left.checked_sub(message.len()) else {
            return self.refuse(LimitRefusal::Log);
        };
        if self.log.lines.len() >= limits::LOG_LINES {
            return self.refuse(LimitRefusal::Log);
        }
        self.log.bytes_left = left;
        self.log.lines.push(LogLine { level, message: SafeText::new(message) });
        Ok(())
    }

    fn refuse<T>(&mut self, refusal: LimitRefusal) -> wasmtime::Result<T> {
        self.refusal.get_or_insert(refusal);
        Err(wasmtime::Error::from(RefusedByHost(refusal)))
    }
}

/// Growth that is refused traps instead of returning -1: a guest that could go on would hide that it reached a limit.
impl ResourceLimiter for Guest {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let more = desired.saturating_sub(current);
        match self.memory_left.checked_sub(more) {
            Some(_) if desired > self.room => self.refuse(LimitRefusal::Slot),
            Some(left) => {
                self.memory_left = left;
                Ok(true)
            }
            None => {
                let used = self.memory.saturating_sub(self.memory_left);
                self.refuse(LimitRefusal::Memory(used.saturating_add(more)))
            }
        }
    }

    /// Only a failure of the system is a refusal, not growth beyond the maximum that the guest itself declares.
    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        if room::is_systems(&error) { self.refuse(LimitRefusal::System) } else { Ok(()) }
    }

    fn table_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        if desired > limits::TABLE_ELEMENTS { self.refuse(LimitRefusal::TableElements(desired)) } else { Ok(true) }
    }

    fn instances(&self) -> usize {
        self.instances
    }

    fn tables(&self) -> usize {
        limits::TABLES
    }

    fn memories(&self) -> usize {
        self.memories
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::thread::Threads;
    use crate::thread::WorkPatience;

    const TIME: Duration = Duration::from_millis(20);

    /// The thread is put to sleep as one of a process that was stopped is, until the clock on the wall is past the end.
    #[test]
    fn a_stall_ends_the_time_on_the_wall_and_not_that_of_the_processor() {
        let stalled = |clock| {
            let work = move |waiter| {
                let expiry = Expiry::begin(clock, TIME, waiter);
                while expiry.since.elapsed() < TIME {
                    thread::park_timeout(TIME);
                }
                let after_the_stall = expiry.is_over();
                // What works comes to its end all the same.
                while !expiry.is_over() {}
                after_the_stall
            };
            Threads::default().run(WorkPatience::of(Duration::from_secs(60)), || {}, work).unwrap()
        };
        assert!(stalled(CallClock::Wall));
        assert!(!stalled(CallClock::Processor));
    }
}
