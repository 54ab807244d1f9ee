//! Starts the cleared process and stays with it until it has ended.
//!
//! Before it `decide` has made the [`Clearance`], without which nothing here can be called; after it comes only the
//! exit code. All that depends on the platform (process groups, terminals, signals, poll) is in this stage.
//!
//! ```text
//! command ──► spawn ──► supervise ──► Ended
//!  which      its own    poll: signals,   what it
//!  file       group,     hang-up, grace   exits with
//!             a reaper      │
//!                         relay ◄──► proxy      only for a server with a warning:
//!                         moves bytes  changes them     otherwise client and server are connected directly
//! ```

use std::ffi::OsString;
use std::io;
use std::os::fd::AsFd as _;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::path::PathBuf;
use std::process::Stdio;

use cap_std::fs::Dir;

#[cfg(not(target_os = "linux"))]
use crate::client_poll::ClientWatch;
#[cfg(target_os = "linux")]
use crate::client_watch::ClientWatch;
use crate::command::Bundle;
use crate::diagnose::Load;
use crate::ending::GracePeriods;
use crate::environment::ServerEnvironment;
use crate::error::LaunchError;
use crate::relay::PreparedRelay;
use crate::spawn::Plan;
use crate::spawn::RunningServer;
use crate::start_folder::StartFolder;
use crate::status::Ended;
use crate::status::EndedBy;
use crate::supervise::supervise;
use smcp_decide::Clearance;
use smcp_model::deadline::Deadline;
use smcp_model::manifest::Transport;
use smcp_model::warning::Delivery;
use smcp_model::warning::Warning;

#[cfg(target_os = "linux")]
pub use crate::adoption::Adoption;
#[cfg(not(target_os = "linux"))]
pub use crate::direct::Adoption;
pub use crate::refusal::Patience;
pub use crate::refusal::refuse;
pub use crate::signals::Signals;
pub use crate::streams::Output;
pub use crate::streams::Streams;

#[cfg(target_os = "linux")]
mod adoption;
mod command;
mod diagnose;
mod disposition;
pub mod ending;
pub mod env_file;
pub mod environment;
pub mod error;
#[cfg(not(target_os = "linux"))]
mod client_poll;
#[cfg(target_os = "linux")]
mod reaper;
#[cfg(target_os = "linux")]
mod via_reaper;
#[cfg(target_os = "linux")]
mod client_watch;
mod start_folder;
pub mod proxy;
mod refusal;
mod relay;
pub mod search;
mod signals;
mod spawn;
pub mod status;
mod streams;
mod supervise;
mod terminal;
#[cfg(not(target_os = "linux"))]
mod direct;

/// Tells whether the file at a path is a program that may be started; `None` when no regular file is there.
pub type IsProgram = fn(&Path) -> Option<bool>;

/// Gives the first bytes of the file at a path; `None` when it can't be read.
pub type ReadHead = fn(&Path) -> Option<Vec<u8>>;

/// What a start needs besides the clearance.
#[derive(Debug)]
pub struct Setup {
    /// Where the bundle was unpacked; absolute. For messages: what starts is found through the opened directory.
    pub root: PathBuf,
    /// The same directory, opened.
    pub root_dir: Dir,
    /// Arguments that the user adds after those of the manifest.
    pub extra_args: Vec<OsString>,
    /// The variables that the server gets.
    pub environment: ServerEnvironment,
    /// How programs that are not in the bundle are looked up.
    pub is_program: IsProgram,
    /// How a file that could not be started is looked at, for a message that says why.
    pub read_head: ReadHead,
    /// The client's ends of its standard input and output.
    pub streams: Streams,
    /// What the client's model has to read before it uses the server. None connects the two directly.
    pub warning: Option<Warning>,
    /// When it must have been started. Never a limit of the server's life.
    pub deadline: Deadline,
    /// How long it may take to end when it is asked to.
    pub grace_periods: GracePeriods,
    /// What asks it to: listened to since before the bundle was unpacked.
    pub signals: Signals,
    /// Who ends what a killed reaper leaves; none where smcp has other children.
    pub adoption: Option<Adoption>,
}

/// A server that has ended, and what became of its warning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finished {
    /// How it ended.
    pub ended: Ended,
    /// Who began that.
    pub by: EndedBy,
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
    let program = bundle.program(typed, setup.environment.search_path(), setup.is_program)?;
    let directory = bundle.directory(manifest.entrypoint.workdir.as_deref())?;
    setup.deadline.check().map_err(|_| LaunchError::timeout(typed))?;
    if let Some(ended) = setup.signals.ended() {
        let delivery = setup.warning.map(|_| Delivery::Undelivered);
        return Ok(Finished { ended, by: EndedBy::Signal, delivery });
    }
    let Streams { input, output } = setup.streams;
    let mut client = ClientWatch::of(input.as_fd(), output.as_fd()).map_err(LaunchError::streams)?;
    let inherited = output.is_inherited();
    let ends = Ends::new(&input, output, setup.warning).map_err(LaunchError::streams)?;
    let args: Vec<_> = manifest.entrypoint.args.iter().map(OsString::from).chain(setup.extra_args).collect();
    let load = Load::of(args.iter().map(OsString::as_os_str), &setup.environment);
    let refused = |cause| diagnose::refused(typed, &program, &load, setup.read_head, cause);
    let place = StartFolder::open(&setup.root, &setup.root_dir, &directory, program.clone()).map_err(refused)?;
    let plan = Plan {
        program: place.program,
        place: place.dir,
        args,
        directory,
        environment: &setup.environment,
        output: ends.stdout,
    };
    let mut server = RunningServer::start(plan, ends.stdin.as_fd(), setup.adoption).map_err(refused)?;
    // Of a pipe, the server alone holds its end now: its closing is how we learn of the server's end.
    drop(ends.stdin);
    let watch = || {
        if inherited {
            streams::let_go(ends.relay.is_some())?;
        }
        // Without a relay the server alone reads it.
        let mut relay = ends.relay.map(|relay| relay.start(input)).transpose()?;
        let (ended, by) = supervise(&mut server, &setup.signals, &mut client, relay.as_mut(), setup.grace_periods)?;
        Ok((ended, by, relay))
    };
    let (ended, by, relay) = watch().map_err(LaunchError::watching)?;
    let delivery = relay.map(|relay| relay.finish(&setup.signals)).transpose()?;
    Ok(Finished { ended, by, delivery })
}

/// The server's ends of its streams: those of the client, or pipes with a relay behind them.
#[derive(Debug)]
struct Ends {
    stdin: OwnedFd,
    stdout: Stdio,
    relay: Option<PreparedRelay>,
}

impl Ends {
    fn new(input: &OwnedFd, output: Output, warning: Option<Warning>) -> io::Result<Self> {
        let Some(warning) = warning else {
            return Ok(Self { stdin: input.try_clone()?, stdout: output.into(), relay: None });
        };
        let (stdin, stdout, prepared) = relay::prepare(output, warning)?;
        Ok(Self { stdin: stdin.into(), stdout: stdout.into(), relay: Some(prepared) })
    }
}
