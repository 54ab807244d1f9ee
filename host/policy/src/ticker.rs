//! The clock of the sandbox: advances the epoch while anything runs.

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

/// Advances an engine's epoch while anything runs, until it is dropped. While nothing runs its thread sleeps: a host
/// lives as long as its process, which may wait for a server for days.
#[derive(Debug)]
pub(super) struct Ticker {
    clock: Arc<Clock>,
}

/// Something that runs: the epoch advances as long as this exists.
#[derive(Debug)]
pub(super) struct Running {
    clock: Arc<Clock>,
}

#[derive(Debug, Default)]
struct Clock {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    running: usize,
    ended: bool,
}

impl Ticker {
    /// Makes the clock and its thread.
    ///
    /// # Errors
    /// When the system gives no thread. There is no host without a ticker: deadlines would never pass.
    pub(super) fn start(engine: &Engine) -> std::io::Result<Self> {
        let clock = Arc::new(Clock::default());
        let (hand, engine) = (Arc::clone(&clock), engine.weak());
        thread::Builder::new().name("epoch".to_owned()).spawn(move || {
            while hand.wait_until_something_runs() {
                let start = Instant::now();
                let mut epoch = 0;
                while hand.wait_one_tick() {
                    let Some(engine) = engine.upgrade() else { return };
                    // By the clock and not by counting naps: a thread that was held up catches up.
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

    /// Lets the clock run until what is returned is dropped.
    pub(super) fn run(&self) -> Running {
        let mut state = self.clock.state();
        state.running = state.running.saturating_add(1);
        if state.running == 1 {
            self.clock.changed.notify_one();
        }
        Running { clock: Arc::clone(&self.clock) }
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.clock.state().ended = true;
        self.clock.changed.notify_one();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut state = self.clock.state();
        state.running = state.running.saturating_sub(1);
    }
}

impl Clock {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether there is something to tick for; not when the ticker is gone, and with it everything that could run.
    fn wait_until_something_runs(&self) -> bool {
        let idle = |state: &mut State| state.running == 0 && !state.ended;
        let state = self.changed.wait_while(self.state(), idle).unwrap_or_else(PoisonError::into_inner);
        state.running > 0
    }

    /// Whether there still is, after one tick.
    fn wait_one_tick(&self) -> bool {
        let runs = |state: &mut State| state.running > 0;
        let waited = self.changed.wait_timeout_while(self.state(), EPOCH_TICK, runs);
        waited.unwrap_or_else(PoisonError::into_inner).0.running > 0
    }
}

/// How many ticks `time` takes, at least one.
pub(super) fn ticks(time: Duration) -> u64 {
    number::fitting(time.as_nanos().div_ceil(EPOCH_TICK.as_nanos())).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tuning;

    #[test]
    fn the_clock_runs_while_something_does() {
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
        assert!(clock.wait_one_tick(), "what was given up has a clock all the same");
        drop(late);
        assert!(!clock.wait_until_something_runs(), "its thread ends");
    }
}
