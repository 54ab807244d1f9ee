//! The world of these tests: a bundle, a clearance, a client, and smcp.

use std::fs::File;
use std::io::BufRead as _;
use std::io::BufReader;
use std::io::PipeReader;
use std::io::Read;
use std::io::Write as _;
use std::os::fd::AsFd;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::ChildStdin;
use std::process::Command;
use std::process::Stdio;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use nix::poll::PollFd;
use nix::poll::PollFlags;
use nix::poll::PollTimeout;
use nix::poll::poll;
use nix::sys::signal::Signal;
use nix::sys::signal::kill;
use nix::unistd::Pid;
use serde_json::json;
use tempfile::TempDir;

use smcp_decide::Clearance;
use smcp_decide::Decision;
use smcp_decide::admit;
use smcp_launch::Output;
use smcp_launch::Setup;
use smcp_launch::Signals;
use smcp_launch::Streams;
use smcp_launch::ending::GracePeriods;
use smcp_launch::environment::ServerEnvironment;
use smcp_launch::error::LaunchError;
use smcp_launch::launch;
use smcp_launch::status::Ended;
use smcp_model::deadline::Deadline;
use smcp_model::digest::Digest;
use smcp_model::facts::Facts;
use smcp_model::manifest::Entrypoint;
use smcp_model::manifest::Manifest;
use smcp_model::manifest::Permissions;
use smcp_model::manifest::Transport;
use smcp_model::mode::OnWarn;
use smcp_model::package::ResolvedPackage;
use smcp_model::policy::BuiltIn;
use smcp_model::policy::PolicySpec;
use smcp_model::registry::Registry;
use smcp_model::verdict::Evaluated;
use smcp_model::verdict::Outcome;
use smcp_model::warning::Warning;

/// Longer than any test takes. A test that waits so long fails, because the server ends in another way.
pub(crate) const NEVER: Duration = Duration::from_secs(60);
/// No wait.
pub(crate) const NOW: Duration = Duration::ZERO;

pub(crate) const PATIENT: GracePeriods = GracePeriods { input_closed: NEVER, terminate: NEVER };

/// An unpacked bundle, removed when dropped.
pub(crate) struct Bed(TempDir);

impl Bed {
    pub(crate) fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    pub(crate) fn root(&self) -> &Path {
        self.0.path()
    }

    /// Puts an executable file into the bundle. Another process writes it: a descriptor of ours that is open for
    /// writing could be inherited by a server of another test, and the system starts no file that is open for writing.
    pub(crate) fn executable(&self, name: &str, text: &[u8]) {
        let mut writer = Command::new("sh")
            .args(["-c", "cat >\"$0\" && chmod 755 \"$0\"", name])
            .current_dir(self.root())
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        writer.stdin.take().unwrap().write_all(text).unwrap();
        assert!(writer.wait().unwrap().success());
    }

    pub(crate) fn setup(
        &self,
        input: impl Into<OwnedFd>,
        output: impl Into<OwnedFd>,
        grace_periods: GracePeriods,
    ) -> Setup {
        let streams = Streams { input: input.into(), output: Output::Given(output.into()) };
        setup(self.root(), streams, grace_periods)
    }

    /// Runs an entrypoint to its end without standard input; returns how it ended and its output.
    pub(crate) fn run(&self, entrypoint: Entrypoint) -> (Result<Ended, LaunchError>, String) {
        self.run_with(entrypoint, null(), |setup| setup)
    }

    pub(crate) fn run_with(
        &self,
        entrypoint: Entrypoint,
        input: impl Into<OwnedFd>,
        change: impl FnOnce(Setup) -> Setup,
    ) -> (Result<Ended, LaunchError>, String) {
        let (mut read, write) = std::io::pipe().unwrap();
        let finished = launch(clearance(entrypoint), change(self.setup(input, write, PATIENT)));
        let mut output = String::new();
        read.read_to_string(&mut output).unwrap();
        (finished.map(|finished| finished.ended), output)
    }

    /// Starts a script and returns a client for it.
    pub(crate) fn start(self, script: &str, input: impl Into<OwnedFd>, grace_periods: GracePeriods) -> Running {
        let (read, write) = std::io::pipe().unwrap();
        let (clearance, setup) = (clearance(sh(script)), self.setup(input, write, grace_periods));
        let thread = std::thread::spawn(move || launch(clearance, setup).map(|finished| finished.ended));
        Running { output: BufReader::new(read), thread, _bed: self }
    }
}

fn setup(root: &Path, streams: Streams, grace_periods: GracePeriods) -> Setup {
    Setup {
        root: root.to_owned(),
        root_dir: Dir::open_ambient_dir(root, ambient_authority()).unwrap(),
        extra_args: Vec::new(),
        environment: environment(),
        is_program: smcp_authority::is_program,
        read_head: smcp_authority::program_head,
        streams,
        warning: None,
        deadline: Deadline::none(),
        grace_periods,
        signals: Signals::listen().unwrap(),
        #[cfg(target_os = "linux")]
        confining: None,
        adoption: None,
    }
}

/// A launch that runs in a thread of the test.
pub(crate) struct Running {
    pub(crate) output: BufReader<PipeReader>,
    thread: JoinHandle<Result<Ended, LaunchError>>,
    _bed: Bed,
}

impl Running {
    /// Waits until no process holds the server's output; returns the rest of it and how the server ended.
    pub(crate) fn end(mut self) -> (Ended, String) {
        let mut rest = String::new();
        self.output.read_to_string(&mut rest).unwrap();
        (self.thread.join().unwrap().unwrap(), rest)
    }
}

/// Reads lines until one begins with `word`; returns the text after the word. The end of a terminal is an error.
pub(crate) fn line_with(output: &mut BufReader<impl Read>, word: &str) -> String {
    let mut seen = String::new();
    loop {
        let start = seen.len();
        assert_ne!(output.read_line(&mut seen).unwrap_or_default(), 0, "it ended before `{word}`: {seen}");
        if let Some((_, rest)) = seen.get(start..).and_then(|line| line.split_once(word)) {
            return rest.trim().to_owned();
        }
    }
}

/// Waits until no process can read this pipe.
pub(crate) fn closed_by_its_reader(pipe: impl AsFd) {
    poll(&mut [PollFd::new(pipe.as_fd(), PollFlags::empty())], PollTimeout::NONE).unwrap();
}

pub(crate) fn null() -> File {
    File::open("/dev/null").unwrap()
}

/// A file that discards its input.
pub(crate) fn sink() -> File {
    File::options().write(true).open("/dev/null").unwrap()
}

pub(crate) fn sh(script: &str) -> Entrypoint {
    entrypoint("sh", &["-c", script])
}

pub(crate) fn entrypoint(command: &str, args: &[&str]) -> Entrypoint {
    Entrypoint {
        command: command.to_owned(),
        args: args.iter().map(|arg| (*arg).to_owned()).collect(),
        ..Entrypoint::default()
    }
}

pub(crate) fn manifest(entrypoint: Entrypoint) -> Manifest {
    Manifest {
        transport: Transport::Stdio,
        entrypoint,
        permissions: Some(Permissions::default()),
        variables: std::collections::BTreeMap::new(),
        workdir_writable: false,
        text: String::new(),
    }
}

/// The environment of a server that asks for nothing: our PATH.
pub(crate) fn environment() -> ServerEnvironment {
    let path = ("PATH".into(), std::env::var_os("PATH").unwrap());
    ServerEnvironment::compute(&[path], &manifest(Entrypoint::default()), &[], &[])
}

pub(crate) fn clearance(entrypoint: Entrypoint) -> Clearance {
    clearance_of(manifest(entrypoint))
}

/// Makes a clearance in the usual way: from a ruling that allows.
pub(crate) fn clearance_of(manifest: Manifest) -> Clearance {
    let package = ResolvedPackage {
        id: "acme/tool".parse().unwrap(),
        version: "1.0.0".parse().unwrap(),
        registry: Registry::from_text("/registry", Path::new("/"), None).unwrap(),
        facts: Facts::default(),
        manifest_digest: Digest::of(b"manifest"),
        bundle_digest: Digest::of(b"bundle"),
        bundle_size: 6,
        manifest,
    };
    let (ruled, _) = admit(package).unwrap().rule(vec![passing()]).unwrap();
    match ruled.apply() {
        Decision::Allow(clearance) => clearance,
        other @ (Decision::Ask(_) | Decision::Deny(_)) => unreachable!("{other:?}"),
    }
}

/// A policy that allows.
fn passing() -> Evaluated {
    Evaluated {
        spec: Arc::new(PolicySpec::built_in(BuiltIn::Origin, json!({}))),
        on_warn: OnWarn::Notify,
        digest: None,
        signer: None,
        version: None,
        outcome: Outcome::Pass { notices: Vec::new() },
        duration: Duration::ZERO,
        memory: 0,
    }
}

/// smcp as a separate process, because signals and terminals belong to processes. It is this test program again,
/// running only [`stand_in`].
pub(crate) struct Smcp {
    pub(crate) input: Option<ChildStdin>,
    pub(crate) output: BufReader<std::process::ChildStdout>,
    child: std::process::Child,
}

const ROOT: &str = "STAND_IN_ROOT";
const SCRIPT: &str = "STAND_IN_SCRIPT";
const GRACE_PERIODS: &str = "STAND_IN_GRACES";
const WARNED: &str = "STAND_IN_WARNED";
/// The variable for the number of launches; 1 if it is not set.
pub(crate) const TIMES: &str = "STAND_IN_TIMES";

/// The arguments that start a stand-in, and its variables: the bundle, the server's script, and the grace periods.
pub(crate) fn stand_in_command(
    program: &str,
    before: &[&str],
    bed: &Bed,
    script: &str,
    grace_periods: GracePeriods,
) -> Command {
    let mut command = Command::new(program);
    command
        .args(before)
        .args(["--exact", "bed::stand_in", "--ignored", "--nocapture"])
        .env(ROOT, bed.root())
        .env(SCRIPT, script)
        .env(
            GRACE_PERIODS,
            format!("{} {}", grace_periods.input_closed.as_millis(), grace_periods.terminate.as_millis()),
        );
    command
}

/// Gives the server of a stand-in a warning.
pub(crate) fn warned(command: &mut Command) -> &mut Command {
    command.env(WARNED, "yes")
}

/// The warning for the model.
pub(crate) fn warning() -> Warning {
    Warning {
        block: "[SECURITY WARNING - MCP Hub Certification] a test [END SECURITY WARNING]".to_owned(),
        short: "[SECURITY WARNING: a test]".to_owned(),
        notification: "a test".to_owned(),
    }
}

pub(crate) fn this_program() -> String {
    std::env::current_exe().unwrap().into_os_string().into_string().unwrap()
}

impl Smcp {
    pub(crate) fn start(bed: &Bed, script: &str, grace_periods: GracePeriods) -> Self {
        Self::spawn(&mut stand_in_command(&this_program(), &[], bed, script, grace_periods))
    }

    /// Starts it with a relay between the client and the server.
    pub(crate) fn start_warned(bed: &Bed, script: &str, grace_periods: GracePeriods) -> Self {
        Self::spawn(warned(&mut stand_in_command(&this_program(), &[], bed, script, grace_periods)))
    }

    fn spawn(command: &mut Command) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self { input: child.stdin.take(), output, child }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id().cast_signed()), signal).unwrap();
    }

    /// Closes both ends of the client.
    pub(crate) fn leaves(mut self) -> Left {
        drop(self.input.take());
        let (nobody, _) = std::io::pipe().unwrap();
        let nobody: std::process::ChildStdout = OwnedFd::from(nobody).into();
        drop(std::mem::replace(&mut self.output, BufReader::new(nobody)));
        Left(self)
    }

    /// Waits until smcp exits with `code`, and then until no process holds its output: neither the server nor its
    /// children.
    #[track_caller]
    pub(crate) fn ends_with(mut self, code: i32) {
        assert_eq!(self.child.wait().unwrap().code(), Some(code));
        self.output.read_to_end(&mut Vec::new()).unwrap();
    }
}

/// smcp after its client has left.
pub(crate) struct Left(Smcp);

impl Left {
    /// Waits until smcp exits with `code`.
    #[track_caller]
    pub(crate) fn ends_with_code(mut self, code: i32) {
        assert_eq!(self.0.child.wait().unwrap().code(), Some(code));
    }
}

impl Drop for Smcp {
    /// A failed test asks twice, so that nothing of its stand-in is left.
    fn drop(&mut self) {
        if self.child.try_wait().unwrap().is_none() {
            self.signal(Signal::SIGTERM);
            self.signal(Signal::SIGHUP);
            self.child.wait().unwrap();
        }
    }
}

#[test]
#[ignore = "a process that other tests start"]
fn stand_in() {
    let variable = |name| std::env::var(name).unwrap();
    let grace_periods = variable(GRACE_PERIODS);
    let (input_closed, terminate) = grace_periods.split_once(' ').unwrap();
    let duration = |milliseconds: &str| Duration::from_millis(milliseconds.parse().unwrap());
    let grace_periods = GracePeriods { input_closed: duration(input_closed), terminate: duration(terminate) };
    let once = || {
        let streams = Streams::inherited(smcp_authority::stdin().unwrap());
        let warning = std::env::var_os(WARNED).map(|_| warning());
        let setup = Setup { warning, ..setup(Path::new(&variable(ROOT)), streams, grace_periods) };
        launch(clearance(sh(&variable(SCRIPT))), setup).unwrap().ended
    };
    if let Ok(times) = std::env::var(TIMES) {
        leaves_nothing(once, times.parse().unwrap());
    }
    std::process::exit(once().exit_code().into());
}

/// Checks that this process has as many descriptors and children after many launches as after one.
fn leaves_nothing(once: impl Fn() -> Ended, times: usize) {
    let descriptors = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    once();
    let before = descriptors();
    // The last one is the caller's.
    for _ in 2..times {
        assert_eq!(once(), Ended::Exited(0));
    }
    assert_eq!(descriptors(), before);
    assert_eq!(nix::sys::wait::waitpid(None, None), Err(nix::errno::Errno::ECHILD));
}
