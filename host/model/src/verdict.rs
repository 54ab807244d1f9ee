//! What a policy can end in: findings, faults, outcomes.

use std::sync::Arc;
use std::time::Duration;

use crate::digest::Digest;
use crate::limits;
use crate::mode::Effect;
use crate::mode::Mode;
use crate::mode::OnWarn;
use crate::name::FindingCode;
use crate::name::PolicyName;
use crate::policy::LayerName;
use crate::policy::PolicySource;
use crate::policy::PolicySpec;
use crate::text::SafeText;
use crate::word::deserialize_word;
use crate::word::serialize_as_word;

/// One thing a policy says, sanitised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// A stable name for machines.
    pub code: FindingCode,
    /// One sentence for people.
    pub message: SafeText,
    /// The field of the subject it is about.
    pub fact: Option<SafeText>,
    /// What the reader can do about it.
    pub remedy: Option<SafeText>,
    /// Details for machines.
    pub extensions: Vec<(SafeText, SafeText)>,
}

/// The answer of a policy that did its work. No violations means that it allows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Reasons to refuse.
    pub violations: Vec<Finding>,
    /// Things worth saying that never block.
    pub notices: Vec<Finding>,
}

/// Why a policy could not do its work. A closed list: the same word in code, JSON and documents (spec section 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FaultKind {
    /// Missing, unreadable, not a component, too large, or does not compile.
    Load,
    /// Imports or exports that are not ours.
    Interface,
    /// The component refuses the settings.
    Settings,
    /// Ran past its deadline.
    Deadline,
    /// Asked for more linear memory than it may have.
    Memory,
    /// Recursed deeper than its stack.
    Stack,
    /// Passed a limit on tables, instances, handles or log lines.
    Limit,
    /// Returned too much, or something that contradicts the interface's rules.
    Output,
    /// Trapped.
    Trap,
    /// The host panicked while evaluating it.
    Panic,
}

impl FaultKind {
    /// Every kind, in the order of the spec.
    pub const ALL: [Self; 10] = [
        Self::Load,
        Self::Interface,
        Self::Settings,
        Self::Deadline,
        Self::Memory,
        Self::Stack,
        Self::Limit,
        Self::Output,
        Self::Trap,
        Self::Panic,
    ];

    /// The word used in JSON, messages and documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Load => "load",
            Self::Interface => "interface",
            Self::Settings => "settings",
            Self::Deadline => "deadline",
            Self::Memory => "memory",
            Self::Stack => "stack",
            Self::Limit => "limit",
            Self::Output => "output",
            Self::Trap => "trap",
            Self::Panic => "panic",
        }
    }
}

/// A policy that broke. It counts as a violation in the policy's mode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Which kind, from the closed list.
    pub kind: FaultKind,
    /// What happened, for people.
    pub message: SafeText,
    /// What to do about it.
    pub remedy: Option<SafeText>,
}

impl Fault {
    /// A fault without a remedy of its own. A message over [`limits::MESSAGE`] is cut: part of it may be a guest's text.
    pub fn new(kind: FaultKind, message: impl AsRef<str>) -> Self {
        Self { kind, message: SafeText::within(message.as_ref(), limits::MESSAGE), remedy: None }
    }

    /// The same fault with advice.
    #[must_use]
    pub fn remedy(self, remedy: impl AsRef<str>) -> Self {
        Self { remedy: Some(SafeText::within(remedy.as_ref(), limits::MESSAGE)), ..self }
    }

    /// The same fault, of which the reader has to know the file: what is said of "it" is said of the component of
    /// `source`, when that is a file whose contents are what is wrong.
    #[must_use]
    pub fn of(self, source: &PolicySource) -> Self {
        let (PolicySource::File(path), FaultKind::Load) = (source, self.kind) else { return self };
        let path = SafeText::new(&path.to_string_lossy());
        match self.message.as_str().strip_prefix("it ") {
            Some(rest) if !rest.contains(path.as_str()) => {
                Self { message: SafeText::within(&format!("{path} {rest}"), limits::MESSAGE), ..self }
            }
            Some(_) | None => self,
        }
    }
}

/// What one policy ended in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Allowed.
    Pass {
        /// Things worth saying all the same.
        notices: Vec<Finding>,
    },
    /// Not allowed: the verdict has at least one violation.
    Violation(Verdict),
    /// Broken.
    Fault(Fault),
    /// Not evaluated: its mode is `disabled`.
    Skipped,
    /// Not allowed, but an exception is in force.
    Waived {
        /// What would have been a violation.
        findings: Vec<Finding>,
        /// The exception's reason.
        reason: SafeText,
    },
}

/// An [`Outcome`] without its contents, for the mode table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OutcomeKind {
    /// See [`Outcome::Pass`].
    Pass,
    /// See [`Outcome::Violation`].
    Violation,
    /// See [`Outcome::Fault`].
    Fault,
    /// See [`Outcome::Skipped`].
    Skipped,
    /// See [`Outcome::Waived`].
    Waived,
}

impl Outcome {
    /// The outcome of a verdict: a violation when there is at least one.
    pub fn from_verdict(verdict: Verdict) -> Self {
        if verdict.violations.is_empty() { Self::Pass { notices: verdict.notices } } else { Self::Violation(verdict) }
    }

    /// Whether the policy has nothing to say but that it allows, or was not asked.
    pub const fn is_silent(&self) -> bool {
        match self {
            Self::Pass { notices } => notices.is_empty(),
            Self::Skipped => true,
            Self::Violation(_) | Self::Fault(_) | Self::Waived { .. } => false,
        }
    }

    /// Everything that the policy said, whatever became of it.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        let (violations, notices): (&[Finding], &[Finding]) = match self {
            Self::Pass { notices } => (&[], notices),
            Self::Violation(verdict) => (&verdict.violations, &verdict.notices),
            Self::Waived { findings, .. } => (findings, &[]),
            Self::Fault(_) | Self::Skipped => (&[], &[]),
        };
        violations.iter().chain(notices)
    }

    /// Which row of the mode table this is.
    pub const fn kind(&self) -> OutcomeKind {
        match self {
            Self::Pass { .. } => OutcomeKind::Pass,
            Self::Violation(_) => OutcomeKind::Violation,
            Self::Fault(_) => OutcomeKind::Fault,
            Self::Skipped => OutcomeKind::Skipped,
            Self::Waived { .. } => OutcomeKind::Waived,
        }
    }
}

impl OutcomeKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::Pass, Self::Violation, Self::Fault, Self::Skipped, Self::Waived];

    /// The word used in JSON and messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Violation => "violation",
            Self::Fault => "fault",
            Self::Skipped => "skipped",
            Self::Waived => "waived",
        }
    }
}

serialize_as_word!(FaultKind, OutcomeKind);
deserialize_word!(FaultKind, OutcomeKind);

/// One policy after its evaluation: everything the decision, the reports and the records need to know of it.
#[derive(Debug, Clone)]
pub struct Evaluated {
    /// What it was evaluated with.
    pub spec: Arc<PolicySpec>,
    /// What a violation under `warn` leads to; notify when the component faulted before it could say.
    pub on_warn: OnWarn,
    /// Digest of the component's bytes, when they could be read.
    pub digest: Option<Digest>,
    /// What the component calls its version, when it could be asked.
    pub version: Option<SafeText>,
    /// What it ended in.
    pub outcome: Outcome,
    /// How long `evaluate` took, wall clock; zero when it was not called.
    pub duration: Duration,
}

impl Evaluated {
    /// Its name in the configuration.
    pub fn name(&self) -> &PolicyName {
        &self.spec.name
    }

    /// The layer it stands in.
    pub fn layer(&self) -> LayerName {
        self.spec.layer
    }

    /// How strictly it is meant.
    pub fn mode(&self) -> Mode {
        self.spec.mode
    }

    /// What this outcome does to the launch, under this policy's mode.
    pub fn effect(&self) -> Effect {
        crate::mode::effect(self.mode(), self.outcome.kind(), self.on_warn)
    }
}
