//! What a server is handed when it starts, as far as it can be said before.
//!
//! Names, never values.

/// What of ours a server gets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Access {
    /// Names of the variables that it gets.
    pub variables: Vec<String>,
    /// Names of variables that its manifest asks for and nobody has set: the usual reason why a server fails.
    pub unset: Vec<String>,
    /// Names of ours that it does not get although the network or the time may depend on them: proxies, certificates, TZ.
    pub withheld: Vec<String>,
    /// The directory inside its bundle that it starts in; the bundle's root when absent.
    pub workdir: Option<String>,
}
