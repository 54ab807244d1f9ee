//! Why a command could not do its work, on its way to a person and to an exit code.

use crate::cli::exit::Exit;
use crate::config::ConfigError;
use crate::pipeline::Stop;
use crate::pipeline::StopKind;

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
}

impl Failure {
    /// A mistake on the command line that only shows once it is carried out.
    pub(super) fn usage(error: impl Into<anyhow::Error>) -> Self {
        Self { exit: Exit::Usage, code: "usage", error: error.into(), problems: Vec::new() }
    }
}

/// The exit code of a kind of stop.
pub(super) const fn exit_of(kind: StopKind) -> Exit {
    match kind {
        StopKind::Usage => Exit::Usage,
        StopKind::Registry => Exit::Registry,
        StopKind::Integrity => Exit::Integrity,
        StopKind::Refused => Exit::Refused,
        StopKind::Timeout => Exit::Timeout,
        StopKind::Start => Exit::Start,
    }
}

impl From<Stop> for Failure {
    fn from(stop: Stop) -> Self {
        Self { exit: exit_of(stop.kind()), code: stop.code(), error: stop.into(), problems: Vec::new() }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        let problems = error.problems().iter().filter_map(|problem| serde_json::to_value(problem).ok()).collect();
        Self { exit: Exit::Usage, code: "config", error: error.into(), problems }
    }
}

/// Whatever else: the local system, such as a closed pipe.
impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self { exit: Exit::Usage, code: "failed", error, problems: Vec::new() }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        anyhow::Error::from(error).context("while writing the answer").into()
    }
}
