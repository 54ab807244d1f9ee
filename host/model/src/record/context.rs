//! The circumstances of a recorded decision.
//!
//! With them and the facts of its request, it can be made again.

use crate::request::Context;
use crate::text::SafeText;

/// The circumstances of an evaluation.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ContextRecord {
    /// Seconds since the Unix epoch.
    pub evaluated_at: u64,
    /// Whether `--trust` was passed.
    pub trust: bool,
    /// Whether a person could be asked.
    pub interactive: bool,
    /// The version of smcp that the policies got.
    pub tool_version: SafeText,
}

impl ContextRecord {
    /// The circumstances that the policies got from this version of smcp.
    pub fn new(context: Context, tool_version: &str) -> Self {
        let Context { evaluated_at, trust, interactive } = context;
        Self { evaluated_at, trust, interactive, tool_version: SafeText::new(tool_version) }
    }

    /// The circumstances for repeating the evaluation.
    pub const fn context(&self) -> Context {
        Context { evaluated_at: self.evaluated_at, trust: self.trust, interactive: self.interactive }
    }
}
