//! The results of a policy: findings, faults, outcomes.

use std::sync::Arc;
use std::time::Duration;

use crate::digest::Digest;
use crate::exception::WrittenException;
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

/// One finding of a policy, made harmless.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// A stable name for machines.
    pub code: FindingCode,
    /// One sentence for people.
    pub message: SafeText,
    /// The field of the subject that it is about.
    pub fact: Option<SafeText>,
    /// The remedy for the user.
    pub remedy: Option<SafeText>,
    /// Details for machines.
    pub extensions: Vec<(SafeText, SafeText)>,
}

/// The answer of a policy that did not fail. Without violations it allows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Reasons to refuse.
    pub violations: Vec<Finding>,
    /// Remarks that never block.
    pub notices: Vec<Finding>,
}

/// A violation that an exception waives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaivedFinding {
    /// The violation.
    pub finding: Finding,
    /// The exception; one for all findings that it waives.
    pub exception: Arc<WrittenException>,
}

/// The kind of a policy's failure. The list is closed: the same word in code, JSON and documents (spec section 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FaultKind {
    /// Missing, unreadable, not a component, too large, or does not compile.
    Load,
    /// Imports or exports that are not those of a policy.
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
    /// Returned too much, or a value that breaks the interface's rules.
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

/// The failure of a policy. It counts as a violation in the policy's mode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Its kind, from the closed list.
    pub kind: FaultKind,
    /// The message for people.
    pub message: SafeText,
    /// The remedy.
    pub remedy: Option<SafeText>,
    /// The problems of its settings, of which the message has all; empty for every other kind.
    pub settings: Vec<SettingsProblem>,
}

/// A problem of a policy's settings, in the component's own words.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SettingsProblem {
    /// Where in the settings, as a JSON pointer (RFC 6901); empty for the whole.
    pub path: SafeText,
    /// What is wrong.
    pub message: SafeText,
}

impl Fault {
    /// A fault without a remedy. A message over [`limits::MESSAGE`] is cut: part of it may be a guest's text.
    pub fn new(kind: FaultKind, message: impl AsRef<str>) -> Self {
        Self { kind, message: SafeText::within(message.as_ref(), limits::MESSAGE), remedy: None, settings: Vec::new() }
    }

    /// The same fault with a remedy.
    #[must_use]
    pub fn remedy(self, remedy: impl AsRef<str>) -> Self {
        Self { remedy: Some(SafeText::within(remedy.as_ref(), limits::MESSAGE)), ..self }
    }

    /// The same fault, with the path of the file in place of "it" at the start of the message. Only when the fault is
    /// in the contents of the component's file.
    #[must_use]
    pub fn of(self, source: &PolicySource) -> Self {
        let (true, FaultKind::Load) = (source.is_custom(), self.kind) else { return self };
        let path = SafeText::new(&source.to_string());
        match self.message.as_str().strip_prefix("it ") {
            Some(rest) if !rest.contains(path.as_str()) => {
                Self { message: SafeText::within(&format!("{path} {rest}"), limits::MESSAGE), ..self }
            }
            Some(_) | None => self,
        }
    }
}

/// The outcome of one policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Allowed.
    Pass {
        /// Remarks.
        notices: Vec<Finding>,
    },
    /// Not allowed.
    Violation {
        /// What stands: at least one violation, and the remarks.
        verdict: Verdict,
        /// The violations beside it that exceptions waive.
        waived: Vec<WaivedFinding>,
    },
    /// It failed.
    Fault(Fault),
    /// Not evaluated: its mode is `disabled`.
    Skipped,
    /// Not allowed, but exceptions waive every violation.
    Waived {
        /// The violations.
        waived: Vec<WaivedFinding>,
        /// Remarks.
        notices: Vec<Finding>,
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
        if verdict.violations.is_empty() {
            Self::Pass { notices: verdict.notices }
        } else {
            Self::Violation { verdict, waived: Vec::new() }
        }
    }

    /// Whether the policy allows without a remark, or was not evaluated.
    pub const fn is_silent(&self) -> bool {
        match self {
            Self::Pass { notices } => notices.is_empty(),
            Self::Skipped => true,
            Self::Violation { .. } | Self::Fault(_) | Self::Waived { .. } => false,
        }
    }

    /// The violations that stand.
    pub fn violations(&self) -> &[Finding] {
        match self {
            Self::Violation { verdict, .. } => &verdict.violations,
            Self::Pass { .. } | Self::Waived { .. } | Self::Fault(_) | Self::Skipped => &[],
        }
    }

    /// The violations that exceptions waive.
    pub fn waived(&self) -> &[WaivedFinding] {
        match self {
            Self::Violation { waived, .. } | Self::Waived { waived, .. } => waived,
            Self::Pass { .. } | Self::Fault(_) | Self::Skipped => &[],
        }
    }

    /// The exceptions that waive a violation, each once, in the order of the findings.
    pub fn exceptions(&self) -> Vec<&WrittenException> {
        let mut exceptions: Vec<&WrittenException> = Vec::new();
        for WaivedFinding { exception, .. } in self.waived() {
            if !exceptions.contains(&exception.as_ref()) {
                exceptions.push(exception);
            }
        }
        exceptions
    }

    /// The remarks.
    pub fn notices(&self) -> &[Finding] {
        match self {
            Self::Pass { notices } | Self::Waived { notices, .. } => notices,
            Self::Violation { verdict, .. } => &verdict.notices,
            Self::Fault(_) | Self::Skipped => &[],
        }
    }

    /// All findings of the policy, whatever its outcome: violations, those that are waived, remarks.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        let waived = self.waived().iter().map(|waived| &waived.finding);
        self.violations().iter().chain(waived).chain(self.notices())
    }

    /// Its row in the mode table.
    pub const fn kind(&self) -> OutcomeKind {
        match self {
            Self::Pass { .. } => OutcomeKind::Pass,
            Self::Violation { .. } => OutcomeKind::Violation,
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

/// One policy after its evaluation: everything that the decision, the reports and the records need.
#[derive(Debug, Clone)]
pub struct Evaluated {
    /// The specification that it was evaluated with.
    pub spec: Arc<PolicySpec>,
    /// The effect of a violation under `warn`; `Notify` when the component failed before it named one.
    pub on_warn: OnWarn,
    /// Digest of the component's bytes, when they could be read.
    pub digest: Option<Digest>,
    /// Who has signed the component; `None` when nobody had to have.
    pub signer: Option<SafeText>,
    /// The version that the component gives itself, when it could be asked.
    pub version: Option<SafeText>,
    /// Its outcome.
    pub outcome: Outcome,
    /// The wall-clock time that `evaluate` took; zero when it was not called.
    pub duration: Duration,
    /// The linear memory that this call of `evaluate` asked for, bytes: all memories together, and the globals as spec
    /// section 8 counts them. That is what is held against [`PolicyLimits::memory`](crate::limits::PolicyLimits::memory);
    /// zero when it was not called, or failed.
    pub memory: usize,
}

impl Evaluated {
    /// Its name in the configuration.
    pub fn name(&self) -> &PolicyName {
        &self.spec.name
    }

    /// The layer that configures it.
    pub fn layer(&self) -> LayerName {
        self.spec.layer
    }

    /// Its mode: how strictly it is applied.
    pub fn mode(&self) -> Mode {
        self.spec.mode
    }

    /// Whom to ask about it, by its layer; `None` where it objects to nothing.
    pub fn contact(&self) -> Option<&SafeText> {
        self.spec.admin_contact.as_ref().filter(|_| self.effect() != Effect::Pass)
    }

    /// The effect of its outcome on the launch, under its mode.
    pub fn effect(&self) -> Effect {
        crate::mode::effect(self.mode(), self.outcome.kind(), self.on_warn)
    }
}
