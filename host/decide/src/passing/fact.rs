//! The facts of a package that a change can be about, each with its values.
//!
//! Nothing here knows a policy: which values are tried follows from the fact itself, and from the words and numbers in a
//! policy's settings.

use std::collections::BTreeSet;

use serde_json::Value;
use serde_json::json;

use super::ITEMS_AT_ONCE;
use smcp_model::facts::CertLevel;
use smcp_model::facts::Origin;
use smcp_model::facts::Score;
use smcp_model::facts::SeverityCounts;
use smcp_model::facts::Status;
use smcp_model::manifest::Permissions;
use smcp_model::manifest::Transport;
use smcp_model::request::Subject;

/// So many counts of findings below the known one are tried, and so many words and numbers of settings.
const TRIED: usize = 64;

/// A fact that a change can be about. The order is that in which they are tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fact {
    /// The kind of the publisher.
    Origin,
    /// The certification level.
    CertLevel,
    /// The score.
    Score,
    /// The part of the score about the code.
    SecurityScore,
    /// The part of the score about dependencies and build.
    SupplyChainScore,
    /// The part of the score about maintenance.
    MaturityScore,
    /// The number of critical findings.
    Critical,
    /// The number of high findings.
    High,
    /// The number of medium findings.
    Medium,
    /// The number of low findings.
    Low,
    /// The status.
    Status,
    /// The hosts that it may reach.
    Network,
    /// The paths that it may read.
    FilesystemRead,
    /// The paths that it may write.
    FilesystemWrite,
    /// The variables that it may have.
    Environment,
    /// Whether it may start other processes.
    Subprocess,
    /// The transport.
    Transport,
    /// The command that starts it.
    Command,
}

impl Fact {
    /// Every fact, in the order in which they are tried.
    pub(super) const ALL: [Self; 18] = [
        Self::Origin,
        Self::CertLevel,
        Self::Score,
        Self::SecurityScore,
        Self::SupplyChainScore,
        Self::MaturityScore,
        Self::Critical,
        Self::High,
        Self::Medium,
        Self::Low,
        Self::Status,
        Self::Network,
        Self::FilesystemRead,
        Self::FilesystemWrite,
        Self::Environment,
        Self::Subprocess,
        Self::Transport,
        Self::Command,
    ];

    /// Its name: the path of its key in a facts document.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Origin => "origin",
            Self::CertLevel => "cert_level",
            Self::Score => "score",
            Self::SecurityScore => "security_score",
            Self::SupplyChainScore => "supply_chain_score",
            Self::MaturityScore => "maturity_score",
            Self::Critical => "findings.critical",
            Self::High => "findings.high",
            Self::Medium => "findings.medium",
            Self::Low => "findings.low",
            Self::Status => "status",
            Self::Network => "permissions.network",
            Self::FilesystemRead => "permissions.filesystem_read",
            Self::FilesystemWrite => "permissions.filesystem_write",
            Self::Environment => "permissions.environment",
            Self::Subprocess => "permissions.subprocess",
            Self::Transport => "transport",
            Self::Command => "entrypoint.command",
        }
    }

    /// Returns its value; `None` is unknown.
    pub(super) fn of(self, subject: &Subject) -> Option<Value> {
        let facts = &subject.facts;
        let score = |score: Option<Score>| score.map(|score| json!(score.get()));
        let count = |of: fn(&SeverityCounts) -> u32| facts.findings.as_ref().map(|counts| json!(of(counts)));
        let asked = |of: fn(&Permissions) -> Value| subject.permissions.as_ref().map(of);
        match self {
            Self::Origin => facts.origin.as_ref().map(|origin| json!(origin.word())),
            Self::CertLevel => facts.cert_level.map(|level| json!(level.get())),
            Self::Score => score(facts.score),
            Self::SecurityScore => score(facts.security_score),
            Self::SupplyChainScore => score(facts.supply_chain_score),
            Self::MaturityScore => score(facts.maturity_score),
            Self::Critical => count(|counts| counts.critical),
            Self::High => count(|counts| counts.high),
            Self::Medium => count(|counts| counts.medium),
            Self::Low => count(|counts| counts.low),
            Self::Status => facts.status.as_ref().map(|status| json!(status.as_str())),
            Self::Network => asked(|it| json!(it.network)),
            Self::FilesystemRead => asked(|it| json!(it.filesystem_read)),
            Self::FilesystemWrite => asked(|it| json!(it.filesystem_write)),
            Self::Environment => asked(|it| json!(it.environment)),
            Self::Subprocess => asked(|it| json!(it.subprocess)),
            Self::Transport => subject.transport.map(|transport| json!(transport.as_str())),
            Self::Command => subject.entrypoint.as_ref().map(|start| json!(start.command)),
        }
    }

    /// Gives it a value, which is one that the fact can have. A count or a permission of which the others are unknown makes
    /// them known: there is nothing of the others.
    pub(super) fn set(self, subject: &mut Subject, value: &Value) {
        let number = value.as_u64().unwrap_or_default();
        let word = value.as_str().unwrap_or_default();
        let texts = || value.as_array().into_iter().flatten().filter_map(|it| it.as_str().map(str::to_owned)).collect();
        let facts = &mut subject.facts;
        let count = u32::try_from(number).unwrap_or(u32::MAX);
        match self {
            Self::Origin => facts.origin = Origin::from_word(word),
            Self::CertLevel => facts.cert_level = CertLevel::new(number),
            Self::Score => facts.score = Score::new(number),
            Self::SecurityScore => facts.security_score = Score::new(number),
            Self::SupplyChainScore => facts.supply_chain_score = Score::new(number),
            Self::MaturityScore => facts.maturity_score = Score::new(number),
            Self::Critical => facts.findings.get_or_insert_default().critical = count,
            Self::High => facts.findings.get_or_insert_default().high = count,
            Self::Medium => facts.findings.get_or_insert_default().medium = count,
            Self::Low => facts.findings.get_or_insert_default().low = count,
            Self::Status => facts.status = Some(Status::from_word(word)),
            Self::Network => subject.permissions.get_or_insert_default().network = texts(),
            Self::FilesystemRead => subject.permissions.get_or_insert_default().filesystem_read = texts(),
            Self::FilesystemWrite => subject.permissions.get_or_insert_default().filesystem_write = texts(),
            Self::Environment => subject.permissions.get_or_insert_default().environment = texts(),
            Self::Subprocess => {
                subject.permissions.get_or_insert_default().subprocess = value.as_bool().unwrap_or_default();
            }
            Self::Transport => subject.transport = Transport::ALL.into_iter().find(|known| known.as_str() == word),
            Self::Command => word.clone_into(&mut subject.entrypoint.get_or_insert_default().command),
        }
    }

    /// Returns the values to try, without the one that it has: the nearest to it first.
    pub(super) fn candidates(self, subject: &Subject, hints: &Hints) -> Vec<Value> {
        let now = self.of(subject);
        let mut values = match self {
            Self::Origin => {
                let known = Origin::KNOWN.into_iter().rev().map(str::to_owned);
                known.chain(hints.words.iter().cloned()).map(Value::from).collect()
            }
            Self::CertLevel => numbers(now.as_ref(), (0..=CertLevel::MAX).map(u64::from)),
            Self::Score | Self::SecurityScore | Self::SupplyChainScore | Self::MaturityScore => {
                numbers(now.as_ref(), (0..=Score::MAX).map(u64::from))
            }
            Self::Critical | Self::High | Self::Medium | Self::Low => {
                let known = now.as_ref().and_then(Value::as_u64).unwrap_or_default();
                let below = (0..=known).rev().take(TRIED).chain([0]);
                let told = hints.numbers.iter().copied().filter(|number| u32::try_from(*number).is_ok());
                numbers(now.as_ref(), below.chain(told))
            }
            Self::Status => vec![json!(Status::Published.as_str()), json!(Status::Deprecated.as_str())],
            Self::Network | Self::FilesystemRead | Self::FilesystemWrite | Self::Environment => {
                lists(now.as_ref().and_then(Value::as_array), hints)
            }
            Self::Subprocess => vec![json!(false), json!(true)],
            Self::Transport => Transport::ALL.iter().map(|transport| json!(transport.as_str())).collect(),
            Self::Command => hints.words.iter().cloned().map(Value::from).collect(),
        };
        values.retain(|value| Some(value) != now.as_ref());
        values
    }

    /// Returns the values that are as good as the fact can be, by what the word means to everybody: for a change of many
    /// facts at once, of which the smallest part is kept.
    pub(super) fn best(self) -> Option<Value> {
        match self {
            Self::Origin | Self::Transport | Self::Command => None,
            Self::CertLevel => Some(json!(CertLevel::MAX)),
            Self::Score | Self::SecurityScore | Self::SupplyChainScore | Self::MaturityScore => Some(json!(Score::MAX)),
            Self::Critical | Self::High | Self::Medium | Self::Low => Some(json!(0)),
            Self::Status => Some(json!(Status::Published.as_str())),
            Self::Network | Self::FilesystemRead | Self::FilesystemWrite | Self::Environment => Some(json!([])),
            Self::Subprocess => Some(json!(false)),
        }
    }
}

/// Returns each number once, those nearest to the present value first; from zero where that is unknown.
fn numbers(now: Option<&Value>, values: impl Iterator<Item = u64>) -> Vec<Value> {
    let now = now.and_then(Value::as_u64).unwrap_or_default();
    let mut values: Vec<u64> = values.collect::<BTreeSet<_>>().into_iter().collect();
    // Of two that are as near, the higher one.
    values.sort_by_key(|value| (value.abs_diff(now), u64::MAX.saturating_sub(*value)));
    values.into_iter().map(Value::from).collect()
}

/// Returns shorter lists: each without one item, or of a long one without a part; the one of items that the settings name;
/// and the empty one.
fn lists(now: Option<&Vec<Value>>, hints: &Hints) -> Vec<Value> {
    let Some(now) = now else { return vec![json!([])] };
    let parts = TRIED.min(ITEMS_AT_ONCE / now.len().max(1)).max(1);
    let length = now.len().div_ceil(parts).max(1);
    let without = |from: usize| {
        let (before, rest) = now.split_at(from);
        before.iter().chain(rest.iter().skip(length)).cloned().collect::<Vec<_>>()
    };
    let named = |item: &&Value| item.as_str().is_some_and(|item| hints.words.contains(item));
    let kept: Vec<Value> = now.iter().filter(named).cloned().collect();
    let shorter = (0..now.len()).step_by(length).map(|from| Value::from(without(from)));
    shorter.chain([Value::from(kept), json!([])]).collect()
}

/// The words and numbers in a policy's settings: values that it may compare facts with.
#[derive(Debug, Clone, Default)]
pub struct Hints {
    words: BTreeSet<String>,
    numbers: BTreeSet<u64>,
}

impl Hints {
    /// Returns those of some settings.
    pub fn of(settings: &Value) -> Self {
        let mut hints = Self::default();
        hints.gather(settings);
        hints
    }

    fn gather(&mut self, settings: &Value) {
        match settings {
            Value::Null | Value::Bool(_) => {}
            Value::Number(number) => {
                let room = self.numbers.len() < TRIED;
                self.numbers.extend(number.as_u64().filter(|_| room));
            }
            Value::String(word) => {
                let word = word.trim();
                if !word.is_empty() && word.len() <= TRIED && self.words.len() < TRIED {
                    self.words.insert(word.to_owned());
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.gather(item)),
            Value::Object(members) => members.values().for_each(|item| self.gather(item)),
        }
    }
}
