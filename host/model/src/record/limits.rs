//! The resources that a policy could use, as a record has them.

use std::time::Duration;

use crate::limits::PolicyLimits;
use crate::number;

/// The resources that a policy could use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct LimitsRecord {
    /// Microseconds.
    pub time_us: u64,
    /// Linear memory, bytes.
    pub memory: usize,
    /// Linear memories. Records of the time before it was written had one.
    #[serde(default = "one_memory")]
    pub memories: usize,
    /// Core instances.
    pub instances: usize,
    /// Its file, bytes.
    pub component_size: usize,
    /// Its answer, bytes.
    pub output: usize,
}

const fn one_memory() -> usize {
    1
}

impl LimitsRecord {
    /// The record of these limits.
    pub(super) fn of(limits: &PolicyLimits) -> Self {
        let PolicyLimits { time, memory, memories, instances, component_size, output } = *limits;
        Self { time_us: number::micros(time), memory, memories, instances, component_size, output }
    }

    /// The limits themselves.
    pub(super) const fn limits(&self) -> PolicyLimits {
        let Self { time_us, memory, memories, instances, component_size, output } = *self;
        PolicyLimits { time: Duration::from_micros(time_us), memory, memories, instances, component_size, output }
    }
}
