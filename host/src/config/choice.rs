//! Words that only the configuration uses.

/// Whether a server may start when the audit log can't be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Audit {
    /// It may not.
    Required,
    /// It may.
    BestEffort,
}

impl Audit {
    /// Both, in the order in which messages list them.
    pub const ALL: [Self; 2] = [Self::Required, Self::BestEffort];

    /// The word used in configuration, JSON and messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Required => "required",
            Self::BestEffort => "best-effort",
        }
    }
}

/// What happens when the known score misses what the certification level itself requires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CertScoreCheck {
    /// It is said.
    Notice,
    /// It is a violation.
    Enforce,
}

impl CertScoreCheck {
    /// Both, in the order in which messages list them.
    pub const ALL: [Self; 2] = [Self::Notice, Self::Enforce];

    /// The word used in configuration, JSON and messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Notice => "notice",
            Self::Enforce => "enforce",
        }
    }
}
