//! The answer of a policy, and its description of itself.

/// The answer. No violations means that the policy allows the package; what violations lead to is decided by the mode
/// that the configuration gives the policy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Reasons to refuse.
    pub violations: Vec<Finding>,
    /// Findings that never block.
    pub notices: Vec<Finding>,
}

impl Verdict {
    /// A verdict without findings: the policy allows the package.
    #[must_use]
    pub fn allow() -> Self {
        Self::default()
    }

    /// The same verdict with one more reason to refuse.
    #[must_use]
    pub fn violation(mut self, finding: Finding) -> Self {
        self.violations.push(finding);
        self
    }

    /// The same verdict with one more thing worth saying.
    #[must_use]
    pub fn notice(mut self, finding: Finding) -> Self {
        self.notices.push(finding);
        self
    }
}

/// One thing a policy has to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// A stable name for machines: 1 to 64 bytes of `[a-z0-9-]`.
    pub code: String,
    /// One sentence for people. What passes 4 KiB is cut.
    pub message: String,
    /// The field of the subject that it is about, such as `score`.
    pub fact: Option<String>,
    /// What the reader can do about it.
    pub remedy: Option<String>,
    /// Details for machines, as name and value.
    pub extensions: Vec<(String, String)>,
}

impl Finding {
    /// A finding with a stable name (1 to 64 bytes of `[a-z0-9-]`) and one sentence for people.
    #[must_use]
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into(), fact: None, remedy: None, extensions: Vec::new() }
    }

    /// The same finding about this field of the subject.
    #[must_use]
    pub fn fact(self, fact: impl Into<String>) -> Self {
        Self { fact: Some(fact.into()), ..self }
    }

    /// The same finding with what the reader can do about it.
    #[must_use]
    pub fn remedy(self, remedy: impl Into<String>) -> Self {
        Self { remedy: Some(remedy.into()), ..self }
    }

    /// The same finding with one more detail for machines.
    #[must_use]
    pub fn extension(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.extensions.push((name.into(), value.into()));
        self
    }
}

/// What happens under the mode `warn` when the policy is violated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnWarn {
    /// Say it and go on.
    Notify,
    /// Say it and go on only with consent.
    Confirm,
}

/// What a policy says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Description {
    /// 1 to 64 bytes of `[a-z0-9-]`; the configuration may use another name.
    pub name: &'static str,
    /// A SemVer string, usually `env!("CARGO_PKG_VERSION")`.
    pub version: &'static str,
    /// One sentence, not empty.
    pub summary: &'static str,
    /// JSON Schema (draft 2020-12) of the settings: [`settings_schema!`](crate::settings_schema), or
    /// [`NoSettings::SCHEMA`](crate::NoSettings::SCHEMA).
    pub settings_schema: &'static str,
    /// What a violation leads to under the mode `warn`, unless the configuration says otherwise.
    pub on_warn: OnWarn,
}
