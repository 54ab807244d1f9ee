//! What the system gave this process, read once when smcp starts.

use std::ffi::OsStr;
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::time::SystemTime;
use std::time::UNIX_EPOCH;

use smcp_audit::Clock;
#[cfg(target_os = "linux")]
use smcp_code::ForkServer;
use smcp_launch::IsProgram;
use smcp_launch::ReadHead;
use smcp_model::ownership::Caller;

/// The environment, the clock, the user who runs smcp, and standard input.
#[derive(Debug, Clone)]
pub struct System {
    /// Every variable, as it was when smcp started.
    pub environment: Vec<(OsString, OsString)>,
    /// The clock.
    pub clock: Clock,
    /// The user who runs smcp.
    pub caller: Caller,
    /// Opens standard input, unbuffered: what smcp does not read is left for the server. An error when it is closed.
    pub stdin: fn() -> io::Result<File>,
    /// Whether a file is a program that may be started.
    pub is_program: IsProgram,
    /// How the file of a program begins.
    pub read_head: ReadHead,
    /// Where policies are compiled.
    pub compilation: Compilation,
    /// Whether the process goes on after the command, as that of a test does. One that ends leaves it to the system to
    /// release what it has loaded.
    pub lasting: bool,
    /// Whether no server may be asked. What the cache has counts as it does when none answers.
    pub offline: bool,
}

/// Where policies are compiled.
#[derive(Debug, Clone, Copy)]
pub enum Compilation {
    /// In a child of this process that may do nothing else.
    InChild {
        /// A path at which smcp itself can be started.
        program: fn() -> io::Result<PathBuf>,
        /// The memory of this machine that programs could have, bytes.
        memory: fn() -> Option<u64>,
        /// Forks the child where that path can't be found.
        #[cfg(target_os = "linux")]
        server: Option<&'static ForkServer>,
    },
    /// In this process, without bounds on memory: for tests that have no program to start.
    InProcess,
}

/// Makes the server that forks compilers, where `program` finds no path of this program; see [`ForkServer::start`]. Where
/// there is none either, nothing can be compiled, which is said when it is needed.
#[cfg(target_os = "linux")]
pub fn fork_server(program: fn() -> io::Result<PathBuf>) -> Option<&'static ForkServer> {
    let server = program().err().and_then(|_| ForkServer::start().ok())?;
    Some(Box::leak(Box::new(server)))
}

impl Compilation {
    /// Ends what was made ahead for compiling. Nothing is compiled afterwards.
    pub fn end(self) {
        match self {
            #[cfg(target_os = "linux")]
            Self::InChild { server, .. } => server.into_iter().for_each(ForkServer::end),
            #[cfg(not(target_os = "linux"))]
            Self::InChild { .. } => {}
            Self::InProcess => {}
        }
    }
}

impl System {
    /// Returns the value of a variable; `None` when it is not set or empty.
    pub fn variable(&self, name: impl AsRef<OsStr>) -> Option<&OsStr> {
        self.set_variable(name).filter(|value| !value.is_empty())
    }

    /// Returns the value of a variable that is set, empty or not.
    pub fn set_variable(&self, name: impl AsRef<OsStr>) -> Option<&OsStr> {
        let name = name.as_ref();
        self.environment.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_os_str())
    }

    /// Returns the user's home, from `HOME`, when it is an absolute path.
    pub fn home(&self) -> Option<PathBuf> {
        self.variable("HOME").map(PathBuf::from).filter(|home| home.is_absolute())
    }

    /// Returns the time of the clock.
    pub fn time(&self) -> SystemTime {
        (self.clock)()
    }

    /// Returns the seconds since the Unix epoch; 0 when the clock is before it.
    pub fn now(&self) -> u64 {
        self.time().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_variable_is_absent_and_a_home_is_absolute() {
        let system = |home: &str| System {
            environment: vec![("EMPTY".into(), "".into()), ("HOME".into(), home.into())],
            clock: || UNIX_EPOCH,
            caller: Caller::new(0, || None),
            stdin: || Err(io::ErrorKind::NotFound.into()),
            is_program: |_| None,
            read_head: |_| None,
            compilation: Compilation::InProcess,
            lasting: true,
            offline: false,
        };
        let home = system("/home/a");
        assert_eq!((home.variable("EMPTY"), home.set_variable("EMPTY")), (None, Some(OsStr::new(""))));
        assert_eq!((home.variable("MISSING"), home.set_variable("MISSING")), (None, None));
        assert_eq!(home.home(), Some(PathBuf::from("/home/a")));
        assert_eq!((system("").home(), system("a/b").home()), (None, None));
    }
}
