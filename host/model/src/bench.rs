//! What a policy costs, and whether that is more than before.
//!
//! `cases` measures, `report` shows the figures. What they are held against is the same document, read from a file.

use std::time::Duration;

use serde::Deserialize;
use serde::Serialize;

use crate::digest::Digest;
use crate::number;
use crate::text::SafeText;

/// What one policy costs, under the conditions that it was measured in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measurement {
    /// The policy's own name.
    pub policy: SafeText,
    /// The policy's own version.
    pub version: SafeText,
    /// The digest of its component.
    pub digest: Digest,
    /// What has to be the same in figures that are compared.
    pub conditions: Conditions,
    /// The codes of what it found wrong with the facts: another verdict is another way through the policy.
    pub violations: Vec<SafeText>,
    /// The codes of its remarks.
    pub notices: Vec<SafeText>,
    /// To load it as a start does, with its compiled code in the store: find, map, check, link.
    pub load: Times,
    /// The first call of `evaluate` after a load.
    pub first_call: Times,
    /// The further calls, each in a fresh instance.
    pub warm_call: Times,
    /// The most linear memory that one call asked for, bytes, globals included.
    pub memory: u64,
    /// The most that it may ask for, bytes.
    pub memory_limit: u64,
    /// Its compiled code, bytes.
    pub compiled_size: u64,
    /// Its component, bytes.
    pub component_size: u64,
}

/// The conditions of a measurement. Figures under different ones say nothing about the policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conditions {
    /// The version of smcp.
    pub smcp: SafeText,
    /// Identifies the engine that compiles and runs policies.
    pub engine: Digest,
    /// The processor and the system that smcp was built for, such as `x86_64-linux`.
    pub architecture: SafeText,
    /// The digest of the settings, as JSON.
    pub settings: Digest,
    /// The digest of the facts, as JSON.
    pub facts: Digest,
}

/// How long something takes that was done several times. Percentiles are times that were measured: the nearest rank.
// INVARIANT: minimum <= median <= 99th percentile, of at least one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawTimes")]
pub struct Times {
    count: u64,
    minimum_ns: u64,
    median_ns: u64,
    p99_ns: u64,
}

/// Times as a file has them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTimes {
    count: u64,
    minimum_ns: u64,
    median_ns: u64,
    p99_ns: u64,
}

impl TryFrom<RawTimes> for Times {
    type Error = &'static str;

    fn try_from(raw: RawTimes) -> Result<Self, Self::Error> {
        let RawTimes { count, minimum_ns, median_ns, p99_ns } = raw;
        if count == 0 || minimum_ns > median_ns || median_ns > p99_ns {
            return Err("times need a count, and minimum_ns <= median_ns <= p99_ns");
        }
        Ok(Self { count, minimum_ns, median_ns, p99_ns })
    }
}

impl Times {
    /// The times of something that was done at least once; `None` when it was not.
    pub fn of(mut times: Vec<Duration>) -> Option<Self> {
        times.sort_unstable();
        let ranked = |percent: usize| {
            let rank = times.len().saturating_mul(percent).div_ceil(100);
            times.get(rank.saturating_sub(1)).map(|time| number::fitting(time.as_nanos()))
        };
        Some(Self {
            count: number::wide(times.len()),
            minimum_ns: ranked(0)?,
            median_ns: ranked(50)?,
            p99_ns: ranked(99)?,
        })
    }

    /// How many times it was done.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// The least time. It is what is compared: whatever else the machine does can only add to a time.
    pub const fn minimum(&self) -> Duration {
        Duration::from_nanos(self.minimum_ns)
    }

    /// The time that half of them need at most.
    pub const fn median(&self) -> Duration {
        Duration::from_nanos(self.median_ns)
    }

    /// The time that 99 of 100 need at most.
    pub const fn p99(&self) -> Duration {
        Duration::from_nanos(self.p99_ns)
    }
}

/// A figure that is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Figure {
    /// The least time of a load, nanoseconds.
    Load,
    /// The least time of a first call, nanoseconds.
    FirstCall,
    /// The least time of a further call, nanoseconds.
    WarmCall,
    /// The most memory of a call, bytes.
    Memory,
    /// The size of the compiled code, bytes.
    CompiledSize,
    /// The size of the component, bytes.
    ComponentSize,
}

/// One figure, and what it was in the base.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Which one.
    pub figure: Figure,
    /// What it was.
    pub base: u64,
    /// What it is.
    pub now: u64,
    /// Whether it is above what it was by more than the tolerance.
    pub regressed: bool,
}

impl Change {
    fn of(figure: Figure, base: u64, now: u64, tolerance: u16) -> Self {
        let allowed = u128::from(base).saturating_mul(u128::from(tolerance).saturating_add(100));
        Self { figure, base, now, regressed: u128::from(now).saturating_mul(100) > allowed }
    }

    /// The change in whole percent of the base, towards zero; `None` from nothing to something.
    pub fn percent(&self) -> Option<i128> {
        let (base, now) = (i128::from(self.base), i128::from(self.now));
        if now == base {
            return Some(0);
        }
        now.saturating_sub(base).saturating_mul(100).checked_div(base)
    }
}

impl Measurement {
    /// Every figure that is compared: times by their minima.
    pub const fn figures(&self) -> [(Figure, u64); 6] {
        [
            (Figure::Load, self.load.minimum_ns),
            (Figure::FirstCall, self.first_call.minimum_ns),
            (Figure::WarmCall, self.warm_call.minimum_ns),
            (Figure::Memory, self.memory),
            (Figure::CompiledSize, self.compiled_size),
            (Figure::ComponentSize, self.component_size),
        ]
    }

    /// Holds every figure against that of a base. One regresses that is more than `tolerance` percent above it.
    pub fn against(&self, base: &Self, tolerance: u16) -> Vec<Change> {
        let both = self.figures().into_iter().zip(base.figures());
        both.map(|((figure, now), (_, base))| Change::of(figure, base, now, tolerance)).collect()
    }
}

impl Conditions {
    /// What a base was measured with, in words, where that is not what is here; `None` when nothing is different.
    pub fn difference(&self, base: &Self) -> Option<String> {
        let Self { smcp, engine, architecture, settings, facts } = base;
        if *smcp != self.smcp {
            return Some(format!("smcp {smcp}, and this is {}", self.smcp));
        }
        if *architecture != self.architecture {
            return Some(format!("{architecture}, and this is {}", self.architecture));
        }
        let others = [
            ("another engine", *engine != self.engine),
            ("other settings", *settings != self.settings),
            ("other facts", *facts != self.facts),
        ];
        others.into_iter().find_map(|(what, differs)| differs.then(|| what.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(nanos: &[u64]) -> Times {
        Times::of(nanos.iter().copied().map(Duration::from_nanos).collect()).unwrap()
    }

    #[test]
    fn percentiles_are_times_that_were_measured() {
        let hundred: Vec<u64> = (1..=100).rev().collect();
        for (nanos, expected) in [
            (&[7][..], (7, 7, 7)),
            (&[9, 1], (1, 1, 9)),
            (&[3, 1, 2], (1, 2, 3)),
            (&hundred[..], (1, 50, 99)),
            (&hundred[1..], (1, 50, 99)),
        ] {
            let found = times(nanos);
            assert_eq!((found.minimum_ns, found.median_ns, found.p99_ns), expected, "{nanos:?}");
            assert_eq!(found.count, number::wide(nanos.len()));
        }
        assert_eq!(Times::of(Vec::new()), None);
    }

    #[test]
    fn times_in_a_file_keep_the_law() {
        let read = |count, minimum, median, p99| {
            let document = serde_json::json!({
                "count": count, "minimum_ns": minimum, "median_ns": median, "p99_ns": p99
            });
            serde_json::from_value::<Times>(document).is_ok()
        };
        assert!(read(1, 1, 1, 1) && read(9, 0, 1, u64::MAX));
        assert!(!read(0, 1, 1, 1) && !read(9, 2, 1, 3) && !read(9, 1, 3, 2));
    }

    #[test]
    fn more_than_the_tolerance_is_a_regression() {
        for (base, now, tolerance, regressed, percent) in [
            (100, 100, 0, false, Some(0)),
            (100, 101, 0, true, Some(1)),
            (100, 125, 25, false, Some(25)),
            (100, 126, 25, true, Some(26)),
            // By less than a percent.
            (1_000, 1_251, 25, true, Some(25)),
            (50, 100, 25, true, Some(100)),
            (200, 100, 0, false, Some(-50)),
            (0, 0, 0, false, Some(0)),
            (0, 1, 1_000, true, None),
            (1, 11, 1_000, false, Some(1_000)),
            (u64::MAX, u64::MAX, 1_000, false, Some(0)),
            (1, u64::MAX, 1_000, true, Some(100 * (i128::from(u64::MAX) - 1))),
        ] {
            let change = Change::of(Figure::Memory, base, now, tolerance);
            assert_eq!((change.regressed, change.percent()), (regressed, percent), "{change:?} {tolerance}");
        }
    }
}
