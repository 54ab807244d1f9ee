//! Compares the decisions of all engines, measures them, and writes the page.
//!
//! Before it `cargo xtask bench` has built everything and written a plan; after it the page and its plots are there. Nothing
//! is measured before all engines have agreed on all inputs.

mod agreement;
mod cold;
mod engines;
mod inputs;
mod machine;
mod page;
mod plan;
mod plot;
mod process;
mod random;
mod relay;
mod sizes;
mod statistics;
mod verdicts;
mod warm;
mod world;

use std::error::Error;
use std::process::ExitCode;

use crate::cold::Cold;
use crate::machine::Machine;
use crate::page::Measured;
use crate::plan::Plan;
use crate::relay::Relay;
use crate::sizes::Sizes;
use crate::warm::Warm;
use crate::world::World;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    match execute() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn execute() -> Result<()> {
    let file = std::env::args().nth(1).ok_or("the argument is the file of the plan")?;
    let plan = Plan::read(&file)?;
    let machine = Machine::look(&plan)?;
    say("making packages, configurations and inputs");
    let world = World::make(&plan)?;
    let engines = engines::all(&plan, &world);
    say("comparing decisions");
    let agreed = agreement::compare(&plan, &world, &engines)?;
    say("measuring whole processes");
    let cold = Cold::measure(&plan, &world, &engines)?;
    say("measuring decisions of loaded engines");
    let warm = Warm::measure(&plan, &world, &engines)?;
    say("measuring the relay");
    let relay = Relay::measure(&plan)?;
    let sizes = Sizes::measure(&plan, &world, &engines)?;
    let load_at_the_end = machine::load()?;
    page::write(&plan, &Measured { machine, load_at_the_end, world, agreed, cold, warm, relay, sizes })
}

/// Tells the person who waits what is going on.
fn say(what: &str) {
    eprintln!("── {what}");
}
