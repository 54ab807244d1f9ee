//! `performance.md`: the figures as tables and plots. No figure in it is written by hand.

use std::fmt::Write as _;
use std::fs;

use crate::Result;
use crate::agreement::Agreed;
use crate::cold::Case;
use crate::cold::Cold;
use crate::cold::EVAL;
use crate::cold::HELLO;
use crate::cold::RUN;
use crate::cold::RUN_DISK;
use crate::cold::SERVER;
use crate::engines::SMCP;
use crate::engines::SMCP_ONE;
use crate::inputs;
use crate::machine::Machine;
use crate::plan::Plan;
use crate::plot::Bar;
use crate::plot::draw;
use crate::plot::shown;
use crate::relay::Relay;
use crate::say;
use crate::sizes::Sizes;
use crate::verdicts;
use crate::verdicts::Verdict;
use crate::warm::Figures;
use crate::warm::Pair;
use crate::warm::Warm;
use crate::world::World;

/// Everything that was measured.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) machine: Machine,
    pub(crate) load_at_the_end: String,
    pub(crate) world: World,
    pub(crate) agreed: Agreed,
    pub(crate) cold: Cold,
    pub(crate) warm: Warm,
    pub(crate) relay: Relay,
    pub(crate) sizes: Sizes,
}

pub(crate) fn write(plan: &Plan, measured: &Measured) -> Result<()> {
    let sections = [
        head(plan, measured),
        budgets(measured),
        cold(plan, measured),
        starts(plan, measured),
        custom(measured),
        warm(measured),
        relay(&measured.relay),
        sizes(&measured.sizes),
        conditions(plan, measured),
    ];
    let pictures = plan.output.join("performance");
    fs::create_dir_all(&pictures)?;
    let bar = |case: &Case| Bar { name: case.name.clone(), figure: case.minimum(), median: case.wall(0.5) };
    let found = &measured.cold;
    let cases = found.peers.iter().filter_map(|name| found.case(name)).map(bar).collect::<Vec<_>>();
    let note = "One decision, whole process. Bar: minimum, mark: median.";
    fs::write(pictures.join("cold.svg"), draw("From exec to decision", note, "ms", &cases))?;
    let starts = [SERVER, RUN, RUN_DISK].iter().filter_map(|name| found.case(name)).map(bar).collect::<Vec<_>>();
    let note = "From exec to the first byte of a trivial server. Bar: minimum, mark: median.";
    fs::write(pictures.join("run.svg"), draw("Starting a server", note, "ms", &starts))?;
    let custom = found.case(EVAL).into_iter().chain(found.custom().map(|(_, case)| case)).map(bar).collect::<Vec<_>>();
    let note = "Three built-in policies and more of one's own, compiled before. Bar: minimum, mark: median.";
    fs::write(pictures.join("custom.svg"), draw("More policies", note, "ms", &custom))?;
    let warm = in_order(&measured.warm).into_iter().map(|(name, figures)| {
        let Pair { minimum, median } = figures.decision;
        Bar { name: name.to_owned(), figure: minimum, median }
    });
    let note = "One decision of a loaded engine. Bar: minimum, mark: median.";
    fs::write(pictures.join("warm.svg"), draw("Loaded once, deciding often", note, "µs", &warm.collect::<Vec<_>>()))?;
    let page = plan.output.join("performance.md");
    fs::write(&page, sections.join("\n"))?;
    say(&format!("{} is written", page.display()));
    Ok(())
}

fn head(plan: &Plan, measured: &Measured) -> String {
    let Agreed { engines, by_processes, decisions } = &measured.agreed;
    let counts = decisions.iter().map(|(word, count)| format!("`{word}` {count}")).collect::<Vec<_>>().join(", ");
    let mut text = format!(
        "# Performance\n\nWritten by `{}` on {}. Don't edit: run it again.\n\nThe three built-in checks (origin, certification, \
         score), with the same settings, in smcp and in what else one would take for them. Before anything was measured, \
         {engines} engines decided on {} inputs, and all decisions were the same, code by code; {by_processes} of the inputs \
         were decided by whole processes of `smcp policy eval`{} too. The decisions: {counts}.\n",
        plan.command,
        measured.machine.date,
        inputs::COUNT,
        if plan.cedar_cli.is_some() { " and of Cedar's command line" } else { "" },
    );
    for left in &plan.left_out {
        let _infallible = write!(text, "\n**{} was left out**: {}.\n", left.peer, left.reason);
    }
    text
}

fn budgets(measured: &Measured) -> String {
    let mut text = "## Budgets\n\nA ratio or a difference of processes is the median of what one round says; beside it stands that \
                    of the minima, which a busy machine changes less. What has one figure is a median, unless the line says \
                    another.\n\n| what | budget | figure | of minima | |\n|---|---:|---:|---:|---|\n"
        .to_owned();
    for Verdict { what, budget, figure, of_minima, met } in verdicts::all(measured) {
        let met = met.map_or("", |met| if met { "met" } else { "**not met**" });
        let _infallible = writeln!(text, "| {what} | {budget} | {figure} | {of_minima} | {met} |");
    }
    text
}

/// The columns of processes; `reference` is what they are compared with.
fn processes<'a>(cases: impl IntoIterator<Item = &'a Case>, reference: &Case) -> String {
    let by = reference.name.split(',').next().unwrap_or_default();
    let mut text = format!(
        "| case | min, ms | p50, ms | p90, ms | CPU p50, ms | page faults | switches | min ÷ {by} | median of pairs ÷ {by} |\n\
         |---|---:|---:|---:|---:|---:|---:|---:|---:|\n"
    );
    for case in cases {
        let figures = [case.minimum(), case.wall(0.5), case.wall(0.9), case.median_of(|round| round.cpu)];
        let figures = figures.map(|figure| format!("{figure:.2}")).join(" | ");
        let (faults, switches) = (case.median_of(|round| round.faults), case.median_of(|round| round.switches));
        let (minima, pairs) = (case.minimum() / reference.minimum(), case.times(reference));
        let _infallible =
            writeln!(text, "| {} | {figures} | {faults:.0} | {switches:.0} | {minima:.2} | {pairs:.2} |", case.name);
    }
    text
}

fn cold(plan: &Plan, measured: &Measured) -> String {
    let found = &measured.cold;
    let Some(hello) = found.case(HELLO) else { return String::new() };
    let table = processes(found.peers.iter().filter_map(|name| found.case(name)), hello);
    format!(
        "## From exec to decision\n\n![Whole processes](performance/cold.svg)\n\nA process starts, loads its policies, reads the \
         facts of one package from a file, says the decision and ends. {} rounds; in each round every case runs once, in \
         another order, and a pair is two cases of one round. On a busy machine the minima, the CPU time and the pairs are \
         what to compare.\n\n{table}\nEvery program is a copy, made right before, as `cargo install` makes one. smcp has its \
         audit log in memory (tmpfs) unless a line says otherwise, writes a record of each decision, and runs each policy in \
         an instance of its own. The others keep no log. Extism has its cache of compiled code. Cedar has no function for the \
         case of a text, so its origins are folded by the caller. The peers are built with the features and the release \
         profile that they have by default.\n",
        plan.rounds
    )
}

fn starts(plan: &Plan, measured: &Measured) -> String {
    let found = &measured.cold;
    let Some(server) = found.case(SERVER) else { return String::new() };
    let table = processes([SERVER, RUN, RUN_DISK].iter().filter_map(|name| found.case(name)), server);
    format!(
        "## Starting a server\n\n![To the first byte](performance/run.svg)\n\nThe package is cached; the time ends when the \
         client has the first byte of a server that writes one at once. CPU time, faults and switches are those of smcp and \
         the server, to their end. {} rounds, as above.\n\n{table}",
        plan.rounds
    )
}

fn custom(measured: &Measured) -> String {
    let found = &measured.cold;
    let Some(eval) = found.case(EVAL) else { return String::new() };
    let mut text = format!(
        "## More policies\n\n![More policies](performance/custom.svg)\n\n`smcp policy eval` with further policies of one's own: \
         distinct components of {:.1} KiB, compiled before.\n\n| further policies | min, ms | p50, ms | CPU p50, ms | more than \
         without, ms | for each, ms |\n|---:|---:|---:|---:|---:|---:|\n",
        measured.world.custom_size as f64 / 1024.0
    );
    for (count, case) in [(0, eval)].into_iter().chain(found.custom()) {
        let more = case.more_than(eval);
        let cells = if count == 0 { "– | –".to_owned() } else { format!("{more:.2} | {:.3}", more / count as f64) };
        let (minimum, median, cpu) = (case.minimum(), case.wall(0.5), case.median_of(|round| round.cpu));
        let _infallible = writeln!(text, "| {count} | {minimum:.2} | {median:.2} | {cpu:.2} | {cells} |");
    }
    text
}

/// The engines, the fastest first.
fn in_order(warm: &Warm) -> Vec<(&'static str, Figures)> {
    let mut engines: Vec<_> = warm.engines.iter().map(|(name, figures)| (*name, *figures)).collect();
    engines.sort_by(|(_, one), (_, other)| one.decision.minimum.total_cmp(&other.decision.minimum));
    engines
}

fn warm(measured: &Measured) -> String {
    let mut text = format!(
        "## Loaded once, deciding often\n\n![Loaded engines](performance/warm.svg)\n\nThe same {} inputs in each of {} rounds, \
         µs for one decision. The minimum is that of each twenty inputs, together. `{SMCP}` makes a fresh instance for every policy \
         and decision, which nothing survives, in the pool of a host that decides often; `{SMCP_ONE}` is one policy of the three. \
         Facts are in the engine's own form, or are read from JSON first.\n\n| engine | decision, min, µs | p50, µs | with reading the facts, min, µs | p50, µs |\n\
         |---|---:|---:|---:|---:|\n",
        inputs::COUNT,
        measured.warm.rounds
    );
    for (name, Figures { whole, decision }) in in_order(&measured.warm) {
        let [one, two, three, four] = [decision.minimum, decision.median, whole.minimum, whole.median].map(shown);
        let _infallible = writeln!(text, "| {name} | {one} | {two} | {three} | {four} |");
    }
    text
}

fn relay(relay: &Relay) -> String {
    let mut text = "## The relay\n\nWhen the model is warned, smcp stands between client and server; else there is no relay. \
                    Compared are smcp and `cat` in both directions, or nothing, in turns (`cargo bench -p smcp --bench relay`).\n\n\
                    | what | smcp | without | reached |\n|---|---:|---:|---:|\n"
        .to_owned();
    for row in &relay.0 {
        let _infallible = writeln!(text, "| {} | {} | {} | {} |", row.what, row.smcp, row.without, row.reached);
    }
    text
}

fn sizes(sizes: &Sizes) -> String {
    let Some(programs) = &sizes.0 else {
        return "## Sizes\n\nThis machine has no `strip`, so no sizes were compared.\n".to_owned();
    };
    let mut text = "## Sizes\n\nThe programs without symbols.\n\n| program | MiB |\n|---|---:|\n".to_owned();
    for (name, size) in programs {
        let _infallible = writeln!(text, "| {name} | {size:.1} |");
    }
    text
}

fn conditions(plan: &Plan, measured: &Measured) -> String {
    let machine = &measured.machine;
    let pagemap = if machine.has_pagemap_scan { "has" } else { "has no" };
    let mut text = format!(
        "## Machine and versions\n\n| | |\n|---|---|\n| processor | {}, {} cores |\n| memory | {:.1} GiB |\n| kernel | Linux {} \
         ({pagemap} PAGEMAP_SCAN) |\n| load at the begin, at the end | {}; {} (means of 1, 5 and 15 minutes) |\n",
        machine.processor,
        machine.cores,
        machine.memory,
        machine.kernel,
        machine.load_at_the_begin,
        measured.load_at_the_end
    );
    for (name, version) in &machine.versions {
        let _infallible = writeln!(text, "| {name} | {version} |");
    }
    let quick = if plan.quick { " This was a quick run: its figures say only that everything works." } else { "" };
    let _infallible = writeln!(
        text,
        "\nThe sources of every case are in `tests/bench`, the versions of the peers in its lock file.{quick} A figure holds for \
         this machine and this day; compare figures of one run only."
    );
    text
}
