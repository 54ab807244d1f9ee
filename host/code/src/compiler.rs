//! The compiler of the program: a child for each component.

use std::fmt;
use std::io;
use std::num::NonZeroUsize;
use std::os::unix::process::CommandExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;
use std::sync::OnceLock;
use std::thread;
use std::time::Duration;

use nix::sys::signal::SigHandler;
use nix::sys::signal::Signal;
use nix::sys::signal::signal;

use crate::child;
use crate::child::CompileWork;
use crate::confine::CompilerConfinement;
use crate::conversation;
use crate::conversation::Answer;
use crate::conversation::Killed;
use crate::conversation::RunningCompiler;
#[cfg(target_os = "linux")]
use crate::fork_server::ForkServer;
use crate::reply;
use crate::reply::CompileResult;
use crate::reply::Reply;
use smcp_model::limits::compiling;
use smcp_model::size::ByteSize;
use smcp_model::verdict::Fault;
use smcp_model::verdict::FaultKind;
use smcp_policy::CompileOrder;
use smcp_policy::Compiler;
use smcp_policy::MachineCode;
use smcp_policy::NotCompiled;

/// Compiles each component in a child process: smcp itself, which first gives up files, network, processes and all but
/// some memory and time (spec section 9).
pub struct ChildCompiler {
    program: Box<dyn Fn() -> io::Result<PathBuf> + Send + Sync>,
    memory: Box<dyn Fn() -> Option<u64> + Send + Sync>,
    #[cfg(target_os = "linux")]
    server: Option<&'static ForkServer>,
    /// Whether it was said what of the confinement is missing.
    said: OnceLock<()>,
}

impl ChildCompiler {
    /// A compiler that starts the smcp at the path that `program` returns. `memory` returns the free memory of the
    /// machine, bytes, if that is known: all children together may take half of it. Neither is asked before a component
    /// is compiled.
    pub fn new(
        program: impl Fn() -> io::Result<PathBuf> + Send + Sync + 'static,
        memory: impl Fn() -> Option<u64> + Send + Sync + 'static,
    ) -> Self {
        Self {
            program: Box::new(program),
            memory: Box::new(memory),
            #[cfg(target_os = "linux")]
            server: None,
            said: OnceLock::new(),
        }
    }

    /// The same, with a server that forks the children where the program can't be found.
    #[cfg(target_os = "linux")]
    #[must_use]
    pub fn or_by(self, server: Option<&'static ForkServer>) -> Self {
        Self { server, ..self }
    }

    /// Starts a child that compiles nothing, but tries what it must not be able to do. Returns how far it was confined,
    /// and what it could do all the same.
    ///
    /// # Errors
    /// The fault that a policy would get.
    pub fn try_out(&self) -> Result<(CompilerConfinement, Vec<String>), Fault> {
        let answer = self.ask(CompileWork::Try, [&[], &[]], compiling::END)?;
        match (ended(&answer), reply::read(answer.output)) {
            (None, Some((Reply { confinement, result: CompileResult::Tried(done) }, _))) => Ok((confinement, done)),
            (Some(fault), _) => Err(fault),
            (None, _) => Err(crashed("it gave no whole answer")),
        }
    }

    /// Starts a child and talks with it.
    fn ask(&self, work: CompileWork, parts: [&[u8]; 2], patience: Duration) -> Result<Answer, Fault> {
        let child = self.start(work)?;
        conversation::converse(child, parts, patience)
            .map_err(|error| fault(format!("it can't be compiled: the compiler can't be talked to: {error}")))
    }

    fn start(&self, work: CompileWork) -> Result<RunningCompiler, Fault> {
        let failed = |why: &io::Error| {
            fault(format!("it can't be compiled: smcp can't start itself as a compiler: {why}"))
                .remedy("compile ahead where it can (`smcp policy compile`), or mount /proc")
        };
        let program = match (self.program)() {
            Ok(program) => program,
            Err(why) => return self.forked(work).unwrap_or(Err(why)).map_err(|why| failed(&why)),
        };
        #[expect(clippy::disallowed_methods, reason = "our own program, which starts no package's code")]
        let mut command = Command::new(program);
        command.arg0(child::NAME).args(work.arguments()).env_clear().current_dir("/");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().map(RunningCompiler::Child).map_err(|error| no_room().unwrap_or_else(|| failed(&error)))
    }

    /// Has a compiler forked; `None` where there is no server for that.
    fn forked(&self, work: CompileWork) -> Option<io::Result<RunningCompiler>> {
        #[cfg(target_os = "linux")]
        return self.server.map(|server| server.request(work).map(RunningCompiler::Forked));
        #[cfg(not(target_os = "linux"))]
        None
    }

    fn say(&self, confinement: &CompilerConfinement) {
        let missing = &confinement.missing;
        if !missing.is_empty() && self.said.set(()).is_ok() {
            tracing::info!(missing = missing.join("; "), "the compiler is not confined in full");
        }
    }
}

impl Compiler for ChildCompiler {
    fn compile(&self, order: &CompileOrder<'_>) -> Result<MachineCode, NotCompiled> {
        let length = reply::frame(order.component);
        let left = order.deadline.remaining().unwrap_or(Duration::MAX);
        let answer = self.ask(CompileWork::Compile, [&length, order.component], left.min(compiling::WALL_TIME));
        let answer = answer.map_err(NotCompiled::NotNow)?;
        if let Some(fault) = ended(&answer) {
            tracing::info!(digest = %order.digest, status = %answer.status, complaint = answer.complaint, "the compiler failed");
            return Err(NotCompiled::NotNow(fault));
        }
        let Some((Reply { confinement, result }, code)) = reply::read(answer.output) else {
            return Err(NotCompiled::NotNow(crashed("it gave no whole answer")));
        };
        self.say(&confinement);
        match result {
            CompileResult::Code(_) => Ok(vouch(code)),
            CompileResult::Refused { message, remedy } => {
                Err(NotCompiled::Never(Fault { kind: FaultKind::Load, message, remedy, settings: Vec::new() }))
            }
            CompileResult::OutOfMemory => Err(NotCompiled::NotNow(out_of_memory())),
            CompileResult::Tried(_) => Err(NotCompiled::NotNow(crashed("it answered something else"))),
        }
    }

    fn patience(&self) -> Duration {
        // The conversation ends by itself before.
        compiling::WALL_TIME.saturating_add(compiling::END.saturating_mul(2))
    }

    fn at_once(&self) -> usize {
        let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let room = (self.memory)().map_or(1, |free| free / 2 / compiling::MEMORY);
        usize::try_from(room).unwrap_or(cores).clamp(1, cores)
    }
}

impl fmt::Debug for ChildCompiler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChildCompiler").finish_non_exhaustive()
    }
}

/// Undoes an inherited wish to ignore the ends of children, with which the system would keep no status of them. It changes
/// nothing for a server that smcp starts: `launch` listens to the signal.
#[expect(unsafe_code, reason = "the disposition of a signal is set, for which there is no safe call")]
pub fn heed_children() {
    // SAFETY: no handler is installed. The call fails for no such signal.
    let _ = unsafe { signal(Signal::SIGCHLD, SigHandler::SigDfl) };
}

/// Takes the code of a child.
#[expect(unsafe_code, reason = "the child is our own program, and the pipe had no other writer")]
fn vouch(code: Vec<u8>) -> MachineCode {
    // SAFETY: the bytes came through a pipe whose other end only the child had, which is this program and wrote what
    // `InProcess` returned. Their length was compared, and it ended without an error.
    unsafe { MachineCode::from_vouched(code) }
}

/// Why a child ended without an answer; `None` when it ended as it should.
fn ended(answer: &Answer) -> Option<Fault> {
    let signal = answer.status.signal().and_then(|signal| Signal::try_from(signal).ok());
    match (answer.killed, signal) {
        (None, None) if answer.status.success() => None,
        (Some(Killed::Late), _) => Some(late()),
        (Some(Killed::TalkedTooMuch), _) => {
            let most = ByteSize(u64::try_from(compiling::CODE).unwrap_or(u64::MAX));
            Some(fault(format!("it makes more than {most} of machine code")).remedy(SMALLER))
        }
        (None, Some(Signal::SIGXCPU)) => {
            let time = compiling::CPU_TIME;
            Some(fault(format!("it takes more than {time:?} of CPU time to compile")).remedy(SMALLER))
        }
        // The allocator says so before it ends the process, by one of these.
        (None, Some(Signal::SIGABRT | Signal::SIGSYS | Signal::SIGSEGV)) if answer.complaint.contains(ALLOCATION) => {
            Some(out_of_memory())
        }
        (None, Some(Signal::SIGKILL)) => Some(
            fault("it was not compiled: the system killed the compiler, as it does when memory runs out")
                .remedy("free some memory of this machine, and try again"),
        ),
        (None, Some(signal)) => Some(crashed(signal.as_str())),
        (None, None) => Some(crashed(&answer.status.to_string())),
    }
}

/// What the standard library says when memory is refused.
const ALLOCATION: &str = "memory allocation of";

/// What makes a component easier to compile.
const SMALLER: &str = "build it smaller: optimised for size, without huge functions, in one module \
                       (docs/policy-authors.md)";

/// The fault of a component for which a limit on this process, which its children have too, leaves too little room.
fn no_room() -> Option<Fault> {
    let limit = smcp_policy::cramped()?;
    let raise = "raise the limit before smcp starts, in the shell or the service that starts it";
    Some(fault(format!("the system gives no room for compiling the policy: {limit}")).remedy(raise))
}

fn out_of_memory() -> Fault {
    if let Some(fault) = no_room() {
        return fault;
    }
    let most = ByteSize(compiling::MEMORY);
    fault(format!("it takes more than {most} of memory to compile")).remedy(SMALLER)
}

fn late() -> Fault {
    fault("it was not compiled in time, and the compiler was ended")
        .remedy("compile it ahead with `smcp policy compile`, or when this machine is less busy")
}

fn crashed(how: &str) -> Fault {
    if let Some(fault) = no_room() {
        return fault;
    }
    fault(format!("it makes the compiler fail ({how})"))
        .remedy("report it to the policy's author, and to us: SECURITY.md says where")
}

fn fault(message: impl AsRef<str>) -> Fault {
    Fault::new(FaultKind::Load, message)
}

#[cfg(test)]
mod tests {
    use std::process::ExitStatus;

    use super::*;
    use smcp_model::deadline::Deadline;
    use smcp_model::digest::Digest;

    #[test]
    fn each_end_of_a_child_is_told_apart() {
        let of = |raw: i32, complaint: &str, killed| Answer {
            output: Vec::new(),
            complaint: complaint.to_owned(),
            status: ExitStatus::from_raw(raw),
            killed,
        };
        let no_memory = "memory allocation of 1048576 bytes failed\n";
        let cases = [
            (of(0, "", None), ""),
            (of(Signal::SIGXCPU as i32, "", None), "it takes more than 120s of CPU time to compile"),
            (of(Signal::SIGABRT as i32, no_memory, None), "it takes more than 1.0 GiB of memory to compile"),
            (of(Signal::SIGSEGV as i32, no_memory, None), "it takes more than 1.0 GiB of memory to compile"),
            (of(Signal::SIGSYS as i32, no_memory, None), "it takes more than 1.0 GiB of memory to compile"),
            (
                of(Signal::SIGABRT as i32, "thread 'main' has overflowed its stack", None),
                "it makes the compiler fail (SIGABRT)",
            ),
            (of(Signal::SIGSEGV as i32, "", None), "it makes the compiler fail (SIGSEGV)"),
            (
                of(Signal::SIGKILL as i32, "", None),
                "it was not compiled: the system killed the compiler, as it does when memory runs out",
            ),
            (
                of(Signal::SIGKILL as i32, "", Some(Killed::Late)),
                "it was not compiled in time, and the compiler was ended",
            ),
            (
                of(Signal::SIGKILL as i32, "", Some(Killed::TalkedTooMuch)),
                "it makes more than 256.0 MiB of machine code",
            ),
            (of(0, "", Some(Killed::Late)), "it was not compiled in time, and the compiler was ended"),
            (of(101 << 8, "panicked", None), "it makes the compiler fail (exit status: 101)"),
        ];
        for (answer, expected) in cases {
            let fault = ended(&answer);
            assert_eq!(fault.as_ref().map_or("", |fault| fault.message.as_str()), expected, "{answer:?}");
            assert!(fault.is_none_or(|fault| fault.kind == FaultKind::Load && fault.remedy.is_some()));
        }
    }

    #[test]
    fn without_its_own_file_there_is_no_compiler() {
        let compiler = ChildCompiler::new(|| Err(io::ErrorKind::NotFound.into()), || None);
        let order = CompileOrder { component: b"", digest: Digest::of(b""), deadline: Deadline::none() };
        let Err(NotCompiled::NotNow(fault)) = compiler.compile(&order) else { panic!("it compiled") };
        let start = "it can't be compiled: smcp can't start itself as a compiler: ";
        assert!(fault.message.as_str().starts_with(start), "{fault:?}");
        assert!(fault.remedy.unwrap().as_str().contains("`smcp policy compile`"));
    }

    #[test]
    fn children_share_half_of_the_free_memory() {
        let cores = thread::available_parallelism().unwrap().get();
        let at_once = |memory| ChildCompiler::new(|| Err(io::ErrorKind::NotFound.into()), move || memory).at_once();
        assert_eq!(at_once(None), 1);
        assert_eq!(at_once(Some(0)), 1);
        assert_eq!(at_once(Some(4 * compiling::MEMORY)), 2.min(cores));
        assert_eq!(at_once(Some(u64::MAX)), cores);
    }
}
