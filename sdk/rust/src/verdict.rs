//! The answer of a policy, and its description of itself.

/// The answer. Without violations the policy allows the package. The policy's mode in the configuration decides what a
/// violation leads to.
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

    /// The same verdict with one more notice.
    #[must_use]
    pub fn notice(mut self, finding: Finding) -> Self {
        self.notices.push(finding);
        self
    }
}

/// One violation or notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// A stable name for machines: 1 to 64 bytes of `[a-z0-9-]`.
    pub code: String,
    /// One sentence for people, cut at 4 KiB.
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

/// The effect of a violation under the mode `warn`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnWarn {
    /// Show it and go on.
    Notify,
    /// Show it, and go on only with consent.
    Confirm,
}

/// A policy's description of itself. [`description!`](crate::description!) makes it from `Cargo.toml`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Description {
    /// 1 to 64 bytes of `[a-z0-9-]`; the configuration may use another name.
    pub name: &'static str,
    /// A SemVer string.
    pub version: &'static str,
    /// One sentence, not empty.
    pub summary: &'static str,
    /// The effect of a violation under the mode `warn`, unless the configuration says otherwise.
    pub on_warn: OnWarn,
}

impl Description {
    /// A description with [`OnWarn::Notify`].
    ///
    /// # Panics
    /// When the name is not 1 to 64 bytes of `[a-z0-9-]`, or the summary is empty; at compile time for a constant.
    #[must_use]
    pub const fn new(name: &'static str, version: &'static str, summary: &'static str) -> Self {
        assert!(is_code(name), "the name of a policy is 1 to 64 of a-z, 0-9 and -");
        assert!(!summary.is_empty(), "a policy has a summary: `description` in Cargo.toml, one sentence");
        Self { name, version, summary, on_warn: OnWarn::Notify }
    }

    /// The same description with another effect under the mode `warn`.
    #[must_use]
    pub const fn on_warn(self, on_warn: OnWarn) -> Self {
        Self { on_warn, ..self }
    }
}

/// Whether a text is 1 to 64 bytes of `[a-z0-9-]`, as names of policies and codes of findings must be.
pub(crate) const fn is_code(text: &str) -> bool {
    let mut rest = text.as_bytes();
    let length = rest.len();
    while let [byte, after @ ..] = rest {
        if !matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-') {
            return false;
        }
        rest = after;
    }
    length >= 1 && length <= 64
}
