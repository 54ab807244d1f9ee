//! Engines that have loaded their policies: what one decision costs them.

use std::collections::BTreeMap;

use crate::Result;
use crate::engines::Engine;
use crate::plan::Plan;
use crate::random::Random;
use crate::statistics::median;
use crate::statistics::minimum;
use crate::world::World;

/// Processes of each engine, in turns; and rounds over all inputs in each.
const PROCESSES: usize = 8;
const ROUNDS: usize = 8;

/// Minimum and median of one decision, µs: the minimum of all processes, and the median of their medians.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pair {
    pub(crate) minimum: f64,
    pub(crate) median: f64,
}

/// The figures of one engine.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Figures {
    /// From facts as JSON to the decision.
    pub(crate) whole: Pair,
    /// From facts in the engine's own form.
    pub(crate) decision: Pair,
}

/// The figures of all engines.
#[derive(Debug)]
pub(crate) struct Warm {
    pub(crate) engines: BTreeMap<&'static str, Figures>,
    /// How many rounds each of them had.
    pub(crate) rounds: usize,
}

impl Warm {
    pub(crate) fn measure(plan: &Plan, world: &World, engines: &[Engine]) -> Result<Self> {
        let (processes, rounds) = if plan.quick { (1, 1) } else { (PROCESSES, ROUNDS) };
        let inputs = world.inputs.display().to_string();
        let mut random = Random::new(2);
        let mut found = BTreeMap::<_, Vec<Vec<f64>>>::new();
        for _ in 0..processes {
            let mut order: Vec<_> = engines.iter().collect();
            random.shuffle(&mut order);
            for engine in order {
                let output = engine.call.clone().with(&["warm", &inputs, &rounds.to_string()]).output(&[0])?;
                let figures = output.split_whitespace().map(|figure| Ok(figure.parse::<f64>()? / 1e3));
                found.entry(engine.name).or_default().push(figures.collect::<Result<_>>()?);
            }
        }
        let engines = found.iter().map(|(name, processes)| (*name, figures(processes))).collect();
        Ok(Self { engines, rounds: processes * rounds })
    }

    pub(crate) fn of(&self, engine: &str) -> Option<&Figures> {
        self.engines.get(engine)
    }
}

/// The four figures of each process, as `peer/src/lib.rs` prints them.
fn figures(processes: &[Vec<f64>]) -> Figures {
    let column = |number: usize| processes.iter().filter_map(move |process| process.get(number).copied());
    let pair = |first| Pair { minimum: minimum(column(first)), median: median(column(first + 1)) };
    Figures { whole: pair(0), decision: pair(2) }
}
