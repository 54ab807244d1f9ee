//! The error of a command: a message and an exit code.

use smcp_config::ConfigError;
use smcp_model::error_chain::error_chain;
use smcp_model::exit::ExitKind;
use smcp_model::facts_document::DocumentError;
use smcp_pipeline::PipelineError;
use smcp_pipeline::sets::SetProblem;

/// A command's error: the exit code, a word for machines, and the sentence for people.
#[derive(Debug)]
pub(super) struct Failure {
    /// The exit code's reason.
    pub(super) exit: ExitKind,
    /// A stable name for machines.
    pub(super) code: &'static str,
    /// The error, the outermost context first.
    pub(super) error: anyhow::Error,
    /// For machines: each problem of a configuration or a facts document.
    pub(super) problems: Vec<serde_json::Value>,
    /// For users: the problems, one to a line; empty when the error says it all.
    pub(super) details: Vec<String>,
}

impl Failure {
    /// A mistake on the command line that only shows when it is carried out.
    pub(super) fn usage(error: impl Into<anyhow::Error>) -> Self {
        Self { exit: ExitKind::Usage, code: "usage", error: error.into(), problems: Vec::new(), details: Vec::new() }
    }

    /// Something that the command line names did not come in time.
    pub(super) fn timeout(error: anyhow::Error) -> Self {
        Self { exit: ExitKind::Timeout, code: "timeout", error, problems: Vec::new(), details: Vec::new() }
    }

    /// Returns the sentence for users, followed by each cause.
    pub(super) fn message(&self) -> String {
        error_chain(self.error.as_ref())
    }

    /// Returns the same with every detail, one to a line.
    pub(super) fn whole_message(&self) -> String {
        std::iter::once(self.message()).chain(self.details.iter().cloned()).collect::<Vec<_>>().join("\n")
    }
}

impl From<PipelineError> for Failure {
    fn from(error: PipelineError) -> Self {
        let (exit, code) = (error.exit_kind(), error.code());
        let mut problems = Vec::new();
        if let PipelineError::Set(set) = &error
            && let SetProblem::Rules(rules) = &set.problem
        {
            problems.extend(rules.problems().iter().filter_map(|problem| serde_json::to_value(problem).ok()));
        }
        Self { exit, code, error: error.into(), problems, details: Vec::new() }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        let problems = error.problems().iter().filter_map(|problem| serde_json::to_value(problem).ok()).collect();
        if error.problems().len() == 1 && error.more() == 0 {
            return Self { exit: ExitKind::Usage, code: "config", error: error.into(), problems, details: Vec::new() };
        }
        let count = error.problems().len().saturating_add(error.more());
        let more = (error.more() > 0).then(|| format!("and {} more", error.more()));
        let details = error.problems().iter().map(ToString::to_string).chain(more).collect();
        let error = anyhow::anyhow!("the configuration has {count} problems, and nothing runs with it");
        Self { exit: ExitKind::Usage, code: "config", error, problems, details }
    }
}

/// A facts document that can't be used; machines get each of its problems.
impl From<DocumentError> for Failure {
    fn from(error: DocumentError) -> Self {
        let problems = error.problems().iter().filter_map(|problem| serde_json::to_value(problem).ok()).collect();
        Self { problems, ..Self::usage(error) }
    }
}

/// Every other error: of the local system, such as a full disk.
impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self { exit: ExitKind::Usage, code: "failed", error, problems: Vec::new(), details: Vec::new() }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        anyhow::Error::from(error).context("while writing the answer").into()
    }
}
