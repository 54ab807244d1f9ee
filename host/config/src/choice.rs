//! Choices that only the configuration has.

/// Whether to go on when the audit log can't be written. The strictest comes first, so that it is the minimum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Audit {
    /// Nothing is decided, and nothing starts.
    Required,
    /// smcp shows a notice and goes on.
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

/// Whether servers are held to what their manifests ask for. The strictest comes first, so that it is the minimum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Strictness {
    /// In full, or nothing starts.
    Required,
    /// As far as the system can; the rest is said.
    BestEffort,
    /// Not at all.
    Off,
}

impl Strictness {
    /// All, in the order in which messages list them.
    pub const ALL: [Self; 3] = [Self::Required, Self::BestEffort, Self::Off];

    /// The word used in configuration, JSON and messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Required => "required",
            Self::BestEffort => "best-effort",
            Self::Off => "off",
        }
    }
}

/// What the command line says about the confinement of one server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AskedConfinement {
    /// At least this.
    Held(Strictness),
    /// At least best-effort, and watched.
    Observed,
}

impl AskedConfinement {
    /// The word for [`Self::Observed`].
    pub const OBSERVE: &str = "observe";
}

/// Where each new head of the audit log is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum AuditHead {
    /// Nowhere.
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

/// Whether packages may come from registries that a layer does not name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Registries {
    /// From any; facts are still believed only from those that the layer trusts.
    Open,
    /// Only from those that the layer trusts.
    Locked,
}

impl Registries {
    /// Both, in the order in which messages list them.
    pub const ALL: [Self; 2] = [Self::Open, Self::Locked];

    /// The word used in configuration, JSON and messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Locked => "locked",
        }
    }
}

/// What happens when the known score misses what the certification level itself requires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CertScoreCheck {
    /// A notice is shown.
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

/// What to do if another user could have written the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnSuspect {
    /// Show it, because nothing starts.
    Warn,
    /// Refuse, because a server would start by these rules.
    Refuse,
}
