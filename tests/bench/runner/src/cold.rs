//! Whole processes, all cases in turns: each round runs every case once, in another order.
//!
//! So whatever else the machine does meets all cases alike. Cases of one round are pairs, and the median of their ratios
//! says more than the ratio of two medians.

use crate::Result;
use crate::engines::Engine;
use crate::engines::cedar_cli;
use crate::plan::Plan;
use crate::process::Call;
use crate::process::Usage;
use crate::process::resident;
use crate::random::Random;
use crate::statistics::median;
use crate::statistics::minimum;
use crate::statistics::quantile;
use crate::world::CUSTOM;
use crate::world::Log;
use crate::world::World;

/// Rounds of the other cases for each in which smcp's policies are loaded and asked in a fresh process.
const ROUNDS_PER_FIRST: usize = 2;

/// The program that every case is compared with.
pub(crate) const HELLO: &str = "hello world, Rust";
pub(crate) const EVAL: &str = "`smcp policy eval`";
pub(crate) const EVAL_DISK: &str = "`smcp policy eval`, log on the disk";
pub(crate) const DRY_RUN: &str = "`smcp run --dry-run`";
pub(crate) const DRY_RUN_DISK: &str = "`smcp run --dry-run`, log on the disk";
pub(crate) const SERVER: &str = "the server alone";
pub(crate) const RUN: &str = "`smcp run`";
pub(crate) const RUN_DISK: &str = "`smcp run`, log on the disk";
pub(crate) const CEDAR_CLI: &str = "Cedar's command line";

/// What is measured of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Until {
    /// Its end.
    End,
    /// The first byte that it writes.
    FirstByte,
}

/// A case and its figures, one for each round.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) until: Until,
    call: Call,
    pub(crate) rounds: Vec<Usage>,
}

/// All figures of whole processes.
#[derive(Debug)]
pub(crate) struct Cold {
    cases: Vec<Case>,
    /// The names of the cases of peers, smcp's among them, in the order in which they are shown.
    pub(crate) peers: Vec<String>,
    /// From no engine to a decision of the three built-in policies, in a process of its own, ms.
    pub(crate) first: Vec<f64>,
    /// From the start to the first byte of a server with very many files, ms.
    pub(crate) large: Vec<f64>,
    /// What-if over the whole catalogue, s.
    pub(crate) what_if: Vec<f64>,
    /// The memory of `smcp run` while it waits, MiB.
    pub(crate) waiting: Vec<f64>,
}

impl Case {
    pub(crate) fn walls(&self) -> impl Iterator<Item = f64> {
        self.rounds.iter().map(|round| round.wall)
    }

    pub(crate) fn minimum(&self) -> f64 {
        minimum(self.walls())
    }

    pub(crate) fn wall(&self, part: f64) -> f64 {
        quantile(self.walls(), part)
    }

    pub(crate) fn median_of(&self, figure: impl Fn(&Usage) -> f64) -> f64 {
        median(self.rounds.iter().map(figure))
    }

    /// The median of the ratios to another case of the same round.
    pub(crate) fn times(&self, other: &Self) -> f64 {
        median(self.walls().zip(other.walls()).map(|(this, other)| this / other))
    }

    /// The median of what it needs more than another case of the same round, ms.
    pub(crate) fn more_than(&self, other: &Self) -> f64 {
        median(self.walls().zip(other.walls()).map(|(this, other)| this - other))
    }

    fn measure(&mut self) -> Result<()> {
        self.rounds.push(match self.until {
            Until::End => self.call.whole()?,
            Until::FirstByte => self.call.first_byte()?,
        });
        Ok(())
    }
}

/// The name of the case with so many policies of one's own.
pub(crate) fn custom(count: usize) -> String {
    format!("{EVAL}, {count} more {}", if count == 1 { "policy" } else { "policies" })
}

fn cases(plan: &Plan, world: &World, engines: &[Engine]) -> Vec<Case> {
    let case = |name: &str, until, call| Case { name: name.to_owned(), until, call, rounds: Vec::new() };
    let whole = |name: &str, call| case(name, Until::End, call);
    let facts = world.facts.display().to_string();
    let mut cases = vec![whole(HELLO, world.in_home(Call::new(&plan.hello, &[])))];
    cases.extend(plan.hello_c.as_ref().map(|hello| whole("hello world, C", world.in_home(Call::new(hello, &[])))));
    let once = |engine: &Engine| whole(engine.name, engine.call.clone().with(&["once", &facts]));
    cases.extend(engines.iter().filter(|engine| engine.cold).map(once));
    cases.extend(cedar_cli(plan, world, &world.text("request.json")).map(|call| whole(CEDAR_CLI, call)));
    cases.push(whole(EVAL, world.eval(Log::Memory, 0)));
    cases.push(whole(EVAL_DISK, world.eval(Log::Disk, 0)));
    cases.push(whole(DRY_RUN, world.run(Log::Memory).with(&["--dry-run"])));
    cases.push(whole(DRY_RUN_DISK, world.run(Log::Disk).with(&["--dry-run"])));
    cases.extend(CUSTOM.map(|count| whole(&custom(count), world.eval(Log::Memory, count))));
    cases.push(case(SERVER, Until::FirstByte, world.in_home(Call::new(&plan.server, &[]))));
    cases.push(case(RUN, Until::FirstByte, world.run(Log::Memory)));
    cases.push(case(RUN_DISK, Until::FirstByte, world.run(Log::Disk)));
    cases
}

impl Cold {
    pub(crate) fn measure(plan: &Plan, world: &World, engines: &[Engine]) -> Result<Self> {
        let mut cases = cases(plan, world, engines);
        let is_peer = |case: &&Case| case.until == Until::End && !case.name.contains("more polic");
        let peers = cases.iter().filter(is_peer).map(|case| case.name.clone()).collect();
        // The first run of each compiles, downloads and keeps what the others find.
        for case in &mut cases {
            case.measure()?;
            case.rounds.clear();
        }
        let mut random = Random::new(1);
        for _ in 0..plan.rounds {
            let mut order: Vec<_> = cases.iter_mut().collect();
            random.shuffle(&mut order);
            order.into_iter().try_for_each(Case::measure)?;
        }
        let first = first_decisions(plan, world)?;
        let rounds = if plan.quick { 1 } else { 5 };
        world.run_large().first_byte()?;
        let large = (0..rounds).map(|_| Ok(world.run_large().first_byte()?.wall)).collect::<Result<_>>()?;
        let what_if = what_if(world, rounds)?;
        let waiting = |_| Ok(world.run(Log::Memory).until_first_byte(resident)?.1);
        let waiting = (0..rounds).map(waiting).collect::<Result<_>>()?;
        Ok(Self { cases, peers, first, large, what_if, waiting })
    }

    pub(crate) fn case(&self, name: &str) -> Option<&Case> {
        self.cases.iter().find(|case| case.name == name)
    }

    /// The cases with policies of one's own, and how many those are.
    pub(crate) fn custom(&self) -> impl Iterator<Item = (usize, &Case)> {
        CUSTOM.iter().filter_map(|&count| Some((count, self.case(&custom(count))?)))
    }

    /// Those that judge and are not smcp.
    pub(crate) fn others(&self) -> impl Iterator<Item = &Case> {
        let judges = |name: &&String| !name.starts_with("hello") && !name.contains("smcp") && *name != "native Rust";
        self.peers.iter().filter(judges).filter_map(|name| self.case(name))
    }
}

fn first_decisions(plan: &Plan, world: &World) -> Result<Vec<f64>> {
    let (facts, store) = (world.facts.display().to_string(), world.text("first"));
    let call = world.in_home(Call::new(&plan.decisions, &["three", "first", &facts, &store]));
    let first = |_| Ok(call.output(&[0])?.trim().parse::<f64>()? / 1e6);
    call.output(&[0])?;
    (0..plan.rounds.div_ceil(ROUNDS_PER_FIRST)).map(first).collect()
}

/// Measures what-if, once it is certain that every package of the catalogue was judged.
fn what_if(world: &World, rounds: usize) -> Result<Vec<f64>> {
    let call = world.what_if();
    let told: serde_json::Value = serde_json::from_str(&call.output(&[0])?)?;
    let counted = |name| told.pointer(&format!("/summary/{name}")).and_then(serde_json::Value::as_u64);
    if counted("packages") != u64::try_from(world.catalogue).ok() || counted("newly_blocked") == Some(0) {
        return Err(format!("what-if did not judge {} packages", world.catalogue).into());
    }
    (0..rounds).map(|_| Ok(call.whole()?.wall / 1e3)).collect()
}
