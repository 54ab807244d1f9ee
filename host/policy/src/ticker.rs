//! The clock of the sandbox: advances the epoch while a guest runs.

use std::sync::Arc;
use std::sync::Condvar;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::thread;
use std::time::Duration;
use std::time::Instant;

use wasmtime::Engine;

use smcp_model::limits::EPOCH_TICK;
use smcp_model::number;

/// Advances an engine's epoch while a guest runs, until it is dropped. While no guest runs its thread sleeps: a host
/// lives as long as its process, which may wait for a server for days.
#[derive(Debug)]
pub(super) struct Ticker {
    clock: Arc<EpochClock>,
}

/// Keeps the epoch advancing as long as it exists.
#[derive(Debug)]
pub(super) struct TickerGuard {
    clock: Arc<EpochClock>,
}

#[derive(Debug, Default)]
struct EpochClock {
    state: Mutex<ClockState>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct ClockState {
    running: usize,
    ended: bool,
}

impl Ticker {
    /// Starts the clock and its thread.
    ///
    /// # Errors
    /// When the system can't start a thread. A host can't do without a ticker: deadlines would never pass.
    pub(super) fn start(engine: &Engine) -> std::io::Result<Self> {
        let clock = Arc::new(EpochClock::default());
        let (ticking, engine) = (Arc::clone(&clock), engine.weak());
        thread::Builder::new().name("epoch".to_owned()).spawn(move || {
            while ticking.wait_until_something_runs() {
                let start = Instant::now();
                let mut epoch = 0;
                while ticking.wait_one_tick() {
                    let Some(engine) = engine.upgrade() else { return };
                    // Measured, not counted by the sleeps: a thread that was delayed catches up.
                    let due = ticks(start.elapsed());
                    for _ in epoch..due {
                        engine.increment_epoch();
                    }
                    epoch = due;
                }
            }
        })?;
        Ok(Self { clock })
    }

    /// Lets the clock run until the guard is dropped.
    pub(super) fn run(&self) -> TickerGuard {
        let mut state = self.clock.state();
        state.running = state.running.saturating_add(1);
        if state.running == 1 {
            self.clock.changed.notify_one();
        }
        TickerGuard { clock: Arc::clone(&self.clock) }
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.clock.state().ended = true;
        self.clock.changed.notify_one();
    }
}

impl Drop for TickerGuard {
    fn drop(&mut self) {
        let mut state = self.clock.state();
        state.running = state.running.saturating_sub(1);
    }
}

impl EpochClock {
    fn state(&self) -> MutexGuard<'_, ClockState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until a guest runs and returns `true`; `false` when the ticker is gone and no guest runs.
    fn wait_until_something_runs(&self) -> bool {
        let idle = |state: &mut ClockState| state.running == 0 && !state.ended;
        let state = self.changed.wait_while(self.state(), idle).unwrap_or_else(PoisonError::into_inner);
        state.running > 0
    }

    /// Waits one tick. Returns whether a guest still runs.
    fn wait_one_tick(&self) -> bool {
        let runs = |state: &mut ClockState| state.running > 0;
        let waited = self.changed.wait_timeout_while(self.state(), EPOCH_TICK, runs);
        waited.unwrap_or_else(PoisonError::into_inner).0.running > 0
    }
}

/// The number of ticks in `time`, rounded up, at least one.
pub(super) fn ticks(time: Duration) -> u64 {
    number::fitting(time.as_nanos().div_ceil(EPOCH_TICK.as_nanos())).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tuning;

    #[test]
    fn the_clock_runs_while_a_guest_does() {
        let ticker = Ticker::start(&Engine::new(&tuning::config()).unwrap()).unwrap();
        assert!(!ticker.clock.wait_one_tick());
        let (first, second) = (ticker.run(), ticker.run());
        drop(first);
        assert!(ticker.clock.wait_until_something_runs() && ticker.clock.wait_one_tick());
        drop(second);
        assert!(!ticker.clock.wait_one_tick());
        let late = ticker.run();
        let clock = Arc::clone(&ticker.clock);
        drop(ticker);
        assert!(clock.wait_one_tick(), "a call that was given up still has a clock");
        drop(late);
        assert!(!clock.wait_until_something_runs(), "its thread ends");
    }
}
