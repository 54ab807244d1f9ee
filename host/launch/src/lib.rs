//! Starts the cleared process and stays with it until it has ended.
//!
//! `decide` comes before: it makes the [`Clearance`], without which nothing here can be called. Only the exit code
//! comes after. Everything that depends on the platform (process groups, terminals, signals, poll) is in this stage.
//!
//! ```text
//! command ──► spawn ──► supervise ──► Ended
//!  which      its own    poll: signals,   what it
//!  file       group,     hang-up, grace   exits with
//!             a reaper      │
//!                         relay ◄──► proxy      only for a server with a warning:
//!                         moves bytes  changes them     otherwise client and server are connected directly
//! ```

#[cfg(target_os = "linux")]
pub use crate::adoption::Adoption;
#[cfg(target_os = "linux")]
pub use crate::confined::Confining;
#[cfg(not(target_os = "linux"))]
pub use crate::direct::Adoption;
#[cfg(target_os = "linux")]
pub use crate::observing::Observing;
pub use crate::refusal::Patience;
pub use crate::refusal::refuse;
pub use crate::signals::Signals;
pub use crate::streams::Output;
pub use crate::streams::Streams;

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
#[cfg(target_os = "linux")]
use crate::confined::Confined;
use crate::diagnose::Load;
use crate::ending::GracePeriods;
use crate::environment::ServerEnvironment;
use crate::error::LaunchError;
use crate::relay::PreparedRelay;
#[cfg(target_os = "linux")]
use crate::script::Finder;
use crate::spawn::Plan;
use crate::spawn::RunningServer;
use crate::start_folder::StartFolder;
use crate::status::Ended;
use crate::supervise::supervise;
use smcp_decide::Clearance;
use smcp_model::deadline::Deadline;
use smcp_model::manifest::Transport;
use smcp_model::record::EndedBy;
use smcp_model::warning::Delivery;
use smcp_model::warning::Warning;

#[cfg(target_os = "linux")]
mod adoption;
mod command;
#[cfg(target_os = "linux")]
mod confined;
mod diagnose;
mod disposition;
pub mod ending;
pub mod env_file;
pub mod environment;
pub mod error;
#[cfg(not(target_os = "linux"))]
mod client_poll;
#[cfg(target_os = "linux")]
mod observing;
#[cfg(target_os = "linux")]
mod program_pages;
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
#[cfg(target_os = "linux")]
mod script;
pub mod search;
mod signals;
mod spawn;
pub mod status;
mod streams;
mod supervise;
mod values;
mod terminal;
#[cfg(not(target_os = "linux"))]
mod direct;

/// Tells whether the file at a path is an executable program; `None` when no regular file is there.
pub type IsProgram = fn(&Path) -> Option<bool>;

/// Reads the first bytes of the file at a path; `None` when it can't be read.
pub type ReadHead = fn(&Path) -> Option<Vec<u8>>;

/// Everything that a start needs besides the clearance.
#[derive(Debug)]
pub struct Setup {
    /// The absolute path of the unpacked bundle, for messages; files to start are found through the opened directory.
    pub root: PathBuf,
    /// The same directory, opened.
    pub root_dir: Dir,
    /// Arguments that the user adds after those of the manifest.
    pub extra_args: Vec<OsString>,
    /// The variables that the server gets.
    pub environment: ServerEnvironment,
    /// Looks up programs that are not in the bundle.
    pub is_program: IsProgram,
    /// Reads a file that could not be started, for a message that says why.
    pub read_head: ReadHead,
    /// The client's ends of its standard input and output.
    pub streams: Streams,
    /// The warning for the client's model. Without one, client and server are connected directly.
    pub warning: Option<Warning>,
    /// The time by which the server must have been started. It does not limit how long the server runs.
    pub deadline: Deadline,
    /// How long the server may take to end when it is asked to.
    pub grace_periods: GracePeriods,
    /// The signals that ask it to end, listened to since before the bundle was unpacked.
    pub signals: Signals,
    /// What confining the server takes; `None` where it is not confined.
    #[cfg(target_os = "linux")]
    pub confining: Option<Confining>,
    /// The right to end what a killed reaper leaves; `None` where smcp has other children.
    pub adoption: Option<Adoption>,
}

/// How a server ended, and what became of its warning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finished {
    /// How it ended.
    pub ended: Ended,
    /// Who began its ending.
    pub by: EndedBy,
    /// Whether the warning reached the client; `None` when there was none.
    pub delivery: Option<Delivery>,
}

/// Starts the cleared server, and waits until it and everything that it started has ended.
///
/// The clearance is consumed: one clearance, one start. SIGINT, SIGTERM and SIGHUP end the server while this runs; a
/// signal that came before keeps it from starting.
///
/// # Errors
/// See [`LaunchError`]. Whatever fails, nothing is left running.
pub fn launch(clearance: Clearance, setup: Setup) -> Result<Finished, LaunchError> {
    let manifest = &clearance.package().manifest;
    match manifest.transport {
        Transport::Stdio => {}
        Transport::Http => return Err(LaunchError::Transport),
    }
    if let Some(error) = LaunchError::not_set(setup.environment.missing()) {
        return Err(error);
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
    #[cfg(target_os = "linux")]
    let led_elsewhere = {
        // What a relay stands before is not handed on.
        let handed = [input.as_fd(), output.as_fd()].into_iter().filter(|_| setup.warning.is_none());
        handed.chain([io::stderr().as_fd()]).any(smcp_confine::leads_elsewhere)
    };
    let ends = Ends::new(&input, output, setup.warning).map_err(LaunchError::streams)?;
    let mut args: Vec<_> = setup.environment.arguments(manifest).into_iter().chain(setup.extra_args).collect();
    let load = Load::of(args.iter().map(OsString::as_os_str), &setup.environment);
    let refused = |cause| diagnose::refused(typed, &program, &load, setup.read_head, cause);
    let place = StartFolder::open(&setup.root, &setup.root_dir, &directory, program.clone()).map_err(refused)?;
    #[cfg(target_os = "linux")]
    let (locks, way_out, started) = match &setup.confining {
        None => (None, None, place.program),
        Some(confining) => {
            let search_path = setup.environment.search_path();
            let finder = Finder { search_path, is_program: setup.is_program, read_head: setup.read_head };
            let around = (&setup.environment, finder);
            let Confined { locks, direct, way_out, spare_ports } =
                confined::confine(confining, manifest, bundle, (&program, &directory, led_elsewhere), around)?;
            let direct = direct.map(|(program, before)| {
                args.splice(0..0, before.into_iter().chain([place.program.clone().into()]));
                program
            });
            (Some(locks), way_out.map(|way_out| (way_out, spare_ports)), direct.unwrap_or(place.program))
        }
    };
    #[cfg(not(target_os = "linux"))]
    let started = place.program;
    let plan = Plan {
        program: started,
        place: place.dir,
        args,
        #[cfg(target_os = "linux")]
        locks,
        directory,
        environment: &setup.environment,
        output: ends.stdout,
    };
    let mut server = RunningServer::start(plan, ends.stdin.as_fd(), setup.adoption).map_err(refused)?;
    // As long as the server runs.
    #[cfg(target_os = "linux")]
    let _serving = way_out
        .zip(setup.confining.and_then(|confining| confining.outbound))
        .map(|((way_out, spare_ports), outbound)| confined::lead_out(way_out, outbound, spare_ports))
        .transpose()
        .map_err(LaunchError::watching)?;
    // Now only the server holds its end of a pipe, so that its closing tells us of the server's end.
    drop(ends.stdin);
    let watch = || {
        if inherited {
            streams::let_go(ends.relay.is_some())?;
        }
        // Without a relay only the server reads the input.
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
