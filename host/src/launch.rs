//! Starts the cleared process and stays with it until it has ended.
//!
//! Before it `decide` has made the [`Clearance`], without which nothing here can be called; after it comes only the
//! exit code. All that depends on the platform (process groups, terminals, signals, poll) is in this stage.
//!
//! ```text
//! command ──► spawn ──► supervise ──► Ended
//!  which      its own    poll: signals,   what it
//!  file       group,     hang-up, grace   exits with
//!             a keeper
//! ```

use std::ffi::OsString;
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use cap_std::fs::Dir;

use crate::decide::Clearance;
use crate::launch::command::Bundle;
use crate::launch::ending::Graces;
use crate::launch::environment::ServerEnvironment;
use crate::launch::error::LaunchError;
use crate::launch::spawn::Plan;
use crate::launch::spawn::Server;
use crate::launch::status::Ended;
use crate::model::deadline::Deadline;
use crate::model::manifest::Transport;
use crate::model::warning::Delivery;
use crate::model::warning::Warning;

pub use crate::launch::signals::Signals;

mod command;
pub mod ending;
pub mod env_file;
pub mod environment;
pub mod error;
#[cfg(target_os = "linux")]
mod keeper;
#[cfg(target_os = "linux")]
mod kept;
mod signals;
mod spawn;
pub mod status;
mod supervise;
mod terminal;
#[cfg(not(target_os = "linux"))]
mod unkept;

/// Tells whether the file at a path is a program that may be started; `None` when no regular file is there.
pub type Look = fn(&Path) -> Option<bool>;

/// What a start needs besides the clearance.
#[derive(Debug)]
pub struct Setup {
    /// Where the bundle was unpacked; absolute.
    pub root: PathBuf,
    /// The same directory, opened.
    pub root_dir: Dir,
    /// Arguments that the user adds after those of the manifest.
    pub extra_args: Vec<OsString>,
    /// The variables that the server gets.
    pub environment: ServerEnvironment,
    /// How programs that are not in the bundle are looked up.
    pub look: Look,
    /// What its standard input and output are.
    pub streams: Streams,
    /// What the client's model has to read before it uses the server.
    pub warning: Option<Warning>,
    /// When it must have been started. Never a limit of the server's life.
    pub deadline: Deadline,
    /// How long it may take to end when it is asked to.
    pub graces: Graces,
    /// What asks it to: listened to since before the bundle was unpacked.
    pub signals: Signals,
}

/// What the server's standard input and output are. Its standard error is always ours.
#[derive(Debug)]
pub struct Streams {
    /// The client's end: it becomes the server's standard input, is watched for the client's leaving, and its terminal
    /// (when it is one) is lent to the server. Not a byte is read from it here.
    pub input: OwnedFd,
    /// The server's standard output.
    pub output: Stdio,
}

impl Streams {
    /// A duplicate of our own standard input, and our own standard output as it is.
    pub fn inherited(input: impl Into<OwnedFd>) -> Self {
        Self { input: input.into(), output: Stdio::inherit() }
    }
}

/// A server that has ended, and what became of its warning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finished {
    /// How it ended.
    pub ended: Ended,
    /// Whether the warning reached the client; `None` when there was none.
    pub delivery: Option<Delivery>,
}

/// Starts what was cleared, and waits until it and everything that it started has ended.
///
/// The clearance is consumed: one clearance, one start. SIGINT, SIGTERM and SIGHUP end the server while this
/// runs, and one that came before keeps it from starting.
///
/// # Errors
/// See [`LaunchError`]. Whatever fails, nothing is left running.
pub fn launch(clearance: Clearance, setup: Setup) -> Result<Finished, LaunchError> {
    let manifest = &clearance.package().manifest;
    match manifest.transport {
        Transport::Stdio => {}
        Transport::Http => return Err(LaunchError::Transport),
    }
    let bundle = Bundle { root: &setup.root, dir: &setup.root_dir };
    let typed = &manifest.entrypoint.command;
    let program = bundle.program(typed, setup.environment.search_path(), setup.look)?;
    let directory = bundle.directory(manifest.entrypoint.workdir.as_deref())?;
    setup.deadline.check().map_err(|_| LaunchError::timeout(typed))?;
    if let Some(ended) = setup.signals.ended() {
        return Ok(Finished { ended, delivery: setup.warning.map(|_| Delivery::Undelivered) });
    }
    let input = setup.streams.input;
    let plan = Plan {
        program,
        args: manifest.entrypoint.args.iter().map(OsString::from).chain(setup.extra_args).collect(),
        directory,
        environment: &setup.environment,
        output: setup.streams.output,
    };
    let mut server = Server::start(plan, input.as_fd()).map_err(|cause| LaunchError::spawn(typed, cause))?;
    let ended = supervise::supervise(&mut server, &setup.signals, input.as_fd(), setup.graces);
    let delivery = setup.warning.map(|_| Delivery::Undelivered);
    ended.map(|ended| Finished { ended, delivery }).map_err(LaunchError::watching)
}
