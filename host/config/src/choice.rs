//! Words that only the configuration uses.

/// Whether to go on when the audit log can't be written. The strictest comes first, so that of many it is the minimum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Audit {
    /// Nothing is decided, and nothing starts.
    Required,
    /// It is said, and smcp goes on.
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

/// Who is told of each new head of the audit log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum AuditHead {
    /// Nobody.
    None,
    /// The system's log.
    Syslog,
}

impl AuditHead {
    /// Both, in the order in which messages list them.
    pub const ALL: [Self; 2] = [Self::None, Self::Syslog];

    /// The word used in configuration, JSON and messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Syslog => "syslog",
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

/// What follows when somebody else could have written the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnSuspect {
    /// It is said: nothing starts.
    Tell,
    /// It is refused: a server would start by these rules.
    Refuse,
}
