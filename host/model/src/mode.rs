//! Modes, effects, and the table that joins them.

use crate::verdict::OutcomeKind;
use crate::word::deserialize_word;
use crate::word::serialize_as_word;

/// The strictness with which a policy is applied (spec section 3). Case-sensitive in text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// A violation refuses the package.
    Strict,
    /// A violation is shown; with `confirm` the user is also asked.
    Warn,
    /// The policy is not evaluated.
    Disabled,
}

impl Mode {
    /// Every mode, in the order in which messages list them.
    pub const ALL: [Self; 3] = [Self::Strict, Self::Warn, Self::Disabled];

    /// The word used in configuration, JSON and messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Strict => "strict",
            Self::Warn => "warn",
            Self::Disabled => "disabled",
        }
    }
}

/// The effect of a violation under the mode `warn`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OnWarn {
    /// It is shown, and the launch goes on.
    Notify,
    /// It is shown, and the launch goes on only with consent.
    Confirm,
}

impl OnWarn {
    /// Both, in the order in which messages list them.
    pub const ALL: [Self; 2] = [Self::Notify, Self::Confirm];

    /// The word used in configuration, JSON and messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Notify => "notify",
            Self::Confirm => "confirm",
        }
    }
}

/// The effect of one policy's outcome on the launch.
///
/// Ordered from harmless to final, so the effect of many policies is the maximum of theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// Nothing is shown, and the launch goes on.
    Pass,
    /// Shown, and the launch goes on.
    Warn,
    /// Shown, and the launch goes on only with consent.
    Ask,
    /// The launch is refused.
    Block,
}

impl Effect {
    /// Every effect, from harmless to final.
    pub const ALL: [Self; 4] = [Self::Pass, Self::Warn, Self::Ask, Self::Block];

    /// The word used in JSON and messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::Ask => "ask",
            Self::Block => "block",
        }
    }
}

serialize_as_word!(Mode, OnWarn, Effect);
deserialize_word!(Mode, OnWarn, Effect);

/// The effect of one policy's outcome under its mode (spec section 3). The only place where modes are interpreted.
pub const fn effect(mode: Mode, outcome: OutcomeKind, on_warn: OnWarn) -> Effect {
    match (mode, outcome, on_warn) {
        (Mode::Disabled, _, _) | (_, OutcomeKind::Pass | OutcomeKind::Waived | OutcomeKind::Skipped, _) => Effect::Pass,
        (Mode::Warn, OutcomeKind::Violation | OutcomeKind::Fault, OnWarn::Notify) => Effect::Warn,
        (Mode::Warn, OutcomeKind::Violation | OutcomeKind::Fault, OnWarn::Confirm) => Effect::Ask,
        (Mode::Strict, OutcomeKind::Violation | OutcomeKind::Fault, _) => Effect::Block,
    }
}
