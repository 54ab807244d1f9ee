//! The budgets, and whether the figures keep them.

use crate::cold::Cold;
use crate::cold::DRY_RUN;
use crate::cold::EVAL;
use crate::cold::HELLO;
use crate::cold::RUN;
use crate::cold::RUN_DISK;
use crate::cold::SERVER;
use crate::cold::custom;
use crate::engines::SMCP;
use crate::engines::SMCP_ONE;
use crate::page::Measured;
use crate::plot::shown;
use crate::statistics::median;

/// One budget.
#[derive(Debug)]
pub(crate) struct Verdict {
    pub(crate) what: String,
    pub(crate) budget: String,
    pub(crate) figure: String,
    /// The same of the minima, where it is a ratio or a difference of processes.
    pub(crate) of_minima: String,
    /// `None` when it was not measured.
    pub(crate) met: Option<bool>,
}

/// A ratio or a difference of two cases: the median of that within the rounds, and that of the minima.
#[derive(Debug, Clone, Copy)]
struct Compared {
    median: f64,
    of_minima: f64,
}

impl Compared {
    fn map(self, of: impl Fn(f64) -> f64) -> Self {
        Self { median: of(self.median), of_minima: of(self.of_minima) }
    }
}

fn ratio(cold: &Cold, name: &str, other: &str) -> Option<Compared> {
    let (case, other) = (cold.case(name)?, cold.case(other)?);
    Some(Compared { median: case.times(other), of_minima: case.minimum() / other.minimum() })
}

fn difference(cold: &Cold, name: &str, other: &str) -> Option<Compared> {
    let (case, other) = (cold.case(name)?, cold.case(other)?);
    Some(Compared { median: case.more_than(other), of_minima: case.minimum() - other.minimum() })
}

fn told(figure: Option<f64>, unit: &str) -> String {
    figure.map_or_else(|| "–".to_owned(), |figure| format!("{}{unit}", shown(figure)))
}

fn below(what: &str, figure: Option<f64>, budget: f64, unit: &str) -> Verdict {
    let figure = figure.filter(|figure| figure.is_finite());
    Verdict {
        what: what.to_owned(),
        budget: format!("under {budget}{unit}"),
        figure: told(figure, unit),
        of_minima: String::new(),
        met: figure.map(|figure| figure < budget),
    }
}

fn compared(what: &str, figure: Option<Compared>, budget: f64, unit: &str) -> Verdict {
    let of_minima = told(figure.map(|figure| figure.of_minima), unit);
    Verdict { of_minima, ..below(what, figure.map(|figure| figure.median), budget, unit) }
}

fn at_least(what: &str, figure: Option<f64>, budget: f64) -> Verdict {
    let met = figure.map(|figure| figure >= budget);
    Verdict { budget: format!("at least {budget}"), met, ..below(what, figure, budget, "") }
}

/// All budgets, in the order of the page.
pub(crate) fn all(measured: &Measured) -> Vec<Verdict> {
    let Measured { machine, cold, warm, relay, sizes, world, .. } = measured;
    let hundred = difference(cold, &custom(100), EVAL);
    let warm_minimum = |engine| warm.of(engine).map(|figures| figures.decision.minimum);
    let (one, three) = if machine.has_pagemap_scan { (12.0, 36.0) } else { (23.0, 70.0) };
    let by_hello = |what, name| compared(what, ratio(cold, name, HELLO), 2.2, " ×");
    let mut verdicts = vec![
        by_hello("exec to decision, three built-in policies, `policy eval`, by hello world", EVAL),
        by_hello("the same, `run --dry-run` of a cached package", DRY_RUN),
    ];
    verdicts.extend(cold.others().map(|other| {
        let what = format!("`policy eval`, by a process of {}", other.name);
        compared(&what, ratio(cold, EVAL, &other.name), 1.0, " ×")
    }));
    let sync = difference(cold, RUN_DISK, RUN);
    let what_if = format!("what-if, {} packages, two configurations, {} cores", world.catalogue, machine.cores);
    let large = format!("a package of {} files, cached, to the server's first byte", world.large_files);
    verdicts.extend([
        below("what the policies add inside the process", Some(median(cold.first.iter().copied())), 0.6, " ms"),
        compared(
            "`run` to the server's first byte, more than the server alone",
            difference(cold, RUN, SERVER),
            2.5,
            " ms",
        ),
        Verdict {
            budget: "one sync".to_owned(),
            met: None,
            ..compared("the same with the log on a disk, more than in memory", sync, f64::INFINITY, " ms")
        },
        compared("each further policy, warm store", hundred.map(|it| it.map(|more| more / 100.0)), 0.2, " ms"),
        compared("100 of them", hundred, 25.0, " ms"),
        below(
            "a fresh instance for each evaluation, warm, one built-in policy (minimum)",
            warm_minimum(SMCP_ONE),
            one,
            " µs",
        ),
        below("the same, all three (minimum)", warm_minimum(SMCP), three, " µs"),
        below(&what_if, Some(median(cold.what_if.iter().copied())), 10.0, " s"),
        below(&large, Some(median(cold.large.iter().copied()) / 1e3), 1.0, " s"),
        at_least("relay, server to client, by `cat`", relay.reached("server to client"), 0.95),
        at_least("relay, client to server, by `cat`", relay.reached("client to server"), 0.95),
        below("a round trip through the relay, more than without", relay.reached("a round trip"), 30.0, " µs"),
        below("memory of `smcp run` while it waits", Some(median(cold.waiting.iter().copied())), 9.0, " MiB"),
        below("the program, without symbols", sizes.smcp(), 20.0, " MiB"),
    ]);
    verdicts
}
