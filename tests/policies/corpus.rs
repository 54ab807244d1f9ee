//! The hostile policies: each a text in `tests/hostile`, with its limits, its fault, and words of the message.
//!
//! Each has the time of its limits and [`SLACK`], and the memory of its limits; `program` says how that is measured.

mod deadline;
mod interface;
mod limit;
mod load;
mod memory;
mod output;
mod trap;

use std::time::Duration;

use crate::trial::PATIENT;
use smcp_model::limits::PolicyLimits;
use smcp_model::verdict::FaultKind;

/// The text, its limits, the fault, and words of the message.
pub(crate) type Row = (&'static str, PolicyLimits, FaultKind, &'static str);

/// Memory for answers that are in bounds, and too large for another reason.
const ROOMY: PolicyLimits = PolicyLimits { memory: PolicyLimits::CEILING.memory, ..PATIENT };

/// One memory less than a policy with two parts and an adapter between them has.
const TWO_MEMORIES: PolicyLimits = PolicyLimits { memories: 2, ..PATIENT };

/// The time that a policy may take beyond that of its limits: it is compiled and waits for a processor, on a machine that
/// does ten other things.
pub(crate) const SLACK: Duration = Duration::from_secs(30);

/// Policies that pass every check before the compiler, and cost it more than this process should give: `compiler` has
/// them compiled in a child with limits. The first costs minutes of time, the second hundreds of megabytes.
pub(crate) const NEEDS_CHILD: [&str; 2] = ["child-loops-in-loops", "child-everything-at-once"];

/// Every policy that ends in a fault, by the kind of it.
pub(crate) fn rows() -> impl Iterator<Item = &'static Row> {
    [deadline::ROWS, memory::ROWS, trap::ROWS, output::ROWS, limit::ROWS, load::ROWS, interface::ROWS]
        .into_iter()
        .flatten()
}

pub(crate) fn files() -> Vec<&'static str> {
    rows().map(|(file, ..)| *file).chain(NEEDS_CHILD).collect()
}
