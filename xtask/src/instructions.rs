//! Counts the instructions of what every start does, and compares them with those of before.
//!
//! Times differ from machine to machine and from minute to minute; the instructions of one program on one input hardly
//! do. `valgrind --tool=callgrind` counts those of the process, not of the system.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::Path;

use anyhow::Context as _;
use anyhow::bail;

use crate::callgrind::Bed;
use crate::callgrind::FACTS;
use crate::order;
use crate::say;

/// The counts that are compared with.
const BASELINE: &str = "host/benches/instructions.json";

/// How much a count may differ from its baseline, per cent.
const TOLERANCE: u64 = 5;

/// Cases in the shorter and the longer run whose difference is divided by the number of cases more.
const CASES: (u64, u64) = (10, 110);

type Counts = BTreeMap<String, u64>;

/// Counts, and fails where a count is more than [`TOLERANCE`] away from its baseline, in either direction: a gate that
/// became faster would otherwise be allowed to become slower again. With `accept` the counts are the new baseline.
pub(crate) fn compare(root: &Path, accept: bool) -> anyhow::Result<()> {
    let Some(bed) = Bed::make(root)? else { return Ok(()) };
    let found = count(&bed)?;
    let file = root.join(BASELINE);
    if accept {
        let text = format!("{}\n", serde_json::to_string_pretty(&found)?);
        return fs::write(&file, text).with_context(|| format!("`{BASELINE}` can't be written"));
    }
    let baseline: Counts = serde_json::from_slice(&fs::read(&file).with_context(|| format!("`{BASELINE}`"))?)?;
    let mut wrong = 0;
    for (name, count) in &found {
        let before = baseline.get(name).copied().unwrap_or_default();
        let holds = count.abs_diff(before).saturating_mul(100) <= before.saturating_mul(TOLERANCE);
        wrong += u32::from(!holds);
        say(&format!("  {} {name}: {count} instructions, before {before}", if holds { "✓" } else { "✗" }));
    }
    if wrong > 0 || found.len() != baseline.len() {
        bail!(
            "{wrong} counts are more than {TOLERANCE}% away from {BASELINE}\n  if that is meant, `cargo xtask \
             instructions --accept` writes the new ones; say why in the commit"
        );
    }
    order::check(&bed)
}

fn count(bed: &Bed) -> anyhow::Result<Counts> {
    let (few, many) = (count_cases(bed, CASES.0)?, count_cases(bed, CASES.1)?);
    Ok(Counts::from([
        ("policy eval".to_owned(), bed.count(&bed.eval())?),
        ("run --dry-run, cached".to_owned(), bed.count(&bed.dry_run())?),
        ("one further case of a built-in policy".to_owned(), many.abs_diff(few) / CASES.0.abs_diff(CASES.1)),
    ]))
}

/// The instructions of a run of so many cases of one policy.
fn count_cases(bed: &Bed, number: u64) -> anyhow::Result<u64> {
    let case =
        |number| format!("- {{name: case {number}, facts: {FACTS}, settings: {{min_score: 60}}, expect: allow}}\n");
    let cases: String = (0..number).map(case).collect();
    bed.write("cases.yaml", &format!("cases:\n{cases}"))?;
    bed.count(&["policy", "test", "--built-in", "score", "--cases", "cases.yaml"].map(OsStr::new))
}
