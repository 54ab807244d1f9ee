//! The budgets, and whether the figures keep them.

use crate::cold::DRY_RUN;
use crate::cold::EVAL;
use crate::cold::HELLO;
use crate::cold::RUN;
use crate::cold::RUN_DISK;
use crate::cold::SERVER;
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
    /// `None` when it was not measured.
    pub(crate) met: Option<bool>,
}

fn below(what: &str, figure: Option<f64>, budget: f64, unit: &str) -> Verdict {
    let figure = figure.filter(|figure| figure.is_finite());
    Verdict {
        what: what.to_owned(),
        budget: format!("under {budget}{unit}"),
        figure: figure.map_or_else(|| "–".to_owned(), |figure| format!("{}{unit}", shown(figure))),
        met: figure.map(|figure| figure < budget),
    }
}

fn at_least(what: &str, figure: Option<f64>, budget: f64) -> Verdict {
    let figure = figure.filter(|figure| figure.is_finite());
    Verdict {
        what: what.to_owned(),
        budget: format!("at least {budget}"),
        figure: figure.map_or_else(|| "–".to_owned(), shown),
        met: figure.map(|figure| figure >= budget),
    }
}

/// All budgets, in the order of the page. A figure is the median of the differences or ratios within the rounds, unless the
/// text says another.
pub(crate) fn all(measured: &Measured) -> Vec<Verdict> {
    let Measured { machine, cold, warm, relay, sizes, .. } = measured;
    let times = |name, other| Some(cold.case(name)?.times(cold.case(other)?));
    let more = |name, other| Some(cold.case(name)?.more_than(cold.case(other)?));
    let custom = |count: usize| cold.custom().find(|(found, _)| *found == count).map(|(_, case)| case);
    let hundred = custom(100).and_then(|case| Some(case.more_than(cold.case(EVAL)?)));
    let warm_minimum = |engine| warm.of(engine).map(|figures| figures.decision.minimum);
    let (one, three) = if machine.has_pagemap_scan { (12.0, 36.0) } else { (23.0, 70.0) };
    let mut verdicts = vec![
        below(
            "exec to decision, three built-in policies, `policy eval`, by hello world",
            times(EVAL, HELLO),
            2.2,
            " ×",
        ),
        below("the same, `run --dry-run` of a cached package", times(DRY_RUN, HELLO), 2.2, " ×"),
    ];
    verdicts.extend(cold.others().map(|other| {
        let what = format!("`policy eval`, by a process of {}", other.name);
        below(&what, times(EVAL, &other.name), 1.0, " ×")
    }));
    verdicts.extend([
        below("what the policies add inside the process", Some(median(cold.first.iter().copied())), 0.6, " ms"),
        below("`run` to the server's first byte, more than the server alone", more(RUN, SERVER), 2.5, " ms"),
        Verdict {
            what: "the same with the log on a disk, more than in memory".to_owned(),
            budget: "one sync".to_owned(),
            figure: more(RUN_DISK, RUN).map_or_else(|| "–".to_owned(), |figure| format!("{} ms", shown(figure))),
            met: None,
        },
        below("each further policy, warm store", hundred.map(|hundred| hundred / 100.0), 0.2, " ms"),
        below("100 of them", hundred, 25.0, " ms"),
        below(
            "one evaluation in a fresh instance, warm, one built-in policy (minimum)",
            warm_minimum(SMCP_ONE),
            one,
            " µs",
        ),
        below("all three (minimum)", warm_minimum(SMCP), three, " µs"),
        Verdict {
            what: "what-if, 100,000 packages, two configurations, two cores".to_owned(),
            budget: "under 10 s".to_owned(),
            figure: "no command yet".to_owned(),
            met: None,
        },
        below(
            &format!("a package of {} files, cached, to the server's first byte", measured.world.large_files),
            Some(median(cold.large.iter().copied()) / 1e3),
            1.0,
            " s",
        ),
        at_least("relay, server to client, by `cat`", relay.reached("server to client"), 0.95),
        at_least("relay, client to server, by `cat`", relay.reached("client to server"), 0.95),
        below("a round trip through the relay, more than without", relay.reached("a round trip"), 30.0, " µs"),
        below("memory of `smcp run` while it waits", Some(median(cold.waiting.iter().copied())), 9.0, " MiB"),
        below("the program, without symbols", sizes.smcp(), 20.0, " MiB"),
    ]);
    verdicts
}
