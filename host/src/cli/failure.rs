//! Why a command could not do its work, as a message and an exit code.

use crate::cli::exit::Exit;
use smcp_config::ConfigError;
use smcp_model::chain;
use smcp_model::exit::ExitKind;
use smcp_pipeline::DocumentError;
use smcp_pipeline::Stop;

/// A command's error: the exit code, a word for machines, and the sentence for people.
#[derive(Debug)]
pub(super) struct Failure {
    /// How the program ends.
    pub(super) exit: Exit,
    /// A stable name for machines.
    pub(super) code: &'static str,
    /// What went wrong, the newest context first.
    pub(super) error: anyhow::Error,
    /// Everything that is wrong with a configuration, one by one.
    pub(super) problems: Vec<serde_json::Value>,
    /// The same for people; empty when the error says it all.
    pub(super) details: Vec<String>,
}

impl Failure {
    /// A mistake on the command line that only shows once it is carried out.
    pub(super) fn usage(error: impl Into<anyhow::Error>) -> Self {
        Self { exit: Exit::USAGE, code: "usage", error: error.into(), problems: Vec::new(), details: Vec::new() }
    }

    /// Something that the command line names did not come in time.
    pub(super) fn timeout(error: anyhow::Error) -> Self {
        Self { exit: Exit::Own(ExitKind::Timeout), code: "timeout", error, problems: Vec::new(), details: Vec::new() }
    }

    /// The sentence for people, the cause of each error behind it.
    pub(super) fn message(&self) -> String {
        told(&self.error)
    }

    /// The same with every detail, one to a line.
    pub(super) fn whole_message(&self) -> String {
        std::iter::once(self.message()).chain(self.details.iter().cloned()).collect::<Vec<_>>().join("\n")
    }
}

/// An error with its causes on one line, then whatever else they say on lines of their own: what to do comes last.
pub(super) fn told(error: &anyhow::Error) -> String {
    chain::explained(error.as_ref())
}

impl From<Stop> for Failure {
    fn from(stop: Stop) -> Self {
        Self {
            exit: stop.exit().into(),
            code: stop.code(),
            error: stop.into(),
            problems: Vec::new(),
            details: Vec::new(),
        }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        let problems = error.problems().iter().filter_map(|problem| serde_json::to_value(problem).ok()).collect();
        if error.problems().len() == 1 && error.more() == 0 {
            return Self { exit: Exit::USAGE, code: "config", error: error.into(), problems, details: Vec::new() };
        }
        let count = error.problems().len().saturating_add(error.more());
        let more = (error.more() > 0).then(|| format!("and {} more", error.more()));
        let details = error.problems().iter().map(ToString::to_string).chain(more).collect();
        let error = anyhow::anyhow!("the configuration has {count} problems, and nothing runs with it");
        Self { exit: Exit::USAGE, code: "config", error, problems, details }
    }
}

/// A facts document that can't be used; its problems are told one by one to machines.
impl From<DocumentError> for Failure {
    fn from(error: DocumentError) -> Self {
        let problems = error.problems().iter().filter_map(|problem| serde_json::to_value(problem).ok()).collect();
        Self { problems, ..Self::usage(error) }
    }
}

/// Whatever else: the local system, such as a full disk.
impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self { exit: Exit::USAGE, code: "failed", error, problems: Vec::new(), details: Vec::new() }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        anyhow::Error::from(error).context("while writing the answer").into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_stand_before_the_way_out() {
        let cause = || std::io::Error::other("disk full\nof old logs");
        let cases = [
            (anyhow::anyhow!("alone"), "alone"),
            (anyhow::anyhow!("what\n  do this\n  or that"), "what\n  do this\n  or that"),
            (
                anyhow::Error::from(cause()).context("can't write\n  free some space"),
                "can't write: disk full\n  free some space\nof old logs",
            ),
        ];
        for (error, expected) in cases {
            assert_eq!(told(&error), expected);
        }
    }
}
