//! The compiling child: our own program under another name.
//!
//! It gives up everything (`confine`), reads a component from standard input, writes the code to standard output and
//! ends. It has one thread, opens nothing and starts nothing.

use std::ffi::OsStr;
use std::ffi::OsString;
use std::io;
use std::io::Read as _;
use std::io::Write as _;

use crate::confine;
use crate::confine::CompilerConfinement;
use crate::reply;
use crate::reply::CompileResult;
use crate::reply::Reply;
use smcp_model::deadline::Deadline;
use smcp_model::digest::Digest;
use smcp_model::limits::PolicyLimits;
use smcp_policy::CompileOrder;
use smcp_policy::Compiler as _;
use smcp_policy::InProcess;
use smcp_policy::NotCompiled;

/// The name under which the program compiles, in place of its own: what a list of processes shows.
pub(crate) const NAME: &str = "smcp-compiler";
/// The argument with which the child compiles nothing, but tries what it must not be able to do.
const TRY: &str = "--try";

/// Whether a program that was started under this name is to compile.
pub fn is_compiler(name: &OsStr) -> bool {
    name == NAME
}

/// What a compiling child is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CompileWork {
    /// Compile what it reads.
    Compile,
    /// Try what it must not be able to do.
    Try,
}

impl CompileWork {
    /// The arguments by which a program learns of it.
    pub(crate) const fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::Compile => &[],
            Self::Try => &[TRY],
        }
    }

    /// The byte by which a fork server learns of it.
    pub(crate) const fn as_byte(self) -> u8 {
        match self {
            Self::Compile => 0,
            Self::Try => 1,
        }
    }

    /// The work of a byte.
    pub(crate) const fn of_byte(byte: u8) -> Self {
        if byte == Self::Try.as_byte() { Self::Try } else { Self::Compile }
    }
}

/// Does the work of a compiling child. `arguments` are those after the name.
///
/// # Errors
/// Those of the pipes to its parent.
pub fn serve(arguments: &[OsString]) -> io::Result<()> {
    let tries = arguments.iter().any(|argument| argument == TRY);
    work(if tries { CompileWork::Try } else { CompileWork::Compile })
}

/// Gives up everything else, and does the work.
pub(crate) fn work(work: CompileWork) -> io::Result<()> {
    let confinement = confine::confine();
    match work {
        CompileWork::Compile => compile(confinement),
        CompileWork::Try => answer(confinement, CompileResult::Tried(confine::escapes()), &[]),
    }
}

fn compile(confinement: CompilerConfinement) -> io::Result<()> {
    let component = component()?;
    let order = CompileOrder { digest: Digest::of(&component), component: &component, deadline: Deadline::none() };
    match InProcess.compile(&order) {
        Ok(code) => answer(confinement, CompileResult::Code(code.as_bytes().len()), code.as_bytes()),
        Err(NotCompiled::Never(fault)) => {
            let refused = CompileResult::Refused { message: fault.message, remedy: fault.remedy };
            answer(confinement, refused, &[])
        }
        // The only thing that it can lack.
        Err(NotCompiled::NotNow(_)) => answer(confinement, CompileResult::OutOfMemory, &[]),
    }
}

/// Reads the component. Less than was announced is an error: the parent has died.
fn component() -> io::Result<Vec<u8>> {
    let mut input = io::stdin().lock();
    let mut length = [0; reply::LENGTH];
    input.read_exact(&mut length)?;
    let length = reply::length(&length, PolicyLimits::CEILING.component_size).ok_or(io::ErrorKind::InvalidData)?;
    let mut component = vec![0; length];
    input.read_exact(&mut component)?;
    Ok(component)
}

fn answer(confinement: CompilerConfinement, result: CompileResult, code: &[u8]) -> io::Result<()> {
    let head = serde_json::to_vec(&Reply { confinement, result })?;
    let mut output = io::stdout().lock();
    output.write_all(&reply::frame(&head))?;
    output.write_all(&head)?;
    output.write_all(code)?;
    output.flush()
}
