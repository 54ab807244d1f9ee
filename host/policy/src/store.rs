//! The one constructor of stores: a store without every limit can't be made.

use std::time::Duration;

use wasmtime::Engine;
use wasmtime::ResourceLimiter;
use wasmtime::Store;

use crate::room;
use crate::ticker;
use smcp_model::limits;
use smcp_model::limits::PolicyLimits;
use smcp_model::text::SafeText;

/// What one evaluation owns on the host's side: its budgets, and what was refused first.
#[derive(Debug)]
pub(super) struct Guest {
    memory: usize,
    memory_left: usize,
    memories: usize,
    instances: usize,
    log: LogBudget,
    refusal: Option<Refusal>,
}

/// The first thing that a guest asked for and did not get. It, and not the error's text, says which fault this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Linear memory, bytes that it would have had in all.
    Memory(usize),
    /// Linear memory that it may have, and that the system does not give.
    System,
    /// Elements of a table.
    TableElements(usize),
    /// A log line longer than a line may be, bytes.
    LogLine(usize),
    /// One more log line, or byte of log, than there may be.
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
    /// How important it is.
    pub(super) level: Level,
    /// What it says.
    pub(super) message: SafeText,
}

/// How important a log line is, in the policy's opinion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    /// For the author of the policy.
    Debug,
    /// For the curious.
    Info,
    /// Something looks wrong.
    Warn,
    /// The policy could not do its work.
    Error,
}

/// A refusal as the error that traps the guest.
#[derive(Debug, thiserror::Error)]
#[error("the host refused: {0:?}")]
struct Refused(Refusal);

/// Makes a store for one call: fresh, with every limit set and its deadline armed from now on.
///
/// `time` is what is left of the policy's; `output` is how many bytes of values the guest may hand to the host.
pub(super) fn new_store(engine: &Engine, limits: &PolicyLimits, time: Duration, output: usize) -> Store<Guest> {
    let guest = Guest {
        memory: limits.memory,
        memory_left: limits.memory,
        memories: limits.memories,
        instances: limits.instances,
        log: LogBudget { lines: Vec::new(), bytes_left: limits::LOG },
        refusal: None,
    };
    let mut store = Store::new(engine, guest);
    store.limiter(|guest| guest);
    store.set_hostcall_fuel(output);
    store.set_max_component_handles(limits::COMPONENT_HANDLES);
    store.epoch_deadline_trap();
    store.set_epoch_deadline(ticker::ticks(time));
    store
}

impl Guest {
    /// What was refused first, if anything was.
    pub(super) const fn refusal(&self) -> Option<Refusal> {
        self.refusal
    }

    /// The lines logged so far.
    pub(super) fn take_log(&mut self) -> Vec<LogLine> {
        std::mem::take(&mut self.log.lines)
    }

    /// Keeps a line that the guest logs.
    ///
    /// # Errors
    /// A refusal, which traps the guest, when the line or the whole log is longer than it may be.
    pub(super) fn note(&mut self, level: Level, message: &str) -> wasmtime::Result<()> {
        if message.len() > limits::LOG_LINE {
            return self.refuse(Refusal::LogLine(message.len()));
        }
        let Some(left) = self.log.bytes_left.checked_sub(message.len()) else {
            return self.refuse(Refusal::Log);
        };
        if self.log.lines.len() >= limits::LOG_LINES {
            return self.refuse(Refusal::Log);
        }
        self.log.bytes_left = left;
        self.log.lines.push(LogLine { level, message: SafeText::new(message) });
        Ok(())
    }

    fn refuse<T>(&mut self, refusal: Refusal) -> wasmtime::Result<T> {
        self.refusal.get_or_insert(refusal);
        Err(wasmtime::Error::from(Refused(refusal)))
    }
}

/// Growth that is refused traps instead of answering -1: a guest that could go on would hide that it hit a limit.
impl ResourceLimiter for Guest {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let more = desired.saturating_sub(current);
        match self.memory_left.checked_sub(more) {
            Some(left) => {
                self.memory_left = left;
                Ok(true)
            }
            None => {
                let used = self.memory.saturating_sub(self.memory_left);
                self.refuse(Refusal::Memory(used.saturating_add(more)))
            }
        }
    }

    /// What a guest asks for beyond the maximum that it has set itself is its own affair.
    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        if room::is_systems(&error) { self.refuse(Refusal::System) } else { Ok(()) }
    }

    fn table_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        if desired > limits::TABLE_ELEMENTS { self.refuse(Refusal::TableElements(desired)) } else { Ok(true) }
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
