//! Which part a process of this program plays.

/// What a process of this program is, by its first argument.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Role {
    /// Launches the server that the other arguments describe, with a warning.
    Smcp,
    /// A server that sends this many MiB of messages after the handshake.
    Source(usize),
    /// A server that reports when everything has arrived.
    Sink,
    /// A server that repeats every line.
    Echo,
}

impl Role {
    pub(crate) fn arguments(self) -> Vec<String> {
        match self {
            Self::Smcp => vec!["smcp".to_owned()],
            Self::Source(mebibytes) => vec!["source".to_owned(), mebibytes.to_string()],
            Self::Sink => vec!["sink".to_owned()],
            Self::Echo => vec!["echo".to_owned()],
        }
    }

    pub(crate) fn of(arguments: &[String]) -> Option<Self> {
        match arguments.first()?.as_str() {
            "smcp" => Some(Self::Smcp),
            "source" => Some(Self::Source(arguments.get(1)?.parse().ok()?)),
            "sink" => Some(Self::Sink),
            "echo" => Some(Self::Echo),
            _ => None,
        }
    }
}
