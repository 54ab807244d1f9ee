//! Reads the table of the document.

use std::collections::BTreeSet;

const DOCUMENT: &str = include_str!("../../docs/failure-behaviour.md");

/// The heading of the table.
const COLUMNS: [&str; 7] = ["what fails", "class", "strict", "warn", "disabled", "exit", "the message holds"];

/// A row of the table.
#[derive(Debug)]
pub(crate) struct Promise {
    /// The failure.
    pub(crate) what: String,
    /// The words for machines, from backticks.
    pub(crate) classes: BTreeSet<String>,
    /// The effects in strict, warn and disabled; all are the same dash if the mode has no effect.
    pub(crate) modes: [String; 3],
    /// The exit code in strict.
    pub(crate) exit: Option<i32>,
    /// The things that the message must have.
    pub(crate) holds: Vec<String>,
}

/// Reads all rows.
#[track_caller]
pub(crate) fn read() -> Vec<Promise> {
    let (_, section) = DOCUMENT.split_once("\n## The table\n").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let mut lines = section.lines().filter(|line| line.starts_with('|')).map(cells);
    assert_eq!(lines.next().unwrap(), COLUMNS);
    lines.skip(1).map(promise).collect()
}

fn cells(line: &str) -> Vec<&str> {
    line.trim().trim_matches('|').split('|').map(str::trim).collect()
}

fn promise(cells: Vec<&str>) -> Promise {
    let [what, class, strict, warn, disabled, exit, holds] = cells[..] else { panic!("not seven columns: {cells:?}") };
    Promise {
        what: what.to_owned(),
        classes: class.split('`').skip(1).step_by(2).map(str::to_owned).collect(),
        modes: [strict, warn, disabled].map(str::to_owned),
        exit: (exit != "–").then(|| exit.parse().unwrap()),
        holds: holds.split(", ").map(str::to_owned).collect(),
    }
}
