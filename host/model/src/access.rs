//! The variables and the folder that a server will get when it starts.
//!
//! Variables are named; their values are never here.

/// The variables and the folder that a server gets, and the variables that it lacks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Access {
    /// Names of the variables that it gets.
    pub variables: Vec<String>,
    /// Names of variables that its manifest asks for and that are not set: the usual reason why a server fails.
    pub unset: Vec<String>,
    /// Names of variables of smcp that it does not get, though it may need them for network or time: proxies,
    /// certificates, TZ.
    pub withheld: Vec<String>,
    /// The directory inside its bundle that it starts in; the bundle's root when absent.
    pub workdir: Option<String>,
    /// Whether it may write beside its program.
    pub workdir_writable: bool,
}
